/* Finding pull requests, in four ways. https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "azdo.h"
#include "exit.h"
#include "mem.h"
#include "utf8.h"

/* Lists cut descriptions. How young a commit is whose pull request may not be found yet, and how often it is asked for. */
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
 * Appends a pull request of a list, whole: "description: truncated to 400 characters" says
 * https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests/get-pull-requests of lists.
 */
static int append_whole(struct gp_azdo *a, struct gp_json *pulls, const struct gp_json *node, struct gp_err *err)
{
	struct gp_json *pull = gp_azdo_pull(a, node, err);

	if (pull && units_of(gp_json_get_text(pull, "description")) >= CUT_AT) {
		int64_t number = gp_json_get_int(pull, "number", 0);

		gp_json_free(pull);
		pull = gp_azdo_look_up(a, number, NULL, err);
	}
	if (!pull)
		return -1;
	gp_json_append(pulls, pull);
	return 0;
}

static int take_open(struct gp_azdo *a, const struct gp_json *item, void *ctx, struct gp_err *err)
{
	const char *merge = gp_json_get_text(item, "mergeStatus");
	int64_t number = gp_json_get_int(item, "pullRequestId", 0);
	struct gp_json *pull;

	if (!merge || strcmp(merge, "failure") != 0 || number <= 0)
		return append_whole(a, ctx, item, err);
	/* Its branch may be gone. */
	pull = gp_azdo_look_up(a, number, NULL, err);
	if (pull && !strcmp(gp_json_get_text(pull, "state"), "open"))
		gp_json_append(ctx, pull);
	else
		gp_json_free(pull);
	return err->code ? -1 : 0;
}

static struct gp_json *find_open(struct gp_azdo *a, struct gp_err *err)
{
	struct gp_json *pulls = gp_json_array();

	if (!gp_azdo_list(a, GP_AZDO_REPOSITORY, "pullrequests?searchCriteria.status=active", GP_AZDO_DOLLAR, NULL,
			  take_open, pulls, err))
		return gp_pulls_in_order(pulls);
	gp_json_free(pulls);
	return NULL;
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
	return append_whole(a, ctx, item, err);
}

static struct gp_json *list_branch(struct gp_azdo *a, const char *branch, const char *base, struct gp_err *err)
{
	char *from = gp_api_escape(branch), *into = gp_api_escape(base);
	char *path = gp_asprintf("pullrequests?searchCriteria.status=active&searchCriteria.sourceRefName=refs/heads/%s"
				 "&searchCriteria.targetRefName=refs/heads/%s",
				 from, into);
	struct gp_json *pulls = gp_json_array();

	if (gp_azdo_list(a, GP_AZDO_REPOSITORY, path, GP_AZDO_DOLLAR, NULL, take_own, pulls, err)) {
		gp_json_free(pulls);
		pulls = NULL;
	}
	free(path);
	free(into);
	free(from);
	return pulls;
}

/* Keeps what the search has found, for open-pr, which comes next. */
static void remember(struct gp_azdo *a, const char *branch, const char *base, const struct gp_json *pulls)
{
	free(a->looked_for);
	a->looked_for = gp_asprintf("%s\n%s", branch, base);
	a->looked_up = gp_json_get_int(gp_json_first(pulls), "number", 0);
}

struct gp_json *gp_azdo_find_branch(struct gp_azdo *a, const char *branch, const char *base, struct gp_err *err)
{
	struct gp_json *pulls = list_branch(a, branch, base, err);
	char *tip = gp_json_first(pulls) ? gp_azdo_tip(a, branch, err) : NULL;

	for (struct gp_json *p = gp_json_first(pulls); p && !err->code; p = gp_json_next(p)) {
		if (!tip)
			abandon(a, gp_json_get_int(p, "number", 0), err);
		else
			/* The list may be behind the branch. */
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

struct merged {
	const char *commit;
	struct gp_json *pulls;
};

static int take_merged(struct gp_azdo *a, const struct gp_json *item, void *ctx, struct gp_err *err)
{
	struct merged *m = ctx;
	const char *status = gp_json_get_text(item, "status"),
		   *commit = gp_json_get_text(gp_json_get(item, "lastMergeCommit"), "commitId");

	/* The same number twice is told apart later. */
	if (!status || strcmp(status, "completed") != 0 || !commit || strcmp(commit, m->commit) != 0)
		return 0;
	return append_whole(a, m->pulls, item, err);
}

/* https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-query/get */
static int query_merged(struct gp_azdo *a, struct merged *m, struct gp_err *err)
{
	struct gp_json *body = gp_json_object(), *queries = gp_json_array(), *query = gp_json_object(),
		       *items = gp_json_array();
	struct gp_api_answer answer;
	int rc;

	gp_json_append(items, gp_json_string(m->commit));
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
				rc = take_merged(a, p, m, err);
	gp_api_answer_free(&answer);
	return rc;
}

/* The last ones that were completed: the query's index lags behind them. */
static int list_merged(struct gp_azdo *a, struct merged *m, const char *base, struct gp_err *err)
{
	char *name = base ? gp_api_escape(base) : NULL;
	char *path = gp_asprintf("pullrequests?searchCriteria.status=completed%s%s&$top=%d",
				 base ? "&searchCriteria.targetRefName=refs/heads/" : "", base ? name : "", RECENT);
	int rc = gp_azdo_list(a, GP_AZDO_REPOSITORY, path, GP_AZDO_WHOLE, NULL, take_merged, m, err);

	free(path);
	free(name);
	return rc;
}

/* Whether a commit is so young that what was merged as it may not be known yet. Returns 1, 0, -1. */
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

static struct gp_json *find_merged(struct gp_azdo *a, const char *commit, const char *base, struct gp_err *err)
{
	struct merged m = {commit, gp_json_array()};
	int rc = query_merged(a, &m, err);

	if (!rc && !gp_json_first(m.pulls))
		rc = list_merged(a, &m, base, err);
	if (!rc && !gp_json_first(m.pulls) && (rc = is_young(a, commit, err)) > 0) {
		rc = 0;
		for (int n = 1; !rc && !gp_json_first(m.pulls) && n < MAX_LAG_ATTEMPTS; n++) {
			if (gp_api_pause(&a->api, n, 0, NULL))
				break;
			rc = query_merged(a, &m, err);
		}
	}
	if (!rc)
		return gp_pulls_in_order(m.pulls);
	gp_json_free(m.pulls);
	return NULL;
}

static struct gp_json *find_number(struct gp_azdo *a, int64_t number, struct gp_err *err)
{
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
	struct gp_find f;

	if (gp_request_find(&f, request, err))
		return NULL;
	switch (f.way) {
	case GP_FIND_NUMBER:
		return gp_pulls_result(find_number(repository, f.number, err));
	case GP_FIND_BRANCH:
		return gp_pulls_result(gp_azdo_find_branch(repository, f.branch, f.base, err));
	case GP_FIND_MERGED_AS:
		return gp_pulls_result(find_merged(repository, f.commit, f.base, err));
	default:
		return gp_pulls_result(find_open(repository, err));
	}
}
