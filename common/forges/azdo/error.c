/* Azure DevOps' errors. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "forges/azdo/azdo.h"
#include "sys/exit.h"
#include "sys/mem.h"

enum { UNTOLD_WAIT_MS = 60000 };

/* https://learn.microsoft.com/azure/devops/integrate/concepts/rate-limits: who is not only slowed down gets 429. */
long long gp_azdo_limit_ms(const struct gp_api_answer *answer, int attempt)
{
	long long wait = gp_api_retry_after_ms(&answer->raw);

	if (answer->status != 429)
		return -1;
	return wait >= 0 ? wait : (long long)UNTOLD_WAIT_MS << (attempt < 6 ? attempt - 1 : 5);
}

/* {"message": "TF401019: …", "typeKey": "GitRepositoryNotFoundException"}; line ends become blanks. */
char *gp_azdo_words(const struct gp_json *json)
{
	const char *message = gp_json_get_text(json, "message");
	char *words = message && *message ? gp_strdup(message) : NULL;

	for (char *c = words; c && *c; c++)
		if (*c == '\r' || *c == '\n')
			*c = ' ';
	if (words)
		gp_api_settle(words);
	return words;
}

/*
 * Wrong credentials get a page to sign in, with 203, or a redirection to one, although we say that we are a program:
 * https://learn.microsoft.com/azure/devops/integrate/how-to/call-rest-api, and X-TFS-FedAuthRedirect in
 * https://github.com/actions/runner (src/Sdk/Common/Common/VssHttpRequestSettings.cs). Such a page is at
 * spsprod….vssps.visualstudio.com/_signin, or at one of the identity providers
 * (https://learn.microsoft.com/azure/devops/organizations/security/allow-list-ip-url). Any other redirection, which has
 * a few words in HTML as well (RFC 9110, section 15.4), is of something that has moved.
 */
bool gp_azdo_is_sign_in(const struct gp_http_reply *raw)
{
	static const char *const places[] = {"/_signin", "/signin", "://login.microsoftonline.", "://login.live.com/",
					     "://login.windows.net/"};
	const char *type = gp_http_header(raw, "content-type"), *location = gp_http_header(raw, "location");

	if (raw->status < 300)
		return raw->status == 203 || (type && !strncasecmp(type, "text/html", 9));
	for (size_t i = 0; raw->status < 400 && i < sizeof places / sizeof *places; i++)
		if (gp_api_mentions(location, places[i]))
			return true;
	return false;
}

bool gp_azdo_is(const struct gp_api_answer *answer, const char *key_or_code)
{
	const char *key = gp_json_get_text(answer->json, "typeKey"),
		   *message = gp_json_get_text(answer->json, "message");

	return (key && !strcmp(key, key_or_code)) || (message && !strncmp(message, key_or_code, strlen(key_or_code)));
}

bool gp_azdo_is_lost(const struct gp_api_answer *answer)
{
	return gp_azdo_is(answer, "TF401019") || gp_azdo_is(answer, "TF200016");
}

int gp_azdo_refuse(const struct gp_azdo *a, const struct gp_api_answer *answer, struct gp_err *err)
{
	char *words = gp_azdo_words(answer->json);
	const char *said = words ? words : "it does not say why";
	const struct gp_provider_advice *advice = words ? gp_provider_advise(words) : NULL;

	if (gp_azdo_is_lost(answer) || (answer->status == 404 && !words))
		gp_fail(err, GP_EXIT_REFUSED, "no repository '%s' at %s, or this token may not see it%s%s",
			a->address.name, a->api.host, words ? ": " : "", words ? words : "");
	else if (advice)
		gp_fail(err, advice->exit, "%s; %s", said, advice->todo);
	else if (answer->status == 403)
		gp_fail(err, GP_EXIT_DENIED, "%s in '%s': may the token do this?", said, a->address.name);
	else if (answer->status >= 300 && answer->status < 400)
		gp_fail(err, GP_EXIT_REFUSED, "'%s' has moved (status %ld): change the remote's URL", a->address.name,
			answer->status);
	else
		gp_fail(err, GP_EXIT_REFUSED, "%s", said);
	free(words);
	return -1;
}
