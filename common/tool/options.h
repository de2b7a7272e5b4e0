/*
 * options.h - command lines, the same way for every program and wrapper:
 * getopt_long(3), with words for what is wrong. For tool.c and gp-options.
 * Prints nothing and changes nothing but what the tables point to.
 */
#ifndef GP_OPTIONS_H
#define GP_OPTIONS_H

#include <stdbool.h>

#include "sys/err.h"

enum gp_option_kind {
	GP_OPTION_FLAG,      /* value: bool *, set to true */
	GP_OPTION_TEXT,      /* value: const char **, the argument */
	GP_OPTION_OPTIONAL,  /* value: const char **, the argument of --name=ARG, or "" for --name */
	GP_OPTION_DURATION,  /* likewise, and the argument may be the next word if that is a duration (duration.h) */
	GP_OPTION_KIND = 3,  /* the bits of those above; with TEXT may stand: */
	GP_OPTION_BARE = 4,  /* may be given without "--name", in the table's order */
	GP_OPTION_NEEDED = 8 /* cannot be left out or empty */
};

struct gp_option {
	const char *name; /* long name; NULL ends the table */
	char letter;      /* short name, or 0 */
	unsigned kind;
	void *value;
};

enum { GP_MAX_OPTIONS = 24 };

/* The values of the options that all programs share. Starts with {0}; free dir. */
struct gp_common_options {
	bool help, version, quiet;
	int verbose;                          /* how many -v */
	char *dir;                            /* of -C; NULL: not given */
	const char *remote, *base, *provider; /* borrowed from argv; NULL: not given */
};

/*
 * Reads argv into both. After --help or --version, which end the reading, nothing more is checked. errors: 64, in words
 * that name program's --help.
 */
int gp_options_read(struct gp_common_options *common, const char *program, int argc, char **argv,
		    const struct gp_option *options, struct gp_err *err);

#endif
