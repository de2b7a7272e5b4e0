#include "tool/tool.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forge/provider.h"
#include "promotion/document.h"
#include "sys/exit.h"
#include "sys/io.h"
#include "sys/mem.h"

#ifndef GP_VERSION
#define GP_VERSION "unknown"
#endif

enum { MAX_AHEAD = 100, AHEAD_MS = 30 };

enum { MAX_OPTIONS = 32, OPTION_REMOTE = 256, OPTION_BASE, OPTION_PROVIDER, OPTION_OWN };

static const struct option common[] = {
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{"quiet", no_argument, NULL, 'q'},
	{"verbose", no_argument, NULL, 'v'},
	{"directory", required_argument, NULL, 'C'},
	{"remote", required_argument, NULL, OPTION_REMOTE},
	{"base", required_argument, NULL, OPTION_BASE},
	{"provider", required_argument, NULL, OPTION_PROVIDER},
};
enum { COMMON = sizeof common / sizeof *common };

/* One message is one write, so that lines of programs in one pipe do not mix. */
static void write_line(const char *program, const char *text)
{
	char clean[4096];
	char *harmless, *line;

	gp_clean_line(clean, sizeof clean, text);
	harmless = gp_ci_disarm(getenv, clean, "?");
	line = gp_asprintf("%s: %s\n", program, harmless);
	/* Where stderr is gone, there is nobody to tell. */
	(void)!gp_write_all(STDERR_FILENO, line, strlen(line));
	free(line);
	free(harmless);
}

void gp_tool_say(const struct gp_tool *tool, int level, const char *fmt, ...)
{
	va_list ap;

	if (tool->verbosity < level)
		return;
	va_start(ap, fmt);
	char *text = gp_vasprintf(fmt, ap);
	va_end(ap);
	write_line(tool->name, text);
	free(text);
}

void gp_tool_complain(struct gp_tool *tool, const struct gp_err *err)
{
	char *annotation = gp_ci_annotation(getenv, tool->name, err->message);

	write_line(tool->name, err->message);
	if (annotation)
		(void)!gp_write_all(STDERR_FILENO, annotation, strlen(annotation));
	free(annotation);
	if (!tool->exit)
		tool->exit = err->code ? err->code : GP_EXIT_BUG;
}

static void output_failed(struct gp_tool *tool)
{
	struct gp_err err = {0};

	if (errno == EPIPE) {
		/* Whoever read us has gone; end the way programs do that do not ignore the signal. */
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	gp_fail(&err, GP_EXIT_SYSTEM, "cannot write to standard output: %s", strerror(errno));
	gp_tool_complain(tool, &err);
	tool->exit = GP_EXIT_SYSTEM;
}

void gp_tool_emit(struct gp_tool *tool, const struct gp_json *document)
{
	char *text = isatty(STDOUT_FILENO) ? gp_json_print_indented(document) : gp_json_print(document);
	/* A '#' stands only in strings, where its number is the same to JSON. */
	char *harmless = gp_ci_disarm(getenv, text, "\\u0023");
	char *line = gp_asprintf("%s\n", harmless);

	if (gp_write_all(STDOUT_FILENO, line, strlen(line)))
		output_failed(tool);
	free(line);
	free(harmless);
	free(text);
}

void gp_tool_fail(struct gp_tool *tool, const struct gp_err *err)
{
	gp_tool_complain(tool, err);
	/* A person at a terminal has just read it; a program behind us has not. */
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

/* Writes a whole text to stdout, for --help and --version. */
static void print(struct gp_tool *tool, const char *text)
{
	if (gp_write_all(STDOUT_FILENO, text, strlen(text)))
		output_failed(tool);
}

static bool usage_error(struct gp_tool *tool, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool usage_error(struct gp_tool *tool, const char *fmt, ...)
{
	struct gp_err err = {0};
	va_list ap;

	va_start(ap, fmt);
	gp_vfail(&err, GP_EXIT_USAGE, fmt, ap);
	va_end(ap);
	gp_tool_fail(tool, &err);
	return false;
}

static const char *variable(const char *name)
{
	const char *v = getenv(name);

	return v && *v ? v : NULL;
}

static bool take_common(struct gp_tool *tool, int letter, int *quiet)
{
	switch (letter) {
	case 'h':
		print(tool, tool->help);
		return false;
	case 'V':
		print(tool, tool->name);
		print(tool, " " GP_VERSION "\n");
		return false;
	case 'q':
		*quiet = 1;
		return true;
	case 'v':
		tool->verbosity++;
		return true;
	case 'C':
		if (!chdir(optarg))
			return true;
		return usage_error(tool, "cannot change to directory '%s': %s", optarg, strerror(errno));
	case OPTION_REMOTE:
		tool->remote = optarg;
		return true;
	case OPTION_BASE:
		tool->base = optarg;
		return true;
	case OPTION_PROVIDER:
		tool->provider = optarg;
		return true;
	default:
		return usage_error(tool, "unknown option (try %s --help)", tool->name);
	}
}

static void take_own(const struct gp_option *o)
{
	if (o->kind == GP_OPTION_FLAG)
		*(bool *)o->value = true;
	else
		*(const char **)o->value = optarg ? optarg : "";
}

/* Builds getopt's two tables from ours. Returns how many options the program has of its own. */
static size_t build_tables(const struct gp_option *options, struct option longs[MAX_OPTIONS], char *letters)
{
	size_t own = 0;

	for (; options && options[own].name; own++) {
		const struct gp_option *o = &options[own];
		int argument = o->kind == GP_OPTION_FLAG   ? no_argument
			       : o->kind == GP_OPTION_TEXT ? required_argument
							   : optional_argument;

		longs[own] = (struct option){o->name, argument, NULL, OPTION_OWN + (int)own};
		if (o->letter) {
			*letters++ = o->letter;
			if (argument == required_argument)
				*letters++ = ':';
		}
	}
	*letters = '\0';
	memcpy(longs + own, common, sizeof common);
	return own;
}

static void from_environment(struct gp_tool *tool)
{
	const char *verbose = variable("GP_VERBOSE");

	tool->remote = variable("GP_REMOTE");
	tool->base = variable("GP_BASE");
	tool->provider = variable("GP_PROVIDER");
	tool->verbosity = verbose ? (int)strtol(verbose, NULL, 10) : 0;
}

bool gp_tool_start(struct gp_tool *tool, int argc, char **argv, const struct gp_option *options)
{
	struct option longs[MAX_OPTIONS] = {0};
	char letters[2 * MAX_OPTIONS] = ":hVqvC:";
	size_t own = build_tables(options, longs, letters + strlen(letters));
	int c, quiet = 0;

	if (strchr(argv[0], '/'))
		tool->dir = gp_memdup0(argv[0], (size_t)(strrchr(argv[0], '/') - argv[0]));
	/* A forge or a reader that went away is an error to be told, not a death (output_failed). */
	signal(SIGPIPE, SIG_IGN);
	/* Likewise a limit that a file would pass, which looks like a full disk then. */
	signal(SIGXFSZ, SIG_IGN);
	from_environment(tool);
	opterr = 0;
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		const struct gp_option *found = NULL;

		if (c == ':')
			return usage_error(tool, "option '%s' needs an argument (try %s --help)", argv[optind - 1],
					   tool->name);
		if (c == '?')
			return usage_error(tool, "unknown option '%s' (try %s --help)",
					   optind > 0 && optind <= argc ? argv[optind - 1] : "", tool->name);
		for (size_t i = 0; i < own; i++)
			if (c == OPTION_OWN + (int)i || (options[i].letter && c == options[i].letter))
				found = &options[i];
		if (found)
			take_own(found);
		else if (!take_common(tool, c, &quiet))
			return false;
	}
	if (optind < argc)
		return usage_error(tool, "unexpected argument '%s' (try %s --help)", argv[optind], tool->name);
	if (quiet)
		tool->verbosity = -1;
	return true;
}

int gp_tool_end(struct gp_tool *tool)
{
	if (close(STDOUT_FILENO) && errno != EBADF)
		output_failed(tool);
	free(tool->dir);
	tool->dir = NULL;
	return tool->exit;
}

int gp_tool_seconds(const char *name, int *out, int least, struct gp_err *err)
{
	const char *text = variable(name);
	size_t digits = text ? strspn(text, "0123456789") : 0;

	if (!text)
		return 0;
	if (!digits || digits > 5 || text[digits] || strtol(text, NULL, 10) < least)
		return gp_fail(err, GP_EXIT_CONFIG, "%s is not a number of seconds: '%s'", name, text);
	*out = (int)strtol(text, NULL, 10);
	return 0;
}

int gp_tool_forge(const struct gp_tool *tool, struct gp_forge **forge, const struct gp_json *document,
		  struct gp_err *err)
{
	const struct gp_json *repository = gp_json_get(document, "repository");
	const char *provider = gp_document_need_text(document, "repository.provider", err);
	int timeout = 30, budget = 60;

	if (!provider || gp_tool_seconds("GP_TIMEOUT", &timeout, 0, err) ||
	    gp_tool_seconds("GP_RETRY_BUDGET", &budget, 0, err))
		return -1;
	/* One that broke off may still send its late reply: it is never asked again. */
	if (*forge && gp_forge_is_broken(*forge)) {
		gp_forge_end(*forge);
		*forge = NULL;
	}
	/* The driver keeps these limits; a little more is for its own work. */
	if (!*forge)
		*forge = gp_forge_start(provider, tool->dir, (timeout + budget + 10) * 1000, err);
	if (!*forge)
		return -1;
	gp_forge_about(*forge, repository);
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
