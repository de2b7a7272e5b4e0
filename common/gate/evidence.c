#include "gate/evidence.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gate/flux.h"
#include "sys/mem.h"

/* Keeps the newest commits of a run, and in the last place the oldest so far. */
static void add_commit(struct gp_run *run, const struct gp_oid *commit)
{
	if (run->count <= GP_EVIDENCE_COMMITS) {
		run->commit = gp_grow(run->commit, run->count, sizeof *run->commit);
		run->count++;
	}
	run->commit[run->count - 1] = *commit;
}

/* Where the walk is. */
struct walk {
	bool returning; /* every commit so far carries what the tip carries */
	bool ended;     /* the run is behind: what follows is older than it */
};

/* Notes one commit. Returns false where no older one has to be looked at. */
static bool note_commit(struct gp_run *run, struct walk *walk, const struct gp_carry *carry,
			const struct gp_oid *commit)
{
	bool same = run->now && carry->tag && !strcmp(carry->tag, run->now);

	if (gp_carry_is_at(carry)) {
		walk->returning = false;
		if (!walk->ended)
			add_commit(run, commit);
		return true;
	}
	walk->returning &= same;
	if (walk->returning)
		run->since = *commit;
	walk->ended = run->count;
	run->taken_back = walk->ended && !run->at_tip && same;
	return !walk->ended || (!run->at_tip && run->now && !run->taken_back);
}

int gp_run_find(struct gp_run *run, struct gp_base *base, struct gp_chain *chain, const char *env,
		const struct gp_setter *setter, struct gp_err *err)
{
	struct walk walk = {.returning = true};

	*run = (struct gp_run){0};
	for (size_t i = 0; i < GP_EVIDENCE_HISTORY || (run->count && !walk.ended); i++) {
		struct gp_carry carry;
		int reached = gp_chain_reach(chain, base, i, err);

		if (reached < 0)
			goto fail;
		if (!reached)
			break;
		if (gp_manifests_carry(base->manifests, &carry, &chain->link[i].tree, env, setter, err)) {
			if (i == 0)
				goto fail;
			/* Old history may be damaged for good: end the search there. */
			gp_err_clear(err);
			break;
		}
		if (i == 0) {
			run->at_tip = gp_carry_is_at(&carry);
			run->now = gp_strdup(run->at_tip ? setter->tag : carry.tag);
		}
		if (!note_commit(run, &walk, &carry, &chain->link[i].commit))
			break;
	}
	return 0;
fail:
	gp_run_free(run);
	return -1;
}

void gp_run_free(struct gp_run *run)
{
	free(run->commit);
	free(run->now);
	*run = (struct gp_run){0};
}

/* An app's login may be "name[bot]" in one of a forge's APIs and "name" in the other. */
static bool is_same_login(const char *a, const char *b)
{
	static const char bot[] = "[bot]";
	size_t n = strlen(a), m = strlen(b);

	if (n > sizeof bot - 1 && !strcmp(a + n - (sizeof bot - 1), bot))
		n -= sizeof bot - 1;
	if (m > sizeof bot - 1 && !strcmp(b + m - (sizeof bot - 1), bot))
		m -= sizeof bot - 1;
	return n == m && !strncasecmp(a, b, n);
}

/* Whether statuses of this author count. Where the forge does not say who it is, nobody's do. */
static bool is_from(const struct gp_rules *rules, const char *by)
{
	for (const struct gp_json *name = gp_json_first(rules->from); name && by; name = gp_json_next(name))
		if (gp_json_text(name) && is_same_login(gp_json_text(name), by))
			return true;
	return !rules->from;
}

static bool is_evidence(const struct gp_rules *rules, const char *context, const char *state, const char *description)
{
	if (strcmp(state, "success") != 0)
		return true;
	if (rules->description && fnmatch(rules->description, description ? description : "", 0) != 0)
		return false;
	return gp_flux_success_counts(context, description);
}

static void count_one(struct gp_tally *tally, const struct gp_json *status, const char *commit)
{
	const char *state = gp_json_get_text(status, "state");
	bool success = !strcmp(state, "success"), failure = !strcmp(state, "failure");
	const struct gp_json **slot = success ? &tally->success : failure ? &tally->failure : &tally->pending;
	const char **where = success   ? &tally->success_commit
			     : failure ? &tally->failure_commit
				       : &tally->pending_commit;

	tally->contexts++;
	if (!*slot) {
		*slot = status;
		*where = commit;
	}
}

/* Contexts: borrowed strings. */
struct contexts {
	const char **item;
	size_t count;
};

static bool has(const struct contexts *c, const char *context)
{
	for (size_t i = 0; i < c->count; i++)
		if (!strcmp(c->item[i], context))
			return true;
	return false;
}

static void add(struct contexts *c, const char *context)
{
	c->item = gp_grow(c->item, c->count, sizeof *c->item);
	c->item[c->count++] = context;
}

/* One commit's statuses. seen: the contexts found on it or on a newer commit. */
static void count_commit(struct gp_tally *tally, struct contexts *seen, const struct gp_json *list,
			 const struct gp_rules *rules)
{
	struct contexts passed_over = {0};

	for (const struct gp_json *s = gp_json_first(list); s; s = gp_json_next(s)) {
		const char *context = gp_json_get_text(s, "context"), *state = gp_json_get_text(s, "state");
		const char *kind = gp_json_get_text(s, "kind");

		if (!context || !state || (kind && strcmp(kind, "status") != 0) ||
		    !rules->matches(rules->ctx, context) || has(seen, context))
			continue;
		bool known = is_from(rules, gp_json_get_text(s, "by"));

		if (!known && !tally->stranger)
			tally->stranger = s;
		if (!known || !is_evidence(rules, context, state, gp_json_get_text(s, "description"))) {
			add(&passed_over, context);
			continue;
		}
		add(seen, context);
		count_one(tally, s, gp_json_key(list));
	}
	for (size_t i = 0; i < passed_over.count; i++)
		tally->hidden |= !has(seen, passed_over.item[i]);
	free(passed_over.item);
}

/* Newest first: of each context the first status that is evidence counts. */
void gp_tally_count(struct gp_tally *tally, const struct gp_run *run, const struct gp_json *statuses,
		    const struct gp_rules *rules)
{
	struct contexts seen = {0};
	char hex[GP_OID_HEX + 1];

	*tally = (struct gp_tally){0};
	for (size_t i = 0; i < run->count; i++)
		count_commit(tally, &seen, gp_json_get(statuses, gp_oid_hex(hex, &run->commit[i])), rules);
	free(seen.item);
}
