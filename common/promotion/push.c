#include "promotion/push.h"

#include <stdbool.h>
#include <stdlib.h>

#include "data/oidmap.h"
#include "sys/mem.h"

/* How many commits of a push are looked at, and how many before those to see what they follow from. */
enum { MAX_PUSH = 1000, MAX_HISTORY = 100 * MAX_PUSH };

/* Goes to the first parent. Returns 1; 0 at the root, or (*here false) where a shallow clone ends; -1. */
static int step_back(struct gp_base *base, struct gp_oid *at, bool *here, struct gp_err *err)
{
	struct gp_commit c;
	int rc = gp_git_read_commit(base->repository.git, &c, at, err);

	*here = rc > 0;
	if (rc <= 0)
		return rc;
	rc = c.parent_count > 0;
	if (rc)
		*at = c.parents[0];
	gp_commit_free(&c);
	return rc;
}

/* Whether since is on a line that forked off the n commits: history that a forced push has replaced. Returns 1, 0, -1. */
static int has_forked(struct gp_base *base, const struct gp_oid *since, const struct gp_oid *commits, size_t n,
		      struct gp_err *err)
{
	struct gp_err unheard = {0};
	struct gp_oid at = *since;
	struct gp_oidmap known = {0};
	bool here = true;
	int rc = 1;

	for (size_t i = 0; i < n; i++)
		gp_oidmap_set(&known, &commits[i], base);
	/* An ancestor of the branch can be fetched. */
	if (gp_repository_need(&base->repository, base->branch, since, 1, &unheard))
		goto out;
	for (size_t i = 0; i < MAX_PUSH && !gp_oidmap_get(&known, &at) && rc > 0; i++)
		rc = step_back(base, &at, &here, err);
	if (rc >= 0)
		rc = gp_oidmap_get(&known, &at) != NULL;
out:
	gp_oidmap_clear(&known, NULL);
	return rc;
}

/*
 * Whether since is no ancestor of the n commits, whose history goes on at `at`. If a shallow clone ends too early to tell,
 * it counts as an ancestor unless it is seen on another line. Returns 1, 0, -1.
 */
static int is_elsewhere(struct gp_base *base, const struct gp_oid *since, struct gp_oid at,
			const struct gp_oid *commits, size_t n, struct gp_err *err)
{
	bool here = true;
	int rc = 1;

	for (size_t i = 0; i < MAX_HISTORY && rc > 0 && !gp_oid_equal(&at, since); i++)
		rc = step_back(base, &at, &here, err);
	if (rc < 0 || gp_oid_equal(&at, since))
		return rc < 0 ? -1 : 0;
	return here && !rc ? 1 : has_forked(base, since, commits, n, err);
}

/* Since was not met among *count commits; more: history goes on at `at`. */
static int judge_since(struct gp_base *base, const struct gp_oid *since, const struct gp_oid *at, bool more,
		       const struct gp_oid *commits, size_t *count, char **warning, struct gp_err *err)
{
	int elsewhere = more ? is_elsewhere(base, since, *at, commits, *count, err) : 1;
	char hex[GP_OID_HEX + 1];

	if (elsewhere < 0)
		return -1;
	if (!elsewhere) {
		*warning = gp_asprintf("%.10s is more than %zu commits back: only the newest %zu are looked at",
				       gp_oid_hex(hex, since), *count, *count);
		return 0;
	}
	*warning = gp_strdup("the push replaced history (forced): only its last commit is looked at");
	*count = 1;
	return 0;
}

/*
 * The commits, newest first; *out and *warning (NULL: none) are yours, also after an error. since is zero for commit
 * alone.
 */
static int walk(struct gp_base *base, const struct gp_oid *since, const struct gp_oid *commit, struct gp_oid **out,
		size_t *count, char **warning, struct gp_err *err)
{
	struct gp_oid at = *commit;
	bool more = true;

	for (*count = 0; more && *count < MAX_PUSH && !gp_oid_equal(&at, since);) {
		struct gp_commit c;

		*out = gp_grow(*out, *count, sizeof **out);
		(*out)[(*count)++] = at;
		if (gp_oid_is_zero(since))
			return 0;
		if (gp_repository_read(&base->repository, base->branch, commit, &c, &at, err))
			return -1;
		more = c.parent_count > 0;
		if (more)
			at = c.parents[0];
		gp_commit_free(&c);
	}
	return gp_oid_equal(&at, since) ? 0 : judge_since(base, since, &at, more, *out, count, warning, err);
}

static int find_merged_as(struct gp_base *base, struct gp_forge *forge, const struct gp_oid *commit, gp_found_fn *found,
			  gp_told_fn *told, void *ctx, struct gp_err *err)
{
	char hex[GP_OID_HEX + 1];
	struct gp_json *pulls = gp_forge_find_merged_as(forge, gp_oid_hex(hex, commit), err);

	if (!pulls)
		return -1;
	for (const struct gp_json *pull = gp_json_first(pulls); pull; pull = gp_json_next(pull)) {
		char *reason = gp_pull_passed_over(pull, base->branch);

		if (reason)
			told(ctx, 0, reason);
		else
			found(ctx, pull, NULL);
		free(reason);
	}
	gp_json_free(pulls);
	return 0;
}

int gp_push_find_merged(struct gp_base *base, struct gp_forge *forge, const char *since, const char *commit,
			gp_found_fn *found, gp_told_fn *told, void *ctx, struct gp_err *err)
{
	struct gp_oid first = {{0}}, last = base->tip, *commits = NULL;
	char *warning = NULL;
	size_t count = 0;
	int rc = -1;

	if ((commit && gp_repository_resolve(&last, commit, err)) ||
	    (since && gp_repository_resolve(&first, since, err)))
		return -1;
	rc = walk(base, &first, &last, &commits, &count, &warning, err);
	if (warning) {
		char *text = gp_asprintf("warning: %s", warning);

		told(ctx, -1, text);
		free(text);
	}
	/* Oldest first, as they were merged. */
	while (!rc && count-- > 0)
		rc = find_merged_as(base, forge, &commits[count], found, told, ctx, err);
	free(warning);
	free(commits);
	return rc;
}
