/*
 * worktree-search.h - finding the manifests of a work tree that may have a marker, for worktree.c alone. Symbolic links
 * are not followed anywhere.
 */
#ifndef GP_WORKTREE_SEARCH_H
#define GP_WORKTREE_SEARCH_H

#include "setter/setter.h"
#include "sys/err.h"

enum { GP_WORKTREE_MAX_FILE = 256 << 20 };

/* Paths from the environment's directory on; a directory's ends in '/'. Start with {0}. */
struct gp_paths {
	char **item;
	size_t count;
};
void gp_paths_free(struct gp_paths *paths);

/*
 * The manifests below the open directory env that may have a marker of the setter's app (NULL: of any), sorted. What
 * has gone in the meantime is passed over. errors: 65, 71.
 */
int gp_worktree_search(struct gp_paths *out, int env, const struct gp_setter *setter, struct gp_err *err);

/* Opens the directory that a path ends in, one step at a time, so that no step can be a symbolic link. -1 with errno. */
int gp_worktree_open_dir(int from, const char *path);

/* Opens the file that a path names in its open directory; a FIFO is not waited for. -1 with errno. */
int gp_worktree_open_file(int dir, const char *path);

#endif
