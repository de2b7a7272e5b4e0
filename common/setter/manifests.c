#include "setter/manifests.h"

#include <stdlib.h>
#include <string.h>

#include "git/tree.h"
#include "setter/inventory.h"
#include "setter/manifests-env.h"
#include "setter/marker.h"
#include "setter/nearest.h"
#include "setter/trace-search.h"
#include "sys/exit.h"
#include "sys/mem.h"
#include "sys/utf8.h"

struct gp_manifests *gp_manifests_new(struct gp_git *git)
{
	struct gp_manifests *m = gp_calloc(1, sizeof *m);

	m->git = git;
	return m;
}

void gp_manifests_forget(struct gp_manifests *m)
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
	gp_manifests_forget(m);
	free(m);
}

struct gp_reads gp_manifests_reads(const struct gp_manifests *m)
{
	return (struct gp_reads){m->counts.trees, m->counts.manifests, m->parsed};
}

struct gp_inventory *gp_manifests_inventory(struct gp_manifests *m, const char *dir)
{
	for (size_t i = 0; i < m->count; i++)
		if (!strcmp(gp_inventory_dir(m->inventory[i]), dir))
			return m->inventory[i];
	m->inventory = gp_grow(m->inventory, m->count, sizeof(struct gp_inventory *));
	m->inventory[m->count] = gp_inventory_new(m->git, dir);
	return m->inventory[m->count++];
}

int gp_manifests_env(struct gp_manifests *m, struct gp_oid *out, const struct gp_oid *tree, const char *dir,
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

int gp_manifests_apply(struct gp_manifests *m, const struct gp_item *item, const struct gp_setter *setter, char **text,
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
	if (gp_manifests_apply(m, item, setter, &text, &len, &out->edits, err))
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
	struct gp_inventory *inv = gp_manifests_inventory(m, dir);
	const struct gp_item **items = NULL;
	struct gp_oid env_tree;
	size_t count = 0;
	int found = gp_manifests_env(m, &env_tree, tree, dir, err), rc = -1;

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
