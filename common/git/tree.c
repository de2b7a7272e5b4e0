#include "git/tree.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "git/tree-items.h"
#include "sys/exit.h"
#include "sys/mem.h"

/* One name in a directory, without a list of the others. */
static int find_item(struct gp_git *git, struct gp_entry *out, const struct gp_oid *tree, const char *name, size_t len,
		     struct gp_err *err)
{
	struct gp_object object;
	struct gp_tree_item item;
	const char *at, *end;
	int found;

	if (gp_git_read_object(git, &object, tree, true, err))
		return -1;
	at = object.data;
	end = at + object.len;
	do
		found = gp_tree_next_item(&item, &at, end);
	while (found > 0 && (strncmp(item.name, name, len) != 0 || item.name[len]));
	gp_object_free(&object);
	if (found < 0)
		return gp_tree_malformed(tree, err);
	if (found)
		*out = item.entry;
	return found;
}

int gp_tree_find(struct gp_git *git, struct gp_entry *out, const struct gp_oid *tree, const char *path,
		 struct gp_err *err)
{
	struct gp_oid dir = *tree;

	for (;;) {
		size_t len = strcspn(path, "/");
		int found = find_item(git, out, &dir, path, len, err);

		if (found <= 0 || !path[len])
			return found;
		if (!gp_entry_is_dir(out))
			return 0;
		dir = out->oid;
		path += len + 1;
	}
}

struct diff {
	struct gp_git *git;
	gp_tree_diff_fn *fn;
	void *ctx;
	size_t *left;
};

static int diff_dirs(const struct diff *d, const struct gp_oid *from, const struct gp_oid *to, const char *dir,
		     unsigned depth, struct gp_err *err) /* NOLINT(misc-no-recursion) */
{
	struct gp_tree trees[2] = {0};
	const struct gp_tree_item *row[2];
	size_t at[2] = {0};
	int rc = -1;

	if (depth > GP_TREE_MAX_DEPTH)
		return gp_tree_too_deep(err);
	if (!gp_tree_read_or_empty(d->git, &trees[0], from, err) && !gp_tree_read_or_empty(d->git, &trees[1], to, err))
		rc = 0;
	while (!rc && gp_tree_next_row(row, trees, at, 2)) {
		const struct gp_tree_item *item = row[0] ? row[0] : row[1];

		if (!(*d->left)--) {
			*d->left = 0;
			rc = gp_tree_too_many(err);
			break;
		}
		if (gp_tree_is_same(row[0], row[1]))
			continue;
		char *path = gp_asprintf("%s%s%s", dir, *dir ? "/" : "", item->name);

		if (gp_entry_is_dir(&item->entry)) {
			struct gp_oid old = gp_tree_oid_of(row[0]), new = gp_tree_oid_of(row[1]);

			rc = diff_dirs(d, &old, &new, path, depth + 1, err);
		} else {
			rc = d->fn(d->ctx, path, row[0] ? &row[0]->entry : NULL, row[1] ? &row[1]->entry : NULL, err);
		}
		free(path);
	}
	gp_tree_free(&trees[0]);
	gp_tree_free(&trees[1]);
	return rc;
}

int gp_tree_diff_within(struct gp_git *git, const struct gp_oid *from, const struct gp_oid *to, gp_tree_diff_fn *fn,
			void *ctx, size_t *left, struct gp_err *err)
{
	const struct diff d = {git, fn, ctx, left};

	return gp_oid_equal(from, to) ? 0 : diff_dirs(&d, from, to, "", 0, err);
}

int gp_tree_diff(struct gp_git *git, const struct gp_oid *from, const struct gp_oid *to, gp_tree_diff_fn *fn, void *ctx,
		 struct gp_err *err)
{
	size_t left = GP_TREE_MAX_ROWS;

	return gp_tree_diff_within(git, from, to, fn, ctx, &left, err);
}

/* A '/' comes before all else, so that what is below one directory stands together, right behind itself. */
static int by_path(const void *a, const void *b)
{
	const char *x = ((const struct gp_tree_change *)a)->path, *y = ((const struct gp_tree_change *)b)->path;

	while (*x && *x == *y)
		x++, y++;
	int c = *x == '/' ? 1 : *x ? 1 + (unsigned char)*x : 0, d = *y == '/' ? 1 : *y ? 1 + (unsigned char)*y : 0;

	return (c > d) - (c < d);
}

static int update_dir(struct gp_git *git, struct gp_oid *out, const struct gp_oid *base,
		      const struct gp_tree_change *changes, size_t n, size_t skip, unsigned depth, struct gp_err *err);

/* What n changes below one name make of its entry. Returns 1; 0 if it is gone; -1. */
static int update_entry(struct gp_git *git, struct gp_tree_item *item, bool is_there,
			const struct gp_tree_change *changes, size_t n, size_t skip, unsigned depth,
			struct gp_err *err) /* NOLINT(misc-no-recursion) */
{
	const struct gp_tree_change *own = changes->path[skip - 1] ? NULL : changes;
	bool is_dir = is_there && !own && gp_entry_is_dir(&item->entry);
	struct gp_oid dir = is_dir ? item->entry.oid : (struct gp_oid){{0}};
	int filled = 0;

	if (!gp_tree_is_name(item->name))
		return gp_fail(err, GP_EXIT_SYSTEM, "'%s' cannot be a path in git", changes->path);
	if (own)
		changes++, n--;
	if (n)
		filled = update_dir(git, &dir, &dir, changes, n, skip, depth + 1, err);
	if (filled < 0)
		return -1;
	if (filled && own && own->mode)
		return gp_fail(err, GP_EXIT_SYSTEM, "'%s' cannot be a file and a directory", own->path);
	if (filled)
		item->entry = (struct gp_entry){dir, GP_TREE_DIRECTORY};
	else if (own)
		item->entry = (struct gp_entry){own->oid, own->mode};
	return filled || (own ? own->mode != 0 : is_there && !is_dir);
}

/* Writes the old directory (trees[0]) without what is gone, and with what is new (trees[1]). As update_dir. */
static int combine(struct gp_git *git, struct gp_oid *out, const struct gp_tree trees[2], const bool is_gone[],
		   struct gp_err *err)
{
	const struct gp_tree_item *row[2];
	struct gp_tree all = {0};
	size_t at[2] = {0};
	int rc = 0;

	while (gp_tree_next_row(row, trees, at, 2)) {
		if (row[0] && is_gone[row[0] - trees[0].item])
			row[0] = NULL;
		if (row[0] || row[1])
			gp_tree_append(&all, row[0] ? row[0] : row[1]);
	}
	if (all.count)
		rc = gp_tree_write(git, out, &all, err) ? -1 : 1;
	gp_tree_free(&all);
	return rc;
}

/* Whether a path goes on, behind skip bytes, with this whole name. */
static bool is_below(const char *path, size_t skip, const char *name, size_t len)
{
	return !strncmp(path + skip, name, len) && (path[skip + len] == '/' || !path[skip + len]);
}

/*
 * Updates one directory (base zero: an empty one) by changes, sorted by_path, of what is in it: their paths are its
 * own for skip bytes. Returns 1; 0 with nothing written where nothing is left; -1.
 */
static int update_dir(struct gp_git *git, struct gp_oid *out, const struct gp_oid *base,
		      const struct gp_tree_change *changes, size_t n, size_t skip, unsigned depth,
		      struct gp_err *err) /* NOLINT(misc-no-recursion) */
{
	struct gp_tree trees[2] = {0}, *old = &trees[0], *added = &trees[1];
	bool *is_gone;
	int rc = 0;

	if (depth > GP_TREE_MAX_DEPTH)
		return gp_tree_too_deep(err);
	if (gp_tree_read_or_empty(git, old, base, err))
		return -1;
	is_gone = gp_calloc(old->count, sizeof *is_gone);
	for (size_t i = 0, next; i < n && rc >= 0; i = next) {
		size_t len = strcspn(changes[i].path + skip, "/");
		char *name = gp_memdup0(changes[i].path + skip, len);
		struct gp_tree_item item = {.name = name}, *was = gp_tree_look_up(old, name, GP_TREE_REGULAR);

		for (next = i + 1; next < n && is_below(changes[next].path, skip, name, len);)
			next++;
		if (!was)
			was = gp_tree_look_up(old, name, GP_TREE_DIRECTORY);
		if (was) {
			is_gone[was - old->item] = true;
			item.entry = was->entry;
		}
		rc = update_entry(git, &item, was != NULL, changes + i, next - i, skip + len + 1, depth, err);
		if (rc > 0)
			gp_tree_append(added, &item);
		else
			free(name);
	}
	if (added->count)
		qsort(added->item, added->count, sizeof *added->item, gp_tree_compare);
	if (rc >= 0)
		rc = combine(git, out, trees, is_gone, err);
	for (size_t i = 0; i < added->count; i++)
		free((char *)(uintptr_t)added->item[i].name);
	free(is_gone);
	gp_tree_free(old);
	gp_tree_free(added);
	return rc;
}

int gp_tree_update(struct gp_git *git, struct gp_oid *out, const struct gp_oid *base,
		   const struct gp_tree_change *changes, size_t n, struct gp_err *err)
{
	struct gp_tree_change *sorted = gp_calloc(n, sizeof *sorted);
	const struct gp_tree empty = {0};
	struct gp_oid root = base ? *base : (struct gp_oid){{0}};
	int rc = 0;

	if (n) {
		memcpy(sorted, changes, n * sizeof *sorted);
		qsort(sorted, n, sizeof *sorted, by_path);
	}
	for (size_t i = 1; i < n && !rc; i++)
		if (!strcmp(sorted[i - 1].path, sorted[i].path))
			rc = gp_fail(err, GP_EXIT_SYSTEM, "'%s' is changed twice", sorted[i].path);
	if (!rc)
		rc = update_dir(git, out, &root, sorted, n, 0, 0, err);
	if (!rc)
		rc = gp_tree_write(git, out, &empty, err);
	free(sorted);
	return rc < 0 ? -1 : 0;
}
