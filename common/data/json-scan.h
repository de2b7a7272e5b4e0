/*
 * json-scan.h - whether a text is JSON, strictly. cJSON takes more than RFC
 * 8259 allows and loses digits of long numbers; so the text is checked here
 * first, and its numbers are noted. For json alone.
 */
#ifndef GP_JSON_SCAN_H
#define GP_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "sys/err.h"

/* The numbers of a text, in its order: where each stands, and whether it is a plain integer that a double holds. */
struct gp_json_numbers {
	struct gp_json_number {
		size_t at, len;
		bool exact;
	} *item;
	size_t count;
};

/*
 * Checks that the text is one JSON value. numbers starts as {0}; its item is
 * the caller's to free, also after an error. errors: 65, with the offset.
 */
int gp_json_scan(struct gp_json_numbers *numbers, const char *text, size_t len, struct gp_err *err);

#endif
