/*
 * superseded.h - whether another run has given a promotion's pull request to another release meanwhile. For gp-merge.
 */
#ifndef GP_SUPERSEDED_H
#define GP_SUPERSEDED_H

#include "data/json.h"
#include "forge/forge.h"
#include "promotion/base-branch.h"
#include "promotion/pull.h"

/*
 * The tag that the pull request brings by now: of the same app, by a sound commit that is not the document's head. Yours;
 * NULL if it is still the document's, or its head is nothing of gp's, or it cannot be told (err, for instance of the
 * forge).
 */
char *gp_superseded(struct gp_base *base, struct gp_forge *forge, const struct gp_json *document,
		    const struct gp_pull *pull, struct gp_err *err);

#endif
