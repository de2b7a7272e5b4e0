/*
 * renewal.h - the gate of a pull request whose commit was made anew because the old one no longer merged. For
 * gp-open-pr.
 */
#ifndef GP_RENEWAL_H
#define GP_RENEWAL_H

#include "data/oid.h"
#include "forge/forge.h"
#include "promotion/base-branch.h"
#include "promotion/pull.h"

/*
 * Where the gate was open on the old head, judges the new one, and posts the verdict if it is open again: what was
 * ready to merge stays so. pull: the pull request as it was before the push. Says what was posted. If the forge does not
 * let it post, that is no failure: the pull request's own job judges it too.
 */
void gp_gate_renew(struct gp_base *base, struct gp_forge *forge, const struct gp_json *pull, const struct gp_oid *head,
		   gp_told_fn *told, void *ctx);

#endif
