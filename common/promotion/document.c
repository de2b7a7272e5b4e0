#include "promotion/document.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/exit.h"
#include "sys/mem.h"

enum { MAX_DOCUMENT = 64 << 20 };

/* The state of the search for the end of a document. */
struct span {
	size_t at;
	unsigned depth;
	bool in_string, escaped;
};

/*
 * Searches on for the '}' that closes the object. Returns the length of the document, or 0 if its end has not come yet.
 */
static size_t find_end(struct span *s, const char *text, size_t len)
{
	for (; s->at < len; s->at++) {
		char c = text[s->at];

		if (s->escaped) {
			s->escaped = false;
		} else if (s->in_string) {
			s->escaped = c == '\\';
			s->in_string = c != '"';
		} else if (c == '"') {
			s->in_string = true;
		} else if (c == '{' || c == '[') {
			s->depth++;
		} else if ((c == '}' || c == ']') && --s->depth == 0) {
			return ++s->at;
		}
	}
	return 0;
}

/* Returns what read(2) does; 0 for good once the end was seen. */
static ssize_t fill(struct gp_reader *r)
{
	if (r->ended)
		return 0;
	/*
	 * The rest moves to the front only if the buffer is full: a file of many documents is not moved once for each.
	 */
	if (r->start && r->cap - r->len < 4096) {
		memmove(r->data, r->data + r->start, r->len - r->start);
		r->len -= r->start;
		r->start = 0;
	}
	if (r->cap - r->len < 4096) {
		r->cap = r->cap ? r->cap * 2 : 16384;
		r->data = gp_reallocarray(r->data, r->cap, 1);
	}
	for (;;) {
		ssize_t n = read(r->fd, r->data + r->len, r->cap - r->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n > 0)
			r->len += (size_t)n;
		r->ended = n <= 0;
		return n;
	}
}

static void skip_space(struct gp_reader *r)
{
	while (r->start < r->len && memchr(" \t\r\n", r->data[r->start], 4))
		r->start++;
}

static int broken(struct gp_reader *r, struct gp_err *err, const char *what)
{
	r->ended = true;
	r->len = r->start = 0;
	r->any = true;
	return gp_fail(err, GP_EXIT_INPUT, "%s", what);
}

int gp_reader_next(struct gp_reader *r, struct gp_json **document, struct gp_err *err)
{
	struct span span = {0};
	size_t length = 0;

	for (;;) {
		if (!span.depth)
			skip_space(r);
		size_t here = r->len - r->start;
		const char *text = here ? r->data + r->start : "";

		if (here && *text != '{')
			return broken(r, err, "standard input is not a document: expected '{'");
		if (here)
			length = find_end(&span, text, here);
		if (span.at > MAX_DOCUMENT)
			return broken(r, err, "document is larger than 64 MiB");
		if (length)
			break;
		ssize_t n = fill(r);

		if (n < 0)
			return gp_fail(err, GP_EXIT_SYSTEM, "cannot read standard input: %s", strerror(errno));
		if (n == 0 && here)
			return broken(r, err, "document ends too early: did the command before it fail?");
		if (n == 0 && !r->any)
			return broken(r, err, "no document on standard input: did the command before it fail?");
		if (n == 0)
			return 0;
	}
	r->any = true;
	*document = gp_json_parse(r->data + r->start, length, err);
	if (!*document) {
		gp_fail_in(err, "document");
		r->ended = true;
		r->len = r->start = 0;
		return -1;
	}
	r->start += length;
	return 1;
}

bool gp_reader_is_ready(struct gp_reader *r, int ms)
{
	struct pollfd fd = {r->fd, POLLIN, 0};

	skip_space(r);
	return r->start < r->len || r->ended || poll(&fd, 1, ms) > 0;
}

void gp_reader_free(struct gp_reader *r)
{
	free(r->data);
	*r = (struct gp_reader){.fd = r->fd};
}

struct gp_json *gp_document_get(const struct gp_json *document, const char *path)
{
	const char *dot = strchr(path, '.');

	if (!dot)
		return gp_json_get(document, path);
	char *name = gp_memdup0(path, (size_t)(dot - path));
	struct gp_json *value = gp_json_get(gp_json_get(document, name), dot + 1);

	free(name);
	return value;
}

const char *gp_document_need_text(const struct gp_json *document, const char *path, struct gp_err *err)
{
	const struct gp_json *value = gp_document_get(document, path);
	const char *text = gp_json_text(value);

	if (!value)
		gp_fail(err, GP_EXIT_INPUT, "document has no %s", path);
	else if (!text)
		gp_fail(err, GP_EXIT_INPUT, "%s in the document is not a string", path);
	return text;
}

struct gp_json *gp_document_member(struct gp_json *document, const char *name)
{
	if (!gp_json_is_object(gp_json_get(document, name)))
		gp_json_set(document, name, gp_json_object());
	return gp_json_get(document, name);
}

void gp_document_set_skip(struct gp_json *document, const char *program, const char *reason)
{
	struct gp_json *skip = gp_json_object();

	gp_json_set_text(skip, "program", program);
	gp_json_set_text(skip, "reason", reason);
	gp_json_set(document, "skip", skip);
}

void gp_document_set_error(struct gp_json *document, const char *program, const struct gp_err *err)
{
	struct gp_json *error = gp_json_object();

	gp_json_set_text(error, "program", program);
	gp_json_set_int(error, "exit", err->code);
	gp_json_set_text(error, "message", err->message);
	gp_json_set(document, "error", error);
}

int gp_document_exit(const struct gp_json *document)
{
	const struct gp_json *error = gp_json_get(document, "error");
	int64_t code = gp_json_get_int(error, "exit", 0);

	if (!error || gp_json_is_null(error))
		return 0;
	return code > 0 && code < 256 ? (int)code : GP_EXIT_INPUT;
}

bool gp_document_is_verdict(const struct gp_json *document)
{
	const char *program = gp_json_get_text(gp_json_get(document, "error"), "program");
	int code = gp_document_exit(document);

	return program && !strcmp(program, "gp-check-status") && gp_json_get(document, "status") &&
	       (code == GP_EXIT_CLOSED || code == GP_EXIT_RETRY);
}

bool gp_document_is_dry_run(const struct gp_json *document)
{
	return gp_json_get_true(document, "dry_run");
}

bool gp_document_is_skipped(const struct gp_json *document)
{
	const struct gp_json *skip = gp_json_get(document, "skip");

	return skip && !gp_json_is_null(skip);
}

int gp_document_check(const struct gp_json *document, struct gp_err *err)
{
	const struct gp_json *dry_run = gp_json_get(document, "dry_run");

	/* A mistyped "do nothing" must not read as "do it". */
	if (dry_run && !gp_json_is_bool(dry_run))
		return gp_fail(err, GP_EXIT_INPUT, "dry_run in the document is neither true nor false");
	return 0;
}
