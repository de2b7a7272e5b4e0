/*
 * push.h - which commits a push to the base branch has brought, as far as the
 * history that is here shows it. For gp-find-pr. Fetches what a shallow clone lacks.
 */
#ifndef GP_PUSH_H
#define GP_PUSH_H

#include <stddef.h>

#include "data/oid.h"
#include "promotion/base-branch.h"
#include "sys/err.h"

/*
 * The first-parent commits after since (NULL: only the commit itself) up to commit (NULL: the base's tip), which are
 * revisions, newest first, at most 1000. *commits
 * is yours, also after an error. *warning (yours, or NULL) says what was left out: the commits before the newest 1000, or
 * all but the last one if since is not a part of this history (a forced push). errors: 64, 71.
 */
int gp_push_commits(struct gp_base *base, const char *since, const char *commit, struct gp_oid **commits, size_t *count,
		    char **warning, struct gp_err *err);

#endif
