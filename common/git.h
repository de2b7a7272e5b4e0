/*
 * git.h - git's objects: trees, blobs and commits of one object database, read
 * and written. The only way to libgit2, which nothing else includes. Nothing
 * here reads configuration, refs, the index or a work tree; ask repository.h.
 * Missing objects are told apart from other errors, because in a shallow or
 * partial clone they can be had. Functions without a `struct gp_git` need none.
 */
#ifndef GP_GIT_H
#define GP_GIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "oid.h"

struct gp_git;

/* Opens the object database in a directory such as .git/objects, with its alternates. errors: 71. Yours. */
struct gp_git *gp_git_open(const char *objects_dir, struct gp_err *err);
void gp_git_free(struct gp_git *git);

/* Whether the object is here; looks for new packs where it is not. */
bool gp_git_has(struct gp_git *git, const struct gp_oid *oid);

/* Sets what brings blobs that a partial clone lacks; ctx is borrowed. Without it they are an error. */
typedef int gp_git_missing_fn(void *ctx, const struct gp_oid *oids, size_t n, struct gp_err *err);
void gp_git_on_missing(struct gp_git *git, gp_git_missing_fn *fn, void *ctx);

/* Whether that was set: whether blobs may be missing. */
bool gp_git_is_partial(const struct gp_git *git);

/*
 * Makes sure that n blobs are here, bringing all that are missing at once: for
 * callers that are about to read many of them. errors: 71.
 */
int gp_git_need_blobs(struct gp_git *git, const struct gp_oid *oids, size_t n, struct gp_err *err);

struct gp_commit {
	struct gp_oid tree, *parents;
	size_t parent_count;
	char *message;
};
/* Returns 1 with *out filled (free it with gp_commit_free), 0 where the object is not here, -1: 71. */
int gp_git_read_commit(struct gp_git *git, struct gp_commit *out, const struct gp_oid *oid, struct gp_err *err);
void gp_commit_free(struct gp_commit *commit);

/* One entry of a tree. mode as git writes it: 040000 directory, 0100644, 0100755, 0120000 symlink, 0160000 submodule. */
struct gp_entry {
	struct gp_oid oid;
	unsigned mode;
};
bool gp_entry_is_dir(const struct gp_entry *entry);
bool gp_entry_is_file(const struct gp_entry *entry);

/* The entry at a path such as "apps/dev" below a tree. Returns 1, 0 where there is none, -1: 71. */
int gp_git_find_entry(struct gp_git *git, struct gp_entry *out, const struct gp_oid *tree, const char *path,
		      struct gp_err *err);

/*
 * Calls fn for each entry of one tree (no recursion), in git's order. name is
 * borrowed for the call. A return other than 0 ends the loop and is returned.
 * errors: 71.
 */
typedef int gp_git_entry_fn(void *ctx, const char *name, const struct gp_entry *entry, struct gp_err *err);
int gp_git_each_entry(struct gp_git *git, const struct gp_oid *oid, gp_git_entry_fn *fn, void *ctx, struct gp_err *err);

/*
 * The bytes of a blob, with a NUL behind them that is not counted. One that is
 * not here (a partial clone) is fetched as gp_git_on_missing says. errors: 71.
 * Yours.
 */
char *gp_git_read_blob(struct gp_git *git, size_t *len, const struct gp_oid *oid, struct gp_err *err);

/*
 * Calls fn for each file that differs between two trees, in the order of
 * their paths; an entry that is not there on one side is NULL. Directories are
 * entered, never reported. A return other than 0 ends it and is returned.
 */
typedef int gp_git_diff_fn(void *ctx, const char *path, const struct gp_entry *from, const struct gp_entry *to,
			   struct gp_err *err);
int gp_git_diff_trees(struct gp_git *git, const struct gp_oid *from, const struct gp_oid *to, gp_git_diff_fn *fn,
		      void *ctx, struct gp_err *err);

/* Writes a blob; *out is its id. errors: 71. */
int gp_git_write_blob(struct gp_git *git, struct gp_oid *out, const void *data, size_t len, struct gp_err *err);

/* The id that a blob with these bytes has, without writing it. */
int gp_git_hash_blob(struct gp_oid *out, const void *data, size_t len, struct gp_err *err);

/* One change to a tree: the entry at a full path becomes this blob and mode; mode 0 takes it away. */
struct gp_tree_change {
	const char *path;
	unsigned mode;
	struct gp_oid oid;
};
/* Writes the tree that base (NULL: the empty tree) becomes by n changes; only changed trees are written. errors: 71. */
int gp_git_write_tree(struct gp_git *git, struct gp_oid *out, const struct gp_oid *base,
		      const struct gp_tree_change *changes, size_t n, struct gp_err *err);

/* Who and when, for a commit. */
struct gp_ident {
	char *name, *email;
	int64_t time;   /* seconds since 1970 */
	int offset_min; /* of the time zone, east positive */
};
/* Reads "Name <email> 1700000000 +0100", as `git var GIT_AUTHOR_IDENT` prints it. Returns 0 or -1: 71. */
int gp_ident_parse(struct gp_ident *out, const char *line, struct gp_err *err);
void gp_ident_free(struct gp_ident *ident);

/* Writes a commit; no ref moves. errors: 71. */
int gp_git_write_commit(struct gp_git *git, struct gp_oid *out, const struct gp_oid *tree, const struct gp_oid *parents,
			size_t parent_count, const struct gp_ident *author, const struct gp_ident *committer,
			const char *message, struct gp_err *err);

/*
 * The tree that a three-way merge of two commits gives, written to the object
 * database. Returns 1 with *out, 0 where they conflict (or share no
 * history), -1: 71.
 */
int gp_git_merge(struct gp_git *git, struct gp_oid *out, const struct gp_oid *ours, const struct gp_oid *theirs,
		 struct gp_err *err);

/* Whether ancestor is commit itself or one of its ancestors, as far as history is here. Returns 1, 0, -1: 71. */
int gp_git_is_ancestor(struct gp_git *git, const struct gp_oid *ancestor, const struct gp_oid *commit,
		       struct gp_err *err);

/* A unified diff of one file's two versions, as `git diff` prints it. errors: 71. Yours. */
char *gp_git_diff_text(const char *path, const char *from, size_t from_len, const char *to, size_t to_len,
		       struct gp_err *err);

#endif
