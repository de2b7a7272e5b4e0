/*
 * trace.h - text that speaks of an app as a marker does, and is none that can be read: misspelled, with text behind it,
 * in a block scalar, on a line of its own. Where an environment has nothing else of the app, it must not be taken for
 * one without the app.
 */
#ifndef GP_TRACE_H
#define GP_TRACE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the text may hold a trace or a marker of any app: a fast search, no more. */
bool gp_trace_possible(const char *text, size_t len);

/*
 * Calls fn for each line that has "imagepolicy" in it, in any usual case, and is no well-formed marker, once for each
 * two names with a ':' between them: "apps:web". A return other than 0 ends it and is returned. Borrowed.
 */
typedef int gp_trace_fn(void *ctx, const char *group, size_t group_len, const char *app, size_t app_len);
int gp_trace_each(const char *text, size_t len, gp_trace_fn *fn, void *ctx);

/*
 * The first line from *line on (start with 1) that speaks of the app: *line is that line then, and *what says what is
 * wrong with it, such as "text follows the marker" (static). A well-formed marker counts too, since it may stand where
 * none is read; one of a name or digest alone does not. Returns false where there is none.
 */
bool gp_trace_find(const char *text, size_t len, const char *group, const char *app, size_t *line, const char **what);

#endif
