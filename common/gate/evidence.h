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

/* The newest unbroken run of commits that carry an app at a tag in an environment. */
struct gp_run {
	struct gp_oid *commit; /* newest first, at most GP_EVIDENCE_COMMITS */
	size_t count;
	bool at_tip; /* the run reaches the tip: the tag is what is there now */
	char *now;   /* what the tip carries instead; NULL if it carries nothing of the app */
};

/* Goes back from the tip along first parents, at most GP_EVIDENCE_HISTORY commits. errors: 65, 71. */
int gp_run_find(struct gp_run *run, struct gp_base *base, struct gp_chain *chain, const char *env,
		const struct gp_setter *setter, struct gp_err *err);
void gp_run_free(struct gp_run *run);

/* What the contexts that count say together. */
struct gp_tally {
	size_t contexts; /* how many have said anything */
	bool hidden;     /* a context's newest status is no evidence and may hide an earlier one that is */
	/* For each state the first status that has it, and its commit; borrowed from statuses; NULL: none. */
	const struct gp_json *success, *failure, *pending;
	const char *success_commit, *failure_commit, *pending_commit;
};

/*
 * For each context that matches (gate.h says how), its newest status on its
 * newest commit of the run. statuses: as gp_forge_list_statuses returns them.
 * A success of Flux's counts only if its description ends in "succeeded" and
 * speaks of no rollback or uninstallation
 * (https://fluxcd.io/flux/components/helm/helmreleases/).
 */
typedef bool gp_context_fn(const void *ctx, const char *context);
void gp_tally_count(struct gp_tally *tally, const struct gp_run *run, const struct gp_json *statuses,
		    gp_context_fn *matches, const void *ctx);

#endif
