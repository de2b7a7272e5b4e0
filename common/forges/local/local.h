/*
 * local.h - the embedded forge: pull requests, auto-merge flags and commit
 * statuses that live in a bare git repository beside its branches, under
 * refs/gp/state. For bin/gp-forge-local.c, and the files of this room, which
 * share the struct. Every attempt at a request works on one view of the refs
 * and ends in one atomic transaction of git's, or is made again.
 *
 * repo.c     finds the repository, runs git there, reads its configuration
 * refs.c     the view of the refs, the transaction
 * state.c    the tree behind refs/gp/state
 * merge.c    test merges, merging, the gate of required statuses
 * pull.c     what becomes of open pull requests when branches move
 * attempt.c  answers a request by attempts, until nothing has moved in between
 */
#ifndef GP_LOCAL_H
#define GP_LOCAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/json.h"
#include "forge/server.h"
#include "git/objects.h"
#include "sys/err.h"

#define GP_LOCAL_STATE "refs/gp/state"

struct gp_local_options {
	struct gp_ident committer; /* of state and merge commits; time 0: now */
	long long budget_ms;       /* how long a lost race is run again */
};

/* One ref as this attempt found it (old) and wants it (new); zero: does not exist. */
struct gp_local_ref {
	char *name;
	char *work_tree; /* where it is checked out, or NULL */
	struct gp_oid old, new;
	bool relied_on; /* the transaction fails where it is not at old any more */
	bool unread;    /* old is not known and does not matter */
};

/* One open pull request. */
struct gp_local_pull {
	int64_t number;
	struct gp_oid blob;   /* that json was read from or written to */
	struct gp_json *json; /* as stored, see state.c */
};

struct gp_local_config {
	bool is_read, auto_merge, hides_state, hides_pulls;
	char **required; /* contexts */
	size_t required_count;
};

struct gp_local {
	char *dir; /* the git directory, absolute */
	char *url; /* its file:// URL */
	const struct gp_local_options *options;
	struct gp_git *git;
	bool read_only; /* this user may not write there */
	int lock;       /* descriptor of the lock file while it is held, else -1 */
	struct gp_local_config config;
	struct gp_local_ref *refs; /* the first sorted_refs as git listed them, by name */
	size_t ref_count, sorted_refs;
	struct gp_oid tree;          /* of the state, with this attempt's changes; zero: no state yet */
	struct gp_local_pull *pulls; /* the open ones by number */
	size_t pull_count;
	int64_t look_number;            /* which pull requests this request is about: this number (0: none), */
	const char *look_branch;        /* those of this branch, */
	bool look_at_all;               /* or all that are open */
	unsigned spare;                 /* how many others may get a new test merge as well */
	struct gp_tree_change *pending; /* changes of state that are not in tree yet; their paths are owned */
	size_t pending_count;
	char *refreshed; /* what pending changes are about: "#1, #2" */
};

/* repo.c */

/* url: a path or a file:// URL. errors: 65 another scheme, 69 no repository there. Yours. */
struct gp_local *gp_local_open(const char *url, const struct gp_local_options *options, struct gp_err *err);
void gp_local_free(void *repository);

/* Forgets an attempt's view and plans. */
void gp_local_forget(struct gp_local *local);

/*
 * Runs git in the repository with args (up to a NULL), feeding it input.
 * Returns its exit status with what it printed in *out (yours; NULL: not
 * wanted) where that is at most ok; otherwise -1: 71 in git's words.
 */
int gp_local_git(const struct gp_local *local, char **out, size_t *len, int ok, const char *const args[],
		 const void *input, size_t input_len, struct gp_err *err);

/* Reads gp.autoMerge, gp.requiredStatus and receive.hideRefs, once in an attempt. errors: 71, 78. */
int gp_local_read_config(struct gp_local *local, struct gp_err *err);

/* Keeps pushes away from refs/gp and refs/pull, unless they are kept away already. */
int gp_local_hide_refs(struct gp_local *local, struct gp_err *err);

/* Waits for the lock at most until then (gp_now_ms). Without the lock it is slower, not wrong. */
void gp_local_lock(struct gp_local *local, long long until);
void gp_local_unlock(struct gp_local *local);

/*
 * git locks NAME by a file NAME.lock for some milliseconds; when it is killed, the file stays. One that is older than a
 * few seconds is removed. Returns whether there is one that may still be somebody's.
 */
bool gp_local_break_lock(const struct gp_local *local, const char *name);

/* Waits while somebody pushes to a branch. */
void gp_local_await_push(const struct gp_local *local, const char *branch);

/* refs.c */

/* Reads the ref of the state, and where they are wanted the branches. errors: 71. */
int gp_local_read_refs(struct gp_local *local, bool branches, struct gp_err *err);

/* Whether this attempt has changed the state. */
bool gp_local_has_changes(struct gp_local *local);

/* Moves all refs of the attempt in one transaction. Returns 0, or -1 with lost filled. */
int gp_local_move_refs(struct gp_local *local, struct gp_err *lost);

/* The commit of the state, with this attempt's changes; NULL if there is none yet. */
const struct gp_oid *gp_local_state(struct gp_local *local);

/* The tip of a branch with this attempt's changes; NULL if there is none. */
struct gp_local_ref *gp_local_branch(struct gp_local *local, const char *branch);

/* Sets a ref as part of the attempt (zero: deletes it); its old value does not matter unless it was listed. */
void gp_local_set_ref(struct gp_local *local, const char *name, const struct gp_oid *oid);

/* The attempt holds only if the branch (also one that is not there) stays as it was found. */
void gp_local_rely(struct gp_local *local, const char *branch);

/* state.c */

/* Reads the state that the refs show; the open pull requests only if they are wanted. errors: 71. */
int gp_local_read_state(struct gp_local *local, bool with_pulls, struct gp_err *err);

/* After an attempt that broke midway: the next one reads every pull request again. */
void gp_local_distrust(struct gp_local *local);

/* Makes one commit of all pending changes on top of the state. errors: 71. */
int gp_local_record(struct gp_local *local, struct gp_err *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The open pull request of that number, or of that branch and base; NULL if there is none. */
struct gp_local_pull *gp_local_find_open(struct gp_local *local, int64_t number);
struct gp_local_pull *gp_local_find_branch(struct gp_local *local, const char *branch, const char *base);

/* Reads one that is merged or closed. Returns it (yours); NULL with err untouched if there is none, or 71. */
struct gp_json *gp_local_read_closed(struct gp_local *local, int64_t number, struct gp_err *err);
/* The newest number that there is; 0: none. errors: 71. */
int64_t gp_local_last_number(struct gp_local *local, struct gp_err *err);

/* The numbers of those merged as a commit, an array (yours); NULL as above. */
struct gp_json *gp_local_read_merged(struct gp_local *local, const char *commit, struct gp_err *err);

/* Adds an open pull request (json taken over); gives it the next number. Pending until recorded. errors: 71. */
struct gp_local_pull *gp_local_add(struct gp_local *local, struct gp_json *json, struct gp_err *err);

/* Writes what changed in an open one. Pending. errors: 71. */
int gp_local_save(struct gp_local *local, struct gp_local_pull *pull, struct gp_err *err);

/* Moves one to the closed; merge_commit NULL: it was not merged. Pending. pull is gone, its JSON is returned (yours). */
struct gp_json *gp_local_close(struct gp_local *local, struct gp_local_pull *pull, const struct gp_oid *merge_commit,
			       struct gp_err *err);

/* The statuses of a commit, newest first (yours, may be empty); NULL with err: 71. */
struct gp_json *gp_local_statuses(struct gp_local *local, const char *commit, struct gp_err *err);

/* Puts a status (taken over) before the others of the commit. Pending. errors: 71. */
int gp_local_add_status(struct gp_local *local, const char *commit, struct gp_json *status, struct gp_err *err);

/* A commit by this forge: now, by its own name. Parents as in gp_git_write_commit. errors: 71. */
int gp_local_commit(struct gp_local *local, struct gp_oid *out, const struct gp_oid *tree, const struct gp_oid *parents,
		    size_t parent_count, const char *message, struct gp_err *err);

/* merge.c */

/* Makes refs/pull/N/head and refs/pull/N/merge what head and base give now. Pending. errors: 71. */
int gp_local_test_merge(struct gp_local *local, struct gp_local_pull *pull, const struct gp_oid *head,
			const struct gp_oid *base, struct gp_err *err);

/*
 * Whether all required statuses of a commit are green. Returns 1; 0 with *why
 * ("required status 'gp/gate' is pending", yours); -1: 71, 78.
 */
int gp_local_is_green(struct gp_local *local, const char *commit, char **why, struct gp_err *err);

/*
 * Whether nothing but a required status keeps an open, up-to-date pull
 * request from being merged. Returns true, or false with *why (yours).
 */
bool gp_local_is_mergeable(struct gp_local *local, const struct gp_local_pull *pull, char **why);

/*
 * Merges a mergeable one and records it; how: "merge-pr", or "auto-merge". pull is gone, its
 * JSON is returned (yours); NULL with err: 71.
 */
struct gp_json *gp_local_merge(struct gp_local *local, struct gp_local_pull *pull, const char *method, const char *how,
			       struct gp_err *err);

/* The oldest commit on base's first-parent chain that contains head: what a merge by push was merged as. */
int gp_local_find_merge(struct gp_local *local, struct gp_oid *out, const struct gp_oid *base,
			const struct gp_oid *head, struct gp_err *err);

/* pull.c */

/*
 * Brings open pull requests up to date, those that the request is about in any
 * case: closes the ones without a branch or without commits of their own, marks
 * those that a push merged, renews test merges, and merges where auto-merge
 * waits for nothing any more. errors: 71, 78.
 */
int gp_local_settle(struct gp_local *local, struct gp_err *err);

/* attempt.c */

/* What a request needs: the state alone; the branches too; the branches and the right to change things. */
enum gp_local_need { GP_LOCAL_STATUSES, GP_LOCAL_READ, GP_LOCAL_WRITE };

/*
 * Answers one request by fn, again and again until nothing has moved in
 * between, at most for options->budget_ms (then: 75). fn returns its result,
 * or NULL with err, and may be called several times. Open pull requests are up to date
 * before it is called.
 */
typedef gp_forge_op_fn gp_local_fn; /* the repository is a struct gp_local */
struct gp_json *gp_local_answer(struct gp_local *local, enum gp_local_need need, gp_local_fn *fn,
				const struct gp_json *request, struct gp_err *err);

/* query.c */

/* {"pull_request":…} for one as it is stored, and for a number, in any state; NULL with err (69) if there is none. */
struct gp_json *gp_local_pull_result(const struct gp_local *local, const struct gp_json *stored);
struct gp_json *gp_local_number_result(struct gp_local *local, int64_t number, struct gp_err *err);

/* The operations, for gp_local_answer; see gp-forge(7). These need GP_LOCAL_STATUSES, but for find-pr: GP_LOCAL_READ. */
gp_forge_op_fn gp_local_get_repository, gp_local_find_pr, gp_local_list_statuses;

/* ops.c: these need GP_LOCAL_WRITE */
gp_forge_op_fn gp_local_open_pr, gp_local_set_auto_merge, gp_local_merge_pr, gp_local_set_status;

#endif
