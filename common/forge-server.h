/*
 * forge-server.h - the main loop of a forge's driver (gp-forge-NAME): reads
 * one JSON request a line, calls the operation, writes one JSON reply a line;
 * and how an operation reads its parameters. For bin/gp-forge-*.c and the
 * operations behind them. gp-forge(7) is the protocol.
 */
#ifndef GP_FORGE_SERVER_H
#define GP_FORGE_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "json.h"

/* One operation: returns its `result` (taken over by the loop), or NULL with err filled. request is borrowed. */
typedef struct gp_json *gp_forge_op_fn(void *driver, const struct gp_json *request, struct gp_err *err);

struct gp_forge_op {
	const char *name; /* "find-pr"; the table ends with a NULL name */
	gp_forge_op_fn *fn;
};

/*
 * Serves requests from fd `in` until its end, replying on fd `out` in order;
 * each reply is one write. A line that is no request gets an error reply of
 * 65 (`id` null), an unknown op one of 64. Returns 0, or -1 with err (71)
 * where `out` cannot be written; a closed reader is that too (the caller
 * ignores SIGPIPE). A line that is too long is answered and ends it: 65.
 */
int gp_forge_serve(int in, int out, const struct gp_forge_op *ops, void *driver, struct gp_err *err);

/*
 * A request's parameter by its name; members of objects within the request
 * work alike. Strings are borrowed. errors: 65 naming the parameter, where it
 * is missing (null counts as missing) or of another type.
 */
int gp_request_text(const char **out, const struct gp_json *request, const char *name, struct gp_err *err);
/* NULL where it is missing. */
int gp_request_optional_text(const char **out, const struct gp_json *request, const char *name, struct gp_err *err);
/* What repository.url says: which repository the request is about. */
int gp_request_url(const char **out, const struct gp_json *request, struct gp_err *err);
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

#endif
