#include "tool/tool.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "forge/provider.h"
#include "promotion/document.h"
#include "sys/exit.h"
#include "sys/io.h"
#include "sys/mem.h"
#include "tool/options.h"

#ifndef GP_VERSION
#define GP_VERSION "unknown"
#endif

/* Writes a whole text to stdout, for --help and --version. */
static void print(struct gp_tool *tool, const char *text)
{
	if (gp_write_all(STDOUT_FILENO, text, strlen(text)))
		gp_tool_output_failed(tool);
}

static const char *variable(const char *name)
{
	const char *v = getenv(name);

	return v && *v ? v : NULL;
}

/* The shared options, or else the environment. */
static void settle(struct gp_tool *tool, const struct gp_common_options *common)
{
	const char *verbose = variable("GP_VERBOSE");

	tool->remote = common->remote ? common->remote : variable("GP_REMOTE");
	tool->base = common->base ? common->base : variable("GP_BASE");
	tool->provider = common->provider ? common->provider : variable("GP_PROVIDER");
	tool->verbosity = (verbose ? (int)strtol(verbose, NULL, 10) : 0) + common->verbose;
	if (common->quiet)
		tool->verbosity = -1;
}

static int prepare(struct gp_tool *tool, int argc, char **argv, const struct gp_option *options,
		   struct gp_common_options *common, struct gp_err *err)
{
	if (gp_options_read(common, tool->name, argc, argv, options, err))
		return -1;
	if (common->dir && chdir(common->dir))
		return gp_fail(err, GP_EXIT_USAGE, "cannot change to directory '%s': %s", common->dir, strerror(errno));
	settle(tool, common);
	return 0;
}

/* A token is in the memory of most programs: they leave none on the disk when they crash, nor do those they start. */
static void leave_no_core(void)
{
	const struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
#if defined PR_SET_DUMPABLE && !defined __SANITIZE_ADDRESS__
	/* Where cores go to a program, that limit does not hold. (A sanitizer that looks for leaks traces its own process.) */
	prctl(PR_SET_DUMPABLE, 0);
#endif
}

bool gp_tool_start(struct gp_tool *tool, int argc, char **argv, const struct gp_option *options)
{
	struct gp_common_options common = {0};
	struct gp_err err = {0};
	bool goes_on = false;

	if (strchr(argv[0], '/'))
		tool->dir = gp_memdup0(argv[0], (size_t)(strrchr(argv[0], '/') - argv[0]));
	leave_no_core();
	/* A forge or a reader that has gone is an error to report, not a deadly signal (gp_tool_output_failed). */
	signal(SIGPIPE, SIG_IGN);
	/* Likewise a file that would pass a size limit: it then looks like a full disk. */
	signal(SIGXFSZ, SIG_IGN);
	if (prepare(tool, argc, argv, options, &common, &err)) {
		gp_tool_fail(tool, &err);
	} else if (common.help) {
		print(tool, tool->help);
	} else if (common.version) {
		print(tool, tool->name);
		print(tool, " " GP_VERSION "\n");
	} else {
		goes_on = true;
	}
	free(common.dir);
	return goes_on;
}

int gp_tool_end(struct gp_tool *tool)
{
	if (close(STDOUT_FILENO) && errno != EBADF)
		gp_tool_output_failed(tool);
	gp_child_end(&tool->feeder);
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
	/* A driver that broke off may still send a late reply: never ask it again. */
	if (*forge && gp_forge_is_broken(*forge)) {
		gp_forge_end(*forge);
		*forge = NULL;
	}
	/* The driver keeps these limits; allow a little more for its own work. */
	if (!*forge)
		*forge = gp_forge_start(provider, tool->dir, (timeout + budget + 10) * 1000, err);
	if (!*forge)
		return -1;
	gp_forge_about(*forge, repository);
	return 0;
}
