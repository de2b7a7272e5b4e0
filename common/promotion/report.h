/*
 * report.h - a document on a CI job's page: a row of a Markdown table, and the step's outputs. Anybody may include it.
 * Text in a document comes from outside: here it stays text, on one line.
 */
#ifndef GP_REPORT_H
#define GP_REPORT_H

#include <stdio.h>

#include "data/json.h"

/* The table's head, and a document as a row of it (at most 8 KiB). */
void gp_report_head(FILE *out);
void gp_report_row(FILE *out, const struct gp_json *document);

/* The names of the outputs; NULL ends the list. */
extern const char *const gp_report_outputs[];

/* The value of an output; "" if the document has none. One line. Yours. */
char *gp_report_output(const struct gp_json *document, const char *name);

#endif
