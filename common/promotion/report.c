#include "promotion/report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "promotion/document.h"
#include "setter/image.h"
#include "sys/exit.h"
#include "sys/mem.h"

enum { MAX_NAME = 200, MAX_URL = 1000, MAX_REASON = 1000 };

const char *const gp_report_outputs[] = {"branch", "commit", "number", "url", "skipped", "reason", NULL};

/*
 * Text as a code span: nothing in it is Markdown, HTML, a mention or a link. It ends at a row of exactly as many
 * backticks as it began with, so it begins with more than it has; a table's cell ends at a '|' even in there.
 * https://github.github.com/gfm/#code-spans, https://github.github.com/gfm/#tables-extension-
 */
static void write_code(FILE *out, const char *text, size_t max)
{
	char clean[MAX_REASON + 1];
	int longest = 0, row = 0;

	gp_clean_line(clean, max + 1, text);
	if (!*clean)
		return;
	for (const char *c = clean; *c; c++) {
		row = *c == '`' ? row + 1 : 0;
		if (row > longest)
			longest = row;
	}
	for (int i = 0; i <= longest; i++)
		fputc('`', out);
	if (longest)
		fputc(' ', out);
	for (const char *c = clean; *c; c++)
		fputs(*c == '|' ? "\xc2\xa6" : (char[2]){*c}, out);
	if (longest)
		fputc(' ', out);
	for (int i = 0; i <= longest; i++)
		fputc('`', out);
}

/* Only what a URL consists of, as RFC 3986 has it, and what Markdown could take for its own by its number. */
static void write_url(FILE *out, const char *url)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#=&%+,@";

	for (const unsigned char *c = (const unsigned char *)url; *c; c++) {
		if (strchr(plain, *c))
			fputc(*c, out);
		else
			fprintf(out, "%%%02X", *c);
	}
}

static void write_pull(FILE *out, const struct gp_json *pull)
{
	int64_t number = gp_json_get_int(pull, "number", 0);
	const char *url = gp_json_get_text(pull, "url");
	bool web = url && strlen(url) <= MAX_URL && (!strncmp(url, "https://", 8) || !strncmp(url, "http://", 7));

	if (number <= 0)
		return;
	if (!web) {
		fprintf(out, "`#%" PRId64 "`", number);
		return;
	}
	fprintf(out, "[#%" PRId64 "](", number);
	write_url(out, url);
	fputc(')', out);
}

/* The version in a scalar that is an image or a version. Borrowed. */
static const char *version_in(const char *scalar)
{
	struct gp_version version;
	size_t len;

	if (gp_image_parse(scalar, &len, &version) && scalar[len])
		return scalar + len + 1;
	return scalar;
}

/* What the scalars were before, if they agreed. Borrowed, or NULL. */
static const char *version_before(const struct gp_json *document)
{
	const char *before = NULL;

	for (const struct gp_json *f = gp_json_first(gp_document_get(document, "change.files")); f;
	     f = gp_json_next(f)) {
		const char *from = gp_json_get_text(f, "from");

		if (!from || (before && strcmp(before, version_in(from)) != 0))
			return NULL;
		before = version_in(from);
	}
	return before;
}

static const char *gate(const char *state)
{
	return state && !strcmp(state, "success")   ? "gate open"
	       : state && !strcmp(state, "failure") ? "gate closed"
						    : "gate pending";
}

/* What became of the document, in our words. Returns them, with whose words say why, if anybody's do. */
static const char *outcome(const struct gp_json *document, const char **why)
{
	const struct gp_json *pull = gp_json_get(document, "pull_request"), *status = gp_json_get(document, "status");

	*why = NULL;
	if (gp_document_exit(document) && !gp_document_is_verdict(document)) {
		*why = gp_json_get_text(gp_json_get(document, "error"), "message");
		return "**error**";
	}
	if (gp_document_is_skipped(document)) {
		*why = gp_json_get_text(gp_json_get(document, "skip"), "reason");
		return "skipped";
	}
	if (status) {
		*why = gp_json_get_text(status, "reason");
		return gate(gp_json_get_text(status, "state"));
	}
	if (gp_document_is_dry_run(document))
		return "nothing was written";
	if (gp_json_get_true(pull, "merged"))
		return "merged";
	if (gp_json_get_true(pull, "created"))
		return gp_json_get_true(pull, "auto_merge") ? "opened, merges by itself" : "opened, waits for a person";
	if (gp_json_get_true(pull, "updated"))
		return gp_json_get_true(pull, "auto_merge") ? "updated, merges by itself"
							    : "updated, waits for a person";
	return pull ? "stands as it was" : "nothing done";
}

void gp_report_head(FILE *out)
{
	fputs("\n| app | version | environment | pull request | what happened |\n| --- | --- | --- | --- | --- |\n",
	      out);
}

void gp_report_row(FILE *out, const struct gp_json *document)
{
	const struct gp_json *promotion = gp_json_get(document, "promotion");
	const char *group = gp_json_get_text(promotion, "group"), *app = gp_json_get_text(promotion, "app");
	const char *tag = gp_json_get_text(promotion, "tag"), *env = gp_json_get_text(promotion, "env");
	const char *before = version_before(document), *why, *what = outcome(document, &why);

	fputs("| ", out);
	if (group && app) {
		char *name = gp_asprintf("%s/%s", group, app);

		write_code(out, name, MAX_NAME);
		free(name);
	}
	fputs(" | ", out);
	if (before && tag) {
		write_code(out, before, MAX_NAME);
		fputs(" \xe2\x86\x92 ", out);
	}
	if (tag)
		write_code(out, tag, MAX_NAME);
	fputs(" | ", out);
	if (env)
		write_code(out, env, MAX_NAME);
	fputs(" | ", out);
	write_pull(out, gp_json_get(document, "pull_request"));
	fprintf(out, " | %s%s", gp_document_is_dry_run(document) ? "dry run: " : "", what);
	if (why && *why) {
		fputs(": ", out);
		write_code(out, why, MAX_REASON);
	}
	fputs(" |\n", out);
}

/* The text at the first of two paths that has one; "" otherwise. */
static const char *either(const struct gp_json *document, const char *path, const char *other)
{
	const char *text = gp_json_text(gp_document_get(document, path));

	if (!text)
		text = gp_json_text(gp_document_get(document, other));
	return text ? text : "";
}

char *gp_report_output(const struct gp_json *document, const char *name)
{
	int64_t number = gp_json_get_int(gp_json_get(document, "pull_request"), "number", 0);
	const char *text = "";
	char clean[MAX_REASON + 1];

	if (!strcmp(name, "branch"))
		text = either(document, "change.branch", "pull_request.branch");
	else if (!strcmp(name, "commit"))
		text = either(document, "change.commit", "pull_request.head");
	else if (!strcmp(name, "number"))
		return number > 0 ? gp_asprintf("%" PRId64, number) : gp_strdup("");
	else if (!strcmp(name, "url"))
		text = either(document, "pull_request.url", "pull_request.url");
	else if (!strcmp(name, "skipped"))
		text = gp_document_is_skipped(document) && !gp_document_exit(document) ? "true" : "false";
	else if (gp_document_exit(document))
		text = either(document, gp_document_is_verdict(document) ? "status.reason" : "error.message",
			      "error.message");
	else
		text = either(document, "skip.reason", "status.reason");
	gp_clean_line(clean, sizeof clean, text);
	return gp_strdup(clean);
}
