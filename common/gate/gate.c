#include "gate/gate.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/evidence.h"
#include "gate/flux.h"
#include "git/tree.h"
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

/* The pattern with {group} and {env} replaced. Names contain no pattern characters (config.h). */
static char *expand(const char *pattern, const char *group, const char *env)
{
	char *out = NULL;
	size_t len;
	FILE *f = gp_open_text(&out, &len);

	while (*pattern) {
		if (!strncmp(pattern, "{group}", 7)) {
			fputs(group, f);
			pattern += 7;
		} else if (!strncmp(pattern, "{env}", 5)) {
			fputs(env, f);
			pattern += 5;
		} else {
			fputc(*pattern++, f);
		}
	}
	gp_close_text(f, &out);
	return out;
}

bool gp_gate_context_matches(const char *context, const char *pattern, const char *group, const char *env)
{
	if (pattern) {
		char *glob = expand(pattern, group, env);
		bool matches = !fnmatch(glob, context, 0);

		free(glob);
		return matches;
	}
	size_t g = strlen(group), e = strlen(env);

	if (!gp_context_is_flux(context))
		return false;
	context = strchr(context, '/') + 1;
	if (strncmp(context, group, g) != 0 || context[g] != '-' || strncmp(context + g + 1, env, e) != 0)
		return false;
	context += g + 1 + e;
	/* Nothing, or more parts, none of them empty: since Flux v0.30 the first part of the Provider's UID. */
	return !*context || (*context == '/' && context[strlen(context) - 1] != '/' && !strstr(context, "//"));
}

struct wanted {
	const char *pattern, *group, *env;
};

/* Where an environment has a pattern of its own, it takes the place of the configuration's. */
static struct wanted wanted_of(const struct gp_config *config, const char *group, const char *env)
{
	int index = gp_config_find(config, env);
	const char *own = index < 0 ? NULL : config->environments[index].status_context;

	return (struct wanted){own ? own : config->status_context, group, env};
}

static bool is_wanted(const void *ctx, const char *context)
{
	const struct wanted *w = ctx;

	return gp_gate_context_matches(context, w->pattern, w->group, w->env);
}

/* What all contexts of <group> and <env> have in common: it must differ between two environments. */
static char *identity(const struct wanted *w)
{
	return w->pattern ? expand(w->pattern, w->group, w->env) : gp_asprintf("%s-%s", w->group, w->env);
}

/* Whether the same contexts would speak of two environments. own is the identity of w, theirs that of other. */
static bool is_twin(const struct wanted *w, const char *own, const struct wanted *other, const char *theirs)
{
	/* A pattern without {group} stands for all groups: then only a clash of "-" is a mistake. */
	if (!strcmp(other->env, w->env))
		return false;
	if (!w->pattern == !other->pattern)
		return !strcmp(own, theirs);
	/* A pattern beside Flux's own names. */
	const char *pattern = w->pattern ? own : theirs, *name = w->pattern ? theirs : own;
	char *kustomization = gp_asprintf("kustomization/%s", name), *release = gp_asprintf("helmrelease/%s", name);
	bool same = !fnmatch(pattern, kustomization, 0) || !fnmatch(pattern, release, 0);

	free(kustomization);
	free(release);
	return same;
}

struct twins {
	struct gp_base *base;
	const struct gp_config *config;
	const struct wanted *wanted;
	const char *identity;
};

/* Whether a top-level directory may be the group of another environment with the same contexts. */
static int check_twin(const struct twins *t, const struct gp_tree_item *item, struct gp_err *err)
{
	if (!gp_entry_is_dir(&item->entry) || !gp_name_valid(item->name))
		return 0;
	for (size_t i = 0; i < t->config->environment_count; i++) {
		struct wanted other = wanted_of(t->config, item->name, t->config->environments[i].name);
		struct gp_entry dir;

		if (!strcmp(other.group, t->wanted->group) && !strcmp(other.env, t->wanted->env))
			continue;
		char *theirs = identity(&other), *path = gp_asprintf("%s/%s", other.group, other.env);
		bool same = is_twin(t->wanted, t->identity, &other, theirs);
		int found = same ? gp_tree_find(t->base->repository.git, &dir, &t->base->tree, path, err) : 0;

		if (found > 0)
			gp_fail(err, GP_EXIT_CONFIG,
				"statuses of '%s/%s' cannot be told from those of '%s': set status_context in " GP_CONFIG_FILE,
				t->wanted->group, t->wanted->env, path);
		free(theirs);
		free(path);
		if (found)
			return -1;
	}
	return 0;
}

static int check_twins(struct gp_base *base, const struct gp_config *config, const struct wanted *wanted,
		       struct gp_err *err)
{
	char *own = identity(wanted);
	struct twins twins = {base, config, wanted, own};
	struct gp_tree top;
	int rc = gp_tree_read(base->repository.git, &top, &base->tree, err);

	for (size_t i = 0; i < top.count && !rc; i++)
		rc = check_twin(&twins, &top.item[i], err);
	gp_tree_free(&top);
	free(own);
	return rc;
}

static void keep_evidence(struct gp_verdict *v, const struct gp_json *status, const char *commit)
{
	v->commit = gp_strdup(commit);
	v->context = gp_strdup(gp_json_get_text(status, "context"));
	v->description = gp_strdup(gp_json_get_text(status, "description"));
	v->url = gp_strdup(gp_json_get_text(status, "url"));
}

static char *say(const struct wanted *w, const struct gp_json *status, const char *commit)
{
	const char *description = gp_json_get_text(status, "description"), *state = gp_json_get_text(status, "state");

	return gp_asprintf("%s/%s: %s (%s at %.8s)", w->group, w->env,
			   description && *description ? description : state, gp_json_get_text(status, "context"),
			   commit);
}

/* "apps/qa went back to v1 at 0123abcd". */
static char *say_taken_back(const struct gp_run *run, const struct wanted *w)
{
	char hex[GP_OID_HEX + 1];

	return gp_asprintf("%s/%s went back to %s at %.8s", w->group, w->env, *run->now ? run->now : "no tag",
			   gp_oid_hex(hex, &run->since));
}

static int weigh(struct gp_verdict *v, const struct gp_run *run, const struct gp_tally *t,
		 const struct gp_config *config, const struct wanted *w, const struct gp_promotion *p)
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

/* Whether a context that does not count looks as if it should: it has "<group>-<env>" in it. */
static bool is_near(const struct wanted *w, const char *context)
{
	char *name = gp_asprintf("%s-%s", w->group, w->env);
	bool near = strcasestr(context, name) != NULL;

	free(name);
	return near && !is_wanted(w, context);
}

/* Where no context has said anything: names one that nearly matches, so that nobody waits for ever unaware. */
static void name_near(struct gp_verdict *v, const struct gp_run *run, const struct gp_json *statuses,
		      const struct wanted *w, const char *gate_check)
{
	char hex[GP_OID_HEX + 1];

	for (size_t i = 0; i < run->count; i++) {
		const struct gp_json *list = gp_json_get(statuses, gp_oid_hex(hex, &run->commit[i]));

		for (const struct gp_json *s = gp_json_first(list); s; s = gp_json_next(s)) {
			const char *context = gp_json_get_text(s, "context");

			if (!context || !strcmp(context, gate_check) || !is_near(w, context))
				continue;
			char *reason = gp_asprintf("%s (saw %s: set status_context to count it)", v->reason, context);

			free(v->reason);
			v->reason = reason;
			return;
		}
	}
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
	const struct wanted wanted = wanted_of(config, p->group, look->env);

	v->env = gp_strdup(look->env);
	if (check_twins(base, config, &wanted, err) ||
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
		const struct wanted wanted = wanted_of(config, look.claim.promotion.group, look.env);

		const struct gp_rules rules = {is_wanted, &wanted, config->status_description};

		rc = count_statuses(&tally, &known, &asked, &look.run, &rules, forge, err);
		if (!rc)
			rc = weigh(out, &look.run, &tally, config, &wanted, &look.claim.promotion);
		if (!rc && out->state == GP_GATE_UNDECIDED && !tally.contexts)
			name_near(out, &look.run, known, &wanted, config->gate_check);
	}
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
