/*
 * push.h - which promotions a push to the base branch has merged, as far as the history that is here shows its commits.
 * For gp-find-pr. Fetches what a shallow clone lacks.
 */
#ifndef GP_PUSH_H
#define GP_PUSH_H

#include "forge/forge.h"
#include "promotion/base-branch.h"
#include "promotion/pull.h"
#include "sys/err.h"

/*
 * Finds the promotions that were merged as the first-parent commits after since (NULL: only the commit itself) up to
 * commit (NULL: the base's tip), which are revisions: oldest first, of the newest 1000 commits. Says what is passed over
 * and warns of what is left out: the commits before those, or all but the last one if since is not a part of this
 * history (a forced push). errors: 64, 71, and the forge's.
 */
int gp_push_find_merged(struct gp_base *base, struct gp_forge *forge, const char *since, const char *commit,
			gp_found_fn *found, gp_told_fn *told, void *ctx, struct gp_err *err);

#endif
