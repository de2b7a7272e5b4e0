/*
 * tool.h - the frame of every program: options, messages, and the documents that come in and go out. For bin/ alone:
 * this module reads argv, the environment and stdin and writes stdout and stderr for its program; no other module of
 * common/ does.
 */
#ifndef GP_TOOL_H
#define GP_TOOL_H

#include <stdbool.h>

#include "data/json.h"
#include "forge/forge.h"
#include "promotion/base-branch.h"
#include "sys/err.h"
#include "sys/process.h"
#include "tool/options.h"

/* The end of every help text: the options that mean the same everywhere. */
#define GP_HELP_COMMON                                                                                                 \
	"  -C, --directory dir  work in dir\n"                                                                         \
	"      --provider name  forge (default: inferred from the remote URL)\n"                                       \
	"      --remote name    remote (default: origin)\n" GP_HELP_LEAST

/* The same for programs that ask the remote for the base branch. */
#define GP_HELP_BASE "      --base branch    base branch (default: the remote's default branch)\n" GP_HELP_COMMON

/* The same for programs that need no repository. */
#define GP_HELP_LEAST                                                                                                  \
	"  -q, --quiet          only errors on standard error\n"                                                       \
	"  -v, --verbose        say more\n"                                                                            \
	"  -h, --help           show this help\n"                                                                      \
	"  -V, --version        show the version\n"

struct gp_tool {
	const char *name;  /* "gp-set-tag" */
	const char *help;  /* what --help prints, from "usage: …\n" on */
	const char *after; /* what usually comes before it in a pipe: a hint for someone at a terminal; NULL: nothing */
	bool is_driver;    /* a forge's driver: its stdout carries replies, no documents */
	/* Set by gp_tool_start; the last three also have a variable: GP_REMOTE, GP_BASE, GP_PROVIDER. */
	int verbosity;                        /* -1 quiet, 0, 1 (-v); from GP_VERBOSE if no option is given */
	const char *remote, *base, *provider; /* NULL: not given */
	char *dir;                            /* where the program is, when it was called by a path; else NULL */
	struct gp_child feeder;               /* see gp_tool_feed */
	int exit;                             /* the first failure's exit status */
};

/*
 * Reads options: the program's own and those that all programs take (-h, -V,
 * -q, -v, -C DIR, --remote, --base, --provider). Returns true when
 * the program should go on; false when it should end with gp_tool_end: help
 * was printed, or the command line is wrong (64, told).
 */
bool gp_tool_start(struct gp_tool *tool, int argc, char **argv, const struct gp_option *options);

/* Ends the program: closes stdout, checks that all was written. Returns main's exit status. */
int gp_tool_end(struct gp_tool *tool);

/* Standard output cannot be written: reports errno, or ends the program as SIGPIPE does if the reader has gone. */
void gp_tool_output_failed(struct gp_tool *tool);

/* Prints "NAME: text" on stderr. level: the least verbosity that shows it: -1 warnings, 0 what was done, 1 how. */
void gp_tool_say(const struct gp_tool *tool, int level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Prints the error as one line on stderr, and as an annotation in a CI job; keeps the exit status. */
void gp_tool_complain(struct gp_tool *tool, const struct gp_err *err);

/* Warns if standard input is a terminal, where nobody types documents: what is "documents" or "requests". */
void gp_tool_check_stdin(const struct gp_tool *tool, const char *what);

/* Writes a document to stdout as one line (indented on a terminal) and flushes it. */
void gp_tool_emit(struct gp_tool *tool, const struct gp_json *document);

/* For a program that starts documents: prints the error, and emits a document that carries it along the pipe. */
void gp_tool_fail(struct gp_tool *tool, const struct gp_err *err);

/*
 * Runs another program of gp's, beside this one or from PATH, and makes what it writes this one's standard input; it is
 * waited for by gp_tool_end. argv[0] is its name. errors: 71, 78.
 */
int gp_tool_feed(struct gp_tool *tool, const char *const argv[], struct gp_err *err);

/*
 * For a program that filters: reads documents from stdin until its end and
 * calls fn for each that carries neither skip nor error (with_errors: also for
 * those with an error); then emits it. fn changes the document in place. When
 * it returns -1 with err, the error is told, added to the document, and the
 * exit status kept. Documents with skip or error pass through untouched.
 * Broken or empty input is 65.
 */
typedef int gp_tool_fn(void *ctx, struct gp_json *document, struct gp_err *err);
void gp_tool_filter(struct gp_tool *tool, gp_tool_fn *fn, void *ctx, bool with_errors);

/*
 * The same, for a program that can ask for what several documents need at once: ahead is shown the documents that are
 * there already, at most 100, before fn is called for each of them. It changes none of them. NULL: as gp_tool_filter.
 */
typedef void gp_tool_ahead_fn(void *ctx, struct gp_json *const documents[], size_t n);
void gp_tool_filter_ahead(struct gp_tool *tool, gp_tool_ahead_fn *ahead, gp_tool_fn *fn, void *ctx, bool with_errors);

/*
 * The driver for a document's repository; started if *forge is NULL, from this program's directory or PATH. Its next
 * requests are about this document's base. GP_TIMEOUT and GP_RETRY_BUDGET (seconds) bound the wait for a reply. errors:
 * 65, 78. *forge is yours (gp_forge_end).
 */
int gp_tool_forge(const struct gp_tool *tool, struct gp_forge **forge, const struct gp_json *document,
		  struct gp_err *err);

/* gp_base_open with this program's options and environment; and the same for a document's base, which it checks. */
int gp_tool_base(const struct gp_tool *tool, struct gp_base *base, struct gp_err *err);
int gp_tool_base_of(const struct gp_tool *tool, struct gp_base *base, const struct gp_json *document,
		    struct gp_err *err);

/* Frees base and forge and ends the program as gp_tool_end does. */
int gp_tool_finish(struct gp_tool *tool, struct gp_base *base, struct gp_forge *forge);

/*
 * A number of seconds from the environment; *out stays as it is if the variable is not set. errors: 78, also below
 * least.
 */
int gp_tool_seconds(const char *name, int *out, int least, struct gp_err *err);

/* Marks the document as skipped by this program, with a reason, and prints the reason. */
void gp_tool_skip(const struct gp_tool *tool, struct gp_json *document, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
