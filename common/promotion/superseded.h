/*
 * superseded.h - whether another run has given a promotion's pull request to another release meanwhile. For opening
 * and gp-merge.
 */
#ifndef GP_SUPERSEDED_H
#define GP_SUPERSEDED_H

#include "data/json.h"
#include "forge/forge.h"
#include "promotion/base-branch.h"
#include "promotion/pull.h"

/* That the pull request brings another tag by now, as the reason why there is nothing to do. Yours. */
char *gp_superseded_by(const char *tag, int64_t number);

/*
 * The same, if it brings another release of the same app, by a sound commit that is not the document's head; NULL if it
 * is still the document's, or its head is nothing of gp's, or it cannot be told (err).
 */
char *gp_superseded(struct gp_base *base, struct gp_forge *forge, const struct gp_json *document,
		    const struct gp_pull *pull, struct gp_err *err);

#endif
