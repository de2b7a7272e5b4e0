#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forge/provider.h"
#include "sys/exit.h"
#include "sys/io.h"
#include "sys/mem.h"
#include "tool/tool.h"

/* One message is one write, so that lines of programs in one pipe do not mix. */
static void write_line(const char *program, const char *text)
{
	char clean[4096];
	char *harmless, *line;

	gp_clean_line(clean, sizeof clean, text);
	harmless = gp_ci_disarm(getenv, clean, "?");
	line = gp_asprintf("%s: %s\n", program, harmless);
	/* If stderr is closed, nobody can be told. */
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

void gp_tool_output_failed(struct gp_tool *tool)
{
	struct gp_err err = {0};

	if (errno == EPIPE) {
		/* The reader has gone: end as a program that does not ignore SIGPIPE. */
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	gp_fail(&err, GP_EXIT_SYSTEM, "cannot write to standard output: %s", strerror(errno));
	gp_tool_complain(tool, &err);
	tool->exit = GP_EXIT_SYSTEM;
}
