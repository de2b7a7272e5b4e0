#include "setter/manifests.h"

#include <stdlib.h>
#include <string.h>

#include "data/oidmap.h"
#include "git/tree.h"
#include "setter/inventory.h"
#include "setter/marker.h"
#include "setter/nearest.h"
#include "setter/trace-search.h"
#include "sys/exit.h"
#include "sys/mem.h"
#include "sys/utf8.h"

struct gp_manifests {
	struct gp_git *git;
	struct gp_inventory **inventory; /* of each environment that was asked for */
	size_t count, parsed;
	struct gp_counts counts;
	char *memo_of;          /* the setter that the memos are about */
	struct gp_oidmap memos; /* struct gp_carry *: what an environment's tree or a manifest's blob carries */
	struct gp_oidmap tags;  /* owns the strings that memos point to, by the id of the blob they come from */
};

struct gp_manifests *gp_manifests_new(struct gp_git *git)
{
	struct gp_manifests *m = gp_calloc(1, sizeof *m);

	m->git = git;
	return m;
}

static void forget_memos(struct gp_manifests *m)
{
	gp_oidmap_clear(&m->memos, free);
	gp_oidmap_clear(&m->tags, free);
	free(m->memo_of);
	m->memo_of = NULL;
}

void gp_manifests_free(struct gp_manifests *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->count; i++)
		gp_inventory_free(m->inventory[i]);
	free(m->inventory);
	forget_memos(m);
	free(m);
}

struct gp_reads gp_manifests_reads(const struct gp_manifests *m)
{
	return (struct gp_reads){m->counts.trees, m->counts.manifests, m->parsed};
}

static struct gp_inventory *inventory_of(struct gp_manifests *m, const char *dir)
{
	for (size_t i = 0; i < m->count; i++)
		if (!strcmp(gp_inventory_dir(m->inventory[i]), dir))
			return m->inventory[i];
	m->inventory = gp_grow(m->inventory, m->count, sizeof(struct gp_inventory *));
	m->inventory[m->count] = gp_inventory_new(m->git, dir);
	return m->inventory[m->count++];
}

/* The tree of <group>/<env>. Returns 1, 0 if there is none, -1. */
static int find_env(struct gp_manifests *m, struct gp_oid *out, const struct gp_oid *tree, const char *dir,
		    struct gp_err *err)
{
	struct gp_entry entry;
	int found = gp_tree_find(m->git, &entry, tree, dir, err);

	if (found < 0)
		return -1;
	if (!found || !gp_entry_is_dir(&entry))
		return gp_trace_no_directory(m->git, tree, dir, err);
	*out = entry.oid;
	return 1;
}

/* Applies the setter to one manifest, whose new text, if any, goes to *text; *len is its length. */
static int apply(struct gp_manifests *m, const struct gp_item *item, const struct gp_setter *setter, char **text,
		 size_t *len, struct gp_edits *edits, struct gp_err *err)
{
	struct gp_object blob;
	int rc;

	if (gp_git_read_object(m->git, &blob, &item->entry.oid, false, err))
		return gp_fail_in(err, "%s", item->path);
	m->counts.manifests++;
	m->parsed++;
	rc = gp_setter_apply(setter, blob.data, blob.len, text, len, edits, err);
	gp_object_free(&blob);
	return rc ? gp_fail_in(err, "%s", item->path) : 0;
}

static int change_file(struct gp_manifests *m, struct gp_change *out, const struct gp_item *item,
		       const struct gp_setter *setter, struct gp_err *err)
{
	size_t before = out->edits.count, len;
	char *text;

	if (!gp_utf8_is_text(item->path))
		return gp_fail(err, GP_EXIT_INPUT, "the name of '%s' is not UTF-8, as a document needs it", item->path);
	if (apply(m, item, setter, &text, &len, &out->edits, err))
		return -1;
	for (size_t i = before; i < out->edits.count; i++)
		out->edits.item[i].path = gp_strdup(item->path);
	if (text) {
		out->files = gp_grow(out->files, out->file_count, sizeof *out->files);
		out->files[out->file_count++] =
			(struct gp_file){gp_strdup(item->path), item->entry.mode, item->entry.oid, text, len};
	}
	return 0;
}

void gp_change_free(struct gp_change *change)
{
	gp_edits_free(&change->edits);
	for (size_t i = 0; i < change->file_count; i++) {
		free(change->files[i].path);
		free(change->files[i].text);
	}
	free(change->files);
	for (size_t i = 0; i < change->warning_count; i++)
		free(change->warnings[i]);
	free(change->warnings);
	*change = (struct gp_change){0};
}

static int no_marker(struct gp_manifests *m, const struct gp_inventory *inv, const struct gp_setter *setter,
		     struct gp_err *err)
{
	struct gp_nearest *nearest = gp_nearest_new(setter->group, setter->app);
	size_t count;
	const struct gp_item *items = gp_inventory_items(inv, &count);
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++) {
		struct gp_object blob;

		rc = gp_git_read_object(m->git, &blob, &items[i].entry.oid, false, err);
		if (!rc) {
			gp_nearest_look(nearest, items[i].path, blob.data, blob.len);
			gp_object_free(&blob);
		}
	}
	if (!rc)
		gp_nearest_fail(nearest, gp_inventory_dir(inv), err);
	gp_nearest_free(nearest);
	return -1;
}

static bool is_edited(const struct gp_edits *edits, const char *path, size_t line)
{
	for (size_t i = 0; i < edits->count; i++)
		if (edits->item[i].line == line && !strcmp(edits->item[i].path, path))
			return true;
	return false;
}

/* Notes the lines of one item that speak of the app and are not among the edits. */
static int warn_of_item(struct gp_manifests *m, struct gp_change *out, const struct gp_item *item,
			const struct gp_setter *setter, struct gp_err *err)
{
	const char *what;
	int found;

	for (size_t line = 1; out->warning_count < GP_CHANGE_WARNINGS; line++) {
		struct gp_err why = {0};

		found = gp_trace_in_item(m->git, item, setter->group, setter->app, &line, &what, err);
		if (found <= 0)
			return found;
		if (is_edited(&out->edits, item->path, line))
			continue;
		gp_trace_fail(item->path, line, what, setter->group, setter->app, &why);
		out->warnings = gp_grow(out->warnings, out->warning_count, sizeof *out->warnings);
		out->warnings[out->warning_count++] = gp_strdup(why.message);
	}
	return 0;
}

/* How many of an item's markers name the app's image or tag. */
static size_t count_markers(const struct gp_item *item, const struct gp_setter *setter)
{
	size_t n = 0;

	for (const char *p = item->policies; p < item->policies + item->len; p += strlen(p) + 1) {
		enum gp_marker_kind kind = gp_marker_kind(p, setter->group, setter->app);

		n += kind == GP_MARKER_IMAGE || kind == GP_MARKER_TAG;
	}
	return n;
}

/* The edits in one file. */
static size_t count_edits(const struct gp_edits *edits, const char *path)
{
	size_t n = 0;

	for (size_t i = 0; i < edits->count; i++)
		n += !strcmp(edits->item[i].path, path);
	return n;
}

/* Of an environment where some markers are read: the lines that only look like one. */
static int warn_of_traces(struct gp_manifests *m, struct gp_change *out, struct gp_inventory *inv,
			  const struct gp_setter *setter, struct gp_err *err)
{
	size_t marked_count, traced_count;
	const struct gp_item **marked = gp_inventory_find(inv, setter->group, setter->app, &marked_count);
	const struct gp_item **traced = gp_inventory_traces(inv, setter->group, setter->app, &traced_count);
	int rc = 0;

	for (size_t i = 0; i < traced_count && !rc; i++)
		rc = warn_of_item(m, out, traced[i], setter, err);
	for (size_t i = 0; i < marked_count && !rc; i++) {
		bool is_done = false;

		for (size_t j = 0; j < traced_count; j++)
			is_done |= traced[j] == marked[i];
		if (!is_done && count_markers(marked[i], setter) > count_edits(&out->edits, marked[i]->path))
			rc = warn_of_item(m, out, marked[i], setter, err);
	}
	free(marked);
	free(traced);
	return rc;
}

int gp_manifests_change(struct gp_manifests *m, struct gp_change *out, const struct gp_oid *tree, const char *env,
			const struct gp_setter *setter, struct gp_err *err)
{
	char *dir = gp_asprintf("%s/%s", setter->group, env);
	struct gp_inventory *inv = inventory_of(m, dir);
	const struct gp_item **items = NULL;
	struct gp_oid env_tree;
	size_t count = 0;
	int found = find_env(m, &env_tree, tree, dir, err), rc = -1;

	*out = (struct gp_change){0};
	if (found == 0)
		gp_fail(err, GP_EXIT_INPUT, "no directory '%s' in the repository", dir);
	else if (found > 0)
		rc = gp_inventory_take(inv, &env_tree, &m->counts, err);
	if (!rc)
		items = gp_inventory_find(inv, setter->group, setter->app, &count);
	for (size_t i = 0; i < count && !rc; i++)
		rc = change_file(m, out, items[i], setter, err);
	if (!rc && !out->edits.count && !(rc = gp_trace_search(m->git, inv, tree, setter->group, setter->app, err)))
		rc = no_marker(m, inv, setter, err);
	if (!rc)
		rc = warn_of_traces(m, out, inv, setter, err);
	if (rc)
		gp_change_free(out);
	free(items);
	free(dir);
	return rc;
}

int gp_manifests_write(struct gp_manifests *m, struct gp_oid *out, const struct gp_oid *tree,
		       const struct gp_change *change, struct gp_err *err)
{
	struct gp_tree_change *changes = gp_calloc(change->file_count, sizeof *changes);
	int rc = 0;

	for (size_t i = 0; i < change->file_count && !rc; i++) {
		const struct gp_file *f = &change->files[i];

		changes[i].path = f->path;
		changes[i].mode = f->mode;
		rc = gp_git_write_blob(m->git, &changes[i].oid, f->text, f->len, err);
	}
	if (!rc)
		rc = gp_tree_update(m->git, out, tree, changes, change->file_count, err);
	free(changes);
	return rc;
}

static int carry_blob(struct gp_manifests *m, struct gp_carry *out, const struct gp_item *item,
		      const struct gp_setter *setter, struct gp_err *err)
{
	struct gp_edits edits = {0};
	size_t len;
	char *text;

	if (apply(m, item, setter, &text, &len, &edits, err))
		return -1;
	*out = (struct gp_carry){.markers = edits.count, .at_tag = edits.count - edits.changed};
	for (size_t i = 0; i < edits.count && !out->tag; i++)
		if (edits.item[i].changed) {
			char *tag = gp_strdup(edits.item[i].tag ? edits.item[i].tag : "");

			gp_oidmap_set(&m->tags, &item->entry.oid, tag);
			out->tag = tag;
		}
	gp_edits_free(&edits);
	free(text);
	return 0;
}

static void remember(struct gp_manifests *m, const struct gp_oid *oid, const struct gp_carry *carry)
{
	struct gp_carry *memo = gp_calloc(1, sizeof *memo);

	*memo = *carry;
	gp_oidmap_set(&m->memos, oid, memo);
}

/* Adds up what an environment's manifests carry. */
static int carry_all(struct gp_manifests *m, struct gp_carry *out, struct gp_inventory *inv,
		     const struct gp_setter *setter, struct gp_err *err)
{
	size_t count;
	const struct gp_item **items = gp_inventory_find(inv, setter->group, setter->app, &count);
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++) {
		const struct gp_carry *memo = gp_oidmap_get(&m->memos, &items[i]->entry.oid);
		struct gp_carry carry;

		if (memo) {
			carry = *memo;
		} else {
			rc = carry_blob(m, &carry, items[i], setter, err);
			if (!rc)
				remember(m, &items[i]->entry.oid, &carry);
		}
		if (!rc) {
			out->markers += carry.markers;
			out->at_tag += carry.at_tag;
			out->tag = out->tag ? out->tag : carry.tag;
		}
	}
	free(items);
	return rc;
}

int gp_manifests_carry(struct gp_manifests *m, struct gp_carry *out, const struct gp_oid *tree, const char *env,
		       const struct gp_setter *setter, struct gp_err *err)
{
	char *of = gp_asprintf("%s:%s:%s", setter->group, setter->app, setter->tag), *dir;
	const struct gp_carry *memo;
	struct gp_oid env_tree;
	int found, rc = 0;

	*out = (struct gp_carry){0};
	if (!m->memo_of || strcmp(m->memo_of, of)) {
		forget_memos(m);
		m->memo_of = of;
	} else {
		free(of);
	}
	dir = gp_asprintf("%s/%s", setter->group, env);
	found = find_env(m, &env_tree, tree, dir, err);
	memo = found > 0 ? gp_oidmap_get(&m->memos, &env_tree) : NULL;
	if (memo) {
		*out = *memo;
	} else if (found > 0) {
		struct gp_inventory *inv = inventory_of(m, dir);

		rc = gp_inventory_take(inv, &env_tree, &m->counts, err);
		if (!rc)
			rc = carry_all(m, out, inv, setter, err);
		/* Without a marker, but not without a word of the app: it must not be passed over. */
		if (!rc && !out->markers)
			rc = gp_trace_search(m->git, inv, tree, setter->group, setter->app, err);
		if (!rc)
			remember(m, &env_tree, out);
	}
	free(dir);
	return found < 0 ? -1 : rc;
}

bool gp_carry_is_at(const struct gp_carry *carry)
{
	return carry->markers && carry->at_tag == carry->markers;
}

int gp_manifests_apps(struct gp_manifests *m, const struct gp_oid *tree, const char *group, const char *env,
		      gp_app_fn *fn, void *ctx, struct gp_err *err)
{
	char *dir = gp_asprintf("%s/%s", group, env);
	struct gp_inventory *inv = inventory_of(m, dir);
	const struct gp_item *items;
	struct gp_oid env_tree;
	size_t count = 0, group_len = strlen(group);
	int rc = find_env(m, &env_tree, tree, dir, err);

	free(dir);
	if (rc <= 0)
		return rc;
	rc = gp_inventory_take(inv, &env_tree, &m->counts, err);
	items = rc ? NULL : gp_inventory_items(inv, &count);
	for (size_t i = 0; i < count && !rc; i++)
		for (const char *p = items[i].policies; p < items[i].policies + items[i].len && !rc;
		     p += strlen(p) + 1) {
			const char *name = p + group_len + 1;

			if (strncmp(p, group, group_len) != 0 || p[group_len] != ':')
				continue;
			size_t len = strcspn(name, ":");
			enum gp_marker_kind kind = gp_marker_suffix(name + len);

			if (kind != GP_MARKER_IMAGE && kind != GP_MARKER_TAG)
				continue;
			char *app = gp_memdup0(name, len);

			rc = fn(ctx, app);
			free(app);
		}
	return rc;
}

int gp_manifests_tag(struct gp_manifests *m, char **tag, const struct gp_oid *tree, const char *env,
		     const struct gp_setter *setter, struct gp_err *err)
{
	const struct gp_setter any = {setter->group, setter->app, NULL};
	char *dir = gp_asprintf("%s/%s", setter->group, env);
	struct gp_inventory *inv = inventory_of(m, dir);
	const struct gp_item **items = NULL;
	struct gp_edits edits = {0};
	struct gp_oid env_tree;
	size_t count = 0;
	int found = find_env(m, &env_tree, tree, dir, err), rc = found < 0 ? -1 : 0;

	*tag = NULL;
	if (found > 0 && !(rc = gp_inventory_take(inv, &env_tree, &m->counts, err)))
		items = gp_inventory_find(inv, setter->group, setter->app, &count);
	for (size_t i = 0; i < count && !rc; i++) {
		char *text = NULL;
		size_t len;

		rc = apply(m, items[i], &any, &text, &len, &edits, err);
		free(text);
	}
	bool same = !rc && edits.count && edits.item[0].tag;

	for (size_t i = 1; i < edits.count && same; i++)
		same = edits.item[i].tag && !strcmp(edits.item[i].tag, edits.item[0].tag);
	if (same)
		*tag = gp_strdup(edits.item[0].tag);
	gp_edits_free(&edits);
	free(items);
	free(dir);
	return rc;
}
