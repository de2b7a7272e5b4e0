/*
 * claim.h - what a pull request claims to be, and whether its content is exactly that: part one of the gate, and how
 * gp-open-pr tells a sound pull request from one to reset. Judges commits alone: the head and its own ones before it.
 */
#ifndef GP_CLAIM_H
#define GP_CLAIM_H

#include <stdbool.h>

#include "promotion/base-branch.h"
#include "promotion/promotion.h"

enum gp_claim_state {
	GP_CLAIM_NONE,     /* no promotion: neither trailer nor metadata, and not a branch name of gp's */
	GP_CLAIM_SOUND,    /* the head is the base commit it contains, with the setter applied, and nothing else */
	GP_CLAIM_BROKEN,   /* anything else; reason says what */
	GP_CLAIM_UNSETTLED /* sound, but the description disagrees: it is being updated, or somebody edited it */
};

struct gp_claim {
	enum gp_claim_state state;
	char *reason;                  /* one line, for a person; NULL where sound or none */
	struct gp_json *metadata;      /* what it says, or NULL */
	struct gp_promotion promotion; /* a view of metadata; only if that is not NULL */
	bool by_trailer;               /* from the commit, not from the description alone (older tool) */
	struct gp_oid base;            /* the newest base commit that the head contains; zero where none was found */
	size_t base_index;             /* how many first-parent steps it is behind the tip */
	struct gp_oid from;            /* the tree that it changes; zero where that was not found */
	bool is_foreign; /* some own commit is neither gp's, nor the older tool's, nor a merge of the base */
	bool is_outrun;  /* broken for no other reason than that the base has moved on */
};

/*
 * Reads a pull request's branch, head and description, and fetches what is missing. A fault of the pull request is a
 * state, not an error. errors: 71, 69. Free it with gp_claim_free.
 */
int gp_claim_read(struct gp_claim *claim, struct gp_base *base, struct gp_chain *chain, const char *branch,
		  const struct gp_oid *head, const char *description, struct gp_err *err);
void gp_claim_free(struct gp_claim *claim);

#endif
