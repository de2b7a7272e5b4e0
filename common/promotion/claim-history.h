/*
 * claim-history.h - a branch's own commits: from its head back along first parents to where it left the base. Used by
 * claim alone.
 */
#ifndef GP_CLAIM_HISTORY_H
#define GP_CLAIM_HISTORY_H

#include <stdbool.h>

#include "promotion/base-branch.h"

enum { GP_OWN_HISTORY = 1000 };

struct gp_own {
	struct gp_own_step {
		struct gp_oid commit, tree;
		struct gp_oid merged; /* the second parent of a merge of two, else zero */
		bool is_merge;
		char *message;
	} *step;
	size_t count;
	size_t meets; /* the chain's index where they meet */
};

/*
 * Follows the head and the base's chain back until they meet, each at most
 * GP_OWN_HISTORY commits. Returns 1, 0 if they do not meet, -1: 71, 69.
 * Free it with gp_own_free either way.
 */
int gp_own_find(struct gp_own *own, struct gp_base *base, struct gp_chain *chain, const struct gp_oid *head,
		struct gp_err *err);
void gp_own_free(struct gp_own *own);

/* Whether a step only merges the base into the branch ("Update branch"); then the base commit's place on the chain. */
bool gp_own_is_update(const struct gp_own_step *step, const struct gp_own *own, const struct gp_chain *chain,
		      size_t *index);

/* The message of the newest own commit, merges of the base aside; "" if there is none. Borrowed. */
const char *gp_own_message(const struct gp_own *own, const struct gp_chain *chain);

#endif
