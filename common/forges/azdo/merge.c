/*
 * Completing a pull request now. The forge queues it:
 * https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests/update
 */
#include <stdlib.h>
#include <string.h>

#include "forges/azdo/azdo.h"
#include "sys/exit.h"
#include "sys/mem.h"

static int cannot(struct gp_azdo *a, const struct gp_merge *m, const struct gp_json *pull, const char *words,
		  struct gp_err *err)
{
	struct gp_azdo_policies p = {0};
	struct gp_err none = {0};
	struct gp_azdo_id id;

	gp_azdo_id_read(&id, gp_json_get_text(pull, "id"));
	if (id.project)
		gp_azdo_policies_read(&p, a, id.project, m->number, &none);
	gp_fail(err, GP_EXIT_REFUSED, "cannot merge #%lld: %s%s%s", (long long)m->number,
		words ? words : "it does not say why", p.unmet ? ": " : "", p.unmet ? p.unmet : "");
	gp_azdo_policies_free(&p);
	gp_azdo_id_free(&id);
	return -1;
}

/*
 * What has become of it. Returns 1 if it is merged, 0 if nothing is decided yet, -1 with err. mergeStatus is that of
 * the last attempt: https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests/get#pullrequestasyncstatus
 */
static int judge(struct gp_azdo *a, const struct gp_merge *m, const struct gp_json *pull, const struct gp_json *node,
		 struct gp_err *err)
{
	const char *status = gp_json_get_text(node, "mergeStatus"),
		   *message = gp_json_get_text(node, "mergeFailureMessage");

	if (!strcmp(gp_json_get_text(pull, "state"), "merged"))
		return 1;
	if (gp_pull_check_bound(pull, m->head, err))
		return -1;
	if (!status || !strcmp(status, "queued") || !strcmp(status, "succeeded") || !strcmp(status, "notSet"))
		return 0;
	if (!strcmp(status, "conflicts"))
		return cannot(a, m, pull, message && *message ? message : "there are merge conflicts", err);
	if (!strcmp(status, "rejectedByPolicy"))
		return cannot(a, m, pull, message && *message ? message : "a branch policy rejects it", err);
	return cannot(a, m, pull, message && *message ? message : status, err);
}

/* Waits until the queued completion is done. */
static struct gp_json *await(struct gp_azdo *a, const struct gp_merge *m, const struct gp_json *first,
			     struct gp_err *err)
{
	struct gp_json *pull = gp_azdo_pull(a, first, err);
	const struct gp_json *node = first;

	for (int n = 1; pull; n++) {
		int done = judge(a, m, pull, node, err);

		if (done > 0)
			return pull;
		gp_json_free(pull);
		pull = NULL;
		if (done < 0)
			break;
		if (gp_api_pause(&a->api, n, 0, NULL)) {
			gp_fail(err, GP_EXIT_RETRY, "#%lld is queued to be completed, and not merged yet",
				(long long)m->number);
			break;
		}
		pull = gp_azdo_look_up(a, m->number, &node, err);
	}
	return pull;
}

/*
 * Why it failed. Returns 1 with *pull if it is merged already, by an earlier attempt of ours; 0 if another attempt may
 * help; -1 with err.
 */
static int refused(struct gp_azdo *a, const struct gp_merge *m, const struct gp_api_answer *answer,
		   struct gp_json **pull, struct gp_err *err)
{
	const struct gp_json *node;
	char *words = gp_azdo_words(answer->json);
	int rc = -1;

	*pull = gp_azdo_look_up(a, m->number, &node, err);
	if (!*pull)
		goto out;
	if (answer->repeated && !strcmp(gp_json_get_text(*pull, "state"), "merged") &&
	    !strcmp(gp_json_get_text(*pull, "head"), m->head)) {
		free(words);
		return 1;
	}
	if (gp_azdo_is(answer, "TF401192") || gp_azdo_is(answer, "GitPullRequestStaleException")) {
		/* Either somebody has pushed, or the forge has not seen our push yet. */
		gp_json_free(*pull);
		*pull = gp_azdo_look_up_bound(a, m->number, m->head, NULL, err);
		rc = *pull ? 0 : -1;
	} else if (gp_pull_check_bound(*pull, m->head, err)) {
		goto out;
	} else if (gp_azdo_is(answer, "GitPullRequestUpdateRejectedByPolicyException")) {
		cannot(a, m, *pull, words, err);
	} else if (answer->status == 409) {
		gp_fail(err, GP_EXIT_RETRY, "cannot merge #%lld: %s", (long long)m->number,
			words ? words : "it was changed");
	} else {
		gp_azdo_refuse(a, answer, err);
		gp_fail_in(err, "cannot merge #%lld", (long long)m->number);
	}
out:
	gp_json_free(*pull);
	*pull = NULL;
	free(words);
	return rc;
}

static struct gp_json *merge(struct gp_azdo *a, const struct gp_merge *m, const struct gp_json *body,
			     struct gp_err *err)
{
	struct gp_json *pull = NULL;
	int rc = 0;

	for (int n = 1; !rc; n++) {
		struct gp_api_answer answer;

		rc = gp_azdo_change(a, m->number, body, &answer, err);
		if (!rc && answer.status == 200) {
			pull = await(a, m, answer.json, err);
			rc = 1;
		} else if (!rc) {
			rc = refused(a, m, &answer, &pull, err);
		}
		if (!rc && gp_api_pause(&a->api, n, 0, NULL))
			rc = gp_fail(err, GP_EXIT_RETRY, "cannot merge #%lld: its branches keep moving",
				     (long long)m->number);
		gp_api_answer_free(&answer);
	}
	return pull;
}

struct gp_json *gp_azdo_merge_pr(void *repository, const struct gp_json *request, struct gp_err *err)
{
	struct gp_json *body, *head, *pull;
	struct gp_merge m;

	if (gp_request_merge(&m, request, err))
		return NULL;
	body = gp_json_object();
	head = gp_json_object();
	gp_json_set_text(body, "status", "completed");
	gp_json_set_text(head, "commitId", m.head);
	gp_json_set(body, "lastMergeSourceCommit", head);
	gp_json_set(body, "completionOptions", gp_azdo_completion(m.method));
	pull = merge(repository, &m, body, err);
	gp_json_free(body);
	return gp_pull_result(pull);
}
