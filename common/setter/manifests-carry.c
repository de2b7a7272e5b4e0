/* What an environment carries: which apps, at which tags. */
#include <stdlib.h>
#include <string.h>

#include "data/oidmap.h"
#include "setter/inventory.h"
#include "setter/manifests-env.h"
#include "setter/manifests.h"
#include "setter/marker.h"
#include "setter/trace-search.h"
#include "sys/mem.h"

static int carry_blob(struct gp_manifests *m, struct gp_carry *out, const struct gp_item *item,
		      const struct gp_setter *setter, struct gp_err *err)
{
	struct gp_edits edits = {0};
	size_t len;
	char *text;

	if (gp_manifests_apply(m, item, setter, &text, &len, &edits, err))
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
		gp_manifests_forget(m);
		m->memo_of = of;
	} else {
		free(of);
	}
	dir = gp_asprintf("%s/%s", setter->group, env);
	found = gp_manifests_env(m, &env_tree, tree, dir, err);
	memo = found > 0 ? gp_oidmap_get(&m->memos, &env_tree) : NULL;
	if (memo) {
		*out = *memo;
	} else if (found > 0) {
		struct gp_inventory *inv = gp_manifests_inventory(m, dir);

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

/* The app of a policy "group:app…" that marks an image or a tag, yours; or NULL. */
static char *app_of(const char *policy, const char *group)
{
	size_t g = strlen(group);

	if (strncmp(policy, group, g) != 0 || policy[g] != ':')
		return NULL;
	const char *app = policy + g + 1;
	size_t len = strcspn(app, ":");
	enum gp_marker_kind kind = gp_marker_suffix(app + len);

	return kind == GP_MARKER_IMAGE || kind == GP_MARKER_TAG ? gp_memdup0(app, len) : NULL;
}

int gp_manifests_apps(struct gp_manifests *m, const struct gp_oid *tree, const char *group, const char *env,
		      gp_app_fn *fn, void *ctx, struct gp_err *err)
{
	char *dir = gp_asprintf("%s/%s", group, env);
	struct gp_inventory *inv = gp_manifests_inventory(m, dir);
	const struct gp_item *items;
	struct gp_oid env_tree;
	size_t count = 0;
	int rc = gp_manifests_env(m, &env_tree, tree, dir, err);

	free(dir);
	if (rc <= 0)
		return rc;
	rc = gp_inventory_take(inv, &env_tree, &m->counts, err);
	items = rc ? NULL : gp_inventory_items(inv, &count);
	for (size_t i = 0; i < count; i++) {
		const char *end = items[i].policies + items[i].len;

		for (const char *p = items[i].policies; p < end && !rc; p += strlen(p) + 1) {
			char *app = app_of(p, group);

			rc = app ? fn(ctx, app) : 0;
			free(app);
		}
	}
	return rc;
}

int gp_manifests_tag(struct gp_manifests *m, char **tag, const struct gp_oid *tree, const char *env,
		     const struct gp_setter *setter, struct gp_err *err)
{
	const struct gp_setter any = {setter->group, setter->app, NULL};
	char *dir = gp_asprintf("%s/%s", setter->group, env);
	struct gp_inventory *inv = gp_manifests_inventory(m, dir);
	const struct gp_item **items = NULL;
	struct gp_edits edits = {0};
	struct gp_oid env_tree;
	size_t count = 0;
	int found = gp_manifests_env(m, &env_tree, tree, dir, err), rc = found < 0 ? -1 : 0;

	*tag = NULL;
	if (found > 0 && !(rc = gp_inventory_take(inv, &env_tree, &m->counts, err)))
		items = gp_inventory_find(inv, setter->group, setter->app, &count);
	for (size_t i = 0; i < count && !rc; i++) {
		char *text = NULL;
		size_t len;

		rc = gp_manifests_apply(m, items[i], &any, &text, &len, &edits, err);
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
