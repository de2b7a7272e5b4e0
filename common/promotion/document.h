/*
 * document.h - the JSON object that travels along a pipe: reading a stream of
 * them, reaching into one, and the two members that every program knows, skip
 * and error. gp-document(5) is its reference.
 */
#ifndef GP_DOCUMENT_H
#define GP_DOCUMENT_H

#include <stdbool.h>

#include "data/json.h"
#include "sys/err.h"

/* Reads documents one by one, as they come: start with {.fd = fd}. Objects may stand on one line or on many. */
struct gp_reader {
	int fd;
	char *data;
	size_t start, len, cap;
	bool ended, any;
};

/*
 * The next document. Returns 1 with *document (yours), 0 at the end, -1 with
 * err: 65 for text that is no JSON object, and for a stream without any
 * document; 71 if it cannot be read. After -1 the stream is over.
 */
int gp_reader_next(struct gp_reader *reader, struct gp_json **document, struct gp_err *err);
void gp_reader_free(struct gp_reader *reader);

/* Whether there is more to read, or the end; waits at most ms. */
bool gp_reader_is_ready(struct gp_reader *reader, int ms);

/* The value at a path such as "promotion.tag"; NULL if there is none. */
struct gp_json *gp_document_get(const struct gp_json *document, const char *path);

/* The text at a path; otherwise NULL and err: 65 "document has no promotion.tag" (or it is no string). */
const char *gp_document_need_text(const struct gp_json *document, const char *path, struct gp_err *err);

/* The member; created as an empty object if it is missing or no object. Borrowed. */
struct gp_json *gp_document_member(struct gp_json *document, const char *name);

/* Sets `skip` or `error`. */
void gp_document_set_skip(struct gp_json *document, const char *program, const char *reason);
void gp_document_set_error(struct gp_json *document, const char *program, const struct gp_err *err);

/* The exit status that the document's error asks for; 0 if there is no error. One that is invalid is 65. */
int gp_document_exit(const struct gp_json *document);

/* Whether the document's error is the gate's verdict and not a failure. */
bool gp_document_is_verdict(const struct gp_json *document);

bool gp_document_is_dry_run(const struct gp_json *document);

/* Whether it carries a skip: any value but null. */
bool gp_document_is_skipped(const struct gp_json *document);

/* Checks the members that every program obeys: errors (65) if dry_run is no boolean. */
int gp_document_check(const struct gp_json *document, struct gp_err *err);

#endif
