/*
 * forge.h - the client's side of a forge: starts gp-forge-NAME, sends it one
 * request a line and checks its replies, so that callers may rely on the types
 * that gp-forge(7) promises. Results are the caller's.
 */
#ifndef GP_FORGE_H
#define GP_FORGE_H

#include <stdbool.h>
#include <stdint.h>

#include "data/json.h"
#include "data/oid.h"
#include "sys/err.h"

struct gp_forge;

/*
 * Starts the driver gp-forge-<provider>, looked for in dir (NULL: only PATH)
 * first. timeout_ms bounds the wait for each reply, and begins again with each
 * empty line, by which a driver says that it is still at work; 36 times as long
 * is waited in all. errors: 78 if there is no such driver. Yours.
 */
struct gp_forge *gp_forge_start(const char *provider, const char *dir, int timeout_ms, struct gp_err *err);

/* Sets what the next requests are about: the document's member `repository`, copied. */
void gp_forge_about(struct gp_forge *forge, const struct gp_json *repository);

void gp_forge_end(struct gp_forge *forge);

/* Whether the driver has broken the protocol: nothing more can be asked of it. */
bool gp_forge_is_broken(const struct gp_forge *forge);

/*
 * Each sends one request. A forge's own error keeps its exit status; a reply
 * that is no reply is 76, a driver that died 71. `pull request` in results is
 * an object with number, url, title, description, branch, base, head, state,
 * auto_merge, fork, merge_commit, all of the right type; and id, where the
 * forge has one.
 */

/* Returns an array of pull requests. */
struct gp_json *gp_forge_find_number(struct gp_forge *forge, int64_t number, struct gp_err *err);
struct gp_json *gp_forge_find_branch(struct gp_forge *forge, const char *branch, struct gp_err *err);
/* The open one of this repository's branch, forks aside: *pull is yours, or NULL if there is none. */
int gp_forge_find_own(struct gp_forge *forge, const char *branch, struct gp_json **pull, struct gp_err *err);
/* Those of this branch of the repository that were closed without a merge, forks aside. */
struct gp_json *gp_forge_find_closed(struct gp_forge *forge, const char *branch, struct gp_err *err);
struct gp_json *gp_forge_find_merged_as(struct gp_forge *forge, const char *commit, struct gp_err *err);
struct gp_json *gp_forge_find_open(struct gp_forge *forge, struct gp_err *err);

/* What a pull request is to be: borrowed. */
struct gp_forge_wanted {
	const char *branch, *title, *description;
	const struct gp_json *more; /* labels, reviewers, draft, as the request has them; or NULL */
};
/*
 * Opens the pull request into the base, or updates the open one. *created tells which. *warnings (yours): an array of
 * texts about what the forge has not done of `more`, or NULL. Returns it.
 */
struct gp_json *gp_forge_open_pr(struct gp_forge *forge, const struct gp_forge_wanted *wanted, bool *created,
				 struct gp_json **warnings, struct gp_err *err);

/*
 * Makes a commit with one parent by the forge, which then signs it; no branch keeps it. branch: the one that it is meant
 * for. files: an array of {path, contents}, the whole contents in base64. *out is its id.
 */
int gp_forge_create_commit(struct gp_forge *forge, const char *branch, const char *parent, const char *message,
			   const struct gp_json *files, struct gp_oid *out, struct gp_err *err);

/*
 * Switches auto-merge. id: the member `id` that the forge gave the pull request, or NULL. *clean: it stayed off because
 * there is nothing to wait for. Returns the pull request.
 */
struct gp_json *gp_forge_set_auto_merge(struct gp_forge *forge, int64_t number, const char *id, bool enable,
					const char *method, const char *head, bool *clean, struct gp_err *err);

/* Switches auto-merge off, if it is on. *pull is replaced by what it is then. */
int gp_forge_stop_auto_merge(struct gp_forge *forge, struct gp_json **pull, struct gp_err *err);

/* Merges if the head still is head. Returns the pull request. */
struct gp_json *gp_forge_merge(struct gp_forge *forge, int64_t number, const char *method, const char *head,
			       struct gp_err *err);

/*
 * The statuses of n commits: an object with an array for each commit's 40 digits, newest first. all: also those that a
 * later one of the same context has replaced, if the forge does not list them anyway.
 */
struct gp_json *gp_forge_list_statuses(struct gp_forge *forge, const struct gp_oid *commits, size_t n, bool all,
				       struct gp_err *err);

/*
 * The same for one commit, but only the checks of this pull request as it is now, on a forge that keeps these apart:
 * they may be void though the head is the same. Other forges list all statuses of the commit.
 */
struct gp_json *gp_forge_list_checks(struct gp_forge *forge, const struct gp_oid *commit, int64_t number,
				     struct gp_err *err);

/*
 * The newest status of a context on a commit, from the result of gp_forge_list_statuses; NULL: none. A check of another
 * pull request than number is ignored. Borrowed.
 */
const struct gp_json *gp_forge_standing(const struct gp_json *statuses, const char *commit, int64_t number,
					const char *context);

/*
 * Posts a status. number: the pull request that it is a check of, or 0; id: its member `id`, where the forge has just
 * said that commit is its head, or NULL. url and description may be NULL.
 */
int gp_forge_set_status(struct gp_forge *forge, const char *commit, int64_t number, const char *id, const char *context,
			const char *state, const char *description, const char *url, struct gp_err *err);

#endif
