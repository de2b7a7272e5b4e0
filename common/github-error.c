/* What GitHub says when it does not do what it was asked. */
#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "exit.h"
#include "github.h"
#include "mem.h"

enum { UNTOLD_WAIT_MS = 60000, LONGEST_WAIT_S = 86400 };

int gp_github_nonsense(const struct gp_github *g, const char *what, struct gp_err *err)
{
	return gp_fail(err, GP_EXIT_REPLY, "the reply of %s makes no sense: %s", g->address.host, what);
}

bool gp_github_mentions(const char *text, const char *part)
{
	for (size_t n = strlen(part); text && *text; text++)
		if (!strncasecmp(text, part, n))
			return true;
	return false;
}

static long long number(const char *text)
{
	char *end;
	long long n = text ? strtoll(text, &end, 10) : -1;

	return n >= 0 && n <= LLONG_MAX / 1000 ? n : -1;
}

/* Retry-After is seconds or a date: RFC 9110, section 10.2.3. */
static long long retry_after_s(const struct gp_http_reply *raw, long long now)
{
	const char *text = gp_http_header(raw, "retry-after");
	long long date;

	if (!text)
		return -1;
	if (isdigit((unsigned char)*text))
		return number(text);
	date = gp_http_date(text);
	return date < 0 ? -1 : date > now ? date - now : 0;
}

/* https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit */
long long gp_github_limit_ms(const struct gp_http_reply *raw, const struct gp_json *json, int attempt)
{
	const char *remaining = gp_http_header(raw, "x-ratelimit-remaining");
	const struct gp_json *error = gp_json_first(gp_json_get(json, "errors"));
	const char *message = gp_json_get_text(json, "message"), *type = gp_json_get_text(error, "type");
	/* The forge's clock, not ours: they may differ. */
	long long now = gp_http_date(gp_http_header(raw, "date")), wait, reset;
	bool spent = remaining && !strcmp(remaining, "0");
	bool graphql =
		raw->status == 200 && ((type && !strcmp(type, "RATE_LIMITED")) ||
				       gp_github_mentions(gp_json_get_text(error, "message"), "secondary rate limit"));

	if (now < 0)
		now = (long long)time(NULL);
	wait = retry_after_s(raw, now);
	if (raw->status >= 500)
		return wait >= 0 && wait <= LONGEST_WAIT_S ? wait * 1000 : -1;
	if (!graphql && raw->status != 429 &&
	    (raw->status != 403 || (wait < 0 && !spent && !gp_github_mentions(message, "rate limit"))))
		return -1;
	reset = number(gp_http_header(raw, "x-ratelimit-reset"));
	if (wait < 0 && spent && reset >= 0)
		wait = reset > now ? reset - now + 1 : 1;
	if (wait < 0)
		return (long long)UNTOLD_WAIT_MS << (attempt < 6 ? attempt - 1 : 5);
	return (wait < LONGEST_WAIT_S ? wait : LONGEST_WAIT_S) * 1000;
}

/* Sentences as gp's messages have them. */
static void settle(char *text)
{
	size_t n = strlen(text);

	while (n && strchr(". \n", text[n - 1]))
		text[--n] = '\0';
	if (n > 1 && isupper((unsigned char)text[0]) && !isupper((unsigned char)text[1]))
		text[0] = (char)tolower((unsigned char)text[0]);
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
		settle(words);
	return words;
}

char *gp_github_words(const struct gp_json *json)
{
	const char *message = gp_json_get_text(json, "message");
	const struct gp_json *errors = gp_json_get(json, "errors");
	char *words = message && *message ? gp_strdup(message) : NULL;

	if (words)
		settle(words);
	if (gp_json_is_string(errors)) {
		char *longer = gp_asprintf("%s%s%s", words ? words : "", words ? ": " : "", gp_json_text(errors));

		free(words);
		settle(longer);
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

int gp_github_refuse(const struct gp_github *g, const struct gp_github_answer *answer, const char *permission,
		     struct gp_err *err)
{
	const char *accepted = gp_http_header(&answer->raw, "x-accepted-github-permissions");
	char *words = gp_github_words(answer->json);
	const char *said = words ? words : "it does not say why";

	if (answer->status == 403 || answer->status == 404)
		/* What a token may not see or do is often told as "not found". */
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
