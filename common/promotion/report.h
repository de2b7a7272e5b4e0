/*
 * report.h - a document as a person meets it on a CI job's page: a row of a
 * table in Markdown, and the step's outputs. Anybody may include it. What is
 * in a document comes from outside: a text of it stays text here, whatever it
 * holds, and it stays on one line.
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

/* The value of an output; "" where the document has none. One line. Yours. */
char *gp_report_output(const struct gp_json *document, const char *name);

#endif
