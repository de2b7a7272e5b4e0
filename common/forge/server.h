/*
 * server.h - the main loop of a forge's driver (gp-forge-NAME): reads
 * one JSON request a line, calls the operation on the repository that the
 * request names, writes one JSON reply a line; how an operation reads its
 * parameters, and what results are made of. For bin/gp-forge-*.c and the
 * operations behind them. gp-forge(7) is the protocol.
 */
#ifndef GP_FORGE_SERVER_H
#define GP_FORGE_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "data/json.h"
#include "sys/err.h"

/* One operation on a repository: returns its `result`, yours, or NULL with err filled. request is borrowed. */
typedef struct gp_json *gp_forge_op_fn(void *repository, const struct gp_json *request, struct gp_err *err);

struct gp_forge_op {
	const char *name; /* "find-pr"; the table ends with a NULL name */
	gp_forge_op_fn *fn;
	int need; /* for the driver's call: what the operation needs */
};

/*
 * A request at work. An operation that takes long calls this now and then: gp then goes on waiting. It writes an empty
 * line every few seconds, however often it is called. work may be NULL. errors: 71 if gp has gone; then there is
 * nothing left to do.
 */
struct gp_forge_work;
int gp_forge_at_work(struct gp_forge_work *work, struct gp_err *err);

/* A driver. ctx is its own, handed to open. */
struct gp_forge_driver {
	const struct gp_forge_op *ops;
	void *ctx;
	/* The repository at a URL; kept for the following requests as long as they name the same URL. NULL: err. */
	void *(*open)(void *ctx, const char *url, struct gp_err *err);
	/* Runs an operation, with what every operation begins and ends with; NULL: just calls it. */
	struct gp_json *(*call)(void *repository, const struct gp_forge_op *op, const struct gp_json *request,
				struct gp_forge_work *work, struct gp_err *err);
	void (*close)(void *repository);
};

/*
 * Serves requests from fd `in` until its end, replying on fd `out` in order;
 * each reply is one write. A line that is no request gets an error reply of
 * 65 (`id` null), an unknown op one of 64. Returns 0, or -1 with err (71)
 * where `out` cannot be written; a closed reader is that too (the caller
 * ignores SIGPIPE). A line that is too long is answered and ends it: 65.
 */
int gp_forge_serve(int in, int out, const struct gp_forge_driver *driver, struct gp_err *err);

/*
 * A request's parameter by its name; members of objects within the request
 * work alike. Strings are borrowed. errors: 65 naming the parameter, where it
 * is missing (null counts as missing) or of another type.
 */
int gp_request_text(const char **out, const struct gp_json *request, const char *name, struct gp_err *err);
/* NULL if it is missing. */
int gp_request_optional_text(const char **out, const struct gp_json *request, const char *name, struct gp_err *err);
/* Not empty. */
int gp_request_name(const char **out, const struct gp_json *request, const char *name, struct gp_err *err);
/* From 1. */
int gp_request_number(int64_t *out, const struct gp_json *request, const char *name, struct gp_err *err);
int gp_request_bool(bool *out, const struct gp_json *request, const char *name, struct gp_err *err);
/* 40 lower-case hexadecimal digits. */
int gp_request_commit(const char **out, const struct gp_json *request, const char *name, struct gp_err *err);
/* One of words, which end with NULL. */
int gp_request_word(const char **out, const struct gp_json *request, const char *name, const char *const words[],
		    struct gp_err *err);

/*
 * server-request.c: the parameters of each operation, checked; strings
 * are borrowed from the request. errors: 65.
 */
enum gp_find_way { GP_FIND_NUMBER, GP_FIND_BRANCH, GP_FIND_MERGED_AS, GP_FIND_OPEN };
struct gp_find {
	enum gp_find_way way;
	int64_t number;
	const char *branch, *commit;
	const char *base; /* repository.base; NULL only if there is no branch */
	bool closed;      /* of a branch: those that were closed without a merge, not the open ones */
};
int gp_request_find(struct gp_find *out, const struct gp_json *request, struct gp_err *err);

/* How a forge finds pull requests; each returns an array, yours, or NULL with err. repository is the driver's. */
struct gp_finder {
	struct gp_json *(*number)(void *repository, int64_t number, struct gp_err *err);
	struct gp_json *(*branch)(void *repository, const char *branch, const char *base, struct gp_err *err);
	struct gp_json *(*merged_as)(void *repository, const char *commit, const char *base, struct gp_err *err);
	struct gp_json *(*open)(void *repository, struct gp_err *err);
	struct gp_json *(*closed)(void *repository, const char *branch, const char *base, struct gp_err *err);
};
/* The operation find-pr by such a finder. */
struct gp_json *gp_find_answer(const struct gp_finder *finder, void *repository, const struct gp_json *request,
			       struct gp_err *err);

struct gp_wanted {
	const char *branch, *base, *title, *description;
	const struct gp_json *labels, *reviewers; /* arrays of texts, or NULL */
	bool draft;                               /* for a new one */
};
int gp_request_wanted(struct gp_wanted *out, const struct gp_json *request, struct gp_err *err);

/* A commit that the forge is to make. */
struct gp_new_commit {
	const char *branch, *parent, *message;
	const struct gp_json *files; /* {path, contents}, in base64 */
};
int gp_request_new_commit(struct gp_new_commit *out, const struct gp_json *request, struct gp_err *err);

/* A merge, now or later, bound to a head. */
struct gp_merge {
	int64_t number;
	const char *method; /* "merge", "squash", "rebase" */
	const char *head;
	bool enable;    /* auto-merge: on or off; off has neither method nor head */
	const char *id; /* the pull request's; NULL: not given */
};
int gp_request_merge(struct gp_merge *out, const struct gp_json *request, struct gp_err *err);
int gp_request_auto_merge(struct gp_merge *out, const struct gp_json *request, struct gp_err *err);

/* Only commit ids; all: those that a later one has replaced, too. */
int gp_request_commits(const struct gp_json **commits, bool *all, const struct gp_json *request, struct gp_err *err);
/* The pull request whose checks alone are asked for, as they count now; 0: all statuses of the commits. */
int gp_request_check(int64_t *number, const struct gp_json *request, struct gp_err *err);

struct gp_post {
	const char *commit, *context, *state; /* "success", "failure", "pending" */
	const char *description, *url;        /* NULL: none */
	int64_t number;                       /* of the pull request that it is a check of; 0: none */
	const char *id;                       /* its id, if the commit was just seen as its head; NULL: unknown */
};
int gp_request_post(struct gp_post *out, const struct gp_json *request, struct gp_err *err);

/*
 * Whether labels or reviewers are asked for; and those of wanted that are not in have, both arrays of texts (NULL: none),
 * whatever the case of their letters. Yours.
 */
bool gp_wanted_has_more(const struct gp_wanted *wanted);
struct gp_json *gp_wanted_missing(const struct gp_json *wanted, const struct gp_json *have);

/*
 * server-result.c: what results are made of. Pull requests in the order
 * of numbers, each once; statuses, the newest first, those of one time in the
 * order in which they came. Each takes its list over.
 */
struct gp_json *gp_pulls_in_order(struct gp_json *pulls);
struct gp_json *gp_statuses_in_order(struct gp_json *statuses);

/* The result of open-pr; takes both over; warnings may be NULL, an array that is empty is left out. */
struct gp_json *gp_opened_result(struct gp_json *pull, bool created, struct gp_json *warnings);
/* Appends a text to *warnings, which is made where it is NULL. */
void gp_warn(struct gp_json **warnings, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* {"pull_request":pull}, {"pull_requests":pulls}; each takes its argument over, and passes NULL through. */
struct gp_json *gp_pull_result(struct gp_json *pull);
struct gp_json *gp_pulls_result(struct gp_json *pulls);

/* A status; description, url and by, who posted it, may be NULL. Yours. */
struct gp_json *gp_status(const char *context, const char *state, const char *description, const char *url,
			  const char *at, const char *kind, const char *by);

/* Whether a pull request, as the protocol has it, is open and its head still is head: 69 or 75. */
int gp_pull_check_bound(const struct gp_json *pull, const char *head, struct gp_err *err);

/* What a pull request made from a forge's answer lacks of the protocol's members; NULL: nothing. */
const char *gp_pull_lacks(const struct gp_json *pull);

#endif
