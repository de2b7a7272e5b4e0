/*
 * proposal.h - what a document proposes: a commit for a promotion's branch. It is
 * checked against the base branch as it is now, and against the pull request that
 * is open on that branch. For gp-open-pr. Asks git, never the forge.
 */
#ifndef GP_PROPOSAL_H
#define GP_PROPOSAL_H

#include <stdbool.h>

#include "data/json.h"
#include "data/oid.h"
#include "promotion/base-branch.h"
#include "promotion/claim.h"
#include "promotion/config.h"
#include "promotion/promotion.h"
#include "sys/err.h"

struct gp_proposal {
	struct gp_json *document; /* borrowed, and so is promotion */
	struct gp_promotion promotion;
	struct gp_config config;
	struct gp_json *more; /* labels, reviewers and draft of the pull request; NULL: none */
	char *branch, *title;
	struct gp_oid commit, tip; /* the commit, and what it was built on */
	size_t behind;             /* how many first-parent steps tip is behind the base's tip now */
	bool dry_run;              /* a dry run has no commit */
	bool is_outdone;           /* it was to be made anew, but its pull request brings another promotion by now */
	char *objection;           /* the open pull request brings a newer release; NULL: none, or not known */
	bool is_ruled;             /* then the configuration orders these tags */
	bool remakes;              /* the open pull request is this promotion, but its head no longer merges */
	struct gp_chain chain;
};

/* Reads a document. errors: 65. Free the proposal also after an error. */
int gp_proposal_read(struct gp_proposal *p, struct gp_json *document, struct gp_err *err);
void gp_proposal_free(struct gp_proposal *p);

/*
 * Checks that the commit is the promotion applied to its tip and nothing else (a document may have been edited), and that
 * the base, whose tip has been asked for, has not moved on since in a way that matters. Returns 1 to go on;
 * 0 with *reason (yours) if the environment that the promotion comes from carries another version by now; -1: 65, 71, or
 * 75 if the document must be made again.
 */
int gp_proposal_check(struct gp_proposal *p, struct gp_base *base, char **reason, struct gp_err *err);

/* What to do about the pull request that is open on the branch. */
enum gp_meeting {
	GP_MEET_KEEP,  /* it is this very promotion: keep its commit, repair title and description */
	GP_MEET_RESET, /* take it over, or replace its commit that conflicts with the base */
	/* It takes the app to an earlier environment first, or a newer release to this one: leave its commit to it, and skip. */
	GP_MEET_YIELD
};
/*
 * Decides about an open pull request (as the forge's protocol has it). *claim is what its head says; free it, also after
 * an error. errors: 69 if it cannot be taken over, 75 if it was made from a newer base than the document, 71.
 */
int gp_proposal_meet(struct gp_proposal *p, struct gp_base *base, const struct gp_json *pull, struct gp_claim *claim,
		     enum gp_meeting *meeting, struct gp_err *err);

#endif
