/*
 * opening.h - getting the pull requests of documents opened or reset: what is asked of git and of the forge is asked for
 * several of them at once. For gp-open-pr.
 *
 * The steps, each over all of them: read, check, meet, push; then finish, one by one, in the documents' order. One that
 * has a skip or an error, or is for later, is left alone by the steps that follow.
 */
#ifndef GP_OPENING_H
#define GP_OPENING_H

#include <stdbool.h>

#include "forge/forge.h"
#include "promotion/proposal.h"
#include "promotion/pull.h"

struct gp_opening {
	struct gp_proposal proposal;
	char *skip;            /* why there is nothing to do, or NULL */
	struct gp_err err;     /* what went wrong */
	struct gp_json *pull;  /* the open pull request of its branch; NULL: none */
	struct gp_claim claim; /* what that says, and what to do about it */
	enum gp_meeting meeting;
	struct gp_oid old; /* where the branch is: what the push replaces */
	bool pushed;
	bool again;  /* begun again after a lost race */
	bool lost;   /* the error is that another run was there first: it may be begun again */
	bool beaten; /* another run has replaced what this one had pushed: it came last, and stays */
	bool later;  /* the driver broke over another one: this one has to be begun again */
};

/* Reads a document, which is borrowed. An error is in its err. Free it also then. */
void gp_opening_read(struct gp_opening *o, struct gp_json *document);

/* The same document from the beginning, after a lost race; the next check asks for the base's tip again. */
void gp_opening_begin_again(struct gp_opening *o, struct gp_base *base);
void gp_opening_free(struct gp_opening *o);

/* Whether there still is something to do here. */
bool gp_opening_goes_on(const struct gp_opening *o);

/* Checks them against the base; asks for its tip, once, and where their branches are. */
void gp_openings_check(struct gp_opening *o, size_t n, struct gp_base *base);

/*
 * Finds their pull requests, and what to do about them. A branch without one is taken over only if its commits are gp's,
 * or those of the base (69).
 */
void gp_openings_meet(struct gp_opening *o, size_t n, struct gp_base *base, struct gp_forge *forge);

/*
 * Pushes those that have to be pushed. Where a pull request is reset, auto-merge goes off before: at no moment may the
 * old approval merge the new content.
 */
void gp_openings_push(struct gp_opening *o, size_t n, struct gp_base *base, struct gp_forge *forge);

/*
 * Opens the pull request of one, or corrects its title and description, after the push, so that the new title never
 * stands above the old content. Sets the document's pull_request; tells what was done, or for a dry run would be.
 */
void gp_opening_finish(struct gp_opening *o, struct gp_base *base, struct gp_forge *forge, gp_told_fn *told, void *ctx);

#endif
