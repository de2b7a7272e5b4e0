#include "forge/forge.h"

#include <stdlib.h>
#include <string.h>

#include "data/oidmap.h"
#include "forge/client.h"
#include "sys/exit.h"
#include "sys/mem.h"

static struct gp_json *request(const char *op)
{
	struct gp_json *r = gp_json_object();

	gp_json_set_text(r, "op", op);
	return r;
}

static bool is_one_of(const char *text, const char *const words[])
{
	for (; text && *words; words++)
		if (!strcmp(text, *words))
			return true;
	return false;
}

static int lacks(const struct gp_forge *forge, struct gp_err *err, const char *thing, const char *member)
{
	char *what = gp_asprintf("%s without %s", thing, member);

	gp_forge_nonsense(forge, err, what);
	free(what);
	return -1;
}

/* Whether a pull request has what gp-forge(7) promises: a missing member must not read as "no", as for fork. */
static int check_pull(const struct gp_forge *forge, const struct gp_json *pull, struct gp_err *err)
{
	static const char *const texts[] = {"url", "title", "description", "branch", "base", "head", "state"};
	static const char *const flags[] = {"auto_merge", "fork"}, *const states[] = {"open", "merged", "closed", NULL};
	const struct gp_json *merged = gp_json_get(pull, "merge_commit"), *id = gp_json_get(pull, "id");
	struct gp_oid oid;

	if (gp_json_get_int(pull, "number", 0) <= 0)
		return lacks(forge, err, "a pull request", "a number");
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (!gp_json_get_text(pull, texts[i]))
			return lacks(forge, err, "a pull request", texts[i]);
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		if (!gp_json_is_bool(gp_json_get(pull, flags[i])))
			return lacks(forge, err, "a pull request", flags[i]);
	if (!is_one_of(gp_json_get_text(pull, "state"), states))
		return gp_forge_nonsense(forge, err, "unknown pull request state");
	if (gp_oid_parse(&oid, gp_json_get_text(pull, "head")))
		return gp_forge_nonsense(forge, err, "a pull request's head is not a commit id");
	if (merged && !gp_json_is_null(merged) &&
	    (!gp_json_is_string(merged) || gp_oid_parse(&oid, gp_json_text(merged))))
		return gp_forge_nonsense(forge, err, "a pull request's merge_commit is not a commit id");
	if (id && !gp_json_is_null(id) && !gp_json_is_string(id))
		return gp_forge_nonsense(forge, err, "a pull request's id is not a string");
	return 0;
}

/* The same for a commit's statuses. */
static int check_statuses(const struct gp_forge *forge, const struct gp_json *list, struct gp_err *err)
{
	static const char *const states[] = {"success", "failure", "pending", NULL};

	if (!gp_json_is_array(list))
		return gp_forge_nonsense(forge, err, "it lists no statuses of a commit that was asked for");
	for (const struct gp_json *s = gp_json_first(list); s; s = gp_json_next(s)) {
		if (!gp_json_get_text(s, "context"))
			return lacks(forge, err, "a status", "context");
		if (!is_one_of(gp_json_get_text(s, "state"), states))
			return lacks(forge, err, "a status", "a state that there is");
	}
	return 0;
}

static struct gp_json *take_pull(struct gp_forge *forge, struct gp_json *result, struct gp_err *err)
{
	struct gp_json *pull = result ? gp_json_take(result, "pull_request") : NULL;

	if (result && check_pull(forge, pull, err)) {
		gp_json_free(pull);
		pull = NULL;
	}
	return pull;
}

static struct gp_json *find(struct gp_forge *forge, struct gp_json *req, struct gp_err *err)
{
	struct gp_json *result = gp_forge_call(forge, req, err), *pulls;

	if (!result)
		return NULL;
	pulls = gp_json_take(result, "pull_requests");
	gp_json_free(result);
	int rc = gp_json_is_array(pulls) ? 0 : gp_forge_nonsense(forge, err, "it lists no pull requests");

	for (const struct gp_json *p = gp_json_first(pulls); p && !rc; p = gp_json_next(p))
		rc = check_pull(forge, p, err);
	if (rc) {
		gp_json_free(pulls);
		return NULL;
	}
	return pulls;
}

struct gp_json *gp_forge_find_number(struct gp_forge *forge, int64_t number, struct gp_err *err)
{
	struct gp_json *req = request("find-pr");

	gp_json_set_int(req, "number", number);
	return find(forge, req, err);
}

static struct gp_json *find_text(struct gp_forge *forge, const char *name, const char *text, bool closed,
				 struct gp_err *err)
{
	struct gp_json *req = request("find-pr");

	gp_json_set_text(req, name, text);
	if (closed)
		gp_json_set_bool(req, "closed", true);
	return find(forge, req, err);
}

struct gp_json *gp_forge_find_branch(struct gp_forge *forge, const char *branch, struct gp_err *err)
{
	return find_text(forge, "branch", branch, false, err);
}

struct gp_json *gp_forge_find_closed(struct gp_forge *forge, const char *branch, struct gp_err *err)
{
	return find_text(forge, "branch", branch, true, err);
}

int gp_forge_find_own(struct gp_forge *forge, const char *branch, struct gp_json **pull, struct gp_err *err)
{
	struct gp_json *pulls = gp_forge_find_branch(forge, branch, err);

	*pull = NULL;
	if (!pulls)
		return -1;
	for (const struct gp_json *p = gp_json_first(pulls); p && !*pull; p = gp_json_next(p))
		if (!gp_json_get_true(p, "fork"))
			*pull = gp_json_copy(p);
	gp_json_free(pulls);
	return 0;
}

struct gp_json *gp_forge_find_merged_as(struct gp_forge *forge, const char *commit, struct gp_err *err)
{
	return find_text(forge, "merged_as", commit, false, err);
}

struct gp_json *gp_forge_find_open(struct gp_forge *forge, struct gp_err *err)
{
	struct gp_json *req = request("find-pr");

	gp_json_set_bool(req, "open", true);
	return find(forge, req, err);
}

struct gp_json *gp_forge_open_pr(struct gp_forge *forge, const struct gp_forge_wanted *wanted, bool *created,
				 struct gp_json **warnings, struct gp_err *err)
{
	struct gp_json *req = request("open-pr");

	gp_json_set_text(req, "branch", wanted->branch);
	gp_json_set_text(req, "title", wanted->title);
	gp_json_set_text(req, "description", wanted->description);
	for (const struct gp_json *m = gp_json_first(wanted->more); m; m = gp_json_next(m))
		gp_json_set(req, gp_json_key(m), gp_json_copy(m));
	struct gp_json *result = gp_forge_call(forge, req, err), *pull = take_pull(forge, result, err);

	*warnings = result ? gp_json_take(result, "warnings") : NULL;
	*created = gp_json_get_true(result, "created");
	gp_json_free(result);
	return pull;
}

int gp_forge_create_commit(struct gp_forge *forge, const char *branch, const char *parent, const char *message,
			   const struct gp_json *files, struct gp_oid *out, struct gp_err *err)
{
	struct gp_json *req = request("create-commit");

	gp_json_set_text(req, "branch", branch);
	gp_json_set_text(req, "parent", parent);
	gp_json_set_text(req, "message", message);
	gp_json_set(req, "files", gp_json_copy(files));
	struct gp_json *result = gp_forge_call(forge, req, err);
	int rc = result ? 0 : -1;

	if (result && gp_oid_parse(out, gp_json_get_text(result, "commit")))
		rc = gp_forge_nonsense(forge, err, "the commit that it has made is not a commit id");
	gp_json_free(result);
	return rc;
}

struct gp_json *gp_forge_set_auto_merge(struct gp_forge *forge, int64_t number, const char *id, bool enable,
					const char *method, const char *head, bool *clean, struct gp_err *err)
{
	struct gp_json *req = request("set-auto-merge");

	gp_json_set_int(req, "number", number);
	if (id)
		gp_json_set_text(req, "pull_id", id);
	gp_json_set_bool(req, "enable", enable);
	gp_json_set_text(req, "method", method);
	gp_json_set_text(req, "head", head);
	struct gp_json *result = gp_forge_call(forge, req, err), *pull = take_pull(forge, result, err);

	*clean = gp_json_get_true(result, "clean");
	gp_json_free(result);
	return pull;
}

int gp_forge_stop_auto_merge(struct gp_forge *forge, struct gp_json **pull, struct gp_err *err)
{
	int64_t number = gp_json_get_int(*pull, "number", 0);
	struct gp_json *answer;
	bool clean;

	if (!gp_json_get_true(*pull, "auto_merge"))
		return 0;
	answer = gp_forge_set_auto_merge(forge, number, gp_json_get_text(*pull, "id"), false, "merge",
					 gp_json_get_text(*pull, "head"), &clean, err);
	if (!answer)
		return gp_fail_in(err, "cannot switch auto-merge of #%lld off", (long long)number);
	gp_json_free(*pull);
	*pull = answer;
	return 0;
}

struct gp_json *gp_forge_merge(struct gp_forge *forge, int64_t number, const char *method, const char *head,
			       struct gp_err *err)
{
	struct gp_json *req = request("merge-pr");

	gp_json_set_int(req, "number", number);
	gp_json_set_text(req, "method", method);
	gp_json_set_text(req, "head", head);
	struct gp_json *result = gp_forge_call(forge, req, err), *pull = take_pull(forge, result, err);

	gp_json_free(result);
	return pull;
}

static struct gp_json *list_statuses(struct gp_forge *forge, const struct gp_oid *commits, size_t n, bool all,
				     int64_t number, struct gp_err *err)
{
	struct gp_json *req = request("list-statuses"), *list = gp_json_array(), *result, *statuses;
	struct gp_oidmap seen = {0};
	char hex[GP_OID_HEX + 1];

	/* Many pull requests depend on the same commits: each is asked about once. */
	for (size_t i = 0; i < n; i++)
		if (!gp_oidmap_get(&seen, &commits[i])) {
			gp_oidmap_set(&seen, &commits[i], list);
			gp_json_append(list, gp_json_string(gp_oid_hex(hex, &commits[i])));
		}
	gp_oidmap_clear(&seen, NULL);
	gp_json_set(req, "commits", list);
	if (all)
		gp_json_set_bool(req, "all", true);
	if (number > 0)
		gp_json_set_int(req, "number", number);
	result = gp_forge_call(forge, req, err);
	if (!result)
		return NULL;
	statuses = gp_json_take(result, "statuses");
	gp_json_free(result);
	for (size_t i = 0; i < n; i++)
		if (check_statuses(forge, gp_json_get(statuses, gp_oid_hex(hex, &commits[i])), err)) {
			gp_json_free(statuses);
			return NULL;
		}
	return statuses;
}

struct gp_json *gp_forge_list_statuses(struct gp_forge *forge, const struct gp_oid *commits, size_t n, bool all,
				       struct gp_err *err)
{
	return list_statuses(forge, commits, n, all, 0, err);
}

struct gp_json *gp_forge_list_checks(struct gp_forge *forge, const struct gp_oid *commit, int64_t number,
				     struct gp_err *err)
{
	return list_statuses(forge, commit, 1, false, number, err);
}

const struct gp_json *gp_forge_standing(const struct gp_json *statuses, const char *commit, int64_t number,
					const char *context)
{
	for (const struct gp_json *s = gp_json_first(gp_json_get(statuses, commit)); s; s = gp_json_next(s)) {
		const char *its_context = gp_json_get_text(s, "context");
		int64_t its_number = gp_json_get_int(s, "number", number);

		if (its_context && !strcmp(its_context, context) && its_number == number)
			return s;
	}
	return NULL;
}

int gp_forge_set_status(struct gp_forge *forge, const char *commit, int64_t number, const char *id, const char *context,
			const char *state, const char *description, const char *url, struct gp_err *err)
{
	struct gp_json *req = request("set-status"), *result;

	gp_json_set_text(req, "commit", commit);
	if (number > 0)
		gp_json_set_int(req, "number", number);
	if (number > 0 && id)
		gp_json_set_text(req, "pull_id", id);
	gp_json_set_text(req, "context", context);
	gp_json_set_text(req, "state", state);
	gp_json_set_text(req, "description", description);
	gp_json_set_text(req, "url", url);
	result = gp_forge_call(forge, req, err);
	gp_json_free(result);
	return result ? 0 : -1;
}
