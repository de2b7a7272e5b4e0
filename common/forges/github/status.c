/* Commit statuses and check-runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forge/server.h"
#include "forges/github/github.h"
#include "sys/exit.h"
#include "sys/mem.h"

enum { BATCH = 100, MAX_POLLED = 3 };

#define CONTEXTS                                                                                                       \
	"{nodes{__typename ...on StatusContext{context state description targetUrl createdAt creator{login}} "         \
	"...on CheckRun{name status conclusion title detailsUrl startedAt completedAt}} pageInfo{hasNextPage endCursor}}"

static const char *first_of(const char *a, const char *b, const char *c)
{
	return a ? a : b ? b : c;
}

static bool is_one_of(const char *word, const char *const words[])
{
	for (size_t i = 0; word && words[i]; i++)
		if (!strcmp(word, words[i]))
			return true;
	return false;
}

/* The words of both APIs: StatusState, CheckConclusionState, and REST's in lower case. */
static const char *state_of(const char *word)
{
	static const char *const good[] = {"SUCCESS", "NEUTRAL", "SKIPPED", "success", "neutral", "skipped", NULL};
	static const char *const open[] = {"PENDING", "EXPECTED", "pending", "expected", NULL};

	return is_one_of(word, good) ? "success" : is_one_of(word, open) ? "pending" : "failure";
}

struct gp_json *gp_github_rest_status(const struct gp_json *node)
{
	const char *context = gp_json_get_text(node, "context"), *state = gp_json_get_text(node, "state"),
		   *at = gp_json_get_text(node, "created_at");

	return context && state && at ? gp_status(context, state_of(state), gp_json_get_text(node, "description"),
						  gp_json_get_text(node, "target_url"), at, "status",
						  gp_json_get_text(gp_json_get(node, "creator"), "login"))
				      : NULL;
}

static struct gp_json *check_run(const char *name, const char *status, const char *conclusion, const char *title,
				 const char *url, const char *at)
{
	bool done = status && (!strcmp(status, "COMPLETED") || !strcmp(status, "completed"));

	/* A queued check has no time yet. */
	return name && status ? gp_status(name, done ? state_of(conclusion) : "pending", title, url,
					  at ? at : "1970-01-01T00:00:00Z", "check-run", NULL)
			      : NULL;
}

static struct gp_json *rest_check_run(const struct gp_json *node)
{
	return check_run(gp_json_get_text(node, "name"), gp_json_get_text(node, "status"),
			 gp_json_get_text(node, "conclusion"), gp_json_get_text(gp_json_get(node, "output"), "title"),
			 gp_json_get_text(node, "details_url"),
			 first_of(gp_json_get_text(node, "completed_at"), gp_json_get_text(node, "started_at"), NULL));
}

static struct gp_json *graphql_status(const struct gp_json *node)
{
	const char *type = gp_json_get_text(node, "__typename"), *state = gp_json_get_text(node, "state");
	const char *context = gp_json_get_text(node, "context"), *at = gp_json_get_text(node, "createdAt");

	if (type && !strcmp(type, "CheckRun"))
		return check_run(gp_json_get_text(node, "name"), gp_json_get_text(node, "status"),
				 gp_json_get_text(node, "conclusion"), gp_json_get_text(node, "title"),
				 gp_json_get_text(node, "detailsUrl"),
				 first_of(gp_json_get_text(node, "completedAt"), gp_json_get_text(node, "startedAt"),
					  NULL));
	return context && state && at ? gp_status(context, state_of(state), gp_json_get_text(node, "description"),
						  gp_json_get_text(node, "targetUrl"), at, "status",
						  gp_json_get_text(gp_json_get(node, "creator"), "login"))
				      : NULL;
}

/* Appends what make gives of each; null is what this token may not see. */
static int append(const struct gp_github *g, struct gp_json *list, const struct gp_json *nodes,
		  struct gp_json *make(const struct gp_json *node), struct gp_err *err)
{
	if (!gp_json_is_array(nodes))
		return gp_api_nonsense(&g->api, "it lists no statuses", err);
	for (const struct gp_json *n = gp_json_first(nodes); n; n = gp_json_next(n)) {
		struct gp_json *status = gp_json_is_null(n) ? NULL : make(n);

		if (status)
			gp_json_append(list, status);
		else if (!gp_json_is_null(n))
			return gp_api_nonsense(&g->api, "a status without context, state or time", err);
	}
	return 0;
}

/* GraphQL: the newest of each context, for many commits in one request. */

static char *batch_query(const struct gp_json *first, size_t *count)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = gp_open_text(&text, &len);

	*count = 0;
	fputs("query($owner:String!,$name:String!){repository(owner:$owner,name:$name){", f);
	for (const struct gp_json *c = first; c && *count < BATCH; c = gp_json_next(c), ++*count)
		fprintf(f, "c%zu:object(oid:\"%s\"){...c} ", *count, gp_json_text(c));
	fputs("}} fragment c on Commit{statusCheckRollup{contexts(first:100)" CONTEXTS "}}", f);
	gp_close_text(f, &text);
	return text;
}

/* The further pages of a commit that has more than a hundred contexts. */
static int append_rest(struct gp_github *g, struct gp_json *list, const char *commit, const struct gp_json *info,
		       struct gp_err *err)
{
	static const char query[] = "query($owner:String!,$name:String!,$commit:GitObjectID!,$after:String){"
				    "repository(owner:$owner,name:$name){object(oid:$commit){...on Commit{"
				    "statusCheckRollup{contexts(first:100,after:$after)" CONTEXTS "}}}}}";
	char *after = gp_json_get_true(info, "hasNextPage") ? gp_strdup(gp_json_get_text(info, "endCursor")) : NULL;
	struct gp_api_pages pages = {0};

	while (after && !err->code && !gp_api_turn(&g->api, &pages, after, err)) {
		struct gp_json *variables = gp_json_object(), *data;
		const struct gp_json *contexts;

		gp_json_set_text(variables, "commit", commit);
		gp_json_set_text(variables, "after", after);
		data = gp_github_query(g, query, variables, err);
		contexts = gp_json_get(gp_json_get(gp_github_repository(g, data, err), "object"), "statusCheckRollup");
		contexts = gp_json_get(contexts, "contexts");
		if (!err->code)
			append(g, list, gp_json_get(contexts, "nodes"), graphql_status, err);
		info = gp_json_get(contexts, "pageInfo");
		free(after);
		after = gp_json_get_true(info, "hasNextPage") ? gp_strdup(gp_json_get_text(info, "endCursor")) : NULL;
		gp_json_free(data);
	}
	gp_api_pages_free(&pages);
	free(after);
	return err->code ? -1 : 0;
}

/* One request's worth of commits into all; *first moves behind them. */
static int list_batch(struct gp_github *g, struct gp_json *all, const struct gp_json **first, struct gp_err *err)
{
	size_t count;
	char *query = batch_query(*first, &count), alias[32];
	struct gp_json *data = query ? gp_github_query(g, query, gp_json_object(), err) : NULL;
	const struct gp_json *repository = gp_github_repository(g, data, err);

	free(query);
	for (size_t i = 0; i < count && !err->code; i++, *first = gp_json_next(*first)) {
		const char *commit = gp_json_text(*first);
		const struct gp_json *rollup, *contexts;
		struct gp_json *list = gp_json_array();

		snprintf(alias, sizeof alias, "c%zu", i);
		/* Null where there is no such commit, and where it has no statuses. */
		rollup = gp_json_get(gp_json_get(repository, alias), "statusCheckRollup");
		contexts = gp_json_get(rollup, "contexts");
		if (gp_json_is_object(rollup) && !append(g, list, gp_json_get(contexts, "nodes"), graphql_status, err))
			append_rest(g, list, commit, gp_json_get(contexts, "pageInfo"), err);
		gp_json_set(all, commit, gp_statuses_in_order(list));
	}
	gp_json_free(data);
	return err->code ? -1 : 0;
}

/* REST: the whole history, and for polling: unchanged lists are 304 and cost nothing. */

static int list_pages(struct gp_github *g, struct gp_json *list, const char *commit, bool runs, struct gp_err *err)
{
	struct gp_api_pages pages = {0};
	char *url = NULL;
	int rc = 0;

	if (!runs || !g->no_checks)
		url = gp_asprintf("/repos/%s/commits/%s/%s?per_page=100", g->address.slug, commit,
				  runs ? "check-runs" : "statuses");
	while (url && !rc) {
		const struct gp_json *page = NULL;
		char *next = NULL;

		rc = gp_api_turn(&g->api, &pages, url, err);
		if (!rc)
			rc = gp_github_get(g, url, &page, &next, runs ? &g->no_checks : NULL, err);
		if (!rc && page)
			rc = append(g, list, runs ? gp_json_get(page, "check_runs") : page,
				    runs ? rest_check_run : gp_github_rest_status, err);
		free(url);
		url = next;
	}
	gp_api_pages_free(&pages);
	free(url);
	return rc;
}

static bool has_kind(const struct gp_json *list, const char *kind)
{
	for (const struct gp_json *s = gp_json_first(list); s; s = gp_json_next(s))
		if (!strcmp(gp_json_get_text(s, "kind"), kind))
			return true;
	return false;
}

/* Puts the whole history in the place of the newest of each context. */
static int complete(struct gp_github *g, struct gp_json *all, struct gp_err *err)
{
	for (struct gp_json *old = gp_json_first(all), *next; old; old = next) {
		struct gp_json *list;

		next = gp_json_next(old);
		if (!has_kind(old, "status"))
			continue;
		list = gp_json_array();
		int rc = list_pages(g, list, gp_json_key(old), false, err);

		for (const struct gp_json *s = gp_json_first(old); s; s = gp_json_next(s))
			if (strcmp(gp_json_get_text(s, "kind"), "status") != 0)
				gp_json_append(list, gp_json_copy(s));
		char *commit = gp_strdup(gp_json_key(old));

		gp_json_set(all, commit, gp_statuses_in_order(list));
		free(commit);
		if (rc)
			return -1;
	}
	return 0;
}

static int poll_again(struct gp_github *g, struct gp_json *all, const struct gp_json *commits, struct gp_err *err)
{
	for (const struct gp_json *c = gp_json_first(commits); c; c = gp_json_next(c)) {
		struct gp_json *list = gp_json_array();
		int rc = list_pages(g, list, gp_json_text(c), false, err) ||
			 list_pages(g, list, gp_json_text(c), true, err);

		gp_json_set(all, gp_json_text(c), gp_statuses_in_order(list));
		if (rc)
			return -1;
	}
	return 0;
}

/* Whether these few commits were asked about before, and remembers them. */
static bool is_polled(struct gp_github *g, const struct gp_json *commits)
{
	char *now = gp_json_print(commits), *before = g->polled ? gp_json_print(g->polled) : NULL;
	bool again = before && !strcmp(now, before) && gp_json_count(commits) <= MAX_POLLED;

	gp_json_free(g->polled);
	g->polled = gp_json_copy(commits);
	free(now);
	free(before);
	return again;
}

struct gp_json *gp_github_list_statuses(void *repository, const struct gp_json *request, struct gp_err *err)
{
	struct gp_github *g = repository;
	const struct gp_json *commits, *next;
	struct gp_json *statuses, *result;
	bool all;

	if (gp_request_commits(&commits, &all, request, err))
		return NULL;
	statuses = gp_json_object();
	if (is_polled(g, commits)) {
		poll_again(g, statuses, commits, err);
	} else {
		next = gp_json_first(commits);
		while (next && !list_batch(g, statuses, &next, err))
			;
		if (!err->code && all)
			complete(g, statuses, err);
	}
	if (err->code) {
		gp_json_free(statuses);
		return NULL;
	}
	result = gp_json_object();
	gp_json_set(result, "statuses", statuses);
	return result;
}
