#include "setter/trace-search.h"

#include <stdlib.h>
#include <string.h>

#include "git/tree.h"
#include "setter/inventory-scan.h"
#include "setter/setter.h"
#include "setter/trace.h"
#include "sys/exit.h"
#include "sys/mem.h"

enum { MAX_LINKS = 10, MAX_TARGET = 4096 };

struct search {
	struct gp_git *git;
	const struct gp_oid *root;
	const char *group, *app;
};

int gp_trace_fail(const char *path, size_t line, const char *what, const char *group, const char *app,
		  struct gp_err *err)
{
	return gp_fail(
		err, GP_EXIT_INPUT,
		"%s: line %zu: %s; expected '# {\"$imagepolicy\": \"%s:%s\"}' behind the value, at the end of its line",
		path, line, what, group, app);
}

static int find_in_blob(struct gp_git *git, const struct gp_oid *oid, const char *group, const char *app, size_t *line,
			const char **what, struct gp_err *err)
{
	struct gp_object blob;
	int found;

	if (gp_git_read_object(git, &blob, oid, false, err))
		return -1;
	found = gp_trace_find(blob.data, blob.len, group, app, line, what);
	gp_object_free(&blob);
	return found;
}

int gp_trace_in_item(struct gp_git *git, const struct gp_item *item, const char *group, const char *app, size_t *line,
		     const char **what, struct gp_err *err)
{
	return find_in_blob(git, &item->entry.oid, group, app, line, what, err);
}

static int check_items(const struct search *s, const struct gp_item *const *items, size_t count, struct gp_err *err)
{
	for (size_t i = 0; i < count; i++) {
		size_t line = 1;
		const char *what;
		int found = gp_trace_in_item(s->git, items[i], s->group, s->app, &line, &what, err);

		if (found)
			return found < 0 ? -1 : gp_trace_fail(items[i]->path, line, what, s->group, s->app, err);
	}
	return 0;
}

/* The path that a link's target means, from the root; NULL where that is outside of the repository. Yours. */
static char *resolve(const char *link, const char *target)
{
	const char *slash = strrchr(link, '/');
	size_t len = slash ? (size_t)(slash - link) : 0;
	char *path = gp_calloc(len + strlen(target) + 2, 1);

	memcpy(path, link, len);
	for (size_t n; *target; target += n, target += *target == '/') {
		n = strcspn(target, "/");
		if (!n || (n == 1 && *target == '.'))
			continue;
		if (n == 2 && !strncmp(target, "..", 2)) {
			if (!len) {
				free(path);
				return NULL;
			}
			while (len && path[--len] != '/')
				continue;
			continue;
		}
		if (len)
			path[len++] = '/';
		memcpy(path + len, target, n);
		len += n;
	}
	path[len] = '\0';
	return path;
}

/* Whether a directory has a marker or trace of the app. Returns 1, 0, -1. */
static int dir_speaks(const struct search *s, const char *path, const struct gp_oid *tree, struct gp_err *err)
{
	struct gp_inventory *inv = gp_inventory_new(s->git, path);
	struct gp_counts counts = {0};
	size_t markers = 0, traces = 0;
	int rc = gp_inventory_take(inv, tree, &counts, err);

	if (!rc) {
		free(gp_inventory_find(inv, s->group, s->app, &markers));
		free(gp_inventory_traces(inv, s->group, s->app, &traces));
	}
	gp_inventory_free(inv);
	return rc ? -1 : markers || traces;
}

/* Whether what a link stands for does. Returns 1, 0, -1. */
static int link_speaks(const struct search *s, const char *link, const struct gp_oid *oid, unsigned depth,
		       struct gp_err *err) /* NOLINT(misc-no-recursion) */
{
	struct gp_object blob;
	struct gp_entry entry;
	size_t line = 1;
	const char *what;
	int rc = 0;

	if (depth > MAX_LINKS)
		return 0;
	if (gp_git_read_object(s->git, &blob, oid, false, err))
		return -1;
	char *target = gp_memdup0(blob.data, blob.len < MAX_TARGET ? blob.len : MAX_TARGET);
	char *path = *target && *target != '/' ? resolve(link, target) : NULL;

	if (path && *path)
		rc = gp_tree_find(s->git, &entry, s->root, path, err);
	if (rc > 0)
		rc = gp_entry_is_dir(&entry)    ? dir_speaks(s, path, &entry.oid, err)
		     : gp_entry_is_link(&entry) ? link_speaks(s, path, &entry.oid, depth + 1, err)
		     : gp_entry_is_file(&entry) ? find_in_blob(s->git, &entry.oid, s->group, s->app, &line, &what, err)
						: 0;
	free(target);
	free(path);
	gp_object_free(&blob);
	return rc;
}

static int check_links(const struct search *s, const struct gp_item *const *items, size_t count, struct gp_err *err)
{
	for (size_t i = 0; i < count; i++) {
		int rc = link_speaks(s, items[i]->path, &items[i]->entry.oid, 0, err);

		if (rc > 0)
			gp_fail(err, GP_EXIT_INPUT,
				"%s: a symbolic link to a marker of %s:%s, which gp does not follow; expected a file",
				items[i]->path, s->group, s->app);
		if (rc)
			return -1;
	}
	return 0;
}

int gp_trace_search(struct gp_git *git, struct gp_inventory *inv, const struct gp_oid *root, const char *group,
		    const char *app, struct gp_err *err)
{
	const struct search s = {git, root, group, app};
	size_t markers, traces, links;
	const struct gp_item **marked = gp_inventory_find(inv, group, app, &markers);
	const struct gp_item **traced = gp_inventory_traces(inv, group, app, &traces);
	const struct gp_item **linked = gp_inventory_links(inv, &links);
	int rc = check_items(&s, marked, markers, err);

	if (!rc)
		rc = check_items(&s, traced, traces, err);
	if (!rc)
		rc = check_links(&s, linked, links, err);
	free(marked);
	free(traced);
	free(linked);
	return rc;
}

int gp_trace_no_directory(struct gp_git *git, const struct gp_oid *root, const char *dir, struct gp_err *err)
{
	char *group = gp_memdup0(dir, strcspn(dir, "/"));
	const char *const paths[] = {dir, group};
	int rc = 0;

	for (size_t i = 0; i < 2 && !rc; i++) {
		struct gp_entry entry;
		int found = gp_tree_find(git, &entry, root, paths[i], err);

		if (found > 0 && gp_entry_is_link(&entry))
			gp_fail(err, GP_EXIT_INPUT,
				"%s: a symbolic link, which gp does not follow; expected a directory", paths[i]);
		else if (found > 0 && !gp_entry_is_dir(&entry) && !gp_entry_is_file(&entry))
			gp_fail(err, GP_EXIT_INPUT,
				"%s: a submodule, which gp does not look into; expected a directory", paths[i]);
		rc = err->code ? -1 : 0;
	}
	free(group);
	return rc;
}
