/*
 * document.c - any bytes as what a program reads on its standard input: the
 * documents in it are printed and read again without a change, and what is made
 * of one for people stays on its line and in its place.
 */
#include "promotion/document.h"
#include "fuzz.h"
#include "promotion/config.h"
#include "promotion/description.h"
#include "promotion/promotion.h"
#include "promotion/report.h"
#include "sys/exit.h"

static struct gp_json *parse(const char *text)
{
	struct gp_err err = {0};
	struct gp_json *json = gp_json_parse(text, strlen(text), &err);

	FUZZ_HOLDS(json && !err.code);
	return json;
}

/* Whether this is what a value is printed as. */
static bool prints_as(const struct gp_json *json, const char *text)
{
	char *printed = gp_json_print(json);
	bool same = !strcmp(printed, text);

	free(printed);
	return same;
}

static void check_print(const struct gp_json *document)
{
	char *line = gp_json_print(document), *indented = gp_json_print_indented(document);
	struct gp_json *of_line = parse(line), *of_indented = parse(indented), *copy = gp_json_copy(document);

	FUZZ_HOLDS(fuzz_is_printable(line));
	FUZZ_HOLDS(prints_as(of_line, line));
	FUZZ_HOLDS(prints_as(of_indented, line));
	FUZZ_HOLDS(prints_as(copy, line));
	for (char *c = indented; *c; c++)
		if (*c == '\n' || *c == '\t')
			*c = ' ';
	FUZZ_HOLDS(fuzz_is_printable(indented));
	gp_json_free(copy);
	gp_json_free(of_indented);
	gp_json_free(of_line);
	free(indented);
	free(line);
}

static size_t count(const char *text, char c)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == c;
	return n;
}

static void check_report(const struct gp_json *document)
{
	char *row = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&row, &len);

	FUZZ_HOLDS(f);
	gp_report_row(f, document);
	FUZZ_HOLDS(!fclose(f) && len < 8192 && strlen(row) == len && row[len - 1] == '\n');
	row[len - 1] = '\0';
	FUZZ_HOLDS(fuzz_is_printable(row) && count(row, '|') == 6 && row[len - 2] == '|');
	free(row);
	for (const char *const *name = gp_report_outputs; *name; name++) {
		char *text = gp_report_output(document, *name);

		FUZZ_HOLDS(fuzz_is_printable(text));
		free(text);
	}
}

/* The description says what the promotion is, to a program as well. */
static void check_body(const struct gp_promotion *p, const struct gp_json *document)
{
	struct gp_err err = {0};
	char *body = gp_description(p, document);
	struct gp_json *json = gp_promotion_in_description(body, &err);
	struct gp_promotion again;

	FUZZ_HOLDS(json && !gp_promotion_view(&again, json, &err) && !err.code);
	FUZZ_HOLDS(gp_promotion_same(p, &again));
	for (char *line = body, *end; *line; line = end + 1) {
		end = line + strcspn(line, "\n");
		FUZZ_HOLDS(*end == '\n');
		*end = '\0';
		FUZZ_HOLDS(fuzz_is_printable(line));
		FUZZ_HOLDS(line == body || count(line, '`') % 2 == 0);
	}
	gp_json_free(json);
	free(body);
}

static void check_config(const struct gp_json *json)
{
	struct gp_config config, again;
	struct gp_err err = {0};
	struct gp_json *full, *twice;
	char *text;

	if (gp_config_from_json(&config, json, &err)) {
		FUZZ_HOLDS(err.code == GP_EXIT_INPUT);
		return;
	}
	FUZZ_HOLDS(config.environment_count > 0 && config.clusters > 0 && config.gate_check);
	full = gp_config_to_json(&config);
	FUZZ_HOLDS(!gp_config_from_json(&again, full, &err));
	twice = gp_config_to_json(&again);
	text = gp_json_print(full);
	FUZZ_HOLDS(prints_as(twice, text));
	free(text);
	gp_json_free(twice);
	gp_json_free(full);
	gp_config_free(&again);
	gp_config_free(&config);
}

static void check(struct gp_json *document)
{
	struct gp_err err = {0};
	struct gp_promotion p;
	int code = gp_document_exit(document);

	check_print(document);
	check_report(document);
	check_config(gp_json_get(document, "config"));
	FUZZ_HOLDS(code >= 0 && code < 256);
	FUZZ_HOLDS(!gp_document_is_verdict(document) || code == GP_EXIT_CLOSED || code == GP_EXIT_RETRY);
	FUZZ_HOLDS(!gp_document_is_dry_run(document) || !gp_document_check(document, &err));
	if (!gp_promotion_view(&p, gp_json_get(document, "promotion"), &err))
		check_body(&p, document);
	gp_document_set_skip(document, "gp-fuzz", "a reason");
	gp_document_set_error(document, "gp-fuzz", &(struct gp_err){GP_EXIT_REFUSED, "a \033 message"});
	FUZZ_HOLDS(gp_document_is_skipped(document) && gp_document_exit(document) == GP_EXIT_REFUSED);
	check_print(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *in = fuzz_file(data, size);
	struct gp_reader reader = {.fd = fileno(in)};
	struct gp_json *document;
	struct gp_err err = {0};
	size_t documents = 0;
	int rc;

	while ((rc = gp_reader_next(&reader, &document, &err)) > 0) {
		FUZZ_HOLDS(gp_json_is_object(document));
		check(document);
		gp_json_free(document);
		documents++;
	}
	FUZZ_HOLDS(rc ? err.code == GP_EXIT_INPUT : documents > 0);
	gp_reader_free(&reader);
	fclose(in);
	return 0;
}
