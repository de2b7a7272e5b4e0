/*
 * odb.h - the object database as libgit2 has it, for the files of the module
 * git alone.
 */
#ifndef GP_GIT_ODB_H
#define GP_GIT_ODB_H

#include <git2.h>

#include "git/objects.h"

struct gp_git {
	char *objects_dir;
	git_odb *odb; /* NULL until an object is asked for */
	gp_git_missing_fn *missing;
	void *missing_ctx;
	git_repository *repo; /* the object database as a repository: no path, configuration or refs */
};

/* Fails with 71: what, and libgit2's last error; _at: what and the object's id before it. */
int gp_git_fail(struct gp_err *err, const char *what);
int gp_git_fail_at(struct gp_err *err, const char *what, const struct gp_oid *oid);

git_oid gp_git_to_id(const struct gp_oid *oid);
struct gp_oid gp_git_from_id(const git_oid *id);

/* Makes libgit2 ready; git_libgit2_shutdown is its end. errors: 71. */
int gp_git_start(struct gp_err *err);

/* Opens the object database, with the first object that is asked for. errors: 71. */
int gp_git_open_odb(struct gp_git *git, struct gp_err *err);

#endif
