/*
 * wrapper.h - the options of a wrapper in shell, from a list of words as
 * gp-options(1) describes them. For gp-options.
 */
#ifndef GP_WRAPPER_H
#define GP_WRAPPER_H

#include <stdbool.h>
#include <stddef.h>

#include "sys/err.h"
#include "tool/options.h"

/* One option of the wrapper's. */
struct gp_wanted {
	char *name, *variable; /* its name, and with '_' for '-' */
	bool is_flag, given;
	char *choices; /* "one|two"; empty: any value */
	const char *value;
};

struct gp_wrapper {
	struct gp_option options[GP_MAX_OPTIONS + 1];
	struct gp_wanted wanted[GP_MAX_OPTIONS];
	size_t count;
};

/* Reads the list; w starts as {0}. Free it also after an error. errors: 64. */
int gp_wrapper_read(struct gp_wrapper *w, const char *list, struct gp_err *err);
void gp_wrapper_free(struct gp_wrapper *w);

/* Checks the values that gp_options_read has put into w. errors: 64, in words that name program's --help. */
int gp_wrapper_check(const struct gp_wrapper *w, const char *program, struct gp_err *err);

#endif
