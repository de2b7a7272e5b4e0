#include "gate/gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gate/contexts.h"
#include "gate/evidence.h"
#include "promotion/conflict.h"
#include "sys/exit.h"
#include "sys/mem.h"

void gp_verdict_free(struct gp_verdict *v)
{
	free(v->reason);
	free(v->env);
	free(v->commit);
	free(v->context);
	free(v->description);
	free(v->url);
	*v = (struct gp_verdict){0};
}

static int decide(struct gp_verdict *v, enum gp_gate_state state, char *reason)
{
	v->state = state;
	v->reason = reason;
	return 0;
}

static void reword(struct gp_verdict *v, char *reason)
{
	free(v->reason);
	v->reason = reason;
}

static void keep_evidence(struct gp_verdict *v, const struct gp_json *status, const char *commit)
{
	v->commit = gp_strdup(commit);
	v->context = gp_strdup(gp_json_get_text(status, "context"));
	v->description = gp_strdup(gp_json_get_text(status, "description"));
	v->url = gp_strdup(gp_json_get_text(status, "url"));
}

/*
 * Whether a status is older than a day, and then the day: its cluster may be gone. No longer text changes with time, for a
 * verdict that says something new is posted, and that is an event.
 */
static const char *silent_since(const struct gp_json *status)
{
	enum { DAY_S = 86400 };
	const char *at = gp_json_get_text(status, "created_at");
	struct tm tm = {0};

	if (!at || !strptime(at, "%Y-%m-%dT%H:%M:%S", &tm) || (long long)time(NULL) - (long long)timegm(&tm) < DAY_S)
		return NULL;
	return at;
}

static char *say(const struct gp_wanted *w, const struct gp_json *status, const char *commit)
{
	const char *description = gp_json_get_text(status, "description"), *state = gp_json_get_text(status, "state");
	const char *since = strcmp(state, "success") ? silent_since(status) : NULL;

	return gp_asprintf("%s/%s: %s (%s at %.8s%s%.10s)", w->group, w->env,
			   description && *description ? description : state, gp_json_get_text(status, "context"),
			   commit, since ? ", silent since " : "", since ? since : "");
}

/* "apps/qa went back to v1 at 0123abcd". */
static char *say_taken_back(const struct gp_run *run, const struct gp_wanted *w)
{
	char hex[GP_OID_HEX + 1];

	return gp_asprintf("%s/%s went back to %s at %.8s", w->group, w->env, *run->now ? run->now : "no tag",
			   gp_oid_hex(hex, &run->since));
}

static int weigh(struct gp_verdict *v, const struct gp_run *run, const struct gp_tally *t,
		 const struct gp_config *config, const struct gp_wanted *w, const struct gp_promotion *p)
{
	if (t->failure) {
		keep_evidence(v, t->failure, t->failure_commit);
		return decide(v, GP_GATE_CLOSED, say(w, t->failure, t->failure_commit));
	}
	if (!t->pending && t->contexts >= config->clusters) {
		keep_evidence(v, t->success, t->success_commit);
		return decide(v, GP_GATE_OPEN, say(w, t->success, t->success_commit));
	}
	if (!run->at_tip)
		return decide(v, GP_GATE_CLOSED,
			      run->now ? gp_asprintf("%s/%s moved on to %s before %s was reported healthy there",
						     w->group, w->env, run->now, p->tag)
				       : gp_asprintf("%s/%s no longer has %s", w->group, w->env, p->app));
	if (t->pending) {
		keep_evidence(v, t->pending, t->pending_commit);
		return decide(v, GP_GATE_UNDECIDED, say(w, t->pending, t->pending_commit));
	}
	if (t->contexts) {
		keep_evidence(v, t->success, t->success_commit);
		return decide(v, GP_GATE_UNDECIDED,
			      gp_asprintf("%zu of %u clusters have reported %s/%s at %s", t->contexts, config->clusters,
					  w->group, w->env, p->tag));
	}
	return decide(v, GP_GATE_UNDECIDED,
		      gp_asprintf("no status reports %s %s reconciled in %s/%s", p->app, p->tag, w->group, w->env));
}

/* Where no context has said anything: names one that nearly matches, so that nobody waits for ever unaware. */
static void name_near(struct gp_verdict *v, const struct gp_run *run, const struct gp_json *statuses,
		      const struct gp_wanted *w, const char *gate_check)
{
	char hex[GP_OID_HEX + 1];

	for (size_t i = 0; i < run->count; i++) {
		const struct gp_json *list = gp_json_get(statuses, gp_oid_hex(hex, &run->commit[i]));

		for (const struct gp_json *s = gp_json_first(list); s; s = gp_json_next(s)) {
			const char *context = gp_json_get_text(s, "context");

			if (!context || !strcmp(context, gate_check) || !gp_wanted_is_near(w, context))
				continue;
			reword(v, gp_asprintf("%s (saw %s: set status_context to count it)", v->reason, context));
			return;
		}
	}
}

/* Where somebody has spoken whose word does not count: says who, so that nobody waits for ever unaware. */
static void name_stranger(struct gp_verdict *v, const struct gp_json *status)
{
	const char *by = gp_json_get_text(status, "by");

	reword(v, gp_asprintf("%s (%s is from '%s', who is not in status_from)", v->reason,
			      gp_json_get_text(status, "context"), by ? by : "nobody"));
}

static int judge_claim(struct gp_verdict *v, const struct gp_claim *claim, const struct gp_config *config, int *env)
{
	const struct gp_promotion *p = &claim->promotion;

	*env = -1;
	switch (claim->state) {
	case GP_CLAIM_NONE:
		return decide(v, GP_GATE_OPEN, gp_strdup("not a promotion: nothing to wait for"));
	case GP_CLAIM_BROKEN:
		return decide(v, GP_GATE_CLOSED, gp_strdup(claim->reason));
	case GP_CLAIM_UNSETTLED:
		return decide(v, GP_GATE_UNDECIDED, gp_strdup(claim->reason));
	default:
		break;
	}
	if (strcmp(p->type, "promote") != 0)
		return decide(v, GP_GATE_CLOSED, gp_asprintf("unknown type of promotion: '%s'", p->type));
	*env = gp_config_find(config, p->env);
	if (*env < 0)
		return decide(v, GP_GATE_CLOSED, gp_asprintf("environment '%s' is not in " GP_CONFIG_FILE, p->env));
	return 1;
}

/* What a verdict needs before the statuses are known. */
struct look {
	struct gp_claim claim;
	struct gp_chain chain;
	struct gp_run run;
	const char *env; /* the environment that is asked: borrowed from the configuration */
};

static void look_free(struct look *look)
{
	gp_claim_free(&look->claim);
	gp_chain_free(&look->chain);
	gp_run_free(&look->run);
}

/* The environment before: its run of commits. Returns as look_at. */
static int look_for_evidence(struct look *look, struct gp_verdict *v, struct gp_base *base,
			     const struct gp_config *config, struct gp_err *err)
{
	const struct gp_promotion *p = &look->claim.promotion;
	const struct gp_setter setter = {p->group, p->app, p->tag};
	const struct gp_wanted wanted = gp_wanted_of(config, p->group, look->env);

	v->env = gp_strdup(look->env);
	if (gp_wanted_check_twins(base, config, &wanted, err) ||
	    gp_run_find(&look->run, base, &look->chain, look->env, &setter, err))
		return -1;
	if (look->run.taken_back)
		return decide(v, GP_GATE_CLOSED, say_taken_back(&look->run, &wanted));
	if (look->run.count)
		return 1;
	return decide(v, GP_GATE_CLOSED,
		      gp_asprintf("%s/%s does not carry %s %s: superseded by %s", p->group, look->env, p->app, p->tag,
				  look->run.now ? look->run.now : "nothing"));
}

/* Returns 1 if statuses are needed, 0 with the verdict, -1. */
static int look_at(struct look *look, struct gp_verdict *v, struct gp_base *base, const struct gp_config *config,
		   const struct gp_judged *pull, struct gp_err *err)
{
	int rc, env, previous;

	*look = (struct look){0};
	if (gp_claim_read(&look->claim, base, &look->chain, pull->branch, &pull->head, pull->description, err))
		return -1;
	rc = judge_claim(v, &look->claim, config, &env);
	if (rc <= 0)
		return rc;
	const struct gp_promotion *p = &look->claim.promotion;
	const struct gp_setter setter = {p->group, p->app, p->tag};

	previous = gp_base_previous(base, config, (size_t)env, &setter, err);
	if (previous == -2) {
		if (err->code != GP_EXIT_INPUT)
			return -1;
		/* Which environment has to be asked cannot be told, for instance because a marker cannot be read. */
		char *reason = gp_strdup(err->message);

		gp_err_clear(err);
		return decide(v, GP_GATE_CLOSED, reason);
	}
	if (previous == -1)
		return decide(v, GP_GATE_OPEN,
			      gp_asprintf("%s is the first environment of %s/%s", p->env, p->group, p->app));
	look->env = config->environments[previous].name;
	return look_for_evidence(look, v, base, config, err);
}

static bool is_known(const struct gp_json *known, const struct gp_run *run)
{
	char hex[GP_OID_HEX + 1];

	for (size_t i = 0; i < run->count; i++)
		if (!gp_json_get(known, gp_oid_hex(hex, &run->commit[i])))
			return false;
	return known != NULL;
}

/*
 * Counts the statuses of the run's commits. *known: those that there are, replaced by *asked, which the forge returned
 * and is yours, where it was asked; the tally points into them.
 */
static int count_statuses(struct gp_tally *tally, const struct gp_json **known, struct gp_json **asked,
			  const struct gp_run *run, const struct gp_rules *rules, struct gp_forge *forge,
			  struct gp_err *err)
{
	*asked = NULL;
	if (!is_known(*known, run)) {
		*known = *asked = gp_forge_list_statuses(forge, run->commit, run->count, false, err);
		if (!*known)
			return -1;
	}
	gp_tally_count(tally, run, *known, rules);
	if (!tally->hidden || tally->failure)
		return 0;
	/* A later status of Flux may be no evidence (of a dependency, say): the one before it counts. */
	gp_json_free(*asked);
	*known = *asked = gp_forge_list_statuses(forge, run->commit, run->count, true, err);
	if (!*known)
		return -1;
	gp_tally_count(tally, run, *known, rules);
	return 0;
}

/* Says how a pull request that the base has left behind gets on: the forge cannot merge it, whatever the gate says. */
static void say_stuck(struct gp_verdict *v, const struct gp_claim *claim, struct gp_base *base,
		      const struct gp_oid *head)
{
	const struct gp_promotion *p = &claim->promotion;
	char *now, *what = NULL;

	if (v->state == GP_GATE_CLOSED && !claim->is_outrun)
		return;
	switch (gp_claim_fit(claim, base, head, &now)) {
	case GP_FIT_MERGES:
		return;
	case GP_FIT_STUCK:
		what = gp_strdup(": gp promote makes it anew");
		break;
	case GP_FIT_OVERTAKEN:
		what = gp_asprintf(", where %s/%s has %s by now", p->group, p->env, now ? now : "no tag");
		break;
	}
	if (claim->is_outrun)
		reword(v, gp_asprintf("%s%s", v->reason, what));
	else
		reword(v, gp_asprintf("conflicts with '%s'%s; %s", base->branch, what, v->reason));
	free(what);
	free(now);
}

int gp_gate_judge(struct gp_verdict *out, struct gp_base *base, const struct gp_config *config, struct gp_forge *forge,
		  const struct gp_json *known, const struct gp_judged *pull, struct gp_err *err)
{
	struct look look;
	struct gp_tally tally;
	struct gp_json *asked = NULL;
	int rc;

	*out = (struct gp_verdict){0};
	rc = look_at(&look, out, base, config, pull, err);
	if (rc > 0) {
		const struct gp_wanted wanted = gp_wanted_of(config, look.claim.promotion.group, look.env);

		const struct gp_rules rules = {gp_wanted_matches, &wanted, wanted.from, config->status_description};

		rc = count_statuses(&tally, &known, &asked, &look.run, &rules, forge, err);
		if (!rc)
			rc = weigh(out, &look.run, &tally, config, &wanted, &look.claim.promotion);
		if (!rc && out->state == GP_GATE_UNDECIDED && tally.stranger)
			name_stranger(out, tally.stranger);
		else if (!rc && out->state == GP_GATE_UNDECIDED && !tally.contexts)
			name_near(out, &look.run, known, &wanted, config->gate_check);
	}
	if (!rc && look.claim.metadata)
		say_stuck(out, &look.claim, base, &pull->head);
	gp_json_free(asked);
	look_free(&look);
	if (rc)
		gp_verdict_free(out);
	return rc;
}

int gp_gate_commits(struct gp_oid **commits, size_t *count, struct gp_base *base, const struct gp_config *config,
		    const struct gp_judged *pull, struct gp_err *err)
{
	struct gp_verdict verdict = {0};
	struct look look;
	int rc = look_at(&look, &verdict, base, config, pull, err);

	for (size_t i = 0; i < look.run.count && rc > 0; i++) {
		*commits = gp_grow(*commits, *count, sizeof **commits);
		(*commits)[(*count)++] = look.run.commit[i];
	}
	gp_verdict_free(&verdict);
	look_free(&look);
	return rc < 0 ? -1 : 0;
}
