/*
 * tree.h - git's trees: reading, comparing, changing and merging them entry by
 * entry, without a checkout or an index. A directory that is the same on both
 * sides is never entered, so the work goes with what differs, not with the
 * size of the repository.
 * https://git-scm.com/book/en/v2/Git-Internals-Git-Objects ("Tree Objects")
 */
#ifndef GP_TREE_H
#define GP_TREE_H

#include "git/objects.h"
#include "sys/err.h"

/* One tree's entries, in git's order (a directory sorts as if its name ended in '/'). */
struct gp_tree {
	struct gp_tree_item {
		const char *name; /* borrowed from the tree */
		struct gp_entry entry;
	} *item;
	size_t count;
	struct gp_object object; /* what it was read from */
};

/*
 * A tree that is malformed is an error of 65 for all of these, one that is missing of 71; so are directories more than
 * 100 deep and more than a million entries to be looked at (a few objects that name each other often have no end).
 */

/* Reads one tree (no recursion). Free it with gp_tree_free. errors: 65, 71. */
int gp_tree_read(struct gp_git *git, struct gp_tree *out, const struct gp_oid *oid, struct gp_err *err);
void gp_tree_free(struct gp_tree *tree);

/* The entry at a path such as "apps/dev" below a tree. Returns 1, 0 if there is none, -1: 65, 71. */
int gp_tree_find(struct gp_git *git, struct gp_entry *out, const struct gp_oid *tree, const char *path,
		 struct gp_err *err);

/*
 * Calls fn for each file that differs between two trees, in the order of their paths; an entry that is not there on
 * one side is NULL; a symbolic link or submodule counts as a file. Directories are entered, never reported; one that
 * becomes a file is its files' removals and one addition. A return other than 0 ends it and is returned. errors: 65,
 * 71.
 */
typedef int gp_tree_diff_fn(void *ctx, const char *path, const struct gp_entry *from, const struct gp_entry *to,
			    struct gp_err *err);
int gp_tree_diff(struct gp_git *git, const struct gp_oid *from, const struct gp_oid *to, gp_tree_diff_fn *fn, void *ctx,
		 struct gp_err *err);

/* One change to a tree: the entry at a full path becomes this blob and mode; mode 0 takes it away. */
struct gp_tree_change {
	const char *path;
	unsigned mode;
	struct gp_oid oid;
};
/*
 * Writes the tree that base (NULL: the empty tree) becomes by n changes of distinct paths, in any order; only changed
 * trees are written, a directory left empty goes. errors: 65, 71.
 */
int gp_tree_update(struct gp_git *git, struct gp_oid *out, const struct gp_oid *base,
		   const struct gp_tree_change *changes, size_t n, struct gp_err *err);

/*
 * The three-way merge of trees where each entry was changed on one side at most, or alike on both: what `git merge`
 * gives then. All that theirs brings is read. Returns 1 with *out written, 0 if it takes more (some file was changed
 * on both sides, so that only its lines can tell; or removed on both, so that it may have been renamed), -1: 65,
 * 71.
 */
int gp_tree_merge(struct gp_git *git, struct gp_oid *out, const struct gp_oid *base, const struct gp_oid *ours,
		  const struct gp_oid *theirs, struct gp_err *err);

/*
 * The tree that a merge of two commits gives: the short way above where it does, else gp_git_merge's. Returns 1 with
 * *out written, 0 if they conflict or share no history, -1: 65, 71.
 */
int gp_tree_merge_commits(struct gp_git *git, struct gp_oid *out, const struct gp_oid *ours,
			  const struct gp_oid *theirs, struct gp_err *err);

#endif
