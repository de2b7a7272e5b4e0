/*
 * worktree.h - the setter applied to files on disk. Never leaves the directory
 * that it was given: symbolic links are not followed, neither as directories
 * nor as files. Each file is replaced whole (temporary file, fsync, rename), and
 * a signal that asks the program to end waits until all are.
 */
#ifndef GP_WORKTREE_H
#define GP_WORKTREE_H

#include "setter/setter.h"
#include "sys/err.h"

/*
 * Sets the tag in all manifests below top/<group>/<env>; edits (start with
 * {0}) lists the marked scalars, with paths relative to top. Nothing is written before all files
 * are known to work out. show: gets a diff of each file instead, text as it stands in the files; NULL: write the files.
 * errors: 65 as in manifests.h, 71.
 */
typedef int gp_worktree_show_fn(const char *diff, struct gp_err *err);
int gp_worktree_set(const char *top, const char *env, const struct gp_setter *setter, gp_worktree_show_fn *show,
		    struct gp_edits *edits, struct gp_err *err);

#endif
