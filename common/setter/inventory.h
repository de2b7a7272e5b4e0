/*
 * inventory.h - which manifests of one environment carry markers, and of which apps. Reads each of a tree's objects
 * once, on several processors, and keeps only names; of another tree of the same environment only what differs is
 * read. For manifests.c.
 */
#ifndef GP_INVENTORY_H
#define GP_INVENTORY_H

#include "git/objects.h"
#include "sys/err.h"

/* A manifest with at least one marker or trace (trace.h), or a symbolic link. */
struct gp_item {
	char *path; /* from the root of the repository */
	struct gp_entry entry;
	char *policies; /* what its markers name, such as "apps:web:tag", each ended by a NUL; and what its traces do */
	size_t len;     /* of all of them */
};

/* How much was read: what a promotion costs. */
struct gp_counts {
	size_t trees, manifests;
};

struct gp_inventory;

/* dir is the environment's directory, "<group>/<env>". git is borrowed. Yours. */
struct gp_inventory *gp_inventory_new(struct gp_git *git, const char *dir);
void gp_inventory_free(struct gp_inventory *inv);
const char *gp_inventory_dir(const struct gp_inventory *inv);

/* Whether a file of this name is a manifest: *.yaml, *.yml, Kustomization. */
bool gp_inventory_is_manifest(const char *name);

/*
 * Takes stock of the environment's tree, and adds to counts what that cost. errors: 65 where directories are nested
 * too deeply (100) or there are too many entries (500000), 71. After an error it is as if it were new.
 */
int gp_inventory_take(struct gp_inventory *inv, const struct gp_oid *tree, struct gp_counts *counts,
		      struct gp_err *err);

/* All items, in the order of their paths: borrowed until stock is taken again. */
const struct gp_item *gp_inventory_items(const struct gp_inventory *inv, size_t *count);

/* The items with a marker of the app, of any kind, in the order of their paths. The array is yours. */
const struct gp_item **gp_inventory_find(struct gp_inventory *inv, const char *group, const char *app, size_t *count);

/* The same: those with a line that speaks of the app and is no marker; and all symbolic links. */
const struct gp_item **gp_inventory_traces(struct gp_inventory *inv, const char *group, const char *app, size_t *count);
const struct gp_item **gp_inventory_links(struct gp_inventory *inv, size_t *count);

#endif
