/*
 * claim.h - what a pull request says it is, and whether its content is just
 * that: part one of the gate, and how gp-open-pr tells a sound pull request
 * from one to be reset. Judges commits alone: the head and its own ones below it.
 */
#ifndef GP_CLAIM_H
#define GP_CLAIM_H

#include <stdbool.h>

#include "promotion/base-branch.h"
#include "promotion/promotion.h"

enum gp_claim_state {
	GP_CLAIM_NONE,   /* no promotion: neither trailer nor metadata, and no branch of ours */
	GP_CLAIM_SOUND,  /* the head is the base commit it contains, with the setter applied, and nothing else */
	GP_CLAIM_BROKEN, /* anything else; reason says what */
	GP_CLAIM_UNSETTLED /* sound, but the description says something else: it is being updated, or somebody edited it */
};

struct gp_claim {
	enum gp_claim_state state;
	char *reason;                  /* one line, for a person; NULL where sound or none */
	struct gp_json *metadata;      /* what it says, or NULL */
	struct gp_promotion promotion; /* a view of metadata; only if that is not NULL */
	bool by_trailer;               /* said by the commit, not by the description alone (older tool) */
	struct gp_oid base;            /* the newest base commit that the head contains; zero where none was found */
	size_t base_index;             /* how many first-parent steps it is behind the tip */
};

/*
 * Looks at a pull request: its branch, head and description. Fetches what is
 * missing. errors: 71, 69; what is wrong with the pull request is no error but
 * a state. Free it with gp_claim_free.
 */
int gp_claim_read(struct gp_claim *claim, struct gp_base *base, struct gp_chain *chain, const char *branch,
		  const struct gp_oid *head, const char *description, struct gp_err *err);
void gp_claim_free(struct gp_claim *claim);

#endif
