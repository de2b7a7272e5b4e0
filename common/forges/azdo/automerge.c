/*
 * Auto-complete: the forge completes a pull request once all blocking policies are met.
 * https://learn.microsoft.com/azure/devops/repos/git/complete-pull-requests#set-a-pull-request-to-auto-complete
 */
#include <stdlib.h>
#include <string.h>

#include "forges/azdo/azdo.h"
#include "sys/exit.h"
#include "sys/mem.h"

/* How often to look at policies that have not been evaluated yet. */
enum { MAX_LAG_ATTEMPTS = 5 };

static struct gp_json *switch_off(struct gp_azdo *a, const struct gp_merge *m, struct gp_err *err)
{
	struct gp_json *pull = gp_azdo_look_up(a, m->number, NULL, err);
	struct gp_azdo_switch off = {.m = m};

	/* A completed or abandoned pull request cannot be changed and does nothing by itself. */
	if (!pull || !gp_json_get_true(pull, "auto_merge"))
		return pull;
	gp_json_free(pull);
	pull = gp_azdo_switch(a, &off, err);
	if (!pull || !gp_json_get_true(pull, "auto_merge"))
		return pull;
	gp_json_free(pull);
	gp_api_nonsense(&a->api, "auto-complete was switched off and is on", err);
	return NULL;
}

/* What is known before it is switched on: the pull request's ids, and the pull request itself if it was asked for. */
struct known {
	struct gp_azdo_id id;
	struct gp_json *pull;
	const struct gp_json *node;
	const char *base; /* the base, from the request; NULL: not given */
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
	gp_json_free(k->pull);
	k->pull = gp_azdo_look_up_bound(a, m->number, m->head, &k->node, err);
	if (!k->pull)
		return -1;
	gp_azdo_id_free(&k->id);
	gp_azdo_id_read(&k->id, gp_json_get_text(k->pull, "id"));
	return k->id.project && k->id.repository ? 0 : gp_api_nonsense(&a->api, "a pull request without ids", err);
}

static const char *base_of(const struct known *k)
{
	return k->pull ? gp_json_get_text(k->pull, "base") : k->base;
}

static bool merge_is(const struct known *k, const char *status)
{
	const char *merge = gp_json_get_text(k->node, "mergeStatus");

	return merge && !strcmp(merge, status);
}

/*
 * Policies are evaluated in the background. One that is not evaluated yet may be met at once, and then the pull request
 * would be completed although nothing had to be waited for. Returns 1 if there is something to wait for, 2 to look
 * again, 0 if all that is known is met, -1 with err.
 */
static int judge(struct gp_azdo *a, const struct gp_merge *m, const struct gp_azdo_policies *p, int n,
		 struct gp_err *err)
{
	if (p->waits || !p->unseen)
		return p->waits;
	if (n < MAX_LAG_ATTEMPTS && !gp_api_pause(&a->api, n, 0, NULL))
		return 2;
	if (p->will_wait || !p->unclear)
		return p->will_wait;
	return gp_fail(err, GP_EXIT_RETRY, "%s has yet to look at the policies of #%lld%s%s", a->api.host,
		       (long long)m->number, p->unmet ? ": " : "", p->unmet ? p->unmet : "");
}

/*
 * Whether there is something to wait for. All policies met is believed only if an earlier look found the merge tried:
 * just after a push the evaluations are those of the previous head. Returns 1; 0 with k->pull; -1.
 */
static int has_to_wait(struct gp_azdo *a, const struct gp_merge *m, struct known *k, struct gp_err *err)
{
	for (int n = 1;; n++) {
		bool seen = k->pull, on = gp_json_get_true(k->pull, "auto_merge"),
		     settled = seen && !merge_is(k, "queued") && !merge_is(k, "notSet");
		int wait = gp_azdo_policies_weigh(&k->policies, a, &k->id, base_of(k), m->number, err)
				   ? -1
				   : judge(a, m, &k->policies, n, err);

		if (wait == 2)
			continue;
		if (wait)
			return wait;
		/* Without a blocking policy it would be completed as soon as possible, conflict or not. */
		if (seen && (settled || on || !k->policies.blocking))
			return k->policies.blocking && merge_is(k, "conflicts");
		if (seen && gp_api_pause(&a->api, n, 0, NULL))
			return gp_fail(err, GP_EXIT_RETRY, "%s has yet to try the merge of #%lld", a->api.host,
				       (long long)m->number);
		if (look(a, m, k, err))
			return -1;
		/* It is about to be completed. */
		if (!k->policies.blocking || gp_json_get_true(k->pull, "auto_merge"))
			return 0;
	}
}

/* It is on, but not for this head and base: switch it off. */
static void withdraw(struct gp_azdo *a, const struct gp_merge *m, const struct gp_err *why, struct gp_err *err)
{
	const struct gp_merge none = {.number = m->number};
	struct gp_azdo_switch off = {.m = &none};
	struct gp_err stays = {0};
	struct gp_json *pull = gp_azdo_switch(a, &off, &stays);

	if (pull && !gp_json_get_true(pull, "auto_merge"))
		gp_fail(err, why->code, "%s", why->message);
	else
		gp_fail(err, why->code, "%s; auto-complete is on and could not be switched off: %s", why->message,
			pull ? "it stays on" : stays.message);
	gp_json_free(pull);
}

/* It is on: for this head into this base, or off again. Takes pull over. */
static struct gp_json *confirm(struct gp_azdo *a, const struct gp_merge *m, const char *base, struct gp_json *pull,
			       struct gp_err *err)
{
	struct gp_err why = {0};

	if (strcmp(gp_json_get_text(pull, "head"), m->head) != 0 && !strcmp(gp_json_get_text(pull, "state"), "open")) {
		/*
		 * Auto-complete is not bound to a head: somebody may have pushed in between, or the forge has not seen
		 * our push yet.
		 */
		gp_json_free(pull);
		pull = gp_azdo_look_up_bound(a, m->number, m->head, NULL, &why);
	}
	if (pull && strcmp(gp_json_get_text(pull, "base"), base) != 0) {
		gp_fail(&why, GP_EXIT_RETRY, "base of #%lld is now %s, not %s", (long long)m->number,
			gp_json_get_text(pull, "base"), base);
		gp_json_free(pull);
		pull = NULL;
	}
	if (!pull) {
		withdraw(a, m, &why, err);
		return NULL;
	}
	if (gp_json_get_true(pull, "auto_merge") || !strcmp(gp_json_get_text(pull, "state"), "merged"))
		return pull;
	gp_json_free(pull);
	gp_api_nonsense(&a->api, "auto-complete was switched on and is off", err);
	return NULL;
}

/* Whether auto-complete, as it is on, ignores these policies. */
static bool ignores(const struct gp_json *node, const struct gp_json *optional)
{
	const struct gp_json *options = gp_json_get(node, "completionOptions");
	const struct gp_json *ids = gp_json_get(options, "autoCompleteIgnoreConfigIds");
	char *wanted = optional ? gp_json_print(optional) : NULL, *there = ids ? gp_json_print(ids) : NULL;
	bool same = !wanted || (there && !strcmp(wanted, there));

	free(wanted);
	free(there);
	return same;
}

static struct gp_json *switch_on(struct gp_azdo *a, const struct gp_merge *m, const char *base, struct gp_err *err)
{
	struct known k = {.base = base};
	struct gp_azdo_switch on = {.m = m};
	struct gp_json *pull = NULL, *result = NULL;
	int wait;

	gp_azdo_id_read(&k.id, m->id);
	/* An id means that the pull request was just seen with this head. */
	if ((!base || !k.id.project || !k.id.repository || !k.id.head || strcmp(k.id.head, m->head) != 0) &&
	    look(a, m, &k, err))
		goto out;
	wait = has_to_wait(a, m, &k, err);
	on.ours = gp_json_get_true(k.pull, "auto_merge");
	if (wait == 0 && (!on.ours || ignores(k.node, k.policies.optional))) {
		/* It was on before and has nothing left to wait for: it is about to be completed. */
		result = gp_pull_result(k.pull);
		if (!on.ours)
			gp_json_set_bool(result, "clean", true);
		k.pull = NULL;
		goto out;
	}
	on.who = wait < 0 ? NULL : gp_azdo_me(a, err);
	on.optional = k.policies.optional;
	if (on.who)
		pull = gp_azdo_switch(a, &on, err);
	if (pull)
		pull = confirm(a, m, base_of(&k), pull, err);
	result = gp_pull_result(pull);
out:
	free_known(&k);
	return result;
}

struct gp_json *gp_azdo_set_auto_merge(void *repository, const struct gp_json *request, struct gp_err *err)
{
	struct gp_merge m;
	const char *base;

	if (gp_request_auto_merge(&m, request, err) ||
	    gp_request_optional_text(&base, gp_json_get(request, "repository"), "base", err))
		return NULL;
	return m.enable ? switch_on(repository, &m, base, err) : gp_pull_result(switch_off(repository, &m, err));
}
