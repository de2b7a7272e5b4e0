/*
 * inventory-scan.h - reading all of an environment, for inventory.c alone.
 */
#ifndef GP_INVENTORY_SCAN_H
#define GP_INVENTORY_SCAN_H

#include <stdbool.h>

#include "setter/inventory.h"

/* Items in the order of their paths. Start with {0}. */
struct gp_items {
	struct gp_item *item;
	size_t count;
};
void gp_item_free(struct gp_item *item);
void gp_items_free(struct gp_items *items);

/* Reads everything below a tree, whose path is dir. counts grows. errors: 65, 71; out may hold some items then. */
int gp_inventory_scan(struct gp_items *out, struct gp_git *git, const char *dir, const struct gp_oid *tree,
		      struct gp_counts *counts, struct gp_err *err);

/* What a symbolic link has for policies, and what comes before a trace's: neither can be a group's name. */
#define GP_LINK_POLICY "@:"
#define GP_TRACE_PREFIX "?"

bool gp_entry_is_link(const struct gp_entry *entry);

/*
 * The policies that a manifest's markers and traces name, each ended by a NUL; *len is that of all of them. Yours.
 * errors: 71.
 */
char *gp_inventory_policies(struct gp_git *git, const struct gp_oid *oid, size_t *len, struct gp_err *err);

#endif
