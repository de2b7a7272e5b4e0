#include "promotion/summary.h"

#include <inttypes.h>
#include <string.h>

#include "promotion/document.h"
#include "sys/err.h"

enum { MAX_LINE = 1000 };

/* Text from outside, on one line. */
static void write_text(FILE *out, const char *text)
{
	char clean[MAX_LINE + 1];

	gp_clean_line(clean, sizeof clean, text ? text : "");
	fputs(clean, out);
}

static void write_line(FILE *out, const char *before, const char *text)
{
	if (!text || !*text)
		return;
	fputs(before, out);
	write_text(out, text);
	fputc('\n', out);
}

/* What was done to the pull request. */
static const char *deed(const struct gp_json *pull)
{
	const char *state = gp_json_get_text(pull, "state");

	if (gp_json_get_true(pull, "merged") || (state && !strcmp(state, "merged")))
		return "merged";
	if (gp_json_get_true(pull, "created"))
		return "opened";
	return gp_json_get_true(pull, "updated") ? "updated" : "up to date:";
}

static void write_headline(FILE *out, const char *before, const struct gp_json *pull)
{
	fprintf(out, "%s%s#%" PRId64 " ", before, *before ? " " : "", gp_json_get_int(pull, "number", 0));
	write_text(out, gp_json_get_text(pull, "title"));
	fputc('\n', out);
}

/* The verdict itself is on standard error already. */
static void write_gate(FILE *out, const struct gp_json *pull)
{
	write_headline(out, "", pull);
	write_line(out, "  ", gp_json_get_text(pull, "url"));
}

static void write_deed(FILE *out, const struct gp_json *pull)
{
	const char *done = deed(pull);

	write_headline(out, done, pull);
	write_line(out, "  ", gp_json_get_text(pull, "url"));
	if (strcmp(done, "merged") != 0)
		fputs(gp_json_get_true(pull, "auto_merge") ? "  merges by itself once its checks are green\n"
							   : "  a person merges it once its checks are green\n",
		      out);
}

void gp_summary(FILE *out, const struct gp_json *document)
{
	const struct gp_json *pull = gp_json_get(document, "pull_request");

	if (gp_document_exit(document) && !gp_document_is_verdict(document))
		return;
	if (gp_document_is_skipped(document))
		write_line(out, "nothing to do: ", gp_json_get_text(gp_json_get(document, "skip"), "reason"));
	else if (pull && gp_json_get(document, "status"))
		write_gate(out, pull);
	else if (pull && !gp_document_is_dry_run(document))
		write_deed(out, pull);
}
