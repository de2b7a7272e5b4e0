/* gp-report: shows documents on a CI job's page, and hands them on. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forge/provider.h"
#include "promotion/document.h"
#include "promotion/report.h"
#include "promotion/summary.h"
#include "sys/exit.h"
#include "sys/io.h"
#include "sys/mem.h"
#include "tool/tool.h"

static const char help[] = "usage: gp-report [-hqVv] [-C dir] [--json] [--no-outputs]\n"
			   "\n"
			   "Passes documents on as they are. In a CI job it also says what became of them: as a\n"
			   "table in the step's summary and, of the last one, as the step's outputs branch, commit,\n"
			   "number, url, skipped and reason. On a terminal it prints what was done, for a person,\n"
			   "in place of the documents.\n"
			   "\n"
			   "      --json           print the documents also on a terminal\n"
			   "      --no-outputs     leave the CI step's outputs as they are\n"
			   "  -C, --directory dir  work in dir\n" GP_HELP_LEAST;

/* All that a step's commands write may have 1 MiB, or none of it is shown:
 * https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits */
enum { MAX_SUMMARY = 256 << 10 };

struct report {
	bool no_outputs;
	bool for_person; /* standard output is a terminal, and nobody asked for documents */
	FILE *out;       /* a table, to be */
	char *table, *outputs;
	size_t table_len, left_out;
	char *summary_file;
	const char *outputs_file; /* NULL: they go to the log */
};

static void set_outputs(struct report *r, const struct gp_json *document)
{
	size_t len;
	FILE *out;

	free(r->outputs);
	r->outputs = NULL;
	out = gp_open_text(&r->outputs, &len);
	for (const char *const *name = gp_report_outputs; *name; name++) {
		char *value = gp_report_output(document, *name);
		char *line = gp_ci_output(getenv, *name, value, &r->outputs_file);

		fputs(line ? line : "", out);
		free(line);
		free(value);
	}
	gp_close_text(out, &r->outputs);
}

static void add(struct report *r, const struct gp_json *document)
{
	if (!r->no_outputs)
		set_outputs(r, document);
	if (!r->out)
		return;
	fflush(r->out);
	if (r->table_len > MAX_SUMMARY)
		r->left_out++;
	else
		gp_report_row(r->out, document);
}

static bool append(const struct gp_tool *tool, const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	bool written = fd >= 0 && !gp_write_all(fd, text, strlen(text));

	/* What was done is done, and the documents say so: that nobody can read it on a page is no failure. */
	if (!written)
		gp_tool_say(tool, -1, "warning: cannot write '%s': %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return written;
}

/* A command to the CI system; standard output is for documents. Where stderr is gone, there is nobody to tell. */
static void to_log(const char *line)
{
	if (line)
		(void)!gp_write_all(STDERR_FILENO, line, strlen(line));
}

static void show(struct gp_tool *tool, struct report *r)
{
	char *line = NULL;

	if (r->out) {
		if (r->left_out)
			fprintf(r->out, "\n%zu more are not shown.\n", r->left_out);
		gp_close_text(r->out, &r->table);
		if (append(tool, r->summary_file, r->table))
			line = gp_ci_show_summary(getenv, r->summary_file);
		to_log(line);
		free(line);
	}
	if (r->outputs && r->outputs_file)
		append(tool, r->outputs_file, r->outputs);
	else
		to_log(r->outputs);
}

static void hand_on(struct gp_tool *tool, const struct report *r, const struct gp_json *document)
{
	char *text = NULL;
	size_t len;

	if (!r->for_person) {
		gp_tool_emit(tool, document);
		return;
	}
	FILE *out = gp_open_text(&text, &len);

	gp_summary(out, document);
	gp_close_text(out, &text);
	if (gp_write_all(STDOUT_FILENO, text, strlen(text)))
		gp_tool_output_failed(tool);
	free(text);
}

/* As gp_tool_filter does it, but every document is looked at and none is changed. */
static void pass_on(struct gp_tool *tool, struct report *r)
{
	struct gp_reader reader = {.fd = STDIN_FILENO};
	struct gp_json *document;
	struct gp_err err = {0};
	int rc;

	while ((rc = gp_reader_next(&reader, &document, &err)) > 0) {
		if (!tool->exit)
			tool->exit = gp_document_exit(document);
		add(r, document);
		hand_on(tool, r, document);
		gp_json_free(document);
	}
	if (rc < 0) {
		document = gp_json_object();
		gp_document_set_error(document, tool->name, &err);
		add(r, document);
		gp_json_free(document);
		gp_tool_fail(tool, &err);
	}
	gp_reader_free(&reader);
}

int main(int argc, char **argv)
{
	struct gp_tool tool = {.name = "gp-report", .help = help, .after = "gp-find-pr --open --all"};
	struct report r = {.summary_file = gp_ci_summary_file(getenv)};

	bool json = false;
	const struct gp_option options[] = {{"json", 0, GP_OPTION_FLAG, &json},
					    {"no-outputs", 0, GP_OPTION_FLAG, &r.no_outputs},
					    {0}};

	if (gp_tool_start(&tool, argc, argv, options)) {
		r.for_person = !json && isatty(STDOUT_FILENO);
		r.out = r.summary_file ? gp_open_text(&r.table, &r.table_len) : NULL;
		if (r.out)
			gp_report_head(r.out);
		gp_tool_check_stdin(&tool, "documents");
		pass_on(&tool, &r);
		show(&tool, &r);
	}
	free(r.table);
	free(r.outputs);
	free(r.summary_file);
	return gp_tool_end(&tool);
}
