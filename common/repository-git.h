/*
 * repository-git.h - running the git program, for the files of the module
 * repository alone.
 */
#ifndef GP_REPOSITORY_GIT_H
#define GP_REPOSITORY_GIT_H

#include "repository.h"

/* What git's environment gets: it never asks a person, who may not be there, and speaks English. */
extern const char *const gp_repository_git_env[];

/*
 * Runs git. On success *out (may be NULL) is what it printed, yours. A failing
 * git is an error of 71 that begins with what and goes on in git's words. _with feeds it input.
 */
int gp_repository_git(char **out, const char *const argv[], const char *what, struct gp_err *err);
int gp_repository_git_with(char **out, const char *const argv[], const char *input, size_t len, const char *what,
			   struct gp_err *err);

/* The line of git's stderr that says what is wrong, without its "fatal: ". Borrowed from text, which is cut up. */
const char *gp_repository_git_reason(char *text);

/* Brings blobs that a partial clone lacks (git.h, gp_git_missing_fn); ctx is the struct gp_repository. */
int gp_repository_fetch_blobs(void *ctx, const struct gp_oid *oids, size_t n, struct gp_err *err);

#endif
