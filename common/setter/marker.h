/*
 * marker.h - comments that mark a scalar for an image policy: first by lines,
 * as fast as reading, then, if there is one of the app, by parsing YAML. Used
 * by setter and splice. What gp_marker_each shows is borrowed and lives during the call.
 */
#ifndef GP_MARKER_H
#define GP_MARKER_H

#include <stdbool.h>
#include <stddef.h>

#include "data/yaml.h"

/* Which part of an image the scalar holds. */
enum gp_marker_kind { GP_MARKER_NONE, GP_MARKER_IMAGE, GP_MARKER_TAG, GP_MARKER_NAME, GP_MARKER_DIGEST };

struct gp_marker {
	size_t hash;        /* the byte of its first '#' */
	size_t line_start;  /* the byte where its line begins */
	size_t line;        /* from 1 */
	const char *policy; /* such as "apps:web:tag" */
};

/* Whether the text may contain a marker, in any spelling. app: NULL for any app. */
bool gp_marker_possible(const char *text, size_t len, const char *group, const char *app);

/*
 * Calls fn for what reads as a marker: '#' characters, then, up to the line's
 * end, exactly one JSON object of strings with a member $imagepolicy. Whether
 * it is a comment at all, or text in quotes, only a YAML parser can tell.
 * At most one a line. A return other than 0 ends it and is returned.
 */
typedef int gp_marker_fn(void *ctx, const struct gp_marker *marker);
int gp_marker_each(const char *text, size_t len, gp_marker_fn *fn, void *ctx);

/* A scalar that a marker of the app belongs to. */
struct gp_marked {
	enum gp_marker_kind kind;
	size_t start, end, line; /* its bytes [start, end), and its line */
	size_t number;           /* which scalar of the text it is, from 0 */
	size_t mark;             /* which of the marks it belongs to, from 0 */
	size_t mapping;          /* which mapping it is a value of; 0: of none */
	enum gp_yaml_style style;
	bool is_chart;       /* a chart's version: the value of a key that charts have for it */
	bool is_string;      /* not tagged to be a number or the like */
	bool is_tagged;      /* tagged to be a string, whatever it looks like */
	const char *trouble; /* why it cannot be set, such as "the marker is on a block scalar"; NULL if it can */
	char *value;         /* NULL if it holds a NUL character */
};
struct gp_marked_list {
	struct gp_marked *item;
	size_t count;
};

/*
 * Finds them all, in order; group NULL: those of all apps, as images. watch sees what the parser sees. A text without a marker of this app, by lines, is
 * not parsed as YAML. errors (65, "line L, column C: what"): invalid YAML.
 */
int gp_marker_find(struct gp_marked_list *out, const char *text, size_t len, const char *group, const char *app,
		   gp_yaml_fn *watch, void *watch_ctx, struct gp_err *err);
void gp_marked_free(struct gp_marked_list *list);

/* Where the line at s ends, before its line break as YAML 1.1 has it (yaml.h), or at end. */
const char *gp_marker_line_end(const char *s, const char *end);

/* What stands behind "group:app" in a policy: "", ":tag", ":name" or ":digest"; NONE for anything else. */
enum gp_marker_kind gp_marker_suffix(const char *suffix);

/* What the policy marks for this app; NONE for another app. */
enum gp_marker_kind gp_marker_kind(const char *policy, const char *group, const char *app);

#endif
