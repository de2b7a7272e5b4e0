#include "setter/inventory-scan.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "git/tree.h"
#include "setter/marker.h"
#include "sys/mem.h"

/* Where an app's marker is: links of one chain for each hash, in the items' order. */
struct link {
	size_t item, next; /* next: 1 + its index; 0: the last */
	size_t key_len;    /* of the policy: "group:app" */
	const char *policy;
};

struct gp_inventory {
	struct gp_git *git;
	char *dir;
	struct gp_oid tree; /* that stock was taken of */
	bool taken;
	struct gp_items items;
	struct link *link;
	size_t link_count, *heads, capacity; /* heads: 1 + the index of the first link; built when first asked for */
};

struct gp_inventory *gp_inventory_new(struct gp_git *git, const char *dir)
{
	struct gp_inventory *inv = gp_calloc(1, sizeof *inv);

	inv->git = git;
	inv->dir = gp_strdup(dir);
	return inv;
}

static void forget_links(struct gp_inventory *inv)
{
	free(inv->link);
	free(inv->heads);
	inv->link = NULL;
	inv->heads = NULL;
	inv->link_count = inv->capacity = 0;
}

static void forget(struct gp_inventory *inv)
{
	gp_items_free(&inv->items);
	inv->taken = false;
	forget_links(inv);
}

void gp_inventory_free(struct gp_inventory *inv)
{
	if (!inv)
		return;
	forget(inv);
	free(inv->dir);
	free(inv);
}

const char *gp_inventory_dir(const struct gp_inventory *inv)
{
	return inv->dir;
}

/* The manifests that differ, by path; one without policies is removed. */
struct changes {
	struct gp_inventory *inv;
	struct gp_items to;
};

static int note_change(void *ctx, const char *path, const struct gp_entry *from, const struct gp_entry *to,
		       struct gp_err *err)
{
	struct changes *c = ctx;
	const char *slash = strrchr(path, '/');
	struct gp_item *item;

	(void)err;
	if (!gp_inventory_is_manifest(slash ? slash + 1 : path) && !(from && gp_entry_is_link(from)) &&
	    !(to && gp_entry_is_link(to)))
		return 0;
	c->to.item = gp_grow(c->to.item, c->to.count, sizeof *c->to.item);
	item = &c->to.item[c->to.count++];
	*item = (struct gp_item){.path = gp_asprintf("%s/%s", c->inv->dir, path)};
	if (to &&
	    (gp_entry_is_link(to) || (gp_entry_is_file(to) && gp_inventory_is_manifest(slash ? slash + 1 : path))))
		item->entry = *to;
	return 0;
}

static int read_changes(struct changes *c, struct gp_counts *counts, struct gp_err *err)
{
	struct gp_oid *oids = gp_calloc(c->to.count, sizeof *oids);
	size_t n = 0;
	int rc;

	for (size_t i = 0; i < c->to.count; i++)
		if (c->to.item[i].entry.mode)
			oids[n++] = c->to.item[i].entry.oid;
	rc = gp_git_need_blobs(c->inv->git, oids, n, err);
	free(oids);
	for (size_t i = 0; i < c->to.count && !rc; i++) {
		struct gp_item *item = &c->to.item[i];

		if (!item->entry.mode)
			continue;
		if (gp_entry_is_link(&item->entry)) {
			item->policies = gp_strdup(GP_LINK_POLICY);
			item->len = sizeof GP_LINK_POLICY;
			continue;
		}
		item->policies = gp_inventory_policies(c->inv->git, &item->entry.oid, &item->len, err);
		counts->manifests++;
		if (!item->policies)
			rc = gp_fail_in(err, "%s", item->path);
	}
	return rc;
}

/* Merges the changes into the items: both are in the order of their paths. */
static void apply_changes(struct gp_inventory *inv, struct changes *c)
{
	struct gp_item *merged = gp_calloc(inv->items.count + c->to.count, sizeof *merged);
	size_t n = 0, i = 0;

	for (size_t j = 0; j < c->to.count; j++) {
		struct gp_item *change = &c->to.item[j];
		int order = -1;

		while (i < inv->items.count && (order = strcmp(inv->items.item[i].path, change->path)) < 0)
			merged[n++] = inv->items.item[i++];
		if (i < inv->items.count && order == 0)
			gp_item_free(&inv->items.item[i++]);
		if (change->len)
			merged[n++] = *change;
		else
			gp_item_free(change);
	}
	while (i < inv->items.count)
		merged[n++] = inv->items.item[i++];
	free(inv->items.item);
	inv->items = (struct gp_items){merged, n};
	c->to.count = 0;
	forget_links(inv);
}

static int update(struct gp_inventory *inv, const struct gp_oid *tree, struct gp_counts *counts, struct gp_err *err)
{
	struct changes changes = {.inv = inv};
	int rc = gp_tree_diff(inv->git, &inv->tree, tree, note_change, &changes, err);

	if (!rc)
		rc = read_changes(&changes, counts, err);
	if (!rc)
		apply_changes(inv, &changes);
	gp_items_free(&changes.to);
	return rc;
}

int gp_inventory_take(struct gp_inventory *inv, const struct gp_oid *tree, struct gp_counts *counts, struct gp_err *err)
{
	int rc;

	if (inv->taken && gp_oid_equal(&inv->tree, tree))
		return 0;
	rc = inv->taken ? update(inv, tree, counts, err)
			: gp_inventory_scan(&inv->items, inv->git, inv->dir, tree, counts, err);
	inv->tree = *tree;
	inv->taken = true;
	if (rc)
		forget(inv);
	return rc;
}

const struct gp_item *gp_inventory_items(const struct gp_inventory *inv, size_t *count)
{
	*count = inv->items.count;
	return inv->items.item;
}

/* FNV-1a (https://datatracker.ietf.org/doc/html/draft-eastlake-fnv). */
static size_t hash(const char *key, size_t len)
{
	uint64_t h = 14695981039346656037U;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)key[i]) * 1099511628211U;
	return (size_t)(h ^ h >> 32);
}

/* "group:app" of "group:app:tag". */
static size_t key_length(const char *policy)
{
	size_t group = strcspn(policy, ":");

	return policy[group] ? group + 1 + strcspn(policy + group + 1, ":") : group;
}

static void build_links(struct gp_inventory *inv)
{
	for (size_t i = 0; i < inv->items.count; i++) {
		const char *p = inv->items.item[i].policies, *end = p + inv->items.item[i].len;

		for (; p < end; p += strlen(p) + 1) {
			inv->link = gp_grow(inv->link, inv->link_count, sizeof *inv->link);
			inv->link[inv->link_count++] = (struct link){i, 0, key_length(p), p};
		}
	}
	for (inv->capacity = 16; inv->capacity < inv->link_count * 2;)
		inv->capacity *= 2;
	inv->heads = gp_calloc(inv->capacity, sizeof *inv->heads);
	for (size_t i = inv->link_count; i-- > 0;) {
		struct link *link = &inv->link[i];
		size_t *head = &inv->heads[hash(link->policy, link->key_len) & (inv->capacity - 1)];

		link->next = *head;
		*head = i + 1;
	}
}

const struct gp_item **gp_inventory_find(struct gp_inventory *inv, const char *group, const char *app, size_t *count)
{
	char *key = gp_asprintf("%s:%s", group, app);
	const struct gp_item **found = NULL;

	*count = 0;
	if (!inv->heads)
		build_links(inv);
	for (size_t at = inv->heads[hash(key, strlen(key)) & (inv->capacity - 1)]; at; at = inv->link[at - 1].next) {
		const struct link *link = &inv->link[at - 1];
		const struct gp_item *item = &inv->items.item[link->item];

		if (gp_marker_kind(link->policy, group, app) == GP_MARKER_NONE || (*count && found[*count - 1] == item))
			continue;
		found = gp_grow(found, *count, sizeof *found);
		found[(*count)++] = item;
	}
	free(key);
	return found;
}

const struct gp_item **gp_inventory_traces(struct gp_inventory *inv, const char *group, const char *app, size_t *count)
{
	char *name = gp_asprintf(GP_TRACE_PREFIX "%s", group);
	const struct gp_item **found = gp_inventory_find(inv, name, app, count);

	free(name);
	return found;
}

const struct gp_item **gp_inventory_links(struct gp_inventory *inv, size_t *count)
{
	return gp_inventory_find(inv, "@", "", count);
}
