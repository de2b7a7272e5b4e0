/*
 * gate.h - the gate: has the previous environment reconciled this app at this
 * tag? A verdict from the pull request's head, the base branch's history and
 * the statuses on it. gp-check-status(1) has the rules in prose.
 */
#ifndef GP_GATE_H
#define GP_GATE_H

#include "forge/forge.h"
#include "promotion/base-branch.h"
#include "promotion/claim.h"

enum gp_gate_state { GP_GATE_OPEN, GP_GATE_CLOSED, GP_GATE_UNDECIDED };

struct gp_verdict {
	enum gp_gate_state state;
	char *reason;                      /* one line, for a person */
	char *env;                         /* the environment that was asked, or NULL if none had to be */
	char *commit;                      /* the evidence: the commit (40 digits), or NULL; with it: */
	char *context, *description, *url; /* each may be NULL */
};
void gp_verdict_free(struct gp_verdict *verdict);

/* The pull request that is judged: borrowed. */
struct gp_judged {
	const char *branch, *description;
	struct gp_oid head;
};

/*
 * Judges a pull request against base, at its tip. known: statuses that were asked for already (forge.h), or NULL;
 * the forge is asked for what is not among them. errors: what keeps it from
 * looking (71, 69, 75 … from git or the forge), and 78 if a context could
 * belong to two environments.
 */
int gp_gate_judge(struct gp_verdict *out, struct gp_base *base, const struct gp_config *config, struct gp_forge *forge,
		  const struct gp_json *known, const struct gp_judged *pull, struct gp_err *err);

/*
 * The commits whose statuses gp_gate_judge will ask for, appended to *commits (yours; start with NULL and 0), so that
 * those of many pull requests can be asked for at once. errors: as gp_gate_judge; nothing is appended then.
 */
int gp_gate_commits(struct gp_oid **commits, size_t *count, struct gp_base *base, const struct gp_config *config,
		    const struct gp_judged *pull, struct gp_err *err);

#endif
