/*
 * trace-search.h - whether anything in an environment without a readable marker of an app speaks of it all the same.
 * For manifests.c.
 */
#ifndef GP_TRACE_SEARCH_H
#define GP_TRACE_SEARCH_H

#include "setter/inventory.h"

/*
 * Fails (65) with the file, the line and what is wrong, at the first trace of the app in an environment that stock was
 * taken of: a line (trace.h), or a symbolic link to a file or directory of root that has a marker or trace of it.
 * Returns 0 where there is none.
 */
int gp_trace_search(struct gp_git *git, struct gp_inventory *inv, const struct gp_oid *root, const char *group,
		    const char *app, struct gp_err *err);

/* Whether the text of one item has a trace of the app from *line on; as gp_trace_find. Returns 1, 0, -1: 71. */
int gp_trace_in_item(struct gp_git *git, const struct gp_item *item, const char *group, const char *app, size_t *line,
		     const char **what, struct gp_err *err);

/* Fills err (65) for a trace. Returns -1. */
int gp_trace_fail(const char *path, size_t line, const char *what, const char *group, const char *app,
		  struct gp_err *err);

/*
 * Fails (65) where dir, "<group>/<env>" of root, is no directory but something that gp cannot look into: a symbolic
 * link or a submodule, itself or its group. Returns 0 where there is nothing.
 */
int gp_trace_no_directory(struct gp_git *git, const struct gp_oid *root, const char *dir, struct gp_err *err);

#endif
