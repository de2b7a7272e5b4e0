#include <stdlib.h>
#include <string.h>

#include "forges/local/local.h"
#include "git/tree.h"
#include "sys/exit.h"
#include "sys/mem.h"

static void set_oid(struct gp_json *json, const char *name, const struct gp_oid *oid)
{
	char hex[GP_OID_HEX + 1];

	gp_json_set_text(json, name, oid && !gp_oid_is_zero(oid) ? gp_oid_hex(hex, oid) : NULL);
}

static void set_pull_ref(struct gp_local *local, int64_t number, const char *kind, const struct gp_oid *oid)
{
	char *name = gp_asprintf("refs/pull/%lld/%s", (long long)number, kind);

	gp_local_set_ref(local, name, oid);
	free(name);
}

int gp_local_test_merge(struct gp_local *local, struct gp_local_pull *pull, const struct gp_oid *head,
			const struct gp_oid *base, struct gp_err *err)
{
	char head_hex[GP_OID_HEX + 1], base_hex[GP_OID_HEX + 1];
	struct gp_oid tree, merge = {{0}};
	struct gp_err why = {0};
	/* A head that cannot be merged at all (a tree with an entry "..") affects that pull request alone. */
	int merges = base && gp_tree_merge_commits(local->git, &tree, base, head, &why) > 0;

	if (merges > 0) {
		const struct gp_oid parents[] = {*base, *head};
		char *message =
			gp_asprintf("Merge %s into %s\n", gp_oid_hex(head_hex, head), gp_oid_hex(base_hex, base));

		merges = gp_local_commit(local, &merge, &tree, parents, 2, message, err);
		free(message);
	}
	if (merges < 0)
		return -1;
	set_oid(pull->json, "head", head);
	set_oid(pull->json, "tested_base", base);
	set_oid(pull->json, "test_merge", &merge);
	set_pull_ref(local, pull->number, "head", head);
	set_pull_ref(local, pull->number, "merge", &merge);
	return gp_local_save(local, pull, err);
}

static bool is_text(const struct gp_json *object, const char *name, const char *wanted)
{
	const char *text = gp_json_get_text(object, name);

	return text && !strcmp(text, wanted);
}

int gp_local_is_green(struct gp_local *local, const char *commit, char **why, struct gp_err *err)
{
	struct gp_json *statuses;
	int green = 1;

	*why = NULL;
	if (gp_local_read_config(local, err))
		return -1;
	statuses = gp_local_statuses(local, commit, err);
	if (!statuses)
		return -1;
	for (size_t i = 0; i < local->config.required_count && green; i++) {
		const char *context = local->config.required[i], *state;
		const struct gp_json *s = gp_json_first(statuses);

		while (s && !is_text(s, "context", context))
			s = gp_json_next(s);
		if (is_text(s, "state", "success"))
			continue;
		state = gp_json_get_text(s, "state");
		*why = gp_asprintf("required status '%s' is %s on %s", context, state ? state : "missing", commit);
		green = 0;
	}
	gp_json_free(statuses);
	return green;
}

bool gp_local_is_mergeable(struct gp_local *local, const struct gp_local_pull *pull, char **why)
{
	const char *base = gp_json_get_text(pull->json, "base");
	const struct gp_local_ref *ref = gp_local_branch(local, base);

	*why = NULL;
	if (!ref)
		*why = gp_asprintf("there is no branch '%s'", base);
	else if (ref->work_tree)
		*why = gp_asprintf(
			"branch '%s' is checked out in '%s', whose files would be left behind (serve a bare repository)",
			base, ref->work_tree);
	else if (!gp_json_get_text(pull->json, "test_merge"))
		*why = gp_asprintf("branch '%s' conflicts with '%s'", gp_json_get_text(pull->json, "branch"), base);
	return !*why;
}

/* The text behind the first paragraph of a message: what a squash keeps of the head commit beside the title. */
static const char *body_of(const char *message)
{
	const char *end;

	message += strspn(message, "\n");
	end = strstr(message, "\n\n");
	return end ? end + strspn(end, "\n") : "";
}

static char *merge_message(const struct gp_local_pull *pull, bool squash, const struct gp_commit *head)
{
	const char *title = gp_json_get_text(pull->json, "title");
	long long number = pull->number;

	if (!squash)
		return gp_asprintf("Merge pull request #%lld from %s\n\n%s\n", number,
				   gp_json_get_text(pull->json, "branch"), title);
	const char *body = body_of(head->message);
	const char *end = *body && body[strlen(body) - 1] != '\n' ? "\n" : "";

	return gp_asprintf("%s (#%lld)\n%s%s%s", title, number, *body ? "\n" : "", body, end);
}

static int read_commit(struct gp_local *local, struct gp_commit *out, const struct gp_oid *oid, struct gp_err *err)
{
	char hex[GP_OID_HEX + 1];
	int found = gp_git_read_commit(local->git, out, oid, err);

	if (!found)
		gp_fail(err, GP_EXIT_SYSTEM, "commit %s is missing in '%s'", gp_oid_hex(hex, oid), local->dir);
	return found > 0 ? 0 : -1;
}

/* Writes the commit that base becomes. */
static int write_merge(struct gp_local *local, struct gp_oid *out, const struct gp_local_pull *pull, bool squash,
		       struct gp_err *err)
{
	struct gp_commit test = {0}, head = {0};
	struct gp_oid parents[2], tested;
	char *message = NULL;
	int rc = -1;

	gp_oid_parse(&parents[1], gp_json_get_text(pull->json, "head"));
	gp_oid_parse(&tested, gp_json_get_text(pull->json, "test_merge"));
	parents[0] = gp_local_branch(local, gp_json_get_text(pull->json, "base"))->new;
	if (read_commit(local, &test, &tested, err) || read_commit(local, &head, &parents[1], err))
		goto out;
	message = merge_message(pull, squash, &head);
	rc = gp_local_commit(local, out, &test.tree, parents, squash ? 1 : 2, message, err);
out:
	free(message);
	gp_commit_free(&test);
	gp_commit_free(&head);
	return rc;
}

struct gp_json *gp_local_merge(struct gp_local *local, struct gp_local_pull *pull, const char *method, const char *how,
			       struct gp_err *err)
{
	static const struct gp_oid none;
	char hex[GP_OID_HEX + 1], *ref;
	int64_t number = pull->number;
	struct gp_json *json;
	struct gp_oid merge;

	if (write_merge(local, &merge, pull, !strcmp(method, "squash"), err))
		return NULL;
	gp_local_rely(local, gp_json_get_text(pull->json, "branch"));
	json = gp_local_close(local, pull, &merge, err);
	if (!json)
		return NULL;
	ref = gp_asprintf("refs/heads/%s", gp_json_get_text(json, "base"));
	gp_local_set_ref(local, ref, &merge);
	free(ref);
	set_pull_ref(local, number, "merge", &none);
	if (gp_local_record(local, err, "%s #%lld: %s of %s into %s as %s", how, (long long)number, method,
			    gp_json_get_text(json, "branch"), gp_json_get_text(json, "base"),
			    gp_oid_hex(hex, &merge))) {
		gp_json_free(json);
		return NULL;
	}
	return json;
}

int gp_local_find_merge(struct gp_local *local, struct gp_oid *out, const struct gp_oid *base,
			const struct gp_oid *head, struct gp_err *err)
{
	*out = *base;
	for (;;) {
		struct gp_commit commit;
		struct gp_oid parent = {{0}};

		if (gp_oid_equal(out, head))
			return 0;
		if (read_commit(local, &commit, out, err))
			return -1;
		if (commit.parent_count)
			parent = commit.parents[0];
		gp_commit_free(&commit);
		int before = gp_oid_is_zero(&parent) ? 0 : gp_git_is_ancestor(local->git, head, &parent, err);

		if (before <= 0)
			return before;
		*out = parent;
	}
}
