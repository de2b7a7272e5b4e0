/* What a request changes: pull requests, their auto-merge, the base, statuses. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "forge/server.h"
#include "forges/local/local.h"
#include "sys/exit.h"
#include "sys/mem.h"

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

/* Adds what is missing of wanted to a member; whether anything was. What people have added stays. */
static bool add_texts(struct gp_json *pull, const char *member, const struct gp_json *wanted)
{
	struct gp_json *missing = gp_wanted_missing(wanted, gp_json_get(pull, member)), *list;
	bool any = gp_json_first(missing) != NULL;

	if (any) {
		list = gp_json_get(pull, member) ? gp_json_copy(gp_json_get(pull, member)) : gp_json_array();
		for (const struct gp_json *m = gp_json_first(missing); m; m = gp_json_next(m))
			gp_json_append(list, gp_json_copy(m));
		gp_json_set(pull, member, list);
	}
	gp_json_free(missing);
	return any;
}

struct gp_json *gp_local_open_pr(void *repository, const struct gp_json *request, struct gp_err *err)
{
	struct gp_local *local = repository;
	struct gp_local_pull *pull;
	struct gp_json *result;
	struct gp_wanted w;

	if (gp_request_wanted(&w, request, err))
		return NULL;
	pull = gp_local_find_branch(local, w.branch, w.base);
	bool created = !pull;

	if (created)
		pull = add_pull(local, w.branch, w.base, w.title, w.description, err);
	if (!pull)
		return NULL;
	int64_t number = pull->number;
	bool same = !strcmp(gp_json_get_text(pull->json, "title"), w.title) &&
		    !strcmp(gp_json_get_text(pull->json, "description"), w.description);
	struct gp_json *warnings = NULL, *pull_json;

	if (w.draft && created)
		gp_warn(&warnings, "gp-forge-local has no drafts: #%lld is none", (long long)number);
	same &= !add_texts(pull->json, "labels", w.labels);
	same &= !add_texts(pull->json, "reviewers", w.reviewers);

	gp_json_set_text(pull->json, "title", w.title);
	gp_json_set_text(pull->json, "description", w.description);
	if ((!same && gp_local_save(local, pull, err)) ||
	    ((created || !same) &&
	     gp_local_record(local, err, "%s #%lld: %s into %s: %s", created ? "open-pr" : "update", (long long)number,
			     w.branch, w.base, w.title))) {
		gp_json_free(warnings);
		return NULL;
	}
	result = gp_local_number_result(local, number, err);
	pull_json = result ? gp_json_take(result, "pull_request") : NULL;
	gp_json_free(result);
	return gp_opened_result(pull_json, created, warnings);
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

static int check_method(const struct gp_merge *m, struct gp_err *err)
{
	if (!strcmp(m->method, "rebase"))
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

struct gp_json *gp_local_set_auto_merge(void *repository, const struct gp_json *request, struct gp_err *err)
{
	struct gp_merge m;

	if (gp_request_auto_merge(&m, request, err))
		return NULL;
	if (!m.enable)
		return disable_auto_merge(repository, m.number, err);
	return check_method(&m, err) ? NULL : enable_auto_merge(repository, m.number, m.method, m.head, err);
}

struct gp_json *gp_local_merge_pr(void *repository, const struct gp_json *request, struct gp_err *err)
{
	struct gp_local *local = repository;
	struct gp_local_pull *pull;
	struct gp_json *merged, *result;
	struct gp_merge m;
	char *why = NULL;

	if (gp_request_merge(&m, request, err) || check_method(&m, err))
		return NULL;
	pull = get_bound(local, m.number, m.head, err);
	int may = pull ? gp_local_is_green(local, m.head, &why, err) : -1;

	if (may < 0)
		return NULL;
	if (!may || !gp_local_is_mergeable(local, pull, &why)) {
		gp_fail(err, GP_EXIT_REFUSED, "cannot merge #%lld: %s", (long long)m.number, why);
		free(why);
		return NULL;
	}
	merged = gp_local_merge(local, pull, m.method, "merge-pr", err);
	/* Others may now be in the base as well, or need another test merge. */
	result = merged && !gp_local_settle(local, err) ? gp_local_pull_result(local, merged) : NULL;
	gp_json_free(merged);
	return result;
}

static struct gp_json *status_now(const struct gp_local *local, const struct gp_post *p)
{
	time_t now = time(NULL);
	struct tm tm;
	char at[32];

	strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	return gp_status(p->context, p->state, p->description, p->url, at, "status", local->options->committer.email);
}

/* Where a status is meant as a check of a pull request, the commit has to be its head. */
static int check_target(struct gp_local *local, const struct gp_post *p, struct gp_err *err)
{
	struct gp_commit read;
	struct gp_oid oid;

	if (p->number) {
		struct gp_json *result = gp_local_number_result(local, p->number, err);
		const char *head = gp_json_get_text(gp_json_get(result, "pull_request"), "head");

		if (result && strcmp(head, p->commit) != 0)
			gp_fail(err, GP_EXIT_RETRY, "head of #%lld is now %s, not %s", (long long)p->number, head,
				p->commit);
		gp_json_free(result);
		if (err->code)
			return -1;
	}
	gp_oid_parse(&oid, p->commit);
	int found = gp_git_read_commit(local->git, &read, &oid, err);

	if (found > 0)
		gp_commit_free(&read);
	return found ? found : gp_fail(err, GP_EXIT_REFUSED, "no commit %s in '%s'", p->commit, local->dir);
}

struct gp_json *gp_local_set_status(void *repository, const struct gp_json *request, struct gp_err *err)
{
	struct gp_local *local = repository;
	struct gp_json *status, *result;
	struct gp_post p;

	if (gp_request_post(&p, request, err) || check_target(local, &p, err) < 0)
		return NULL;
	status = status_now(local, &p);
	if (gp_local_add_status(local, p.commit, gp_json_copy(status), err) ||
	    gp_local_record(local, err, "set-status %s: %s is %s", p.commit, p.context, p.state) ||
	    gp_local_settle(local, err)) {
		gp_json_free(status);
		return NULL;
	}
	result = gp_json_object();
	gp_json_set(result, "status", status);
	return result;
}
