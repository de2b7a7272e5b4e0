/*
 * The state is the tree of the commit at refs/gp/state:
 *
 *   next                  the number of the next pull request
 *   open/N                a pull request: its members in the protocol, but for url and fork; and
 *                         method (of auto-merge), tested_base and test_merge (or null): the base tip of the last test
 *                         merge, and what came of it
 *   closed/<N/100>/N      likewise, merged or closed
 *   merged/<1>/<1>/<38>   by a commit's id: the numbers of those that were merged as this commit
 *   status/<1>/<1>/<38>   by a commit's id: its statuses, newest first
 *
 * each a file of JSON. Directories are split so that a change stays small in a repository that is used for years, and
 * that most of them are small enough for libgit2's cache.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "forges/local/local.h"
#include "git/tree.h"
#include "sys/exit.h"
#include "sys/mem.h"

enum { MODE_FILE = 0100644, MAX_MESSAGE = 300 };

static char *open_path(int64_t number)
{
	return gp_asprintf("open/%lld", (long long)number);
}

static char *closed_path(int64_t number)
{
	return gp_asprintf("closed/%lld/%lld", (long long)number / 100, (long long)number);
}

static char *commit_path(const char *kind, const char *commit)
{
	return gp_asprintf("%s/%.1s/%.1s/%s", kind, commit, commit + 1, commit + 2);
}

static struct gp_json *read_json(struct gp_local *local, const struct gp_oid *blob, struct gp_err *err)
{
	size_t len;
	char *text = gp_git_read_blob(local->git, &len, blob, err);
	struct gp_json *json = text ? gp_json_parse(text, len, err) : NULL;

	free(text);
	if (!json) {
		err->code = GP_EXIT_SYSTEM;
		gp_fail_in(err, "%s in '%s' is damaged", GP_LOCAL_STATE, local->dir);
	}
	return json;
}

/* What a path of the state holds; NULL with err untouched where there is nothing. Takes path over. */
static struct gp_json *read_path(struct gp_local *local, char *path, struct gp_err *err)
{
	struct gp_entry entry;
	int found = gp_oid_is_zero(&local->tree) ? 0 : gp_tree_find(local->git, &entry, &local->tree, path, err);

	free(path);
	return found > 0 ? read_json(local, &entry.oid, err) : NULL;
}

/* Plans a change of the state (blob NULL: the path goes away). Takes path over. */
static void plan(struct gp_local *local, char *path, const struct gp_oid *blob)
{
	struct gp_tree_change change = {path, blob ? MODE_FILE : 0, blob ? *blob : (struct gp_oid){{0}}};

	for (size_t i = 0; i < local->pending_count; i++)
		if (!strcmp(local->pending[i].path, path)) {
			free((char *)(uintptr_t)local->pending[i].path);
			local->pending[i] = change;
			return;
		}
	local->pending = gp_grow(local->pending, local->pending_count, sizeof *local->pending);
	local->pending[local->pending_count++] = change;
}

/* Plans that a path holds json. Takes path over. */
static int plan_json(struct gp_local *local, char *path, const struct gp_json *json, struct gp_oid *blob,
		     struct gp_err *err)
{
	char *text = gp_json_print_indented(json), *file = gp_asprintf("%s\n", text);
	int rc = gp_git_write_blob(local->git, blob, file, strlen(file), err);

	free(file);
	free(text);
	if (rc)
		free(path);
	else
		plan(local, path, blob);
	return rc;
}

static int by_number(const void *a, const void *b)
{
	const struct gp_local_pull *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

/* What reading the directory of open pull requests goes by. */
struct reading {
	struct gp_local *local;
	struct gp_local_pull *pulls, *before; /* before: those that an earlier request has read */
	size_t count, before_count;
};

static bool is_pull(const struct gp_json *json)
{
	static const char *const texts[] = {"title", "description", "branch", "base", "head"};
	bool all = true;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		all = all && gp_json_get_text(json, texts[i]);
	return all;
}

static int read_pull(struct reading *r, const struct gp_tree_item *item, struct gp_err *err)
{
	struct gp_local_pull pull = {strtoll(item->name, NULL, 10), item->entry.oid, NULL};
	struct gp_local_pull *before =
		r->before_count ? bsearch(&pull, r->before, r->before_count, sizeof pull, by_number) : NULL;

	/* A driver that serves a thousand requests need not read a thousand pull requests for each. */
	if (before && gp_oid_equal(&before->blob, &pull.blob)) {
		pull.json = before->json;
		before->json = NULL;
	}
	if (!pull.json)
		pull.json = read_json(r->local, &item->entry.oid, err);
	if (pull.json && !is_pull(pull.json)) {
		gp_json_free(pull.json);
		pull.json = NULL;
		gp_fail(err, GP_EXIT_SYSTEM, "%s in '%s' is damaged: open/%s", GP_LOCAL_STATE, r->local->dir,
			item->name);
	}
	if (!pull.json)
		return -1;
	r->pulls = gp_grow(r->pulls, r->count, sizeof *r->pulls);
	r->pulls[r->count++] = pull;
	return 0;
}

static int read_pulls(struct gp_local *local, struct gp_err *err)
{
	struct reading r = {local, NULL, local->pulls, 0, local->pull_count};
	struct gp_tree tree = {0};
	struct gp_entry open;
	int found = gp_oid_is_zero(&local->tree) ? 0 : gp_tree_find(local->git, &open, &local->tree, "open", err);

	if (found > 0)
		found = gp_tree_read(local->git, &tree, &open.oid, err);
	for (size_t i = 0; i < tree.count && !found; i++)
		found = read_pull(&r, &tree.item[i], err);
	gp_tree_free(&tree);
	for (size_t i = 0; i < r.before_count; i++)
		gp_json_free(r.before[i].json);
	free(r.before);
	if (r.count)
		qsort(r.pulls, r.count, sizeof *r.pulls, by_number);
	local->pulls = r.pulls;
	local->pull_count = r.count;
	return found;
}

int gp_local_read_state(struct gp_local *local, bool with_pulls, struct gp_err *err)
{
	const struct gp_oid *state = gp_local_state(local);
	struct gp_commit commit = {0};
	int found = state ? gp_git_read_commit(local->git, &commit, state, err) : 0;

	if (state && !found)
		found = gp_fail(err, GP_EXIT_SYSTEM, "%s in '%s' is damaged: its commit is missing", GP_LOCAL_STATE,
				local->dir);
	local->tree = commit.tree;
	gp_commit_free(&commit);
	if (found >= 0 && with_pulls)
		found = read_pulls(local, err);
	return found < 0 ? -1 : 0;
}

void gp_local_distrust(struct gp_local *local)
{
	for (size_t i = 0; i < local->pull_count; i++)
		local->pulls[i].blob = (struct gp_oid){{0}};
}

int gp_local_commit(struct gp_local *local, struct gp_oid *out, const struct gp_oid *tree, const struct gp_oid *parents,
		    size_t parent_count, const char *message, struct gp_err *err)
{
	struct gp_ident by = local->options->committer;

	if (!by.time)
		by.time = (int64_t)time(NULL);
	return gp_git_write_commit(local->git, out, tree, parents, parent_count, &by, &by, message, err);
}

int gp_local_record(struct gp_local *local, struct gp_err *err, const char *fmt, ...)
{
	const struct gp_oid *state = gp_local_state(local);
	struct gp_oid tree, commit;
	char clean[MAX_MESSAGE];
	va_list ap;

	va_start(ap, fmt);
	char *text = gp_vasprintf(fmt, ap);
	va_end(ap);
	gp_clean_line(clean, sizeof clean, text);
	free(text);
	text = gp_asprintf("%s\n", clean);
	int rc = gp_tree_update(local->git, &tree, gp_oid_is_zero(&local->tree) ? NULL : &local->tree, local->pending,
				local->pending_count, err);

	if (!rc)
		rc = gp_local_commit(local, &commit, &tree, state, state ? 1 : 0, text, err);
	free(text);
	if (rc)
		return -1;
	gp_local_set_ref(local, GP_LOCAL_STATE, &commit);
	local->tree = tree;
	while (local->pending_count)
		free((char *)(uintptr_t)local->pending[--local->pending_count].path);
	/* gp_grow counts on an array that starts at nothing. */
	free(local->pending);
	local->pending = NULL;
	return 0;
}

struct gp_local_pull *gp_local_find_open(struct gp_local *local, int64_t number)
{
	struct gp_local_pull key = {.number = number};

	return local->pull_count ? bsearch(&key, local->pulls, local->pull_count, sizeof key, by_number) : NULL;
}

struct gp_local_pull *gp_local_find_branch(struct gp_local *local, const char *branch, const char *base)
{
	for (size_t i = 0; i < local->pull_count; i++) {
		const struct gp_json *json = local->pulls[i].json;

		if (!strcmp(gp_json_get_text(json, "branch"), branch) && !strcmp(gp_json_get_text(json, "base"), base))
			return &local->pulls[i];
	}
	return NULL;
}

struct gp_json *gp_local_read_closed(struct gp_local *local, int64_t number, struct gp_err *err)
{
	return read_path(local, closed_path(number), err);
}

struct gp_json *gp_local_read_merged(struct gp_local *local, const char *commit, struct gp_err *err)
{
	return read_path(local, commit_path("merged", commit), err);
}

int64_t gp_local_last_number(struct gp_local *local, struct gp_err *err)
{
	struct gp_json *counter = read_path(local, gp_strdup("next"), err), *box = gp_json_object();

	if (counter)
		gp_json_set(box, "next", counter);
	int64_t next = gp_json_get_int(box, "next", 1);

	gp_json_free(box);
	return next - 1;
}

struct gp_local_pull *gp_local_add(struct gp_local *local, struct gp_json *json, struct gp_err *err)
{
	struct gp_local_pull *pull;
	struct gp_oid blob;
	struct gp_err none = {0};
	struct gp_json *box = gp_json_object();
	int64_t number = gp_local_last_number(local, &none) + 1;

	gp_json_set_int(box, "next", number + 1);
	gp_json_set_int(json, "number", number);
	int rc = plan_json(local, gp_strdup("next"), gp_json_get(box, "next"), &blob, err);

	gp_json_free(box);
	local->pulls = gp_reallocarray(local->pulls, local->pull_count + 1, sizeof *local->pulls);
	pull = &local->pulls[local->pull_count++];
	*pull = (struct gp_local_pull){number, {{0}}, json};
	return rc || gp_local_save(local, pull, err) ? NULL : pull;
}

int gp_local_save(struct gp_local *local, struct gp_local_pull *pull, struct gp_err *err)
{
	return plan_json(local, open_path(pull->number), pull->json, &pull->blob, err);
}

static int plan_merged(struct gp_local *local, const char *commit, int64_t number, struct gp_err *err)
{
	struct gp_json *box = gp_json_object(), *numbers = gp_local_read_merged(local, commit, err);
	struct gp_oid blob;

	gp_json_set_int(box, "number", number);
	if (!gp_json_is_array(numbers)) {
		gp_json_free(numbers);
		numbers = gp_json_array();
	}
	gp_json_append(numbers, gp_json_take(box, "number"));
	int rc = err->code ? -1 : plan_json(local, commit_path("merged", commit), numbers, &blob, err);

	gp_json_free(numbers);
	gp_json_free(box);
	return rc;
}

struct gp_json *gp_local_close(struct gp_local *local, struct gp_local_pull *pull, const struct gp_oid *merge_commit,
			       struct gp_err *err)
{
	struct gp_json *json = pull->json;
	int64_t number = pull->number;
	size_t at = (size_t)(pull - local->pulls);
	char hex[GP_OID_HEX + 1];
	struct gp_oid blob;

	memmove(pull, pull + 1, (local->pull_count - at - 1) * sizeof *pull);
	local->pull_count--;
	gp_json_set_text(json, "state", merge_commit ? "merged" : "closed");
	gp_json_set_bool(json, "auto_merge", false);
	gp_json_set_text(json, "merge_commit", merge_commit ? gp_oid_hex(hex, merge_commit) : NULL);
	plan(local, open_path(number), NULL);
	if (plan_json(local, closed_path(number), json, &blob, err) ||
	    (merge_commit && plan_merged(local, hex, number, err))) {
		gp_json_free(json);
		return NULL;
	}
	return json;
}

struct gp_json *gp_local_statuses(struct gp_local *local, const char *commit, struct gp_err *err)
{
	struct gp_json *statuses = read_path(local, commit_path("status", commit), err);

	return statuses || err->code ? statuses : gp_json_array();
}

int gp_local_add_status(struct gp_local *local, const char *commit, struct gp_json *status, struct gp_err *err)
{
	struct gp_json *old = gp_local_statuses(local, commit, err), *all = gp_json_array();
	struct gp_oid blob;

	gp_json_append(all, status);
	for (const struct gp_json *s = gp_json_first(old); s; s = gp_json_next(s))
		gp_json_append(all, gp_json_copy(s));
	int rc = old ? plan_json(local, commit_path("status", commit), all, &blob, err) : -1;

	gp_json_free(all);
	gp_json_free(old);
	return rc;
}
