/*
 * Switching auto-complete on or off, and what a refusal means.
 * https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests/update
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "forges/azdo/azdo.h"
#include "sys/exit.h"
#include "sys/mem.h"

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

static struct gp_json *body_of(const struct gp_azdo_switch *c)
{
	struct gp_json *body = gp_json_object(), *identity = gp_json_object();

	gp_json_set_text(identity, "id", c->who ? c->who : nobody);
	gp_json_set(body, "autoCompleteSetBy", identity);
	if (c->m->enable) {
		struct gp_json *options = gp_azdo_completion(c->m->method);

		gp_json_set(options, "autoCompleteIgnoreConfigIds",
			    c->optional ? gp_json_copy(c->optional) : gp_json_array());
		gp_json_set(body, "completionOptions", options);
	}
	return body;
}

/*
 * "It cannot be edited due to its state": then it is completed or abandoned already, and does nothing more by itself. That is
 * as good as off; and as good as on, where it was on, or may have been switched on by an attempt whose reply was lost.
 */
static struct gp_json *explain(struct gp_azdo *a, const struct gp_azdo_switch *c, const struct gp_api_answer *answer,
			       struct gp_err *err)
{
	struct gp_json *pull = gp_azdo_look_up(a, c->m->number, NULL, err);
	const char *state = gp_json_get_text(pull, "state");

	if (!pull)
		return NULL;
	if (!c->m->enable && strcmp(state, "open") != 0)
		return pull;
	if (c->m->enable && (c->ours || answer->repeated) && !strcmp(state, "merged") &&
	    !strcmp(gp_json_get_text(pull, "head"), c->m->head))
		return pull;
	if (!c->m->enable || !gp_pull_check_bound(pull, c->m->head, err))
		gp_azdo_refuse(a, answer, err);
	gp_json_free(pull);
	return NULL;
}

/*
 * Whether it was refused because we are not who the headers of answers say that we are: then that was asked for.
 * Its words: https://github.com/microsoft/coe-starter-kit/issues/6872
 */
static bool is_other(struct gp_azdo *a, struct gp_azdo_switch *c, const struct gp_api_answer *answer)
{
	struct gp_err none = {0};
	char *before;
	const char *me;
	bool other;

	if (!c->m->enable || answer->status != 400 ||
	    !gp_api_mentions(gp_json_get_text(answer->json, "message"), "auto complete set by id"))
		return false;
	before = gp_strdup(c->who);
	me = gp_azdo_ask_me(a, &none);
	c->who = me ? me : c->who;
	other = strcasecmp(c->who, before) != 0;
	free(before);
	return other;
}

struct gp_json *gp_azdo_switch(struct gp_azdo *a, const struct gp_azdo_switch *change, struct gp_err *err)
{
	struct gp_azdo_switch c = *change;
	struct gp_json *pull = NULL;
	bool again = true;

	for (int n = 1; again; n++) {
		struct gp_json *body = body_of(&c);
		struct gp_api_answer answer;
		int rc = gp_azdo_change(a, c.m->number, body, &answer, err);

		again = !rc && n == 1 && is_other(a, &c, &answer);
		if (!rc && answer.status == 200)
			pull = gp_azdo_pull(a, answer.json, err);
		else if (!rc &&
			 (gp_azdo_is(&answer, "TF401181") || gp_azdo_is(&answer, "GitPullRequestNotEditableException")))
			pull = explain(a, &c, &answer, err);
		else if (!rc && !again)
			gp_azdo_refuse(a, &answer, err);
		gp_api_answer_free(&answer);
		gp_json_free(body);
	}
	return pull;
}
