/*
 * missing.h - what the base says should have been promoted and was not: an environment has a version, and the next one
 * lacks it. For gp-find-missing.
 */
#ifndef GP_MISSING_H
#define GP_MISSING_H

#include "data/json.h"
#include "forge/forge.h"
#include "promotion/base-branch.h"
#include "promotion/config.h"
#include "promotion/pull.h"

/* Called for each: a promotion of type "promote" whose env is the environment that has the version. Borrowed. */
typedef void gp_missing_fn(void *ctx, const struct gp_promotion *reached);

/*
 * Finds them at the base's tip, app by app, each app's in the order of the environments. Left out is what somebody has
 * decided: a version that the next environment has had before (it was taken back), or an older one than it has; a version
 * that the environment has gone back to; one that an open pull request brings, or whose pull request was closed without
 * a merge. open: the open pull requests, as the forge's protocol has them. told: why something is left out, at level 1;
 * and what is wrong with an app, at level -1, which keeps no other from being looked at. errors: 71, and the forge's.
 */
int gp_missing_find(struct gp_base *base, const struct gp_config *config, struct gp_forge *forge,
		    const struct gp_json *open, gp_missing_fn *found, gp_told_fn *told, void *ctx, struct gp_err *err);

#endif
