#include "manifests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exit.h"
#include "mem.h"
#include "nearest.h"
#include "oidmap.h"

enum { MAX_CACHED = 40 << 20, MAX_DEPTH = 100 };

/* A blob that may hold markers; others are remembered as the one `without`. */
struct blob {
	size_t len;
	char text[];
};

struct gp_manifests {
	struct gp_git *git;
	struct gp_oidmap blobs; /* struct blob * */
	size_t cached;
	struct blob *without, *loose; /* loose: one that no longer fits the cache */
	struct gp_oidmap memos;       /* struct gp_carry *: what a tree or blob carries, for this setter: */
	char *memo_of;
	struct gp_oidmap tags; /* keeps the strings that memos point to: by the id of the blob they come from */
};

struct gp_manifests *gp_manifests_new(struct gp_git *git)
{
	struct gp_manifests *m = gp_calloc(1, sizeof *m);

	m->git = git;
	m->without = gp_calloc(1, sizeof *m->without);
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
	for (size_t i = 0; i < m->blobs.capacity; i++)
		if (m->blobs.slots[i].value != m->without)
			free(m->blobs.slots[i].value);
	gp_oidmap_clear(&m->blobs, NULL);
	forget_memos(m);
	free(m->without);
	free(m->loose);
	free(m);
}

bool gp_manifests_is_name(const char *name)
{
	size_t n = strlen(name);

	return (n > 5 && !strcmp(name + n - 5, ".yaml")) || (n > 4 && !strcmp(name + n - 4, ".yml")) ||
	       !strcmp(name, "Kustomization");
}

/* The text of a blob that may hold markers; one without any has length 0. Borrowed until the next call. */
static const struct blob *read_blob(struct gp_manifests *m, const struct gp_oid *oid, struct gp_err *err)
{
	struct blob *blob = gp_oidmap_get(&m->blobs, oid);
	size_t len;
	char *text;

	if (blob)
		return blob;
	text = gp_git_read_blob(m->git, &len, oid, err);
	if (!text)
		return NULL;
	if (!gp_setter_may_match(text, len)) {
		free(text);
		gp_oidmap_set(&m->blobs, oid, m->without);
		return m->without;
	}
	blob = gp_calloc(1, sizeof *blob + len + 1);
	blob->len = len;
	memcpy(blob->text, text, len);
	free(text);
	if (m->cached + len > MAX_CACHED) {
		free(m->loose);
		m->loose = blob;
	} else {
		m->cached += len;
		gp_oidmap_set(&m->blobs, oid, blob);
	}
	return blob;
}

/* The walk below <group>/<env>: calls one for each manifest. */
typedef int manifest_fn(void *ctx, const char *path, const struct gp_entry *entry, struct gp_err *err);
struct walk {
	struct gp_manifests *m;
	manifest_fn *fn;
	void *ctx;
	const char *path; /* of the directory */
	unsigned depth;
};

static int walk_entry(void *ctx, const char *name, const struct gp_entry *entry,
		      struct gp_err *err) /* NOLINT(misc-no-recursion) */
{
	struct walk *w = ctx;
	int rc = 0;

	if (gp_entry_is_dir(entry)) {
		char *path = gp_asprintf("%s/%s", w->path, name);
		struct walk below = {w->m, w->fn, w->ctx, path, w->depth + 1};

		rc = below.depth > MAX_DEPTH ? gp_fail(err, GP_EXIT_INPUT, "'%s' is nested too deeply", path)
					     : gp_git_each_entry(w->m->git, &entry->oid, walk_entry, &below, err);
		free(path);
	} else if (gp_entry_is_file(entry) && gp_manifests_is_name(name)) {
		char *path = gp_asprintf("%s/%s", w->path, name);

		rc = w->fn(w->ctx, path, entry, err);
		free(path);
	}
	return rc;
}

/* The ids of an environment's manifests that are not known yet. */
struct listing {
	struct gp_manifests *m;
	struct gp_oid *oids;
	size_t count;
};

static int list_file(void *ctx, const char *path, const struct gp_entry *entry, struct gp_err *err)
{
	struct listing *l = ctx;

	(void)path;
	(void)err;
	if (!gp_oidmap_get(&l->m->blobs, &entry->oid)) {
		l->oids = gp_grow(l->oids, l->count, sizeof *l->oids);
		l->oids[l->count++] = entry->oid;
	}
	return 0;
}

/* In a partial clone: brings all of an environment's manifests at once, instead of one by one as they are read. */
static int bring_blobs(struct gp_manifests *m, const struct gp_oid *env_tree, const char *dir, struct gp_err *err)
{
	struct listing listing = {m, NULL, 0};
	struct walk walk = {m, list_file, &listing, dir, 0};
	int rc = gp_git_each_entry(m->git, env_tree, walk_entry, &walk, err);

	if (!rc)
		rc = gp_git_need_blobs(m->git, listing.oids, listing.count, err);
	free(listing.oids);
	return rc;
}

/* The tree of <group>/<env>. Returns 1, 0 where there is none, -1. */
static int find_env(struct gp_manifests *m, struct gp_entry *out, const struct gp_oid *tree, const char *path,
		    struct gp_err *err)
{
	int found = gp_git_find_entry(m->git, out, tree, path, err);

	return found > 0 && !gp_entry_is_dir(out) ? 0 : found;
}

struct changing {
	struct gp_manifests *m;
	struct gp_change *out;
	const struct gp_setter *setter;
};

static int change_file(void *ctx, const char *path, const struct gp_entry *entry, struct gp_err *err)
{
	struct changing *c = ctx;
	struct gp_change *out = c->out;
	size_t before = out->edits.count, len;
	const struct blob *blob = read_blob(c->m, &entry->oid, err);
	char *text = NULL;

	if (!blob)
		return gp_fail_in(err, "%s", path);
	if (gp_setter_apply(c->setter, blob->text, blob->len, &text, &len, &out->edits, err))
		return gp_fail_in(err, "%s", path);
	for (size_t i = before; i < out->edits.count; i++)
		out->edits.item[i].path = gp_strdup(path);
	if (text) {
		out->files = gp_grow(out->files, out->file_count, sizeof *out->files);
		out->files[out->file_count++] = (struct gp_file){gp_strdup(path), entry->mode, entry->oid, text, len};
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
	*change = (struct gp_change){0};
}

struct nearing {
	struct gp_manifests *m;
	struct gp_nearest *nearest;
};

static int near_file(void *ctx, const char *path, const struct gp_entry *entry, struct gp_err *err)
{
	struct nearing *n = ctx;
	const struct blob *blob = read_blob(n->m, &entry->oid, err);

	if (!blob)
		return -1;
	gp_nearest_look(n->nearest, path, blob->text, blob->len);
	return 0;
}

static int no_marker(struct gp_manifests *m, const struct gp_oid *env_tree, const char *dir,
		     const struct gp_setter *setter, struct gp_err *err)
{
	struct gp_nearest *nearest = gp_nearest_new(setter->group, setter->app);
	struct nearing nearing = {m, nearest};
	struct walk walk = {m, near_file, &nearing, dir, 0};
	int rc = gp_git_each_entry(m->git, env_tree, walk_entry, &walk, err);

	if (!rc)
		gp_nearest_fail(nearest, dir, err);
	gp_nearest_free(nearest);
	return -1;
}

int gp_manifests_change(struct gp_manifests *m, struct gp_change *out, const struct gp_oid *tree, const char *env,
			const struct gp_setter *setter, struct gp_err *err)
{
	char *dir = gp_asprintf("%s/%s", setter->group, env);
	struct changing changing = {m, out, setter};
	struct walk walk = {m, change_file, &changing, dir, 0};
	struct gp_entry top;
	int found = find_env(m, &top, tree, dir, err), rc = -1;

	*out = (struct gp_change){0};
	if (found > 0 && gp_git_is_partial(m->git) && bring_blobs(m, &top.oid, dir, err))
		found = -1;
	if (found == 0)
		gp_fail(err, GP_EXIT_INPUT, "no directory '%s' in the repository", dir);
	else if (found > 0)
		rc = gp_git_each_entry(m->git, &top.oid, walk_entry, &walk, err);
	if (!rc && !out->edits.count)
		rc = no_marker(m, &top.oid, dir, setter, err);
	if (rc)
		gp_change_free(out);
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
		rc = gp_git_write_tree(m->git, out, tree, changes, change->file_count, err);
	free(changes);
	return rc;
}

/* Adding up what a tree's entries carry. */
struct adding {
	struct gp_manifests *m;
	const struct gp_setter *setter;
	const char *path;
	struct gp_carry sum;
	unsigned depth;
};

static int carry_blob(struct adding *a, const struct gp_oid *oid, struct gp_carry *out, struct gp_err *err)
{
	const struct blob *blob = read_blob(a->m, oid, err);
	struct gp_edits edits = {0};
	size_t len;
	char *text = NULL;

	*out = (struct gp_carry){0};
	if (!blob || gp_setter_apply(a->setter, blob->text, blob->len, &text, &len, &edits, err))
		return -1;
	out->markers = edits.count;
	out->at_tag = edits.count - edits.changed;
	for (size_t i = 0; i < edits.count && !out->tag; i++)
		if (edits.item[i].changed) {
			char *tag = gp_strdup(edits.item[i].tag ? edits.item[i].tag : "");

			gp_oidmap_set(&a->m->tags, oid, tag);
			out->tag = tag;
		}
	gp_edits_free(&edits);
	free(text);
	return 0;
}

static int carry_entry(void *ctx, const char *name, const struct gp_entry *entry,
		       struct gp_err *err) /* NOLINT(misc-no-recursion) */
{
	struct adding *a = ctx;
	struct gp_carry *memo;
	int rc;

	if (!gp_entry_is_dir(entry) && !(gp_entry_is_file(entry) && gp_manifests_is_name(name)))
		return 0;
	memo = gp_oidmap_get(&a->m->memos, &entry->oid);
	if (!memo) {
		struct gp_carry carry;
		char *path = gp_asprintf("%s/%s", a->path, name);

		if (gp_entry_is_dir(entry)) {
			struct adding below = {a->m, a->setter, path, {0}, a->depth + 1};

			rc = below.depth > MAX_DEPTH
				     ? gp_fail(err, GP_EXIT_INPUT, "'%s' is nested too deeply", path)
				     : gp_git_each_entry(a->m->git, &entry->oid, carry_entry, &below, err);
			carry = below.sum;
		} else {
			rc = carry_blob(a, &entry->oid, &carry, err);
			if (rc)
				gp_fail_in(err, "%s", path);
		}
		free(path);
		if (rc)
			return -1;
		memo = gp_calloc(1, sizeof *memo);
		*memo = carry;
		gp_oidmap_set(&a->m->memos, &entry->oid, memo);
	}
	a->sum.markers += memo->markers;
	a->sum.at_tag += memo->at_tag;
	if (!a->sum.tag)
		a->sum.tag = memo->tag;
	return 0;
}

int gp_manifests_carry(struct gp_manifests *m, struct gp_carry *out, const struct gp_oid *tree, const char *env,
		       const struct gp_setter *setter, struct gp_err *err)
{
	char *of = gp_asprintf("%s:%s:%s", setter->group, setter->app, setter->tag), *dir;
	struct adding sum = {m, setter, NULL, {0}, 0};
	struct gp_entry top;

	if (!m->memo_of || strcmp(m->memo_of, of)) {
		forget_memos(m);
		m->memo_of = of;
	} else {
		free(of);
	}
	dir = gp_asprintf("%s/%s", setter->group, env);
	int rc = find_env(m, &top, tree, dir, err);

	if (rc > 0 && gp_git_is_partial(m->git) && bring_blobs(m, &top.oid, dir, err))
		rc = -1;
	if (rc > 0) {
		/* The environment's own tree is an entry like those below it: its memo spares the whole walk. */
		sum.path = setter->group;
		rc = carry_entry(&sum, env, &top, err);
	}
	free(dir);
	*out = sum.sum;
	return rc;
}

bool gp_carry_is_at(const struct gp_carry *carry)
{
	return carry->markers && carry->at_tag == carry->markers;
}
