/* What a CI system says of a job, and how a job shows errors, summaries and outputs. */
#include "forge/provider.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/json.h"
#include "sys/io.h"
#include "sys/mem.h"

enum { MAX_EVENT = 32 << 20 };

/* GitHub Actions: the event's payload is a file; for a pull request's run GITHUB_REF is refs/pull/N/merge.
 * https://docs.github.com/actions/reference/workflows-and-actions/variables */
static int read_github(struct gp_ci *ci, gp_env_fn *env, struct gp_err *err)
{
	const char *path = gp_env_value(env, "GITHUB_EVENT_PATH"), *ref = gp_env_value(env, "GITHUB_REF");
	char *text = NULL;
	size_t len;

	ci->commit = gp_strdup(gp_env_value(env, "GITHUB_SHA"));
	if (ref && !strncmp(ref, "refs/pull/", 10))
		ci->number = gp_memdup0(ref + 10, strspn(ref + 10, "0123456789"));
	if (!path)
		return 0;
	if (gp_read_file(&text, &len, path, MAX_EVENT, err))
		return gp_fail_in(err, "GITHUB_EVENT_PATH");
	struct gp_json *event = gp_json_parse(text, len, err);

	free(text);
	if (!event)
		return gp_fail_in(err, "GITHUB_EVENT_PATH: '%s'", path);
	const struct gp_json *pull = gp_json_get(event, "pull_request");

	ci->since = gp_strdup(gp_json_get_text(event, "before"));
	ci->head = gp_strdup(gp_json_get_text(gp_json_get(pull, "head"), "sha"));
	if (!ci->number && gp_json_get_int(pull, "number", 0) > 0)
		ci->number = gp_asprintf("%lld", (long long)gp_json_get_int(pull, "number", 0));
	gp_json_free(event);
	return 0;
}

/*
 * Azure Pipelines: what a branch was before a push is not told. For a repository on GitHub the number that people see is
 * another variable than for one of Azure's own.
 * https://learn.microsoft.com/azure/devops/pipelines/build/variables
 */
static void read_azure(struct gp_ci *ci, gp_env_fn *env)
{
	const char *number = gp_env_value(env, "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER");

	ci->commit = gp_strdup(gp_env_value(env, "BUILD_SOURCEVERSION"));
	ci->number = gp_strdup(number ? number : gp_env_value(env, "SYSTEM_PULLREQUEST_PULLREQUESTID"));
	ci->head = gp_strdup(gp_env_value(env, "SYSTEM_PULLREQUEST_SOURCECOMMITID"));
}

int gp_ci_read(struct gp_ci *ci, gp_env_fn *env, struct gp_err *err)
{
	*ci = (struct gp_ci){0};
	if (gp_env_value(env, "GITHUB_SHA") || gp_env_value(env, "GITHUB_REF") ||
	    gp_env_value(env, "GITHUB_EVENT_PATH"))
		return read_github(ci, env, err);
	read_azure(ci, env);
	return 0;
}

void gp_ci_free(struct gp_ci *ci)
{
	free(ci->commit);
	free(ci->since);
	free(ci->number);
	free(ci->head);
	*ci = (struct gp_ci){0};
}

/* How a CI system shows things. A new one is a row here and a function above. */
static const struct ci {
	const char *job;                     /* a variable that every job of it has */
	const char *command;                 /* what begins a command to it, anywhere in a line */
	const char *line_command;            /* what begins one as the first thing in a line, blanks aside; or NULL */
	const char *error, *colon, *percent; /* an error: before the program, before the message, for a '%' in it */
	/* The variables that name files to append to, or else the commands that stand in the log instead. */
	const char *summary_file, *output_file;
	const char *summary, *output, *equals;
	const char *temporary; /* the variable that names a directory for what the commands are about */
} systems[] = {
	/* https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands; what its runner makes of a line:
	 * https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs */
	{.job = "GITHUB_ACTIONS",
	 .command = "##[",
	 .line_command = "::",
	 .error = "::error title=",
	 .colon = "::",
	 .percent = "%25",
	 .summary_file = "GITHUB_STEP_SUMMARY",
	 .output_file = "GITHUB_OUTPUT"},
	/* https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands; what its agent makes of a line, and why
	 * a '%' is "%AZP25": https://github.com/microsoft/azure-pipelines-agent/blob/master/docs/design/percentEncoding.md.
	 * It warns of a "##vso" that begins no command. */
	{.job = "TF_BUILD",
	 .command = "##vso",
	 .error = "##vso[task.logissue type=error]",
	 .colon = ": ",
	 .percent = "%AZP25",
	 .summary = "##vso[task.uploadsummary]",
	 .output = "##vso[task.setvariable isOutput=true;variable=",
	 .equals = "]",
	 .temporary = "AGENT_TEMPDIRECTORY"},
};

static const struct ci *system_of(gp_env_fn *env)
{
	for (size_t i = 0; i < sizeof systems / sizeof *systems; i++)
		if (gp_env_value(env, systems[i].job))
			return &systems[i];
	return NULL;
}

/* Text after a command: on one line, escaped so that the CI system reads back the same text. */
static char *escaped(const char *text, const char *percent)
{
	char *out = NULL;
	size_t len = 0;
	FILE *f = gp_open_text(&out, &len);

	for (; *text; text++) {
		if (*text == '%')
			fputs(percent, f);
		else if (*text == '\r' || *text == '\n')
			fputs(*text == '\r' ? "%0D" : "%0A", f);
		else
			fputc(*text, f);
	}
	gp_close_text(f, &out);
	return out;
}

char *gp_ci_annotation(gp_env_fn *env, const char *program, const char *message)
{
	const struct ci *ci = system_of(env);
	char *harmless, *text, *line;

	if (!ci)
		return NULL;
	harmless = gp_ci_disarm(env, message, "?");
	text = escaped(harmless, ci->percent);
	line = gp_asprintf("%s%s%s%s\n", ci->error, program, ci->colon, text);
	free(text);
	free(harmless);
	return line;
}

static bool is_at(const char *text, const char *word)
{
	return word && !strncmp(text, word, strlen(word));
}

char *gp_ci_disarm(gp_env_fn *env, const char *text, const char *sign)
{
	const struct ci *ci = system_of(env);
	char *out = NULL;
	size_t len = 0;
	FILE *f = ci ? gp_open_text(&out, &len) : NULL;
	bool begins = false; /* our own text comes before the first line's */

	if (!f)
		return gp_strdup(text);
	for (; *text; text++) {
		if (is_at(text, ci->command) || (begins && is_at(text, ci->line_command)))
			fputs(sign, f);
		else
			fputc(*text, f);
		/* A lone CR ends a line, too, and blanks of all scripts are trimmed. */
		begins = *text == '\n' || *text == '\r' ||
			 (begins && (isspace((unsigned char)*text) || (unsigned char)*text >= 0x80));
	}
	gp_close_text(f, &out);
	return out;
}

char *gp_ci_summary_file(gp_env_fn *env)
{
	const struct ci *ci = system_of(env);
	const char *directory;

	if (!ci)
		return NULL;
	if (ci->summary_file)
		return gp_strdup(gp_env_value(env, ci->summary_file));
	directory = gp_env_value(env, ci->temporary);
	return directory ? gp_asprintf("%s/gp-%ld.md", directory, (long)getpid()) : NULL;
}

char *gp_ci_show_summary(gp_env_fn *env, const char *path)
{
	const struct ci *ci = system_of(env);
	char *text, *line;

	if (!ci || !ci->summary)
		return NULL;
	text = escaped(path, ci->percent);
	line = gp_asprintf("%s%s\n", ci->summary, text);
	free(text);
	return line;
}

char *gp_ci_output(gp_env_fn *env, const char *name, const char *text, const char **file)
{
	const struct ci *ci = system_of(env);
	char *harmless, *behind, *line;

	*file = ci && ci->output_file ? gp_env_value(env, ci->output_file) : NULL;
	/* In the file, NAME=VALUE ends with the line, whatever else is in it, a "<<" too. */
	if (*file)
		return strpbrk(text, "\r\n") ? NULL : gp_asprintf("%s=%s\n", name, text);
	if (!ci || !ci->output)
		return NULL;
	/* It is a variable from now on, and whoever prints it must not run it. */
	harmless = gp_ci_disarm(env, text, "?");
	behind = escaped(harmless, ci->percent);
	line = gp_asprintf("%s%s%s%s\n", ci->output, name, ci->equals, behind);
	free(behind);
	free(harmless);
	return line;
}
