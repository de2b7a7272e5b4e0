#include "promotion/description.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "promotion/document.h"
#include "sys/mem.h"

enum { MAX_ROWS = 50 };

/* A code span in a table's cell: no backtick ends it, no bar ends the cell, no line end the row. */
static void put_code(FILE *f, const char *text)
{
	char clean[512];

	gp_clean_line(clean, sizeof clean, text ? text : "");
	fputc('`', f);
	for (const char *c = clean; *c; c++) {
		if (*c == '|')
			fputs("\\|", f);
		else
			fputc(*c == '`' ? '\'' : *c, f);
	}
	fputc('`', f);
}

static void put_rows(FILE *f, const struct gp_json *files)
{
	size_t rows = 0;

	if (!gp_json_count(files))
		return;
	fputs("\n| file | from | to |\n| --- | --- | --- |\n", f);
	for (const struct gp_json *file = gp_json_first(files); file && rows < MAX_ROWS;
	     file = gp_json_next(file), rows++) {
		char *place =
			gp_asprintf("%s:%lld", gp_json_get_text(file, "path") ? gp_json_get_text(file, "path") : "",
				    (long long)gp_json_get_int(file, "line", 0));

		fputs("| ", f);
		put_code(f, place);
		fputs(" | ", f);
		put_code(f, gp_json_get_text(file, "from"));
		fputs(" | ", f);
		put_code(f, gp_json_get_text(file, "to"));
		fputs(" |\n", f);
		free(place);
	}
	if (gp_json_count(files) > MAX_ROWS)
		fprintf(f, "\nand %zu more\n", gp_json_count(files) - MAX_ROWS);
}

/* Where it comes from, and what it waits for. */
static void put_evidence(FILE *f, const struct gp_json *document)
{
	const struct gp_json *merged = gp_json_get(document, "previous_pull_request");
	const char *previous = gp_json_text(gp_document_get(document, "environment.previous"));
	const char *check = gp_json_text(gp_document_get(document, "config.gate_check"));
	long long number = gp_json_get_int(merged, "number", 0);

	if (number > 0) {
		const char *url = gp_json_get_text(merged, "url"), *title = gp_json_get_text(merged, "title");

		fprintf(f, "\nFollows #%lld", number);
		if (title) {
			fputs(", ", f);
			put_code(f, title);
		}
		/* Only what is a plain web address becomes a link. */
		if (url && !strncmp(url, "https://", 8) &&
		    strspn(url + 8, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~/%:?=&") == strlen(url + 8))
			fprintf(f, " (<%s>)", url);
		fputs(".\n", f);
	}
	if (previous && check) {
		fputs("\nCheck ", f);
		put_code(f, check);
		fputs(" is green once ", f);
		put_code(f, previous);
		fputs(" has reconciled this version.\n", f);
	}
}

char *gp_description(const struct gp_promotion *p, const struct gp_json *document)
{
	char *out = NULL, *comment = gp_promotion_comment(p);
	size_t len;
	FILE *f = gp_open_text(&out, &len);

	fprintf(f, "%s\n\nPromotes ", comment);
	put_code(f, p->app);
	fputs(" of group ", f);
	put_code(f, p->group);
	fputs(" to ", f);
	put_code(f, p->tag);
	fputs(" in environment ", f);
	put_code(f, p->env);
	fputs(".\n", f);
	put_rows(f, gp_json_get(gp_json_get(document, "change"), "files"));
	put_evidence(f, document);
	gp_close_text(f, &out);
	free(comment);
	return out;
}
