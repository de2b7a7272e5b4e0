/*
 * conflict.h - whether a promotion has been left behind by its base: its change is a function of the base, so that it can
 * be made anew on the tip. For the gate, gp-open-pr and gp-find-pr.
 */
#ifndef GP_CONFLICT_H
#define GP_CONFLICT_H

#include "promotion/base-branch.h"
#include "promotion/claim.h"

enum gp_fit {
	GP_FIT_MERGES,   /* or nobody can tell */
	GP_FIT_STUCK,    /* it conflicts with the base, or the base has outrun it; made anew on the tip it merges */
	GP_FIT_OVERTAKEN /* the same, but its environment carries another version of the app by now */
};

/*
 * How the head of a promotion, as claim.h has read it, fits the base's tip. *now: what the environment carries there,
 * where it was overtaken, or NULL; yours. What cannot be read counts as merging: the forge has the last word.
 */
enum gp_fit gp_claim_fit(const struct gp_claim *claim, struct gp_base *base, const struct gp_oid *head, char **now);

#endif
