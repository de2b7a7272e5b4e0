/* Posting a commit status. https://docs.github.com/rest/commits/statuses#create-a-commit-status */
#include <stdlib.h>
#include <string.h>

#include "forge/server.h"
#include "forges/github/github.h"
#include "sys/exit.h"
#include "sys/mem.h"

static const char permission[] = "commit statuses: write";

/* GitHub answers 422 to more than this. */
enum { MAX_DESCRIPTION = 140 };

/*
 * Where a status is meant as a check of a pull request, the commit has to be
 * its head. Who has the pull request's id has just seen it: should the head
 * have moved since, the status stands where it belongs, and nothing goes by it.
 */
static int check_head(struct gp_github *g, const struct gp_post *p, struct gp_err *err)
{
	struct gp_json *pull;
	const char *head;

	if (!p->number || p->id)
		return 0;
	pull = gp_github_look_up(g, p->number, err);
	head = gp_json_get_text(pull, "head");
	if (pull && strcmp(head, p->commit) != 0)
		gp_fail(err, GP_EXIT_RETRY, "head of #%lld is now %s, not %s", (long long)p->number, head, p->commit);
	gp_json_free(pull);
	return err->code ? -1 : 0;
}

static struct gp_json *post(struct gp_github *g, const char *commit, const struct gp_json *body, struct gp_err *err)
{
	char *url = gp_asprintf("/repos/%s/statuses/%s", g->address.slug, commit);
	const struct gp_api_call call = {"POST", url, body, NULL, GP_API_ALWAYS};
	struct gp_api_answer answer;
	struct gp_json *status = NULL;

	if (!gp_api_send(&g->api, &call, &answer, err)) {
		if (answer.status != 201)
			gp_github_refuse(g, &answer, permission, err);
		else if (!(status = gp_github_rest_status(answer.json)))
			gp_api_nonsense(&g->api, "a status without context, state or time", err);
	}
	gp_api_answer_free(&answer);
	free(url);
	return status;
}

struct gp_json *gp_github_set_status(void *repository, const struct gp_json *request, struct gp_err *err)
{
	struct gp_post p;
	struct gp_json *body, *status, *result;

	if (gp_request_post(&p, request, err) || check_head(repository, &p, err))
		return NULL;
	body = gp_json_object();
	gp_json_set_text(body, "context", p.context);
	gp_json_set_text(body, "state", p.state);
	if (p.description) {
		char *text = gp_api_shorten(p.description, MAX_DESCRIPTION, false);

		gp_json_set_text(body, "description", text);
		free(text);
	}
	if (p.url)
		gp_json_set_text(body, "target_url", p.url);
	status = post(repository, p.commit, body, err);
	gp_json_free(body);
	if (!status)
		return NULL;
	result = gp_json_object();
	gp_json_set(result, "status", status);
	return result;
}
