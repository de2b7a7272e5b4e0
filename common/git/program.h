/*
 * program.h - running the git program, for the files of this
 * room alone.
 */
#ifndef GP_PROGRAM_H
#define GP_PROGRAM_H

#include <stdbool.h>

#include "git/repository.h"

/* What git's environment gets: it never asks a person, who may not be there, and speaks English. */
extern const char *const gp_repository_git_env[];

/* The same for a git that does not leave this machine: without tokens. One that does may have helpers that need one. */
extern const char *const gp_repository_local_env[];

/*
 * Runs git. On success *out (may be NULL) is what it printed, yours. A failing
 * git is an error of 71 that begins with what and goes on in git's words. _with feeds it input.
 */
int gp_repository_git(char **out, const char *const argv[], const char *what, struct gp_err *err);
int gp_repository_git_with(char **out, const char *const argv[], const char *input, size_t len, const char *what,
			   struct gp_err *err);

/* Finds out whether commits are to be signed: r->signing. errors: 71. */
int gp_repository_find_signing(struct gp_repository *r, struct gp_err *err);

/* The second half of a git that was started with gp_run_start. */
int gp_repository_git_end(char **out, struct gp_running *running, const char *what, struct gp_err *err);

/* Ends the text with its first line; returns it. */
char *gp_repository_one_line(char *text);

/*
 * Runs a git that talks to the remote, as gp_repository_authorize set it up. A status other than 0 is no error here. If
 * SSH access fails, it is repeated over HTTPS, and so is everything after it.
 */
int gp_repository_talk(struct gp_repository *r, struct gp_output *output, const char *const argv[], const char *input,
		       size_t len, struct gp_err *err);
/*
 * The same, judged as gp_repository_git does, and repeated within GP_RETRY_BUDGET where it failed by what may pass: for
 * what changes nothing.
 */
int gp_repository_ask(struct gp_repository *r, char **out, const char *const argv[], const char *input, size_t len,
		      const char *what, struct gp_err *err);

/*
 * Whether git reports that a server denied access over HTTP: then it asks for a user name, and nobody is there to
 * answer.
 */
bool gp_repository_is_denied(const char *text);

/* Whether git failed by something that may pass; SOON: at once or not at all; UNKNOWN: the name may be a mistake. */
enum gp_passing { GP_PASSING_NEVER, GP_PASSING_UNKNOWN, GP_PASSING_SOON, GP_PASSING_LATER };
enum gp_passing gp_repository_may_pass(const struct gp_output *o);

/* Waits, if it may pass, as long as the server asks, or a little longer each time. false: not before `until`. */
bool gp_repository_tries_again(struct gp_repository *r, const struct gp_output *o, int attempt, long long until);

/* Takes the trace of requests out of git's stderr. Returns what the last answer's Retry-After asks for, or 0. */
long long gp_repository_take_trace(char *text);

/*
 * Turns the result of a git into output or an error; takes output's content. *out may be NULL. errors: 71; 75 for what
 * may pass; 77 if a server denied access.
 */
int gp_repository_judge(struct gp_output *output, char **out, const char *what, struct gp_err *err);

/* The line of git's stderr that says what is wrong, without its "fatal: ". Borrowed from text, which is cut up. */
const char *gp_repository_git_reason(char *text);

/* Fetches blobs that a partial clone lacks (objects.h, gp_git_missing_fn); ctx is the struct gp_repository. */
int gp_repository_fetch_blobs(void *ctx, const struct gp_oid *oids, size_t n, struct gp_err *err);

#endif
