/*
 * evidence.h - part two of the gate: which commits speak of a version, and
 * what the statuses on them say. Used by gate alone.
 */
#ifndef GP_EVIDENCE_H
#define GP_EVIDENCE_H

#include <stdbool.h>

#include "data/json.h"
#include "promotion/base-branch.h"

enum { GP_EVIDENCE_COMMITS = 100, GP_EVIDENCE_HISTORY = 1000 };

/*
 * The newest unbroken run of commits that carry an app at a tag in an environment. Taken back: the tip carries again
 * what some commit before the run carried.
 */
struct gp_run {
	struct gp_oid *commit; /* newest first: the newest GP_EVIDENCE_COMMITS, and the oldest */
	size_t count;
	bool at_tip; /* the run reaches the tip: the tag is what is there now */
	char *now;   /* what the tip carries instead; NULL if it carries nothing of the app */
	bool taken_back;
	struct gp_oid since; /* the commit since which the tip's tag is there; only where the tip is not at the tag */
};

/*
 * Goes back from the tip along first parents: to the commit where the run's version arrived, if its newest commit is one
 * of the GP_EVIDENCE_HISTORY newest; where the tip has another version, also to where that one was before, as far as
 * those. errors: 65, 71.
 */
int gp_run_find(struct gp_run *run, struct gp_base *base, struct gp_chain *chain, const char *env,
		const struct gp_setter *setter, struct gp_err *err);
void gp_run_free(struct gp_run *run);

/* What the contexts that count say together. */
struct gp_tally {
	size_t contexts; /* how many have said anything */
	bool hidden;     /* a context's newest status is no evidence and may hide an earlier one that is */
	const struct gp_json *stranger; /* a status that would count, by somebody whose statuses do not */
	/* For each state the first status that has it, and its commit; borrowed from statuses; NULL: none. */
	const struct gp_json *success, *failure, *pending;
	const char *success_commit, *failure_commit, *pending_commit;
};

typedef bool gp_context_fn(const void *ctx, const char *context);
/* Which statuses count: borrowed. */
struct gp_rules {
	gp_context_fn *matches; /* whether a context does (gate.h says how) */
	const void *ctx;
	const struct gp_json *from; /* whose statuses count, an array of names; NULL: anybody's */
	const char *description;    /* a glob that a success's description must match, or NULL; flux.h has the rest */
};

/*
 * For each context that matches, its newest status on its newest commit of the run. statuses: as
 * gp_forge_list_statuses returns them.
 */
void gp_tally_count(struct gp_tally *tally, const struct gp_run *run, const struct gp_json *statuses,
		    const struct gp_rules *rules);

#endif
