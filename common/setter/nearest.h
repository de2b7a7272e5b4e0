/*
 * nearest.h - what to say when no marker of an app is found: which ones there
 * are that look like it. Used by manifests and worktree.
 */
#ifndef GP_NEAREST_H
#define GP_NEAREST_H

#include <stddef.h>

#include "sys/err.h"

struct gp_nearest;

/* Looks for markers like group:app, and for text that only looks like one. Yours; it borrows the names. */
struct gp_nearest *gp_nearest_new(const char *group, const char *app);
void gp_nearest_free(struct gp_nearest *n);

/* Looks through the text of a file. */
void gp_nearest_look(struct gp_nearest *n, const char *path, const char *text, size_t len);

/* Fills err (65): a line that speaks of the app and is no marker; or what was looked for below dir, and the nearest markers seen. Returns -1. */
int gp_nearest_fail(const struct gp_nearest *n, const char *dir, struct gp_err *err);

#endif
