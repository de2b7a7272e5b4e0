/*
 * tree-items.h - a tree as the bytes that git keeps and as a list of entries in git's order: what the modules tree*.c
 * share, and nothing else includes. Lists borrow their names.
 */
#ifndef GP_TREE_ITEMS_H
#define GP_TREE_ITEMS_H

#include <stdbool.h>

#include "git/tree.h"

/* A mode's kind is all that matters to the order. */
enum { GP_TREE_MAX_DEPTH = 100, GP_TREE_REGULAR = 0100000, GP_TREE_DIRECTORY = 0040000 };

/* How many entries are looked at: a few objects that name each other many times make a tree that has no end. */
enum { GP_TREE_MAX_ROWS = 1000000 };

/* Whether a checkout could have this name. */
bool gp_tree_is_name(const char *name);

/* Reads "<octal mode> <name>\0<id>" at *at and moves behind it. Returns 1, 0 at the end, -1 if it is malformed. */
int gp_tree_next_item(struct gp_tree_item *out, const char **at, const char *end);

/* The errors, 65. */
int gp_tree_malformed(const struct gp_oid *oid, struct gp_err *err);
int gp_tree_too_deep(struct gp_err *err);
int gp_tree_too_many(struct gp_err *err);

/* Git's order of items, for qsort(3): that of their paths, hence a directory's name ends in '/'. */
int gp_tree_compare(const void *a, const void *b);

/* Whether two items with the same name are equal; NULL: not there. */
bool gp_tree_is_same(const struct gp_tree_item *a, const struct gp_tree_item *b);

/* The id of an item; zero where it is NULL. */
struct gp_oid gp_tree_oid_of(const struct gp_tree_item *item);

/* The item of that name, as a directory or as anything else, or NULL. */
struct gp_tree_item *gp_tree_look_up(const struct gp_tree *tree, const char *name, unsigned mode);

/* Whether an item may follow the others: it is in order, and its name is not taken. */
bool gp_tree_fits(const struct gp_tree *tree, const struct gp_tree_item *item);

/* Appends an item. */
void gp_tree_append(struct gp_tree *tree, const struct gp_tree_item *item);

/* Like gp_tree_read; zero is the empty tree. */
int gp_tree_read_or_empty(struct gp_git *git, struct gp_tree *out, const struct gp_oid *oid, struct gp_err *err);

/*
 * Goes through n trees side by side: row is what each has under the next name as a directory, or as anything else
 * (NULL: nothing); at, zeroes at first, is how far they are. Returns false at the end.
 */
bool gp_tree_next_row(const struct gp_tree_item *row[], const struct gp_tree trees[], size_t at[], size_t n);

/* gp_tree_diff, looking at no more than *left entries of both sides; what it looked at is taken off. */
int gp_tree_diff_within(struct gp_git *git, const struct gp_oid *from, const struct gp_oid *to, gp_tree_diff_fn *fn,
			void *ctx, size_t *left, struct gp_err *err);

/* Writes the items as a tree. errors: 71. */
int gp_tree_write(struct gp_git *git, struct gp_oid *out, const struct gp_tree *tree, struct gp_err *err);

#endif
