/* Opening a pull request, or changing the title and description of the open one. */
#include <stdlib.h>
#include <string.h>

#include "forge/server.h"
#include "forges/github/github.h"
#include "sys/exit.h"
#include "sys/mem.h"

static const char permission[] = "pull requests: write";

/* Whether an error of a 422 is about this field, or says this. */
static bool is_about(const struct gp_json *json, const char *field, const char *text)
{
	for (const struct gp_json *e = gp_json_first(gp_json_get(json, "errors")); e; e = gp_json_next(e)) {
		const char *its_field = gp_json_get_text(e, "field"), *message = gp_json_get_text(e, "message");

		if (field && its_field && !message && !strcmp(its_field, field))
			return true;
		if (text && message && strstr(message, text))
			return true;
	}
	return false;
}

static int refuse(const struct gp_github *g, const struct gp_api_answer *answer, const struct gp_wanted *w,
		  struct gp_err *err)
{
	const char *message = gp_json_get_text(answer->json, "message");
	bool head = is_about(answer->json, "head", NULL), base = is_about(answer->json, "base", NULL);

	if (answer->status == 422 && (head || base))
		return gp_fail(err, GP_EXIT_REFUSED, "no branch '%s' in '%s'", head ? w->branch : w->base,
			       g->address.slug);
	/* A setting that overrides every token: it is off in new organizations. */
	if (answer->status == 403 && message && strstr(message, "not permitted to create"))
		return gp_fail(
			err, GP_EXIT_DENIED,
			"%s: allow it in Settings > Actions > General > Workflow permissions, or use the token of an app",
			message);
	return gp_github_refuse(g, answer, permission, err);
}

/* Title and description of one that is open; returns it as it is then. Takes pull over. */
static struct gp_json *update(struct gp_github *g, struct gp_json *pull, const struct gp_wanted *w, bool *same,
			      struct gp_err *err)
{
	char *url = gp_asprintf("/repos/%s/pulls/%lld", g->address.slug, (long long)gp_json_get_int(pull, "number", 0));
	struct gp_api_call call = {"PATCH", url, NULL, NULL, GP_API_ALWAYS};
	struct gp_api_answer answer;
	struct gp_json *body, *updated = NULL;

	*same = !strcmp(gp_json_get_text(pull, "title"), w->title) &&
		!strcmp(gp_json_get_text(pull, "description"), w->description);
	if (*same) {
		free(url);
		return pull;
	}
	body = gp_json_object();
	gp_json_set_text(body, "title", w->title);
	gp_json_set_text(body, "body", w->description);
	call.body = body;
	if (!gp_api_send(&g->api, &call, &answer, err)) {
		if (answer.status == 200)
			updated = gp_github_rest_pull(g, answer.json, err);
		else
			gp_github_refuse(g, &answer, permission, err);
	}
	gp_api_answer_free(&answer);
	gp_json_free(body);
	gp_json_free(pull);
	free(url);
	return updated;
}

/*
 * One attempt: posts, and looks where that may have found or made one already.
 * Returns 1 with *pull, 0 if there is none in spite of it, -1 with err.
 * *why is then what GitHub had to say.
 */
static int attempt(struct gp_github *g, const struct gp_api_call *call, const struct gp_wanted *w,
		   struct gp_json **pull, bool *created, struct gp_err *why, struct gp_err *err)
{
	struct gp_api_answer answer;
	struct gp_json *pulls, *found = NULL;
	int rc = gp_api_send(&g->api, call, &answer, why);
	bool unclear = answer.repeated;

	if (rc && !unclear) {
		gp_fail(err, why->code, "%s", why->message);
	} else if (!rc && answer.status == 201) {
		*pull = gp_github_rest_pull(g, answer.json, err);
		*created = true;
	} else if (!rc && !(answer.status == 422 && is_about(answer.json, NULL, "already exists"))) {
		refuse(g, &answer, w, err);
	} else {
		if (!rc)
			gp_github_refuse(g, &answer, permission, why);
		pulls = gp_github_find_branch(g, w->branch, w->base, err);
		if (gp_json_first(pulls))
			found = gp_json_copy(gp_json_first(pulls));
		gp_json_free(pulls);
		*pull = found ? update(g, found, w, created, err) : NULL;
		/* A pull request exactly as requested is the result of our attempt. */
		*created = *created && unclear;
	}
	gp_api_answer_free(&answer);
	return err->code ? -1 : *pull != NULL;
}

static struct gp_json *open_or_update(struct gp_github *g, const struct gp_wanted *w, bool *created, struct gp_err *err)
{
	char *url = gp_asprintf("/repos/%s/pulls", g->address.slug);
	struct gp_json *body = gp_json_object(), *pull = NULL;
	const struct gp_api_call call = {"POST", url, body, NULL, GP_API_IF_UNSENT};
	int rc = 0;

	gp_json_set_text(body, "title", w->title);
	gp_json_set_text(body, "head", w->branch);
	gp_json_set_text(body, "base", w->base);
	gp_json_set_text(body, "body", w->description);
	if (w->draft)
		gp_json_set_bool(body, "draft", true);
	for (int n = 1; !rc; n++) {
		struct gp_err why = {0};

		*created = false;
		rc = attempt(g, &call, w, &pull, created, &why, err);
		if (!rc && gp_api_pause(&g->api, n, 0, NULL))
			rc = gp_fail(err, why.code, "%s", why.message);
	}
	gp_json_free(body);
	free(url);
	return pull;
}

struct gp_json *gp_github_open_pr(void *repository, const struct gp_json *request, struct gp_err *err)
{
	struct gp_wanted w;
	struct gp_json *pull, *warnings = NULL;
	bool created;

	if (gp_request_wanted(&w, request, err))
		return NULL;
	pull = open_or_update(repository, &w, &created, err);
	if (pull && gp_github_add_more(repository, gp_json_get_int(pull, "number", 0), &w, created, &warnings, err)) {
		gp_json_free(pull);
		pull = NULL;
	}
	return gp_opened_result(pull, created, warnings);
}
