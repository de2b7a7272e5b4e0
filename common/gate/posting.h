/*
 * posting.h - a verdict as the document has it, and as a commit status: what is
 * posted, and whether it says anything new. A status is an event that starts
 * jobs, so gp posts one only if it does.
 */
#ifndef GP_POSTING_H
#define GP_POSTING_H

#include <stdbool.h>
#include <stdint.h>

#include "data/json.h"
#include "data/oid.h"
#include "forge/forge.h"
#include "gate/gate.h"
#include "sys/err.h"

/*
 * Sets the document's member `status` to a verdict on a head (40 digits). known: statuses as gp_forge_list_statuses
 * returns them, or NULL; what stands there on the head as the gate's check goes along as status.standing, so that
 * whoever posts the verdict need not ask for it again.
 */
void gp_posting_put_verdict(struct gp_json *document, const struct gp_verdict *v, const char *head,
			    const struct gp_json *known, const char *check);

/* The longest description that every forge takes (https://docs.github.com/rest/commits/statuses; longer: 422). */
enum { GP_POSTING_DESCRIPTION = 140 };

/* One status to post. Strings are borrowed from the document. */
struct gp_posting {
	const char *commit, *context, *state, *description, *url, *id;
	int64_t number; /* of the pull request that it is a check of; 0: none */
	struct gp_oid head;
	char text[GP_POSTING_DESCRIPTION + 1]; /* what description points to, for a verdict */
};

/* What to post about a document's verdict. errors: 65. */
int gp_posting_of_verdict(struct gp_posting *p, const struct gp_json *document, struct gp_err *err);

/*
 * Whether to ask the forge what stands on the head. What the gate saw there is good enough, except for a
 * "pending": it never replaces a success, and one may have come since.
 */
bool gp_posting_must_ask(const struct gp_posting *p, const struct gp_json *document);

/* Whether the posting says something else than the status that stands there (NULL: none). */
bool gp_posting_differs(const struct gp_posting *p, const struct gp_json *standing);

/*
 * Whether the posting says something new: 1, 0, -1. known: statuses that were asked for already, or NULL. strict: a forge
 * that keeps the checks of pull requests apart may bind them to more than the head, so it is asked for the check as it
 * counts now; the job of a push does that, a refresh of all pull requests does not.
 */
int gp_posting_is_news(const struct gp_posting *p, const struct gp_json *document, const struct gp_json *known,
		       bool strict, struct gp_forge *forge, struct gp_err *err);

/* Whether the check is green on this very head (40 digits) of a pull request. Returns 1, 0, -1. */
int gp_posting_is_green(struct gp_forge *forge, const char *head, int64_t number, const char *check,
			struct gp_err *err);

/* Whether the gate has given a verdict in this document, and no program has failed. */
bool gp_posting_has_verdict(const struct gp_json *document);

/*
 * Asks at once what stands on all heads of these documents that have to be asked about, as gp_forge_list_statuses does;
 * yours. NULL if there is nothing to ask, or the forge does not answer: then each document asks for itself.
 */
struct gp_json *gp_posting_look_ahead(struct gp_forge *forge, struct gp_json *const documents[], size_t n);

#endif
