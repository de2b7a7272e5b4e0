/* What a request changes: pull requests, their auto-merge, the base, statuses. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exit.h"
#include "forge-server.h"
#include "local.h"
#include "mem.h"

static const char *const methods[] = {"merge", "squash", "rebase", NULL};
static const char *const states[] = {"success", "failure", "pending", NULL};

/* Whether there is something to open a pull request for. */
static int check_branches(struct gp_local *local, const char *branch, const char *base, struct gp_err *err)
{
	const struct gp_local_ref *head = gp_local_branch(local, branch), *tip = gp_local_branch(local, base);

	if (!head || !tip)
		return gp_fail(err, GP_EXIT_REFUSED, "no branch '%s' in '%s'%s", head ? base : branch, local->dir,
			       local->sorted_refs ? "" : ", which is empty");
	int contained = gp_git_is_ancestor(local->git, &head->new, &tip->new, err);

	return contained > 0 ? gp_fail(err, GP_EXIT_REFUSED, "no commits between %s and %s", base, branch) : contained;
}

static struct gp_local_pull *add_pull(struct gp_local *local, const char *branch, const char *base, const char *title,
				      const char *description, struct gp_err *err)
{
	struct gp_json *json;
	struct gp_local_pull *pull;

	if (check_branches(local, branch, base, err))
		return NULL;
	const struct gp_oid head = gp_local_branch(local, branch)->new, tip = gp_local_branch(local, base)->new;

	gp_local_rely(local, branch);
	gp_local_rely(local, base);
	json = gp_json_object();
	gp_json_set_int(json, "number", 0);
	gp_json_set_text(json, "title", title);
	gp_json_set_text(json, "description", description);
	gp_json_set_text(json, "branch", branch);
	gp_json_set_text(json, "base", base);
	gp_json_set_text(json, "head", NULL);
	gp_json_set_text(json, "state", "open");
	gp_json_set_bool(json, "auto_merge", false);
	gp_json_set_text(json, "method", NULL);
	gp_json_set_text(json, "merge_commit", NULL);
	pull = gp_local_add(local, json, err);
	return pull && !gp_local_test_merge(local, pull, &head, &tip, err) ? pull : NULL;
}

struct gp_json *gp_local_open_pr(struct gp_local *local, const struct gp_json *request, struct gp_err *err)
{
	const char *branch, *title, *description, *base;
	struct gp_local_pull *pull;
	struct gp_json *result;

	if (gp_request_name(&branch, request, "branch", err) || gp_request_name(&title, request, "title", err) ||
	    gp_request_text(&description, request, "description", err) || gp_local_get_base(&base, request, err))
		return NULL;
	pull = gp_local_find_branch(local, branch, base);
	bool created = !pull;

	if (created)
		pull = add_pull(local, branch, base, title, description, err);
	if (!pull)
		return NULL;
	int64_t number = pull->number;
	bool same = !strcmp(gp_json_get_text(pull->json, "title"), title) &&
		    !strcmp(gp_json_get_text(pull->json, "description"), description);

	gp_json_set_text(pull->json, "title", title);
	gp_json_set_text(pull->json, "description", description);
	if (!same && gp_local_save(local, pull, err))
		return NULL;
	if ((created || !same) &&
	    gp_local_record(local, err, "%s #%lld: %s into %s: %s", created ? "open-pr" : "update", (long long)number,
			    branch, base, title))
		return NULL;
	result = gp_local_number_result(local, number, err);
	if (result)
		gp_json_set_bool(result, "created", created);
	return result;
}

/* The open pull request that an operation is bound to by number and head. */
static struct gp_local_pull *get_bound(struct gp_local *local, int64_t number, const char *head, struct gp_err *err)
{
	struct gp_local_pull *pull = gp_local_find_open(local, number);
	struct gp_json *closed;
	const char *now;

	if (!pull) {
		closed = gp_local_number_result(local, number, err);
		if (closed)
			gp_fail(err, GP_EXIT_REFUSED, "pull request #%lld is %s already", (long long)number,
				gp_json_get_text(gp_json_get(closed, "pull_request"), "state"));
		gp_json_free(closed);
		return NULL;
	}
	now = gp_json_get_text(pull->json, "head");
	if (strcmp(now, head) != 0) {
		gp_fail(err, GP_EXIT_RETRY, "head of #%lld is now %s, not %s", (long long)number, now, head);
		return NULL;
	}
	gp_local_rely(local, gp_json_get_text(pull->json, "branch"));
	return pull;
}

static int get_method(const char **method, const struct gp_json *request, struct gp_err *err)
{
	if (gp_request_word(method, request, "method", methods, err))
		return -1;
	if (!strcmp(*method, "rebase"))
		return gp_fail(err, GP_EXIT_REFUSED, "gp-forge-local merges by merge or squash, not by rebase");
	return 0;
}

static struct gp_json *disable_auto_merge(struct gp_local *local, int64_t number, struct gp_err *err)
{
	struct gp_local_pull *pull = gp_local_find_open(local, number);

	/* Neither a head that moved nor a pull request that is closed is a reason to leave it on. */
	if (pull && gp_json_get_true(pull->json, "auto_merge")) {
		gp_json_set_bool(pull->json, "auto_merge", false);
		gp_json_set_text(pull->json, "method", NULL);
		if (gp_local_save(local, pull, err) ||
		    gp_local_record(local, err, "auto-merge off #%lld", (long long)number))
			return NULL;
	}
	return gp_local_number_result(local, number, err);
}

static struct gp_json *enable_auto_merge(struct gp_local *local, int64_t number, const char *method, const char *head,
					 struct gp_err *err)
{
	struct gp_local_pull *pull = get_bound(local, number, head, err);
	struct gp_json *result;
	const char *before;
	char *why = NULL;

	if (!pull || gp_local_read_config(local, err))
		return NULL;
	if (!local->config.auto_merge) {
		gp_fail(err, GP_EXIT_REFUSED, "auto-merge is not allowed in '%s' (gp.autoMerge is false there)",
			local->dir);
		return NULL;
	}
	int clean = gp_local_is_green(local, head, &why, err);

	free(why);
	if (clean < 0)
		return NULL;
	why = NULL;
	clean = clean && gp_local_is_mergeable(local, pull, &why);
	free(why);
	if (clean) {
		result = gp_local_number_result(local, number, err);
		if (result)
			gp_json_set_bool(result, "clean", true);
		return result;
	}
	before = gp_json_get_text(pull->json, "method");
	if (!gp_json_get_true(pull->json, "auto_merge") || !before || strcmp(before, method) != 0) {
		gp_json_set_bool(pull->json, "auto_merge", true);
		gp_json_set_text(pull->json, "method", method);
		if (gp_local_save(local, pull, err) ||
		    gp_local_record(local, err, "auto-merge on #%lld: by %s", (long long)number, method))
			return NULL;
	}
	return gp_local_number_result(local, number, err);
}

struct gp_json *gp_local_set_auto_merge(struct gp_local *local, const struct gp_json *request, struct gp_err *err)
{
	const char *method, *head;
	int64_t number;
	bool enable;

	if (gp_request_number(&number, request, "number", err) || gp_request_bool(&enable, request, "enable", err))
		return NULL;
	if (!enable)
		return disable_auto_merge(local, number, err);
	if (gp_request_commit(&head, request, "head", err) || get_method(&method, request, err))
		return NULL;
	return enable_auto_merge(local, number, method, head, err);
}

struct gp_json *gp_local_merge_pr(struct gp_local *local, const struct gp_json *request, struct gp_err *err)
{
	struct gp_local_pull *pull;
	struct gp_json *merged, *result;
	const char *method, *head;
	int64_t number;
	char *why = NULL;

	if (gp_request_number(&number, request, "number", err) || gp_request_commit(&head, request, "head", err) ||
	    get_method(&method, request, err))
		return NULL;
	pull = get_bound(local, number, head, err);
	int may = pull ? gp_local_is_green(local, head, &why, err) : -1;

	if (may < 0)
		return NULL;
	if (!may || !gp_local_is_mergeable(local, pull, &why)) {
		gp_fail(err, GP_EXIT_REFUSED, "cannot merge #%lld: %s", (long long)number, why);
		free(why);
		return NULL;
	}
	merged = gp_local_merge(local, pull, method, "merge-pr", err);
	/* Others may now be in the base as well, or need another test merge. */
	result = merged && !gp_local_settle(local, err) ? gp_local_pull_result(local, merged) : NULL;
	gp_json_free(merged);
	return result;
}

static struct gp_json *status_object(const char *context, const char *state, const char *description, const char *url)
{
	struct gp_json *status = gp_json_object();
	time_t now = time(NULL);
	struct tm tm;
	char at[32];

	strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	gp_json_set_text(status, "context", context);
	gp_json_set_text(status, "state", state);
	gp_json_set_text(status, "description", description);
	gp_json_set_text(status, "url", url);
	gp_json_set_text(status, "created_at", at);
	gp_json_set_text(status, "kind", "status");
	return status;
}

/* Where a status is meant as a check of a pull request, the commit has to be its head. */
static int check_target(struct gp_local *local, const struct gp_json *request, const char *commit, struct gp_err *err)
{
	struct gp_commit read;
	struct gp_oid oid;
	int64_t number;

	if (gp_json_get(request, "number") && !gp_json_is_null(gp_json_get(request, "number"))) {
		if (gp_request_number(&number, request, "number", err))
			return -1;
		struct gp_json *result = gp_local_number_result(local, number, err);
		const char *head = gp_json_get_text(gp_json_get(result, "pull_request"), "head");

		if (result && strcmp(head, commit) != 0)
			gp_fail(err, GP_EXIT_RETRY, "head of #%lld is now %s, not %s", (long long)number, head, commit);
		gp_json_free(result);
		if (err->code)
			return -1;
	}
	gp_oid_parse(&oid, commit);
	int found = gp_git_read_commit(local->git, &read, &oid, err);

	if (found > 0)
		gp_commit_free(&read);
	return found ? found : gp_fail(err, GP_EXIT_REFUSED, "no commit %s in '%s'", commit, local->dir);
}

struct gp_json *gp_local_set_status(struct gp_local *local, const struct gp_json *request, struct gp_err *err)
{
	const char *commit, *context, *state, *description, *url;
	struct gp_json *status, *result;

	if (gp_request_commit(&commit, request, "commit", err) || gp_request_name(&context, request, "context", err) ||
	    gp_request_word(&state, request, "state", states, err) ||
	    gp_request_optional_text(&description, request, "description", err) ||
	    gp_request_optional_text(&url, request, "url", err) || check_target(local, request, commit, err) < 0)
		return NULL;
	status = status_object(context, state, description, url);
	if (gp_local_add_status(local, commit, gp_json_copy(status), err) ||
	    gp_local_record(local, err, "set-status %s: %s is %s", commit, context, state) ||
	    gp_local_settle(local, err)) {
		gp_json_free(status);
		return NULL;
	}
	result = gp_json_object();
	gp_json_set(result, "status", status);
	return result;
}
