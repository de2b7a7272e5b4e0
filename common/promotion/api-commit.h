/*
 * api-commit.h - a promotion's commit, made once more by the forge, which signs it. For opening.
 */
#ifndef GP_API_COMMIT_H
#define GP_API_COMMIT_H

#include "data/oid.h"
#include "forge/forge.h"
#include "promotion/base-branch.h"

/*
 * Replaces *commit, which has one parent, by one of the forge's with the same parent, tree and message, and fetches that.
 * errors: 69 if the forge has made something else; 71; 78 if it makes no commits; and the forge's.
 */
int gp_api_commit(struct gp_base *base, struct gp_forge *forge, const char *branch, struct gp_oid *commit,
		  struct gp_err *err);

#endif
