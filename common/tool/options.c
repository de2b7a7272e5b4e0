#include "tool/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/duration.h"
#include "sys/exit.h"
#include "sys/mem.h"
#include "sys/spelling.h"

enum { OPTION_REMOTE = 256, OPTION_BASE, OPTION_PROVIDER, OPTION_OWN };

static const struct option shared[] = {
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{"quiet", no_argument, NULL, 'q'},
	{"verbose", no_argument, NULL, 'v'},
	{"directory", required_argument, NULL, 'C'},
	{"remote", required_argument, NULL, OPTION_REMOTE},
	{"base", required_argument, NULL, OPTION_BASE},
	{"provider", required_argument, NULL, OPTION_PROVIDER},
};
enum { SHARED = sizeof shared / sizeof *shared };

struct tables {
	struct option longs[GP_MAX_OPTIONS + SHARED + 1];
	char letters[2 * GP_MAX_OPTIONS + 16];
	size_t own; /* the first ones in longs */
};

/* Builds getopt's two tables from ours. */
static void build_tables(struct tables *t, const struct gp_option *options)
{
	static const int argument[] = {[GP_OPTION_FLAG] = no_argument,
				       [GP_OPTION_TEXT] = required_argument,
				       [GP_OPTION_OPTIONAL] = optional_argument,
				       [GP_OPTION_DURATION] = optional_argument};
	/* ':' first: getopt tells a missing argument from an unknown option. */
	char *letters = stpcpy(t->letters, ":hVqvC:");

	for (; options && options[t->own].name && t->own < GP_MAX_OPTIONS; t->own++) {
		const struct gp_option *o = &options[t->own];

		t->longs[t->own] =
			(struct option){o->name, argument[o->kind & GP_OPTION_KIND], NULL, OPTION_OWN + (int)t->own};
		if (o->letter) {
			*letters++ = o->letter;
			if (argument[o->kind & GP_OPTION_KIND] == required_argument)
				*letters++ = ':';
		}
	}
	*letters = '\0';
	memcpy(t->longs + t->own, shared, sizeof shared);
}

/* A relative directory is relative to the one before it, as in git -C a -C b. */
static void take_dir(struct gp_common_options *common, const char *dir)
{
	char *joined = common->dir && *dir != '/' ? gp_asprintf("%s/%s", common->dir, dir) : gp_strdup(dir);

	free(common->dir);
	common->dir = joined;
}

static void take_shared(struct gp_common_options *common, int letter)
{
	switch (letter) {
	case 'h':
		common->help = true;
		break;
	case 'V':
		common->version = true;
		break;
	case 'q':
		common->quiet = true;
		break;
	case 'v':
		common->verbose++;
		break;
	case 'C':
		take_dir(common, optarg);
		break;
	case OPTION_REMOTE:
		common->remote = optarg;
		break;
	case OPTION_BASE:
		common->base = optarg;
		break;
	default:
		common->provider = optarg;
	}
}

static void take_own(const struct gp_option *o, int argc, char **argv)
{
	if ((o->kind & GP_OPTION_KIND) == GP_OPTION_FLAG) {
		*(bool *)o->value = true;
		return;
	}
	if ((o->kind & GP_OPTION_KIND) == GP_OPTION_DURATION && !optarg && optind < argc &&
	    gp_duration_ms(argv[optind]) >= 0)
		optarg = argv[optind++];
	*(const char **)o->value = optarg ? optarg : "";
}

/* The option that getopt has just found in the program's own table; NULL: it is a shared one. */
static const struct gp_option *find_own(const struct gp_option *options, size_t own, int letter)
{
	for (size_t i = 0; i < own; i++)
		if (letter == OPTION_OWN + (int)i || (options[i].letter && letter == options[i].letter))
			return &options[i];
	return NULL;
}

/* "--name" of "--name=value". Yours. */
static char *name_of(const char *word)
{
	return gp_memdup0(word, strcspn(word, "="));
}

/* How many long options a word abbreviates. */
static size_t count_prefix(const struct tables *t, const char *word)
{
	size_t n = 0;

	for (size_t i = 0; t->longs[i].name; i++)
		n += !strncmp(t->longs[i].name, word, strlen(word));
	return n;
}

static int unknown(const struct tables *t, const char *program, const char *word, struct gp_err *err)
{
	const char *names[GP_MAX_OPTIONS + SHARED + 1] = {0}, *meant;
	char *name = name_of(word);

	for (size_t i = 0; t->longs[i].name; i++)
		names[i] = t->longs[i].name;
	meant = gp_spelling_suggest(name + 2, names);
	if (count_prefix(t, name + 2) > 1)
		gp_fail(err, GP_EXIT_USAGE, "option '%s' is ambiguous (try %s --help)", name, program);
	else if (meant)
		gp_fail(err, GP_EXIT_USAGE, "unknown option '%s': did you mean --%s? (try %s --help)", name, meant,
			program);
	else
		gp_fail(err, GP_EXIT_USAGE, "unknown option '%s' (try %s --help)", name, program);
	free(name);
	return -1;
}

/* Words for getopt's error: c is ':' or '?', word is the last one that it read. */
static int complain(const struct tables *t, const char *program, int c, const char *word, struct gp_err *err)
{
	if (c == ':')
		return gp_fail(err, GP_EXIT_USAGE, "option '%s' needs a value (try %s --help)", word, program);
	if (strncmp(word, "--", 2) != 0 || (optopt && optopt < OPTION_REMOTE && !strchr(word, '=')))
		return gp_fail(err, GP_EXIT_USAGE, "unknown option '-%c' (try %s --help)", optopt, program);
	if (!optopt)
		return unknown(t, program, word, err);
	char *name = name_of(word);

	gp_fail(err, GP_EXIT_USAGE, "option '%s' takes no value (try %s --help)", name, program);
	free(name);
	return -1;
}

/* Gives arguments without an option to the options that take them. */
static int take_bare(const char *program, int argc, char **argv, const struct gp_option *options, struct gp_err *err)
{
	for (; optind < argc; optind++) {
		const struct gp_option *o = options;

		while (o && o->name && (!(o->kind & GP_OPTION_BARE) || *(const char **)o->value))
			o++;
		if (!o || !o->name)
			return gp_fail(err, GP_EXIT_USAGE, "unexpected argument '%s' (try %s --help)", argv[optind],
				       program);
		*(const char **)o->value = argv[optind];
	}
	return 0;
}

/* Names all that is missing at once. */
static int check_needed(const char *program, const struct gp_option *options, struct gp_err *err)
{
	char *list = NULL;
	size_t len, missing = 0;
	FILE *f = gp_open_text(&list, &len);

	for (const struct gp_option *o = options; o && o->name; o++) {
		const char *value = (o->kind & GP_OPTION_NEEDED) ? *(const char **)o->value : "given";

		if (!value || !*value)
			fprintf(f, "%s--%s", missing++ ? ", " : "", o->name);
	}
	gp_close_text(f, &list);
	if (missing)
		gp_fail(err, GP_EXIT_USAGE, "missing option%s: %s (try %s --help)", missing > 1 ? "s" : "", list,
			program);
	free(list);
	return missing ? -1 : 0;
}

int gp_options_read(struct gp_common_options *common, const char *program, int argc, char **argv,
		    const struct gp_option *options, struct gp_err *err)
{
	struct tables tables = {0};
	int c;

	build_tables(&tables, options);
	opterr = 0;
	while ((c = getopt_long(argc, argv, tables.letters, tables.longs, NULL)) != -1) {
		if (c == ':' || c == '?')
			return complain(&tables, program, c, argv[optind - 1], err);
		const struct gp_option *own = find_own(options, tables.own, c);

		if (own)
			take_own(own, argc, argv);
		else
			take_shared(common, c);
		if (common->help || common->version)
			return 0;
	}
	if (take_bare(program, argc, argv, options, err))
		return -1;
	return check_needed(program, options, err);
}
