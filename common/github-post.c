/* Posting a commit status. https://docs.github.com/rest/commits/statuses#create-a-commit-status */
#include <stdlib.h>
#include <string.h>

#include "exit.h"
#include "forge-server.h"
#include "github.h"
#include "mem.h"
#include "utf8.h"

static const char *const states[] = {"success", "failure", "pending", NULL};
static const char permission[] = "commit statuses: write";

/* GitHub answers 422 to more than this. */
enum { MAX_DESCRIPTION = 140 };

/* As much of a text as a status may have. Yours. */
static char *shortened(const char *text)
{
	size_t len = strlen(text), at = 0, cut = 0;

	for (int n = 0; at < len; n++) {
		size_t step = gp_utf8_length(text + at, len - at);

		if (n == MAX_DESCRIPTION - 3)
			cut = at;
		if (n == MAX_DESCRIPTION)
			return gp_asprintf("%.*s...", (int)cut, text);
		at += step ? step : 1;
	}
	return gp_strdup(text);
}

/*
 * Where a status is meant as a check of a pull request, the commit has to be
 * its head. Who has the pull request's id has just seen it: should the head
 * have moved since, the status stands where it belongs, and nothing goes by it.
 */
static int check_head(struct gp_github *g, const struct gp_json *request, const char *commit, struct gp_err *err)
{
	const struct gp_json *given = gp_json_get(request, "number");
	const char *id, *head;
	struct gp_json *pull;
	int64_t number;

	if (!given || gp_json_is_null(given))
		return 0;
	if (gp_request_number(&number, request, "number", err) ||
	    gp_request_optional_text(&id, request, "pull_id", err))
		return -1;
	if (id)
		return 0;
	pull = gp_github_look_up(g, number, err);
	head = gp_json_get_text(pull, "head");
	if (pull && strcmp(head, commit) != 0)
		gp_fail(err, GP_EXIT_RETRY, "head of #%lld is now %s, not %s", (long long)number, head, commit);
	gp_json_free(pull);
	return err->code ? -1 : 0;
}

static struct gp_json *post(struct gp_github *g, const char *commit, const struct gp_json *body, struct gp_err *err)
{
	char *url = gp_asprintf("/repos/%s/statuses/%s", g->address.slug, commit);
	const struct gp_github_call call = {"POST", url, body, NULL, GP_GITHUB_ALWAYS};
	struct gp_github_answer answer;
	struct gp_json *status = NULL;

	if (!gp_github_send(g, &call, &answer, err)) {
		if (answer.status != 201)
			gp_github_refuse(g, &answer, permission, err);
		else if (!(status = gp_github_rest_status(answer.json)))
			gp_github_nonsense(g, "a status without context, state or time", err);
	}
	gp_github_answer_free(&answer);
	free(url);
	return status;
}

struct gp_json *gp_github_set_status(struct gp_github *g, const struct gp_json *request, struct gp_err *err)
{
	const char *commit, *context, *state, *description, *url;
	struct gp_json *body, *status, *result;

	if (gp_request_commit(&commit, request, "commit", err) || gp_request_name(&context, request, "context", err) ||
	    gp_request_word(&state, request, "state", states, err) ||
	    gp_request_optional_text(&description, request, "description", err) ||
	    gp_request_optional_text(&url, request, "url", err) || check_head(g, request, commit, err))
		return NULL;
	body = gp_json_object();
	gp_json_set_text(body, "context", context);
	gp_json_set_text(body, "state", state);
	if (description) {
		char *text = shortened(description);

		gp_json_set_text(body, "description", text);
		free(text);
	}
	if (url)
		gp_json_set_text(body, "target_url", url);
	status = post(g, commit, body, err);
	gp_json_free(body);
	if (!status)
		return NULL;
	result = gp_json_object();
	gp_json_set(result, "status", status);
	return result;
}
