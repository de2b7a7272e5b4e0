#include "forges/azdo/azdo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/exit.h"
#include "sys/mem.h"

enum { PAGE = 100, STATUS_PAGE = 1000, MAX_SHIFTS = 5, LOWER_VERSIONS = 4, ID_LENGTH = 36 };

static char *url_of(const struct gp_azdo *a, enum gp_azdo_resource resource, const char *path)
{
	const char *place = resource <= GP_AZDO_LABELS        ? a->address.repository
			    : resource <= GP_AZDO_EVALUATIONS ? a->address.project
							      : "/_apis";

	return gp_asprintf("%s%s%s%capi-version=%s%s", place, *path ? "/" : "", path, strchr(path, '?') ? '&' : '?',
			   a->version, a->preview[resource] ? "-preview" : "");
}

/*
 * Whether a refusal is about the version that we asked for; then the next attempt is in one that the server has named,
 * or in the next one that there was. The words are those of the service's own client:
 * https://github.com/actions/runner (src/Sdk/Resources/WebApiResources.g.cs, ApiVersionOutOfRange)
 * https://learn.microsoft.com/azure/devops/integrate/concepts/rest-api-versioning
 */
static bool step_down(struct gp_azdo *a, enum gp_azdo_resource resource, const struct gp_api_answer *answer)
{
	static const char *const older[LOWER_VERSIONS] = {"7.0", "6.0", "5.1", "5.0"};
	static const char names[] = "this server supports is ";
	const char *message = gp_json_get_text(answer->json, "message"), *named;

	if (answer->status != 400)
		return false;
	if (gp_azdo_is(answer, "VssInvalidPreviewVersionException") && !a->preview[resource])
		return (a->preview[resource] = true);
	if (!gp_azdo_is(answer, "VssVersionOutOfRangeException"))
		return false;
	named = message ? strstr(message, names) : NULL;
	if (named) {
		char *version = gp_memdup0(named + strlen(names), strspn(named + strlen(names), "0123456789."));
		size_t n = strlen(version);

		while (n && version[n - 1] == '.')
			version[--n] = '\0';
		if (n && n < sizeof a->version && strcmp(version, a->version) < 0) {
			snprintf(a->version, sizeof a->version, "%s", version);
			free(version);
			return true;
		}
		free(version);
	}
	for (size_t i = 0; i < LOWER_VERSIONS; i++)
		if (strcmp(older[i], a->version) < 0) {
			snprintf(a->version, sizeof a->version, "%s", older[i]);
			return true;
		}
	return false;
}

/*
 * Answers say who has asked: "ID:NAME", as the service's own client reads it.
 * https://github.com/actions/runner (src/Sdk/Common/Common/Authentication/IssuedToken.cs, GetUserData)
 */
static void note_user(struct gp_azdo *a, const struct gp_http_reply *raw)
{
	const char *user = gp_http_header(raw, "x-vss-userdata");
	size_t n = user ? strspn(user, "0123456789abcdefABCDEF-") : 0;

	if (!a->me && n == ID_LENGTH && user[n] == ':')
		a->me = gp_memdup0(user, n);
}

int gp_azdo_send(struct gp_azdo *a, const char *method, enum gp_azdo_resource resource, const char *path,
		 const struct gp_json *body, enum gp_api_repeat repeat, struct gp_api_answer *answer,
		 struct gp_err *err)
{
	for (;;) {
		char *url = url_of(a, resource, path);
		const struct gp_api_call call = {method, url, body, NULL, repeat};
		int rc = gp_api_send(&a->api, &call, answer, err);

		free(url);
		note_user(a, &answer->raw);
		if (rc || !step_down(a, resource, answer))
			return rc;
		gp_api_answer_free(answer);
	}
}

/* A conditional GET. *page is NULL if it does not exist. */
static int get(struct gp_azdo *a, enum gp_azdo_resource resource, const char *path, struct gp_api_answer *answer,
	       const struct gp_json **page, struct gp_err *err)
{
	for (;;) {
		char *url = url_of(a, resource, path);
		int rc = gp_api_get(&a->api, url, answer, page, NULL, err);

		free(url);
		note_user(a, &answer->raw);
		if (!rc && !*page && answer->status == 200)
			return gp_api_nonsense(&a->api, "it is empty", err);
		if (rc || *page || !step_down(a, resource, answer))
			return rc;
		gp_api_answer_free(answer);
	}
}

int gp_azdo_get(struct gp_azdo *a, enum gp_azdo_resource resource, const char *path, const struct gp_json **out,
		struct gp_err *err)
{
	struct gp_api_answer answer;
	int rc = get(a, resource, path, &answer, out, err);

	/* A missing repository is an error, whatever was asked of it. */
	if (!rc && !*out && (answer.status != 404 || gp_azdo_is_lost(&answer)))
		rc = gp_azdo_refuse(a, &answer, err);
	else if (!rc && *out && !gp_json_is_object(*out))
		rc = gp_api_nonsense(&a->api, "it is no object", err);
	gp_api_answer_free(&answer);
	return rc;
}

/* The path of a page. */
static char *page_path(const char *path, enum gp_azdo_paging paging, size_t size, size_t skip, const char *token)
{
	char *escaped = token ? gp_api_escape(token) : NULL, *out;
	const char *sign = paging == GP_AZDO_PLAIN ? "" : "$";
	char mark = strchr(path, '?') ? '&' : '?';

	if (paging == GP_AZDO_WHOLE)
		out = gp_strdup(path);
	else if (skip && paging != GP_AZDO_TOKEN)
		out = gp_asprintf("%s%c%stop=%zu&%sskip=%zu", path, mark, sign, size, sign, skip);
	else
		out = gp_asprintf("%s%c%stop=%zu%s%s", path, mark, sign, size, token ? "&continuationToken=" : "",
				  token ? escaped : "");
	free(escaped);
	return out;
}

struct page {
	size_t count;
	char *mark;   /* its first element, by which it is told from another; NULL: it has none. Yours. */
	char *token;  /* the parameter for the next page; NULL: there is none. Yours. */
	int64_t last; /* the last pull request; going in: that of the page before, or 0 */
	bool joined;  /* whether that one was on this page as well */
};

static int take_page(struct gp_azdo *a, enum gp_azdo_resource resource, const char *path, bool *missing, struct page *p,
		     gp_azdo_take_fn *take, void *ctx, struct gp_err *err)
{
	struct gp_api_answer answer;
	const struct gp_json *page, *value;
	int rc = get(a, resource, path, &answer, &page, err);
	int64_t before = p->last;

	*p = (struct page){.joined = !before};
	value = gp_json_get(page, "value");
	if (!rc && !page && missing && answer.status == 404 && !gp_azdo_is_lost(&answer))
		*missing = true;
	else if (!rc && !page)
		rc = gp_azdo_refuse(a, &answer, err);
	else if (!rc && !gp_json_is_array(value))
		rc = gp_api_nonsense(&a->api, "a list without its value", err);
	else if (!rc)
		p->token = gp_strdup(gp_http_header(&answer.raw, "x-ms-continuationtoken"));
	if (!rc && gp_json_first(value))
		p->mark = gp_json_print(gp_json_first(value));
	for (const struct gp_json *item = rc ? NULL : gp_json_first(value); item && !rc; item = gp_json_next(item)) {
		rc = take(a, item, ctx, err);
		p->count++;
		p->last = gp_json_get_int(item, "pullRequestId", 0);
		p->joined = p->joined || p->last == before;
	}
	gp_api_answer_free(&answer);
	return rc;
}

int gp_azdo_list(struct gp_azdo *a, enum gp_azdo_resource resource, const char *path, enum gp_azdo_paging paging,
		 bool *missing, gp_azdo_take_fn *take, void *ctx, struct gp_err *err)
{
	size_t size = paging == GP_AZDO_PLAIN ? STATUS_PAGE : PAGE, skip = 0, shifts = 0;
	struct gp_api_pages pages = {0};
	struct page p = {0};
	bool more;
	int rc;

	do {
		char *page = page_path(path, paging, size, skip, p.token);

		free(p.token);
		rc = take_page(a, resource, page, missing, &p, take, ctx, err);
		if (!rc && p.mark)
			rc = gp_api_turn(&a->api, &pages, p.mark, err);
		free(p.mark);
		free(page);
		skip += p.count;
		more = paging == GP_AZDO_TOKEN ? p.token && p.count : paging != GP_AZDO_WHOLE && p.count >= size;
		if (paging != GP_AZDO_PULLS) {
			p.last = 0;
		} else if (!p.joined && shifts++ < MAX_SHIFTS) {
			/* Pull requests that were closed meanwhile have moved others to the page before. */
			rc = rc ? rc : take(a, NULL, ctx, err);
			gp_api_pages_free(&pages);
			more = true;
			skip = 0;
			p.last = 0;
		} else if (p.count) {
			skip--;
		}
	} while (!rc && more);
	gp_api_pages_free(&pages);
	free(p.token);
	return rc;
}

/* As its own command line finds it: https://github.com/Azure/azure-devops-cli-extension (dev/common/identities.py) */
const char *gp_azdo_ask_me(struct gp_azdo *a, struct gp_err *err)
{
	const struct gp_json *connection;
	const char *id;

	if (gp_azdo_get(a, GP_AZDO_CONNECTION, "connectionData", &connection, err))
		return NULL;
	id = gp_json_get_text(gp_json_get(connection, "authenticatedUser"), "id");
	if (!id) {
		gp_api_nonsense(&a->api, "it does not say whose token it is", err);
		return NULL;
	}
	/* This answer may have named the user in its header, too. */
	free(a->me);
	a->me = gp_strdup(id);
	return a->me;
}

const char *gp_azdo_me(struct gp_azdo *a, struct gp_err *err)
{
	return a->me ? a->me : gp_azdo_ask_me(a, err);
}
