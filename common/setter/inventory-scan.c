#include "setter/inventory-scan.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "git/tree.h"
#include "setter/setter.h"
#include "setter/trace.h"
#include "sys/exit.h"
#include "sys/mem.h"
#include "sys/split.h"

enum {
	MAX_DEPTH = 100,
	MAX_ENTRIES = 500000, /* a few objects that name each other often can make an environment endless */
	ENOUGH_UNITS = 256,   /* directories and files to share out evenly, if there are so many */
	LEAST_UNITS = 128     /* below this, another process costs more than it saves */
};

bool gp_inventory_is_manifest(const char *name)
{
	size_t n = strlen(name);

	return (n > 5 && !strcmp(name + n - 5, ".yaml")) || (n > 4 && !strcmp(name + n - 4, ".yml")) ||
	       !strcmp(name, "Kustomization");
}

/* A directory or manifest that has not been read yet. */
struct unit {
	char *path;
	struct gp_entry entry;
	unsigned depth;
};

struct units {
	struct unit *item;
	size_t count;
};

static void units_free(struct units *units)
{
	for (size_t i = 0; i < units->count; i++)
		free(units->item[i].path);
	free(units->item);
}

/* What a part of the scan reports of a manifest with markers; its path and policies follow. */
struct record {
	struct gp_entry entry;
	size_t path_len, policies_len;
};

struct scan {
	struct gp_git *git;
	const struct units *units;
	struct gp_counts counts;
	size_t entries; /* that were looked at, of all kinds */
};

static int note_policy(void *ctx, size_t line, const char *policy)
{
	(void)line;
	fwrite(policy, 1, strlen(policy) + 1, ctx);
	return 0;
}

static int note_trace(void *ctx, const char *group, size_t group_len, const char *app, size_t app_len)
{
	FILE *f = ctx;

	fputs(GP_TRACE_PREFIX, f);
	fwrite(group, 1, group_len, f);
	fputc(':', f);
	fwrite(app, 1, app_len, f);
	fputc('\0', f);
	return 0;
}

bool gp_entry_is_link(const struct gp_entry *entry)
{
	return entry->mode == 0120000;
}

char *gp_inventory_policies(struct gp_git *git, const struct gp_oid *oid, size_t *len, struct gp_err *err)
{
	struct gp_object object;
	char *out = NULL;
	FILE *f;

	*len = 0;
	if (gp_git_read_object(git, &object, oid, false, err))
		return NULL;
	if (gp_setter_may_match(object.data, object.len, NULL)) {
		f = gp_open_text(&out, len);
		gp_setter_each_marker(object.data, object.len, note_policy, f);
		gp_trace_each(object.data, object.len, note_trace, f);
		gp_close_text(f, &out);
	} else {
		out = gp_calloc(1, 1);
	}
	gp_object_free(&object);
	return out;
}

static int scan_manifest(struct scan *s, const char *dir, const char *name, const struct gp_entry *entry, FILE *out,
			 struct gp_err *err)
{
	size_t dir_len = strlen(dir), name_len = strlen(name);
	struct record record = {*entry, dir_len + 1 + name_len, 0};
	bool is_link = gp_entry_is_link(entry);
	char *policies = is_link ? gp_strdup(GP_LINK_POLICY)
				 : gp_inventory_policies(s->git, &entry->oid, &record.policies_len, err);

	if (!policies)
		return gp_fail_in(err, "%s/%s", dir, name);
	if (is_link)
		record.policies_len = sizeof GP_LINK_POLICY;
	else
		s->counts.manifests++;
	if (record.policies_len) {
		fwrite(&record, sizeof record, 1, out);
		fprintf(out, "%s/%s", dir, name);
		fwrite(policies, 1, record.policies_len, out);
	}
	free(policies);
	return 0;
}

static int read_dir(struct gp_git *git, struct gp_tree *out, const struct gp_oid *oid, const char *dir, unsigned depth,
		    size_t *entries, struct gp_err *err)
{
	if (depth > MAX_DEPTH)
		return gp_fail(err, GP_EXIT_INPUT, "'%s' is nested too deeply", dir);
	if (gp_tree_read(git, out, oid, err))
		return gp_fail_in(err, "%s", dir);
	*entries += out->count;
	if (*entries <= MAX_ENTRIES)
		return 0;
	gp_tree_free(out);
	return gp_fail(err, GP_EXIT_INPUT, "'%s' and what is beside it are more than %d entries", dir, MAX_ENTRIES);
}

static bool is_to_be_read(const char *name, const struct gp_entry *entry)
{
	return gp_entry_is_dir(entry) || gp_entry_is_link(entry) ||
	       (gp_entry_is_file(entry) && gp_inventory_is_manifest(name));
}

static int scan_dir(struct scan *s, const char *dir, const struct gp_oid *oid, unsigned depth, FILE *out,
		    struct gp_err *err) /* NOLINT(misc-no-recursion) */
{
	struct gp_tree tree;
	int rc = 0;

	if (read_dir(s->git, &tree, oid, dir, depth, &s->entries, err))
		return -1;
	s->counts.trees++;
	for (size_t i = 0; i < tree.count && !rc; i++) {
		const struct gp_tree_item *item = &tree.item[i];

		if (!is_to_be_read(item->name, &item->entry))
			continue;
		if (gp_entry_is_dir(&item->entry)) {
			char *path = gp_asprintf("%s/%s", dir, item->name);

			rc = scan_dir(s, path, &item->entry.oid, depth + 1, out, err);
			free(path);
		} else {
			rc = scan_manifest(s, dir, item->name, &item->entry, out, err);
		}
	}
	gp_tree_free(&tree);
	return rc;
}

static int scan_units(void *ctx, size_t from, size_t to, FILE *out, struct gp_err *err)
{
	struct scan s = *(struct scan *)ctx;
	int rc = 0;

	for (size_t i = from; i < to && !rc; i++) {
		struct unit *u = &s.units->item[i];
		char *name = strrchr(u->path, '/');

		if (gp_entry_is_dir(&u->entry)) {
			rc = scan_dir(&s, u->path, &u->entry.oid, u->depth, out, err);
			continue;
		}
		*name = '\0';
		rc = scan_manifest(&s, u->path, name + 1, &u->entry, out, err);
		*name = '/';
	}
	/* The counts come last, as a record without a path. */
	const struct record counts = {.path_len = 0, .policies_len = sizeof s.counts};

	fwrite(&counts, sizeof counts, 1, out);
	fwrite(&s.counts, sizeof s.counts, 1, out);
	return rc;
}

/* Replaces each directory by its entries. Returns 1 if there were any directories, 0, -1. */
static int descend(struct scan *s, struct units *units, struct gp_err *err)
{
	struct units below = {0};
	int rc = 0;

	for (size_t i = 0; i < units->count && rc >= 0; i++) {
		const struct unit *u = &units->item[i];
		struct gp_tree tree = {0};

		if (!gp_entry_is_dir(&u->entry)) {
			below.item = gp_grow(below.item, below.count, sizeof *below.item);
			below.item[below.count++] = (struct unit){gp_strdup(u->path), u->entry, u->depth};
			continue;
		}
		rc = read_dir(s->git, &tree, &u->entry.oid, u->path, u->depth, &s->entries, err) ? -1 : 1;
		s->counts.trees++;
		for (size_t j = 0; j < tree.count; j++) {
			const struct gp_tree_item *item = &tree.item[j];

			if (!is_to_be_read(item->name, &item->entry))
				continue;
			below.item = gp_grow(below.item, below.count, sizeof *below.item);
			below.item[below.count++] =
				(struct unit){gp_asprintf("%s/%s", u->path, item->name), item->entry, u->depth + 1};
		}
		gp_tree_free(&tree);
	}
	units_free(units);
	*units = below;
	return rc;
}

static const char *read_record(struct gp_items *items, const char *at, struct gp_counts *counts)
{
	struct record record;
	struct gp_counts more;

	memcpy(&record, at, sizeof record);
	at += sizeof record;
	if (!record.path_len) {
		memcpy(&more, at, sizeof more);
		counts->trees += more.trees;
		counts->manifests += more.manifests;
	} else {
		items->item = gp_grow(items->item, items->count, sizeof *items->item);
		items->item[items->count++] =
			(struct gp_item){gp_memdup0(at, record.path_len), record.entry,
					 gp_memdup0(at + record.path_len, record.policies_len), record.policies_len};
	}
	return at + record.path_len + record.policies_len;
}

/* In a partial clone: fetches all manifests at once instead of one by one. */
static int bring_all(struct scan *s, struct units *units, struct gp_err *err)
{
	struct gp_oid *oids;
	int rc;

	do
		rc = descend(s, units, err);
	while (rc > 0);
	if (rc)
		return -1;
	oids = gp_calloc(units->count, sizeof *oids);
	for (size_t i = 0; i < units->count; i++)
		oids[i] = units->item[i].entry.oid;
	rc = gp_git_need_blobs(s->git, oids, units->count, err);
	free(oids);
	return rc;
}

int gp_inventory_scan(struct gp_items *out, struct gp_git *git, const char *dir, const struct gp_oid *tree,
		      struct gp_counts *counts, struct gp_err *err)
{
	struct units units = {0};
	struct scan scan = {.git = git, .units = &units};
	char *records = NULL;
	size_t len = 0;
	int rc;

	units.item = gp_grow(NULL, 0, sizeof *units.item);
	units.item[units.count++] = (struct unit){gp_strdup(dir), {*tree, 040000}, 0};
	if (gp_git_is_partial(git)) {
		rc = bring_all(&scan, &units, err);
	} else {
		do
			rc = descend(&scan, &units, err);
		while (rc > 0 && units.count < ENOUGH_UNITS);
	}
	counts->trees += scan.counts.trees;
	scan.counts = (struct gp_counts){0};
	if (rc >= 0)
		rc = gp_split(&records, &len, units.count, LEAST_UNITS, scan_units, &scan, err);
	for (const char *at = records; !rc && at < records + len;)
		at = read_record(out, at, counts);
	free(records);
	units_free(&units);
	return rc;
}

void gp_item_free(struct gp_item *item)
{
	free(item->path);
	free(item->policies);
}

void gp_items_free(struct gp_items *items)
{
	for (size_t i = 0; i < items->count; i++)
		gp_item_free(&items->item[i]);
	free(items->item);
	*items = (struct gp_items){0};
}
