/* gp-options: reads the command line of a wrapper in shell as gp's programs read theirs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forge/provider.h"
#include "sys/exit.h"
#include "sys/io.h"
#include "sys/mem.h"
#include "sys/shell.h"
#include "sys/spelling.h"
#include "tool/options.h"
#include "tool/tool.h"
#include "tool/wrapper.h"

static const char help[] =
	"usage: gp-options [-hqVv] program help options [argument ...]\n"
	"       gp-options --suggest word candidate ...\n"
	"       gp-options --without-tokens command [argument ...]\n"
	"\n"
	"Reads the arguments of a wrapper in shell as gp's programs read theirs, and prints\n"
	"shell code for eval that sets a variable for each option. options is a list of words:\n"
	"\n"
	"  name                 a flag: the variable is --name or empty\n"
	"  name=                an option with a value\n"
	"  name=?               an option whose value, a duration, may be left out\n"
	"  name=one|two         an option whose value is one of these words\n"
	"  n:name               an option that also has a letter, here -n\n"
	"  +name=               may be given without --name, in this order\n"
	"  !name=               cannot be left out\n"
	"\n"
	"With --suggest, prints the candidate that somebody may have meant by word, if there is one.\n"
	"With --without-tokens, runs a command without the variables that hold tokens.\n"
	"\n" GP_HELP_LEAST;

static void assign(FILE *out, const char *variable, const char *value)
{
	fprintf(out, "%s=", variable);
	gp_shell_quote(out, value);
	fputc('\n', out);
}

static void export_text(FILE *out, const char *variable, const char *value)
{
	if (value) {
		fputs("export ", out);
		assign(out, variable, value);
	}
}

/* What the wrapper evaluates: it prints something and exits, or sets its variables. */
static void write_code(FILE *out, const struct gp_tool *tool, const char *text, const struct gp_wrapper *w,
		       const struct gp_common_options *common)
{
	if (common->help || common->version) {
		char *version = gp_asprintf("%s " GP_VERSION, tool->name);

		fputs("printf '%s\\n' ", out);
		gp_shell_quote(out, common->help ? text : version);
		fprintf(out, " || exit %d\nexit 0\n", GP_EXIT_SYSTEM);
		free(version);
		return;
	}
	for (size_t i = 0; i < w->count; i++) {
		const struct gp_wanted *o = &w->wanted[i];
		char *flag = o->given ? gp_asprintf("--%s", o->name) : NULL;

		assign(out, o->variable, flag ? flag : o->value ? o->value : "");
		free(flag);
	}
	if (common->dir) {
		fputs("CDPATH='' cd -- ", out);
		gp_shell_quote(out, common->dir);
		fprintf(out, " || exit %d\n", GP_EXIT_USAGE);
	}
	export_text(out, "GP_PROVIDER", common->provider);
	export_text(out, "GP_REMOTE", common->remote);
	export_text(out, "GP_BASE", common->base);
	if (common->quiet || common->verbose) {
		char *verbosity = gp_asprintf("%d", common->quiet ? -1 : common->verbose);

		export_text(out, "GP_VERBOSE", verbosity);
		free(verbosity);
	}
}

static int run(struct gp_tool *wrapper, const char *text, const char *list, int argc, char **argv, struct gp_err *err)
{
	struct gp_common_options common = {0};
	struct gp_wrapper w = {0};
	char *code = NULL;
	size_t len;
	int rc = -1;

	if (!gp_wrapper_read(&w, list, err) && !gp_options_read(&common, wrapper->name, argc, argv, w.options, err) &&
	    !gp_wrapper_check(&w, wrapper->name, err)) {
		FILE *out = gp_open_text(&code, &len);

		if (common.dir && chdir(common.dir)) {
			gp_fail(err, GP_EXIT_USAGE, "cannot change to directory '%s': %s", common.dir, strerror(errno));
		} else {
			write_code(out, wrapper, text, &w, &common);
			rc = 0;
		}
		gp_close_text(out, &code);
	}
	if (!rc && gp_write_all(STDOUT_FILENO, code, strlen(code)))
		gp_tool_output_failed(wrapper);
	free(code);
	free(common.dir);
	gp_wrapper_free(&w);
	return rc;
}

static void suggest(struct gp_tool *tool, char **argv)
{
	const char *meant = gp_spelling_suggest(argv[0], (const char *const *)argv + 1);
	char *line = gp_asprintf("%s\n", meant ? meant : "");

	if (meant && gp_write_all(STDOUT_FILENO, line, strlen(line)))
		gp_tool_output_failed(tool);
	free(line);
}

/* Becomes the command; returns only if that fails. */
static void run_without_tokens(struct gp_tool *tool, char **argv)
{
	static const char *const names[] = {GP_PROVIDER_TOKENS};
	struct gp_err err = {0};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unsetenv(names[i]);
	execvp(argv[0], argv);
	gp_fail(&err, errno == ENOENT ? GP_EXIT_CONFIG : GP_EXIT_SYSTEM, "cannot run '%s': %s", argv[0],
		strerror(errno));
	gp_tool_complain(tool, &err);
}

int main(int argc, char **argv)
{
	struct gp_tool tool = {.name = "gp-options", .help = help, .is_driver = true};
	struct gp_err err = {0};

	if (argc > 2 && !strcmp(argv[1], "--suggest")) {
		suggest(&tool, argv + 2);
	} else if (argc > 2 && !strcmp(argv[1], "--without-tokens")) {
		run_without_tokens(&tool, argv + 2);
	} else if (argc > 3 && *argv[1] != '-') {
		tool.name = argv[1];
		/* The list stands where a program's own name would. */
		if (run(&tool, argv[2], argv[3], argc - 3, argv + 3, &err))
			gp_tool_complain(&tool, &err);
	} else if (gp_tool_start(&tool, argc, argv, NULL)) {
		gp_fail(&err, GP_EXIT_USAGE, "a program, its help and its options are needed (try gp-options --help)");
		gp_tool_complain(&tool, &err);
	}
	return gp_tool_end(&tool);
}
