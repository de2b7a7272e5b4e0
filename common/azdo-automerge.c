/*
 * Auto-complete: completing by the forge itself, once all policies that block
 * are met. https://learn.microsoft.com/azure/devops/repos/git/complete-pull-requests#set-a-pull-request-to-auto-complete
 */
#include <stdlib.h>
#include <string.h>

#include "azdo.h"
#include "exit.h"
#include "mem.h"

/* https://github.com/Azure/azure-devops-cli-extension (dev/repos/pull_request.py): so does its own command line. */
static const char nobody[] = "00000000-0000-0000-0000-000000000000";

/* https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests/update#gitpullrequestmergestrategy */
struct gp_json *gp_azdo_completion(const char *method)
{
	struct gp_json *options = gp_json_object();

	gp_json_set_text(options, "mergeStrategy", !strcmp(method, "merge") ? "noFastForward" : method);
	gp_json_set_bool(options, "deleteSourceBranch", true);
	gp_json_set_bool(options, "transitionWorkItems", false);
	return options;
}

/*
 * Sets who has switched it on; method: NULL to switch it off; optional: the policies that it is not to wait for, or
 * NULL. Returns the pull request.
 */
static struct gp_json *change(struct gp_azdo *a, int64_t number, const char *who, const char *method,
			      const struct gp_json *optional, struct gp_err *err)
{
	struct gp_json *body = gp_json_object(), *identity = gp_json_object(), *pull = NULL;
	struct gp_api_answer answer;

	gp_json_set_text(identity, "id", who);
	gp_json_set(body, "autoCompleteSetBy", identity);
	if (method) {
		struct gp_json *options = gp_azdo_completion(method);

		gp_json_set(options, "autoCompleteIgnoreConfigIds",
			    optional ? gp_json_copy(optional) : gp_json_array());
		gp_json_set(body, "completionOptions", options);
	}
	if (!gp_azdo_change(a, number, body, &answer, err)) {
		if (answer.status == 200)
			pull = gp_azdo_pull(a, answer.json, err);
		else
			gp_azdo_refuse(a, &answer, err);
	}
	gp_api_answer_free(&answer);
	gp_json_free(body);
	return pull;
}

static struct gp_json *switch_off(struct gp_azdo *a, int64_t number, struct gp_err *err)
{
	struct gp_json *pull = gp_azdo_look_up(a, number, NULL, err);

	/* What is completed or abandoned cannot be changed, and does nothing by itself. */
	if (!pull || !gp_json_get_true(pull, "auto_merge"))
		return pull;
	gp_json_free(pull);
	pull = change(a, number, nobody, NULL, NULL, err);
	if (!pull || !gp_json_get_true(pull, "auto_merge"))
		return pull;
	gp_json_free(pull);
	gp_api_nonsense(&a->api, "auto-complete was switched off and is on", err);
	return NULL;
}

/* What is known before it is switched on: the pull request's ids, and the pull request, where it had to be asked for. */
struct known {
	struct gp_azdo_id id;
	struct gp_json *pull;
	const struct gp_json *node;
	struct gp_azdo_policies policies;
};

static void free_known(struct known *k)
{
	gp_azdo_id_free(&k->id);
	gp_json_free(k->pull);
	gp_azdo_policies_free(&k->policies);
}

static int look(struct gp_azdo *a, const struct gp_merge *m, struct known *k, struct gp_err *err)
{
	k->pull = gp_azdo_look_up_bound(a, m->number, m->head, &k->node, err);
	if (!k->pull)
		return -1;
	gp_azdo_id_free(&k->id);
	gp_azdo_id_read(&k->id, gp_json_get_text(k->pull, "id"));
	return k->id.project && k->id.repository ? 0 : gp_api_nonsense(&a->api, "a pull request without ids", err);
}

/*
 * Whether there is something to wait for. Just after it was opened a pull request has no evaluations yet; then the
 * branch's settings say it. Returns 1, 0, -1.
 */
static int has_to_wait(struct gp_azdo *a, const struct gp_merge *m, struct known *k, struct gp_err *err)
{
	const char *merge;

	if (gp_azdo_policies_read(&k->policies, a, k->id.project, m->number, err))
		return -1;
	if (k->policies.unmet)
		return 1;
	if (!k->pull && look(a, m, k, err))
		return -1;
	if (!k->policies.blocking) {
		gp_azdo_policies_free(&k->policies);
		if (gp_azdo_policies_of_branch(&k->policies, a, k->id.repository, gp_json_get_text(k->pull, "base"),
					       err))
			return -1;
		/* What nothing blocks would be completed as soon as it can be, a conflict or not. */
		return k->policies.unmet != NULL;
	}
	merge = gp_json_get_text(k->node, "mergeStatus");
	return merge && !strcmp(merge, "conflicts");
}

/* It is on: for this head, or off again. Takes pull over. */
static struct gp_json *confirm(struct gp_azdo *a, const struct gp_merge *m, struct gp_json *pull, struct gp_err *err)
{
	const char *state = gp_json_get_text(pull, "state");
	struct gp_err why = {0};

	if (strcmp(gp_json_get_text(pull, "head"), m->head) != 0 && !strcmp(state, "open")) {
		/* Nothing binds it to a head; somebody has pushed in between, unless the forge has yet to see our own push. */
		struct gp_json *again = gp_azdo_look_up_bound(a, m->number, m->head, NULL, &why);

		gp_json_free(pull);
		if (again)
			return again;
		gp_json_free(change(a, m->number, nobody, NULL, NULL, err));
		gp_fail(err, why.code, "%s", why.message);
		return NULL;
	}
	if (gp_json_get_true(pull, "auto_merge") || !strcmp(state, "merged"))
		return pull;
	gp_json_free(pull);
	gp_api_nonsense(&a->api, "auto-complete was switched on and is off", err);
	return NULL;
}

static struct gp_json *switch_on(struct gp_azdo *a, const struct gp_merge *m, struct gp_err *err)
{
	struct known k = {0};
	struct gp_json *pull = NULL, *result = NULL;
	const char *me;
	int wait;

	gp_azdo_id_read(&k.id, m->id);
	/* Who has the id has just seen the pull request with this head. */
	if ((!k.id.project || !k.id.head || strcmp(k.id.head, m->head) != 0) && look(a, m, &k, err))
		goto out;
	wait = has_to_wait(a, m, &k, err);
	if (wait == 0) {
		/* One that was switched on before has to wait for nothing more: it is about to be completed. */
		result = gp_pull_result(k.pull);
		if (!gp_json_get_true(k.pull, "auto_merge"))
			gp_json_set_bool(result, "clean", true);
		k.pull = NULL;
		goto out;
	}
	me = wait < 0 ? NULL : gp_azdo_me(a, err);
	if (me)
		pull = change(a, m->number, me, m->method, k.policies.optional, err);
	if (pull)
		pull = confirm(a, m, pull, err);
	result = gp_pull_result(pull);
out:
	free_known(&k);
	return result;
}

struct gp_json *gp_azdo_set_auto_merge(void *repository, const struct gp_json *request, struct gp_err *err)
{
	struct gp_merge m;

	if (gp_request_auto_merge(&m, request, err))
		return NULL;
	return m.enable ? switch_on(repository, &m, err) : gp_pull_result(switch_off(repository, m.number, err));
}
