/*
 * objects.h - git's objects: trees, blobs and commits of one object database, read
 * and written. The only way to libgit2, which nothing else includes. Nothing
 * here reads configuration, refs, the index or a work tree; ask repository.h.
 * Missing objects are distinguished from other errors, because in a shallow or
 * partial clone they can be fetched. Functions without a `struct gp_git` need none.
 */
#ifndef GP_GIT_H
#define GP_GIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "data/oid.h"
#include "sys/err.h"

struct gp_git;

/*
 * The object database in a directory such as .git/objects, with its alternates. It is opened, and libgit2 made ready,
 * when the first object is asked for: that takes some milliseconds, because libgit2 reads the system's certificates.
 * Yours.
 */
struct gp_git *gp_git_open(const char *objects_dir);
void gp_git_free(struct gp_git *git);

/* Whether the object is here. Looks for new packs if not. */
bool gp_git_has(struct gp_git *git, const struct gp_oid *oid);

/*
 * Sets the function that fetches blobs which a partial clone lacks; ctx is borrowed. Without it a missing blob is an
 * error.
 */
typedef int gp_git_missing_fn(void *ctx, const struct gp_oid *oids, size_t n, struct gp_err *err);
void gp_git_on_missing(struct gp_git *git, gp_git_missing_fn *fn, void *ctx);

/* Whether it was set, that is, whether blobs may be missing. */
bool gp_git_is_partial(const struct gp_git *git);

/* Makes sure that n blobs are here, fetching all missing ones at once: for callers that will read many. errors: 71. */
int gp_git_need_blobs(struct gp_git *git, const struct gp_oid *oids, size_t n, struct gp_err *err);

struct gp_commit {
	struct gp_oid tree, *parents;
	size_t parent_count;
	char *message;
};
/* Returns 1 with *out filled (free it with gp_commit_free), 0 if the object is not here, -1: 71. */
int gp_git_read_commit(struct gp_git *git, struct gp_commit *out, const struct gp_oid *oid, struct gp_err *err);
void gp_commit_free(struct gp_commit *commit);

/* One entry of a tree. mode as git writes it: 040000 directory, 0100644, 0100755, 0120000 symlink, 0160000 submodule. */
struct gp_entry {
	struct gp_oid oid;
	unsigned mode;
};
bool gp_entry_is_dir(const struct gp_entry *entry);
bool gp_entry_is_file(const struct gp_entry *entry);

/*
 * An object's bytes as they were read, without a copy: followed by no NUL, valid until gp_object_free.
 * tree: whether a tree or a blob is expected. A blob that is not here (a partial clone) is fetched as
 * gp_git_on_missing says. errors: 71.
 */
struct gp_object {
	const char *data;
	size_t len;
	void *handle;
};
int gp_git_read_object(struct gp_git *git, struct gp_object *out, const struct gp_oid *oid, bool tree,
		       struct gp_err *err);
void gp_object_free(struct gp_object *object);

/* The bytes of a blob, followed by a NUL that is not counted. errors: 65 for more than 256 MiB, 71. Yours. */
enum { GP_GIT_MAX_BLOB = 256 << 20 };
char *gp_git_read_blob(struct gp_git *git, size_t *len, const struct gp_oid *oid, struct gp_err *err);

/* Writes a blob; *out is its id. errors: 71. */
int gp_git_write_blob(struct gp_git *git, struct gp_oid *out, const void *data, size_t len, struct gp_err *err);

/* The id of a blob with these bytes; nothing is written. */
int gp_git_hash_blob(struct gp_oid *out, const void *data, size_t len, struct gp_err *err);

/* Writes a tree from its bytes, which the caller has in git's form and order; *out is its id. errors: 71. */
int gp_git_write_tree(struct gp_git *git, struct gp_oid *out, const void *data, size_t len, struct gp_err *err);

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
 * The best common ancestor of two commits. Returns 1; 2 if it is one of several as good; 0 if there is none;
 * -1: 71.
 */
int gp_git_merge_base(struct gp_git *git, struct gp_oid *out, const struct gp_oid *ours, const struct gp_oid *theirs,
		      struct gp_err *err);

/*
 * The tree that a three-way merge of two commits gives, line by line and with renames, written to the object database:
 * the time goes with the size of the repository, see gp_tree_merge_commits. Returns 1 with *out, 0 if they conflict,
 * -1: 71.
 */
int gp_git_merge(struct gp_git *git, struct gp_oid *out, const struct gp_oid *ours, const struct gp_oid *theirs,
		 struct gp_err *err);

/*
 * Whether a three-way merge of one file's blobs leaves no conflict, line by line, as git_merge_file(3) of libgit2 merges
 * them. Nothing is written. Returns 1, 0, -1: 65, 71.
 */
int gp_git_file_merges(struct gp_git *git, const struct gp_oid *base, const struct gp_oid *ours,
		       const struct gp_oid *theirs, struct gp_err *err);

/* Whether ancestor is commit itself or one of its ancestors, as far as history is here. Returns 1, 0, -1: 71. */
int gp_git_is_ancestor(struct gp_git *git, const struct gp_oid *ancestor, const struct gp_oid *commit,
		       struct gp_err *err);

/* A unified diff of one file's two versions, as `git diff` prints it. errors: 71. Yours. */
char *gp_git_diff_text(const char *path, const char *from, size_t from_len, const char *to, size_t to_len,
		       struct gp_err *err);

#endif
