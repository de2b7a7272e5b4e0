/*
 * marker.h - comments that mark a scalar for an image policy, read by lines
 * as Flux reads them, without parsing YAML. Used by setter. A marker's strings
 * are borrowed and live during the call that shows it.
 */
#ifndef GP_MARKER_H
#define GP_MARKER_H

#include <stdbool.h>
#include <stddef.h>

/* What of an image the scalar holds. */
enum gp_marker_kind { GP_MARKER_NONE, GP_MARKER_IMAGE, GP_MARKER_TAG, GP_MARKER_NAME, GP_MARKER_DIGEST };

struct gp_marker {
	size_t hash;        /* the byte of its first '#' */
	size_t line_start;  /* the byte where its line begins */
	size_t line;        /* from 1 */
	const char *policy; /* such as "apps:web:tag" */
};

/* Whether the text could hold a marker, in any spelling; app may be NULL for any app's. */
bool gp_marker_possible(const char *text, size_t len, const char *group, const char *app);

/*
 * Calls fn for what reads as a marker: '#' characters, then, up to the line's
 * end, exactly one JSON object of strings with a member $imagepolicy. Whether
 * it is a comment at all, or text in quotes, only a YAML parser can tell.
 * At most one a line. A return other than 0 ends it and is returned.
 */
typedef int gp_marker_fn(void *ctx, const struct gp_marker *marker);
int gp_marker_each(const char *text, size_t len, gp_marker_fn *fn, void *ctx);

/* What the policy marks for this app; NONE for another app. */
enum gp_marker_kind gp_marker_kind(const char *policy, const char *group, const char *app);

#endif
