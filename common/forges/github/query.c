/* What a request reads: the repository, and pull requests in four ways. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "forge/server.h"
#include "forges/github/github.h"
#include "sys/exit.h"
#include "sys/io.h"
#include "sys/mem.h"

/* The age up to which a commit's pull request may not be in GitHub's index yet, and how often to ask. */
enum { YOUNG_S = 60, MAX_LAG_ATTEMPTS = 4 };

/* Appends a connection's nodes; those that pick refuses aside. *cursor: where the next page begins, borrowed, or NULL. */
typedef bool pick_fn(const struct gp_json *pull, const void *ctx);
static int append(const struct gp_github *g, struct gp_json *pulls, const struct gp_json *connection, pick_fn *pick,
		  const void *ctx, const char **cursor, struct gp_err *err)
{
	const struct gp_json *nodes = gp_json_get(connection, "nodes"), *info = gp_json_get(connection, "pageInfo");

	*cursor = gp_json_get_true(info, "hasNextPage") ? gp_json_get_text(info, "endCursor") : NULL;
	if (!gp_json_is_array(nodes))
		return gp_api_nonsense(&g->api, "it lists no pull requests", err);
	for (const struct gp_json *n = gp_json_first(nodes); n; n = gp_json_next(n)) {
		struct gp_json *pull = gp_json_is_null(n) ? NULL : gp_github_pull(g, n, err);

		if (pull && (!pick || pick(pull, ctx)))
			gp_json_append(pulls, pull);
		else
			gp_json_free(pull);
	}
	return err->code ? -1 : 0;
}

/* All pages of repository.pullRequests; variables is taken over. */
static struct gp_json *list(struct gp_github *g, const char *query, struct gp_json *variables, pick_fn *pick,
			    struct gp_err *err)
{
	struct gp_json *pulls = gp_json_array();
	struct gp_api_pages pages = {0};
	const char *cursor;

	do {
		struct gp_json *data = gp_github_query(g, query, gp_json_copy(variables), err);
		const struct gp_json *repository = gp_github_repository(g, data, err);

		cursor = NULL;
		if (repository)
			append(g, pulls, gp_json_get(repository, "pullRequests"), pick, NULL, &cursor, err);
		if (cursor && !gp_api_turn(&g->api, &pages, cursor, err))
			gp_json_set_text(variables, "after", cursor);
		gp_json_free(data);
	} while (cursor && !err->code);
	gp_api_pages_free(&pages);
	gp_json_free(variables);
	if (err->code) {
		gp_json_free(pulls);
		return NULL;
	}
	return gp_pulls_in_order(pulls);
}

static bool is_own(const struct gp_json *pull, const void *ctx)
{
	(void)ctx;
	return !gp_json_get_true(pull, "fork");
}

static struct gp_json *of_branch(const char *branch, const char *base)
{
	struct gp_json *variables = gp_json_object();

	gp_json_set_text(variables, "branch", branch);
	gp_json_set_text(variables, "base", base);
	return variables;
}

struct gp_json *gp_github_find_branch(void *repository, const char *branch, const char *base, struct gp_err *err)
{
	struct gp_github *g = repository;
	static const char query[] =
		"query($owner:String!,$name:String!,$branch:String!,$base:String!,$after:String){"
		"repository(owner:$owner,name:$name){pullRequests(states:OPEN,headRefName:$branch,baseRefName:$base,"
		"first:100,after:$after){nodes{...pull} pageInfo{hasNextPage endCursor}}}}" GP_GITHUB_PULL;

	return list(g, query, of_branch(branch, base), is_own, err);
}

static struct gp_json *find_closed(void *repository, const char *branch, const char *base, struct gp_err *err)
{
	static const char query[] =
		"query($owner:String!,$name:String!,$branch:String!,$base:String!,$after:String){"
		"repository(owner:$owner,name:$name){pullRequests(states:CLOSED,headRefName:$branch,baseRefName:$base,"
		"first:100,after:$after){nodes{...pull} pageInfo{hasNextPage endCursor}}}}" GP_GITHUB_PULL;

	return list(repository, query, of_branch(branch, base), is_own, err);
}

static struct gp_json *find_open(void *repository, struct gp_err *err)
{
	struct gp_github *g = repository;
	static const char query[] =
		"query($owner:String!,$name:String!,$after:String){repository(owner:$owner,name:$name){"
		"pullRequests(states:OPEN,first:100,after:$after){nodes{...pull} pageInfo{hasNextPage endCursor}}}}" GP_GITHUB_PULL;

	return list(g, query, gp_json_object(), NULL, err);
}

static struct gp_json *find_number(void *repository, int64_t number, struct gp_err *err)
{
	struct gp_github *g = repository;
	struct gp_json *pull, *pulls;

	if (gp_github_ask_number(g, &pull, number, err))
		return NULL;
	pulls = gp_json_array();
	if (pull)
		gp_json_append(pulls, pull);
	return pulls;
}

static bool is_merged_as(const struct gp_json *pull, const void *ctx)
{
	const char *commit = gp_json_get_text(pull, "merge_commit");

	return commit && !strcmp(commit, ctx);
}

/* Whether a commit is so young that GitHub's index may not have it yet. */
static bool is_young(const struct gp_json *object)
{
	const char *text = gp_json_get_text(object, "committedDate");
	struct tm tm = {0}, now;
	time_t at = time(NULL);

	if (!text || !strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm) || !gmtime_r(&at, &now))
		return false;
	return difftime(mktime(&now), mktime(&tm)) < YOUNG_S;
}

/*
 * A commit's pull requests, and beside them the last merged ones: the index of
 * the former lags behind a merge by seconds, and knows only the default branch
 * (https://docs.github.com/rest/commits/commits#list-pull-requests-associated-with-a-commit).
 */
static struct gp_json *ask_merged(struct gp_github *g, struct gp_json *variables, const char *commit, bool *young,
				  struct gp_err *err)
{
	static const char query[] =
		"query($owner:String!,$name:String!,$commit:GitObjectID!,$base:String,$after:String){"
		"repository(owner:$owner,name:$name){object(oid:$commit){...on Commit{committedDate "
		"associatedPullRequests(first:100,after:$after){nodes{...pull} pageInfo{hasNextPage endCursor}}}}"
		"pullRequests(states:MERGED,baseRefName:$base,first:20,orderBy:{field:UPDATED_AT,direction:DESC}){"
		"nodes{...pull}}}}" GP_GITHUB_PULL;
	struct gp_json *pulls = gp_json_array();
	struct gp_api_pages pages = {0};
	const char *cursor, *none;

	do {
		struct gp_json *data = gp_github_query(g, query, gp_json_copy(variables), err);
		const struct gp_json *repository = gp_github_repository(g, data, err);
		const struct gp_json *object = gp_json_get(repository, "object"),
				     *associated = gp_json_get(object, "associatedPullRequests");

		cursor = NULL;
		*young = is_young(object);
		if (gp_json_is_object(associated))
			append(g, pulls, associated, is_merged_as, commit, &cursor, err);
		if (gp_json_is_object(object))
			append(g, pulls, gp_json_get(repository, "pullRequests"), is_merged_as, commit, &none, err);
		if (cursor && !gp_api_turn(&g->api, &pages, cursor, err))
			gp_json_set_text(variables, "after", cursor);
		gp_json_free(data);
	} while (cursor && !err->code && !gp_json_first(pulls));
	gp_api_pages_free(&pages);
	gp_json_remove(variables, "after");
	return pulls;
}

static struct gp_json *find_merged(void *repository, const char *commit, const char *base, struct gp_err *err)
{
	struct gp_github *g = repository;
	struct gp_json *variables = gp_json_object(), *pulls = NULL;
	bool young = false;
	int n = 1;

	gp_json_set_text(variables, "commit", commit);
	if (base)
		gp_json_set_text(variables, "base", base);
	do {
		gp_json_free(pulls);
		pulls = ask_merged(g, variables, commit, &young, err);
	} while (!err->code && !gp_json_first(pulls) && young && n++ < MAX_LAG_ATTEMPTS &&
		 !gp_api_pause(&g->api, n, 0, NULL));
	gp_json_free(variables);
	if (err->code) {
		gp_json_free(pulls);
		return NULL;
	}
	return gp_pulls_in_order(pulls);
}

struct gp_json *gp_github_find_pr(void *repository, const struct gp_json *request, struct gp_err *err)
{
	static const struct gp_finder finder = {find_number, gp_github_find_branch, find_merged, find_open,
						find_closed};

	return gp_find_answer(&finder, repository, request, err);
}
