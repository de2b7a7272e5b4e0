#include "git/tree-items.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sys/exit.h"
#include "sys/mem.h"

/* MODE_CHARS: what is written of the longest mode, with its blank. */
enum { MODE_CHARS = 7, TYPE = 0170000, LINK = 0120000, SUBMODULE = 0160000 };

bool gp_tree_is_name(const char *name)
{
	/* git refuses ".GIT" too: some file systems take it for ".git". */
	return *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	       strcasecmp(name, ".git") != 0;
}

/* Old versions of git wrote other modes; today's git normalizes them like this (canon_mode). */
static unsigned usual_mode(unsigned mode)
{
	if ((mode & TYPE) == GP_TREE_REGULAR)
		return mode & 0100 ? 0100755 : 0100644;
	if ((mode & TYPE) == LINK || (mode & TYPE) == GP_TREE_DIRECTORY)
		return mode & TYPE;
	return SUBMODULE;
}

int gp_tree_next_item(struct gp_tree_item *out, const char **at, const char *end)
{
	const char *p = *at, *nul;
	unsigned mode = 0;

	if (p == end)
		return 0;
	for (; p < end && *p >= '0' && *p <= '7' && mode <= 0177777; p++)
		mode = mode * 8 + (unsigned)(*p - '0');
	if (p == *at || p == end || *p++ != ' ' || mode > 0177777)
		return -1;
	nul = memchr(p, '\0', (size_t)(end - p));
	if (!nul || end - nul <= GP_OID_SIZE || !gp_tree_is_name(p))
		return -1;
	out->name = p;
	out->entry.mode = usual_mode(mode);
	memcpy(out->entry.oid.id, nul + 1, GP_OID_SIZE);
	*at = nul + 1 + GP_OID_SIZE;
	return gp_oid_is_zero(&out->entry.oid) ? -1 : 1;
}

int gp_tree_malformed(const struct gp_oid *oid, struct gp_err *err)
{
	char hex[GP_OID_HEX + 1];

	return gp_fail(err, GP_EXIT_INPUT, "tree %s is malformed", gp_oid_hex(hex, oid));
}

int gp_tree_too_deep(struct gp_err *err)
{
	return gp_fail(err, GP_EXIT_INPUT, "directories are nested more than %d deep", GP_TREE_MAX_DEPTH);
}

int gp_tree_too_many(struct gp_err *err)
{
	return gp_fail(err, GP_EXIT_INPUT, "trees with more than %d entries are not compared", GP_TREE_MAX_ROWS);
}

int gp_tree_compare(const void *a, const void *b)
{
	const struct gp_tree_item *x = a, *y = b;
	size_t i = 0;

	while (x->name[i] && x->name[i] == y->name[i])
		i++;
	unsigned char c = (unsigned char)x->name[i], d = (unsigned char)y->name[i];

	if (!c && gp_entry_is_dir(&x->entry))
		c = '/';
	if (!d && gp_entry_is_dir(&y->entry))
		d = '/';
	return (c > d) - (c < d);
}

bool gp_tree_is_same(const struct gp_tree_item *a, const struct gp_tree_item *b)
{
	return a && b ? gp_oid_equal(&a->entry.oid, &b->entry.oid) && a->entry.mode == b->entry.mode : a == b;
}

struct gp_tree_item *gp_tree_look_up(const struct gp_tree *tree, const char *name, unsigned mode)
{
	const struct gp_tree_item key = {name, {.mode = mode}};

	return tree->count ? bsearch(&key, tree->item, tree->count, sizeof key, gp_tree_compare) : NULL;
}

bool gp_tree_fits(const struct gp_tree *tree, const struct gp_tree_item *item)
{
	const struct gp_tree_item *last = tree->count ? &tree->item[tree->count - 1] : NULL;

	if (!last)
		return true;
	if (gp_tree_compare(last, item) >= 0)
		return false;
	/* Between a file "a" and a directory "a" there may be "a-b", but nothing that does not begin with "a". */
	return !gp_entry_is_dir(&item->entry) || strncmp(last->name, item->name, strlen(item->name)) != 0 ||
	       !gp_tree_look_up(tree, item->name, GP_TREE_REGULAR);
}

void gp_tree_append(struct gp_tree *tree, const struct gp_tree_item *item)
{
	tree->item = gp_grow(tree->item, tree->count, sizeof *item);
	tree->item[tree->count++] = *item;
}

int gp_tree_read(struct gp_git *git, struct gp_tree *out, const struct gp_oid *oid, struct gp_err *err)
{
	struct gp_tree_item item;
	const char *at, *end;
	int found;

	*out = (struct gp_tree){0};
	if (gp_git_read_object(git, &out->object, oid, true, err))
		return -1;
	at = out->object.data;
	end = at + out->object.len;
	while ((found = gp_tree_next_item(&item, &at, end)) > 0 && gp_tree_fits(out, &item))
		gp_tree_append(out, &item);
	if (!found)
		return 0;
	gp_tree_free(out);
	return gp_tree_malformed(oid, err);
}

void gp_tree_free(struct gp_tree *tree)
{
	free(tree->item);
	gp_object_free(&tree->object);
	*tree = (struct gp_tree){0};
}

int gp_tree_read_or_empty(struct gp_git *git, struct gp_tree *out, const struct gp_oid *oid, struct gp_err *err)
{
	*out = (struct gp_tree){0};
	return gp_oid_is_zero(oid) ? 0 : gp_tree_read(git, out, oid, err);
}

bool gp_tree_next_row(const struct gp_tree_item *row[], const struct gp_tree trees[], size_t at[], size_t n)
{
	const struct gp_tree_item *least = NULL;

	for (size_t i = 0; i < n; i++) {
		row[i] = at[i] < trees[i].count ? &trees[i].item[at[i]] : NULL;
		if (row[i] && (!least || gp_tree_compare(row[i], least) < 0))
			least = row[i];
	}
	for (size_t i = 0; least && i < n; i++)
		if (row[i] && !gp_tree_compare(row[i], least))
			at[i]++;
		else
			row[i] = NULL;
	return least != NULL;
}

struct gp_oid gp_tree_oid_of(const struct gp_tree_item *item)
{
	return item ? item->entry.oid : (struct gp_oid){{0}};
}

int gp_tree_write(struct gp_git *git, struct gp_oid *out, const struct gp_tree *tree, struct gp_err *err)
{
	size_t size = 0;
	char *data, *to;

	for (size_t i = 0; i < tree->count; i++)
		size += MODE_CHARS + strlen(tree->item[i].name) + 1 + GP_OID_SIZE;
	to = data = gp_calloc(size, 1);
	for (size_t i = 0; i < tree->count; i++) {
		const struct gp_tree_item *item = &tree->item[i];
		size_t len = strlen(item->name) + 1;

		/* Not sprintf(3), which would take most of the time for a directory of thousands. */
		for (unsigned digits = item->entry.mode > 077777 ? 6 : 5; digits-- > 0;)
			*to++ = (char)('0' + (item->entry.mode >> 3 * digits & 7));
		*to++ = ' ';
		memcpy(to, item->name, len);
		memcpy(to + len, item->entry.oid.id, GP_OID_SIZE);
		to += len + GP_OID_SIZE;
	}
	int rc = gp_git_write_tree(git, out, data, (size_t)(to - data), err);

	free(data);
	return rc;
}
