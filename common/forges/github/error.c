/* GitHub's errors. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "forges/github/github.h"
#include "sys/exit.h"
#include "sys/mem.h"

enum { UNTOLD_WAIT_MS = 60000 };

static long long number(const char *text)
{
	char *end;
	long long n = text ? strtoll(text, &end, 10) : -1;

	return n >= 0 && n <= LLONG_MAX / 1000 ? n : -1;
}

/* https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit */
long long gp_github_limit_ms(const struct gp_api_answer *answer, int attempt)
{
	const char *remaining = gp_http_header(&answer->raw, "x-ratelimit-remaining");
	const struct gp_json *error = gp_json_first(gp_json_get(answer->json, "errors"));
	const char *message = gp_json_get_text(answer->json, "message"), *type = gp_json_get_text(error, "type");
	long long wait = gp_api_retry_after_ms(&answer->raw), reset, now;
	bool spent = remaining && !strcmp(remaining, "0");
	bool graphql =
		answer->status == 200 && ((type && !strcmp(type, "RATE_LIMITED")) ||
					  gp_api_mentions(gp_json_get_text(error, "message"), "secondary rate limit"));

	if (!graphql && answer->status != 429 &&
	    (answer->status != 403 || (wait < 0 && !spent && !gp_api_mentions(message, "rate limit"))))
		return -1;
	reset = number(gp_http_header(&answer->raw, "x-ratelimit-reset"));
	now = gp_api_clock(&answer->raw);
	if (wait < 0 && spent && reset >= 0)
		wait = (reset > now ? reset - now + 1 : 1) * 1000;
	return wait >= 0 ? wait : (long long)UNTOLD_WAIT_MS << (attempt < 6 ? attempt - 1 : 5);
}

/* One of `errors`: a string, or an object with a message, or one with field and code. */
static char *error_words(const struct gp_json *error)
{
	const char *message = gp_json_is_string(error) ? gp_json_text(error) : gp_json_get_text(error, "message");
	const char *field = gp_json_get_text(error, "field"), *code = gp_json_get_text(error, "code");
	char *words = NULL;

	if (message)
		words = gp_strdup(message);
	else if (field && code)
		words = gp_asprintf("%s is %s", field, code);
	if (words)
		gp_api_settle(words);
	return words;
}

char *gp_github_words(const struct gp_json *json)
{
	const char *message = gp_json_get_text(json, "message");
	const struct gp_json *errors = gp_json_get(json, "errors");
	char *words = message && *message ? gp_strdup(message) : NULL;

	if (words)
		gp_api_settle(words);
	if (gp_json_is_string(errors)) {
		char *longer = gp_asprintf("%s%s%s", words ? words : "", words ? ": " : "", gp_json_text(errors));

		free(words);
		gp_api_settle(longer);
		return longer;
	}
	for (const struct gp_json *e = gp_json_first(errors); e; e = gp_json_next(e)) {
		char *more = error_words(e), *longer;

		if (!more)
			continue;
		longer = gp_asprintf("%s%s%s", words ? words : "", words ? ": " : "", more);
		free(words);
		free(more);
		words = longer;
	}
	return words;
}

int gp_github_refuse(const struct gp_github *g, const struct gp_api_answer *answer, const char *permission,
		     struct gp_err *err)
{
	const char *accepted = gp_http_header(&answer->raw, "x-accepted-github-permissions");
	char *words = gp_github_words(answer->json);
	const char *said = words ? words : "it does not say why";

	if (answer->status == 403 || answer->status == 404)
		/* What a token may not see or do is often reported as "not found". */
		gp_fail(err, GP_EXIT_DENIED, "%s in '%s': the token needs the permission %s%s%s%s", said,
			g->address.slug, permission, accepted ? " (" : "", accepted ? accepted : "",
			accepted ? ")" : "");
	else if (answer->status >= 300 && answer->status < 400)
		gp_fail(err, GP_EXIT_REFUSED, "'%s' has moved (status %ld): change the remote's URL", g->address.slug,
			answer->status);
	else
		gp_fail(err, GP_EXIT_REFUSED, "%s", said);
	free(words);
	return -1;
}
