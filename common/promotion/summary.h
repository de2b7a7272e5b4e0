/*
 * summary.h - what became of a document, in a few lines for a person at a
 * terminal. Anybody may include it. Text in a document comes from outside: it
 * stays on its line and holds no control characters.
 */
#ifndef GP_SUMMARY_H
#define GP_SUMMARY_H

#include <stdio.h>

#include "data/json.h"

/*
 * Writes what was done, the pull request's address and what happens next. Writes nothing for an error, which the program
 * that met it has reported already.
 */
void gp_summary(FILE *out, const struct gp_json *document);

#endif
