#include "git/tree-items.h"
#include "sys/exit.h"

enum { BASE, OURS, THEIRS, SIDES };

struct merge {
	struct gp_git *git;
	size_t left; /* how many entries may still be looked at */
};

/* A gp_tree_diff_fn: reading all that differs is what it takes to know that it is well-formed. */
static int pass(void *ctx, const char *path, const struct gp_entry *from, const struct gp_entry *to, struct gp_err *err)
{
	(void)ctx, (void)path, (void)from, (void)to, (void)err;
	return 0;
}

static int merge_dirs(struct merge *m, struct gp_oid *out, const struct gp_tree_item *const row[SIDES], unsigned depth,
		      struct gp_err *err);

/*
 * Merges what three trees have under one name, as a file or as a directory. Returns 1 with *out (mode 0: nothing is
 * left), 0 if it takes more than trees to tell, -1.
 */
static int merge_row(struct merge *m, struct gp_entry *out, const struct gp_tree_item *const row[SIDES], unsigned depth,
		     struct gp_err *err) /* NOLINT(misc-no-recursion) */
{
	const struct gp_tree_item *base = row[BASE], *ours = row[OURS], *theirs = row[THEIRS], *taken = ours;
	bool is_dir = gp_entry_is_dir(&(base ? base : ours ? ours : theirs)->entry);

	*out = (struct gp_entry){0};
	if (gp_tree_is_same(base, ours)) {
		struct gp_oid from = gp_tree_oid_of(base), to = gp_tree_oid_of(theirs);

		if (is_dir && gp_tree_diff_within(m->git, &from, &to, pass, NULL, &m->left, err))
			return -1;
		taken = theirs;
	} else if (!gp_tree_is_same(base, theirs)) {
		/*
		 * What both sides removed, one of them may have renamed, which git calls a conflict: so there is no
		 * short way for that, nor for directories in which it may have happened.
		 */
		if (!ours || !theirs || (!is_dir && !gp_tree_is_same(ours, theirs)))
			return 0;
		if (is_dir && (base || !gp_tree_is_same(ours, theirs))) {
			int rc = merge_dirs(m, &out->oid, row, depth + 1, err);

			if (rc > 0 && !gp_oid_is_zero(&out->oid))
				out->mode = GP_TREE_DIRECTORY;
			return rc;
		}
	}
	if (taken)
		*out = taken->entry;
	return 1;
}

/* Merges directories (of at least two sides). Returns as merge_row, *out zero where nothing is left. */
static int merge_dirs(struct merge *m, struct gp_oid *out, const struct gp_tree_item *const row[SIDES], unsigned depth,
		      struct gp_err *err) /* NOLINT(misc-no-recursion) */
{
	struct gp_tree trees[SIDES] = {0}, merged = {0};
	const struct gp_tree_item *next[SIDES];
	size_t at[SIDES] = {0};
	int rc = depth > GP_TREE_MAX_DEPTH ? gp_tree_too_deep(err) : 1;

	for (size_t i = 0; i < SIDES && rc > 0; i++) {
		struct gp_oid oid = gp_tree_oid_of(row[i]);

		rc = gp_tree_read_or_empty(m->git, &trees[i], &oid, err) ? -1 : 1;
	}
	while (rc > 0 && gp_tree_next_row(next, trees, at, SIDES)) {
		const struct gp_tree_item *any = next[BASE] ? next[BASE] : next[OURS] ? next[OURS] : next[THEIRS];
		struct gp_tree_item item = {.name = any->name};

		rc = m->left-- ? merge_row(m, &item.entry, next, depth, err) : gp_tree_too_many(err);
		m->left += rc < 0;
		if (rc > 0 && item.entry.mode) {
			/* A file on one side may be a directory on the other. */
			rc = gp_tree_fits(&merged, &item);
			gp_tree_append(&merged, &item);
		}
	}
	*out = (struct gp_oid){{0}};
	if (rc > 0 && merged.count && gp_tree_write(m->git, out, &merged, err))
		rc = -1;
	for (size_t i = 0; i < SIDES; i++)
		gp_tree_free(&trees[i]);
	gp_tree_free(&merged);
	return rc;
}

int gp_tree_merge(struct gp_git *git, struct gp_oid *out, const struct gp_oid *base, const struct gp_oid *ours,
		  const struct gp_oid *theirs, struct gp_err *err)
{
	const struct gp_oid *oids[SIDES] = {base, ours, theirs};
	const struct gp_tree_item *row[SIDES] = {0};
	const struct gp_tree empty = {0};
	struct gp_tree_item item[SIDES];
	struct merge m = {git, GP_TREE_MAX_ROWS};
	struct gp_entry merged = {0};
	int rc = 1;

	for (size_t i = 0; i < SIDES; i++) {
		item[i] = (struct gp_tree_item){"", {*oids[i], GP_TREE_DIRECTORY}};
		if (!gp_oid_is_zero(oids[i]))
			row[i] = &item[i];
	}
	if (row[BASE] || row[OURS] || row[THEIRS])
		rc = merge_row(&m, &merged, row, 0, err);
	*out = merged.oid;
	if (rc > 0 && !merged.mode && gp_tree_write(git, out, &empty, err))
		rc = -1;
	return rc;
}

static int tree_of(struct gp_git *git, struct gp_oid *out, const struct gp_oid *oid, struct gp_err *err)
{
	char hex[GP_OID_HEX + 1];
	struct gp_commit commit;
	int found = gp_git_read_commit(git, &commit, oid, err);

	if (!found)
		gp_fail(err, GP_EXIT_SYSTEM, "commit %s is missing", gp_oid_hex(hex, oid));
	if (found <= 0)
		return -1;
	*out = commit.tree;
	gp_commit_free(&commit);
	return 0;
}

int gp_tree_merge_commits(struct gp_git *git, struct gp_oid *out, const struct gp_oid *ours,
			  const struct gp_oid *theirs, struct gp_err *err)
{
	struct gp_oid base, trees[SIDES];
	int bases = gp_git_merge_base(git, &base, ours, theirs, err), rc = 0;

	if (bases <= 0)
		return bases;
	if (bases == 1) {
		if (tree_of(git, &trees[BASE], &base, err) || tree_of(git, &trees[OURS], ours, err) ||
		    tree_of(git, &trees[THEIRS], theirs, err))
			return -1;
		rc = gp_tree_merge(git, out, &trees[BASE], &trees[OURS], &trees[THEIRS], err);
	}
	return rc ? rc : gp_git_merge(git, out, ours, theirs, err);
}
