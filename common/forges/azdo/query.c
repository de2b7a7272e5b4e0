/* Finding pull requests, in four ways. https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "forges/azdo/azdo.h"
#include "sys/exit.h"
#include "sys/mem.h"
#include "sys/utf8.h"

/* Lists cut descriptions. The age up to which a commit's pull request may not be found yet, and how often to ask. */
enum { CUT_AT = 400, YOUNG_S = 60, MAX_LAG_ATTEMPTS = 4, RECENT = 20 };

/* The length of a text as .NET counts it: in units of UTF-16. */
static size_t units_of(const char *text)
{
	size_t units = 0;

	for (size_t len = strlen(text), n; len; text += n, len -= n) {
		n = gp_utf8_length(text, len);
		units += n == 4 ? 2 : 1;
		n = n ? n : 1;
	}
	return units;
}

/*
 * Pull requests out of lists. Looking up takes as long as there are many, and lists have to be read at once, or they
 * shift: so it is done when all are there.
 */
struct listed {
	struct gp_json *pulls, *unsure; /* unsure: the numbers of those that a list does not tell enough of */
	bool with_branch;               /* leave out those whose branch is gone */
	const char *status;             /* the required state: "active", "completed" */
	const char *merged_as;          /* the required merge commit; NULL: any */
};

static struct listed begin(const char *status, bool with_branch, const char *merged_as)
{
	return (struct listed){gp_json_array(), gp_json_object(), with_branch, status, merged_as};
}

static void begin_anew(struct listed *l)
{
	gp_json_free(l->pulls);
	gp_json_free(l->unsure);
	*l = begin(l->status, l->with_branch, l->merged_as);
}

static bool is_empty(const struct listed *l)
{
	return !gp_json_first(l->pulls) && !gp_json_first(l->unsure);
}

/*
 * "description: truncated to 400 characters" says
 * https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests/get-pull-requests of lists.
 */
static int take_listed(struct gp_azdo *a, const struct gp_json *item, void *ctx, struct gp_err *err)
{
	struct listed *l = ctx;
	const char *merge = gp_json_get_text(item, "mergeStatus");
	struct gp_json *pull = item ? gp_azdo_pull(a, item, err) : NULL;
	bool may_be_gone = l->with_branch && merge && !strcmp(merge, "failure");

	if (!item)
		begin_anew(l);
	if (!pull)
		return item ? -1 : 0;
	if (may_be_gone || units_of(gp_json_get_text(pull, "description")) >= CUT_AT) {
		char *number = gp_asprintf("%lld", (long long)gp_json_get_int(pull, "number", 0));

		gp_json_set_bool(l->unsure, number, true);
		free(number);
		gp_json_free(pull);
	} else {
		gp_json_append(l->pulls, pull);
	}
	return 0;
}

/* All of them whole, except those completed or abandoned since they were listed. Frees l. */
static struct gp_json *end(struct gp_azdo *a, struct listed *l, struct gp_err *err)
{
	for (const struct gp_json *n = gp_json_first(l->unsure); n && !err->code; n = gp_json_next(n)) {
		const struct gp_json *node;
		struct gp_json *pull = gp_azdo_look_up(a, strtoll(gp_json_key(n), NULL, 10), &node, err);
		const char *status = gp_json_get_text(node, "status");
		bool gone = pull && !strcmp(gp_json_get_text(pull, "state"), "closed");

		if (pull && status && !strcmp(status, l->status) && !(gone && l->with_branch))
			gp_json_append(l->pulls, pull);
		else
			gp_json_free(pull);
	}
	gp_json_free(l->unsure);
	if (!err->code)
		return gp_pulls_in_order(l->pulls);
	gp_json_free(l->pulls);
	return NULL;
}

static struct gp_json *find_open(void *repository, struct gp_err *err)
{
	struct gp_azdo *a = repository;
	struct listed l = begin("active", true, NULL);

	gp_azdo_list(a, GP_AZDO_REPOSITORY, "pullrequests?searchCriteria.status=active", GP_AZDO_PULLS, NULL,
		     take_listed, &l, err);
	return end(a, &l, err);
}

/*
 * One whose branch is gone stays active, and would come to life, auto-complete and all, with the next push of a branch
 * of that name: it is abandoned before that. Where the token may not, it is passed over nevertheless.
 */
static int abandon(struct gp_azdo *a, int64_t number, struct gp_err *err)
{
	struct gp_json *body = gp_json_object();
	struct gp_api_answer answer;
	int rc;

	gp_json_set_text(body, "status", "abandoned");
	rc = gp_azdo_change(a, number, body, &answer, err);
	gp_api_answer_free(&answer);
	gp_json_free(body);
	return rc;
}

static int take_own(struct gp_azdo *a, const struct gp_json *item, void *ctx, struct gp_err *err)
{
	/* A fork's branch may have the same name. */
	if (gp_json_is_object(gp_json_get(item, "forkSource")))
		return 0;
	return take_listed(a, item, ctx, err);
}

static struct gp_json *list_branch(struct gp_azdo *a, const char *branch, const char *base, const char *status,
				   struct gp_err *err)
{
	char *from = gp_api_escape(branch), *into = gp_api_escape(base);
	char *path = gp_asprintf("pullrequests?searchCriteria.status=%s&searchCriteria.sourceRefName=refs/heads/%s"
				 "&searchCriteria.targetRefName=refs/heads/%s",
				 status, from, into);
	struct listed l = begin(status, false, NULL);

	gp_azdo_list(a, GP_AZDO_REPOSITORY, path, GP_AZDO_PULLS, NULL, take_own, &l, err);
	free(path);
	free(into);
	free(from);
	return end(a, &l, err);
}

/* Remembers the result for open-pr, which comes next. */
static void remember(struct gp_azdo *a, const char *branch, const char *base, const struct gp_json *pulls)
{
	free(a->looked_for);
	a->looked_for = gp_asprintf("%s\n%s", branch, base);
	a->looked_up = gp_json_get_int(gp_json_first(pulls), "number", 0);
}

static struct gp_json *find_closed(void *repository, const char *branch, const char *base, struct gp_err *err)
{
	return list_branch(repository, branch, base, "abandoned", err);
}

struct gp_json *gp_azdo_find_branch(void *repository, const char *branch, const char *base, struct gp_err *err)
{
	struct gp_azdo *a = repository;
	struct gp_json *pulls = list_branch(a, branch, base, "active", err);
	char *tip = gp_json_first(pulls) ? gp_azdo_tip(a, branch, err) : NULL;

	for (struct gp_json *p = gp_json_first(pulls); p && !err->code; p = gp_json_next(p)) {
		if (!tip)
			abandon(a, gp_json_get_int(p, "number", 0), err);
		else
			/* The list may lag behind the branch. */
			gp_json_set_text(p, "head", tip);
	}
	if (!tip && gp_json_first(pulls)) {
		gp_json_free(pulls);
		pulls = err->code ? NULL : gp_json_array();
	} else if (err->code) {
		gp_json_free(pulls);
		pulls = NULL;
	}
	free(tip);
	if (pulls)
		remember(a, branch, base, pulls);
	return pulls ? gp_pulls_in_order(pulls) : NULL;
}

static int take_merged(struct gp_azdo *a, const struct gp_json *item, void *ctx, struct gp_err *err)
{
	const struct listed *l = ctx;
	const char *status = gp_json_get_text(item, "status"),
		   *commit = gp_json_get_text(gp_json_get(item, "lastMergeCommit"), "commitId");

	/* The same number twice is distinguished later. */
	if (!status || strcmp(status, l->status) != 0 || !commit || strcmp(commit, l->merged_as) != 0)
		return 0;
	return take_listed(a, item, ctx, err);
}

/* https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-query/get */
static int query_merged(struct gp_azdo *a, struct listed *l, struct gp_err *err)
{
	struct gp_json *body = gp_json_object(), *queries = gp_json_array(), *query = gp_json_object(),
		       *items = gp_json_array();
	struct gp_api_answer answer;
	int rc;

	gp_json_append(items, gp_json_string(l->merged_as));
	gp_json_set_text(query, "type", "lastMergeCommit");
	gp_json_set(query, "items", items);
	gp_json_append(queries, query);
	gp_json_set(body, "queries", queries);
	rc = gp_azdo_send(a, "POST", GP_AZDO_REPOSITORY, "pullrequestquery", body, GP_API_ALWAYS, &answer, err);
	gp_json_free(body);
	if (!rc && answer.status != 200)
		rc = gp_azdo_refuse(a, &answer, err);
	else if (!rc && !gp_json_is_array(gp_json_get(answer.json, "results")))
		rc = gp_api_nonsense(&a->api, "a query without results", err);
	/* results[i] has, for each commit of query i, its pull requests. */
	for (const struct gp_json *r = rc ? NULL : gp_json_first(gp_json_get(answer.json, "results")); r && !rc;
	     r = gp_json_next(r))
		for (const struct gp_json *list = gp_json_first(r); list && !rc; list = gp_json_next(list))
			for (const struct gp_json *p = gp_json_first(list); p && !rc; p = gp_json_next(p))
				rc = take_merged(a, p, l, err);
	gp_api_answer_free(&answer);
	return rc;
}

/* The last ones that were completed: the query's index lags behind them. */
static int list_merged(struct gp_azdo *a, struct listed *l, const char *base, struct gp_err *err)
{
	char *name = base ? gp_api_escape(base) : NULL;
	char *path = gp_asprintf("pullrequests?searchCriteria.status=completed%s%s&$top=%d",
				 base ? "&searchCriteria.targetRefName=refs/heads/" : "", base ? name : "", RECENT);
	int rc = gp_azdo_list(a, GP_AZDO_REPOSITORY, path, GP_AZDO_WHOLE, NULL, take_merged, l, err);

	free(path);
	free(name);
	return rc;
}

/* Whether a commit is so young that its pull request may not be indexed yet. Returns 1, 0, -1. */
static int is_young(struct gp_azdo *a, const char *commit, struct gp_err *err)
{
	char *path = gp_asprintf("commits/%s", commit);
	const struct gp_json *object;
	int rc = gp_azdo_get(a, GP_AZDO_REPOSITORY, path, &object, err);
	const char *text = rc ? NULL : gp_json_get_text(gp_json_get(object, "committer"), "date");
	struct tm tm = {0}, now;
	time_t at = time(NULL);

	if (text && strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) && gmtime_r(&at, &now))
		rc = difftime(mktime(&now), mktime(&tm)) < YOUNG_S;
	free(path);
	return rc;
}

static struct gp_json *find_merged(void *repository, const char *commit, const char *base, struct gp_err *err)
{
	struct gp_azdo *a = repository;
	struct listed l = begin("completed", false, commit);
	int rc = query_merged(a, &l, err);

	if (!rc && is_empty(&l))
		rc = list_merged(a, &l, base, err);
	if (!rc && is_empty(&l) && is_young(a, commit, err) > 0)
		for (int n = 1; !rc && is_empty(&l) && n < MAX_LAG_ATTEMPTS; n++) {
			if (gp_api_pause(&a->api, n, 0, NULL))
				break;
			rc = query_merged(a, &l, err);
		}
	return end(a, &l, err);
}

static struct gp_json *find_number(void *repository, int64_t number, struct gp_err *err)
{
	struct gp_azdo *a = repository;
	struct gp_json *pull, *pulls;

	if (gp_azdo_ask_number(a, &pull, number, err))
		return NULL;
	pulls = gp_json_array();
	if (pull)
		gp_json_append(pulls, pull);
	return pulls;
}

struct gp_json *gp_azdo_find_pr(void *repository, const struct gp_json *request, struct gp_err *err)
{
	static const struct gp_finder finder = {find_number, gp_azdo_find_branch, find_merged, find_open, find_closed};

	return gp_find_answer(&finder, repository, request, err);
}
