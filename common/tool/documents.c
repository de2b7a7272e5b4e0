#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forge/provider.h"
#include "promotion/document.h"
#include "sys/exit.h"
#include "sys/io.h"
#include "sys/mem.h"
#include "tool/tool.h"

enum { MAX_AHEAD = 100, AHEAD_MS = 30 };

void gp_tool_emit(struct gp_tool *tool, const struct gp_json *document)
{
	char *text = isatty(STDOUT_FILENO) ? gp_json_print_indented(document) : gp_json_print(document);
	/* A '#' occurs only in strings, where its escape means the same. */
	char *harmless = gp_ci_disarm(getenv, text, "\\u0023");
	char *line = gp_asprintf("%s\n", harmless);

	if (gp_write_all(STDOUT_FILENO, line, strlen(line)))
		gp_tool_output_failed(tool);
	free(line);
	free(harmless);
	free(text);
}

void gp_tool_fail(struct gp_tool *tool, const struct gp_err *err)
{
	gp_tool_complain(tool, err);
	/* A person at a terminal has just read it; a program at the other end of a pipe has not. */
	if (tool->is_driver || isatty(STDOUT_FILENO))
		return;
	struct gp_json *document = gp_json_object();

	gp_document_set_error(document, tool->name, err);
	gp_tool_emit(tool, document);
	gp_json_free(document);
}

void gp_tool_skip(const struct gp_tool *tool, struct gp_json *document, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *reason = gp_vasprintf(fmt, ap);
	va_end(ap);
	char clean[1024];

	gp_clean_line(clean, sizeof clean, reason);
	gp_document_set_skip(document, tool->name, clean);
	gp_tool_say(tool, 0, "skipped: %s", clean);
	free(reason);
}

void gp_tool_check_stdin(const struct gp_tool *tool, const char *what)
{
	if (!isatty(STDIN_FILENO))
		return;
	if (tool->after)
		gp_tool_say(tool, 0, "reading %s from the terminal; did you mean '%s | %s'?", what, tool->after,
			    tool->name);
	else
		gp_tool_say(tool, 0, "reading %s from the terminal (end with Ctrl-D)", what);
}

int gp_tool_feed(struct gp_tool *tool, const char *const argv[], struct gp_err *err)
{
	char *beside = gp_asprintf("%s/%s", tool->dir ? tool->dir : ".", argv[0]);
	const char *words[16] = {tool->dir && !access(beside, X_OK) ? beside : argv[0]};
	const char *const env[] = {NULL};
	int rc;

	for (size_t i = 1; i < sizeof words / sizeof *words - 1 && argv[i]; i++)
		words[i] = argv[i];
	rc = gp_child_start(&tool->feeder, words, env, err);
	free(beside);
	if (rc)
		return -1;
	if (dup2(tool->feeder.from, STDIN_FILENO) < 0)
		return gp_fail(err, GP_EXIT_SYSTEM, "cannot read from %s: %s", argv[0], strerror(errno));
	return 0;
}

static void filter_one(struct gp_tool *tool, gp_tool_fn *fn, void *ctx, struct gp_json *document, bool with_errors)
{
	struct gp_err err = {0};
	int code = gp_document_exit(document);

	if (gp_document_is_skipped(document) || (code && !with_errors)) {
		if (!tool->exit)
			tool->exit = code;
	} else if (gp_document_check(document, &err) || fn(ctx, document, &err)) {
		gp_tool_complain(tool, &err);
		gp_document_set_error(document, tool->name, &err);
	} else if (!tool->exit) {
		tool->exit = gp_document_exit(document);
	}
	gp_tool_emit(tool, document);
}

static void look_ahead(gp_tool_ahead_fn *ahead, void *ctx, struct gp_json *const documents[], size_t n,
		       bool with_errors)
{
	struct gp_json *wanted[MAX_AHEAD];
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		if (!gp_document_is_skipped(documents[i]) && (with_errors || !gp_document_exit(documents[i])))
			wanted[count++] = documents[i];
	if (count)
		ahead(ctx, wanted, count);
}

static void filter(struct gp_tool *tool, gp_tool_ahead_fn *ahead, gp_tool_fn *fn, void *ctx, bool with_errors)
{
	struct gp_reader reader = {.fd = STDIN_FILENO};
	struct gp_json *documents[MAX_AHEAD];
	struct gp_err err = {0};
	size_t n;
	int rc;

	gp_tool_check_stdin(tool, "documents");
	do {
		n = 0;
		do
			rc = gp_reader_next(&reader, &documents[n], &err);
		while (rc > 0 && ++n < MAX_AHEAD && ahead && gp_reader_is_ready(&reader, AHEAD_MS));
		if (ahead)
			look_ahead(ahead, ctx, documents, n, with_errors);
		for (size_t i = 0; i < n; i++) {
			filter_one(tool, fn, ctx, documents[i], with_errors);
			gp_json_free(documents[i]);
		}
	} while (rc > 0);
	if (rc < 0)
		gp_tool_fail(tool, &err);
	gp_reader_free(&reader);
}

void gp_tool_filter(struct gp_tool *tool, gp_tool_fn *fn, void *ctx, bool with_errors)
{
	filter(tool, NULL, fn, ctx, with_errors);
}

void gp_tool_filter_ahead(struct gp_tool *tool, gp_tool_ahead_fn *ahead, gp_tool_fn *fn, void *ctx, bool with_errors)
{
	filter(tool, ahead, fn, ctx, with_errors);
}
