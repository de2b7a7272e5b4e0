#include "forge/forge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/oidmap.h"
#include "forge/provider.h"
#include "sys/exit.h"
#include "sys/io.h"
#include "sys/mem.h"
#include "sys/process.h"

/* How many times GP_TIMEOUT a driver may take in all, as long as it keeps sending heartbeats: an hour by default. */
enum { MAX_REPLY = 128 << 20, MAX_PATIENCE = 36 };

struct gp_forge {
	struct gp_child child;
	struct gp_lines lines;
	struct gp_json *repository;
	char *name;
	int64_t id;
	int timeout_ms;
	bool broken;
};

struct gp_forge *gp_forge_start(const char *provider, const char *dir, int timeout_ms, struct gp_err *err)
{
	struct gp_forge *forge;
	char *beside;

	if (!gp_provider_name_valid(provider)) {
		gp_fail(err, GP_EXIT_USAGE, "'%s' cannot be the name of a forge", provider);
		return NULL;
	}
	forge = gp_calloc(1, sizeof *forge);
	forge->name = gp_asprintf("gp-forge-%s", provider);
	forge->timeout_ms = timeout_ms;
	beside = dir ? gp_asprintf("%s/%s", dir, forge->name) : NULL;
	const char *const argv[] = {beside && !access(beside, X_OK) ? beside : forge->name, NULL};
	const char **hidden = gp_provider_hidden(provider);
	int rc = gp_child_start(&forge->child, argv, hidden, err);

	free(hidden);
	free(beside);
	if (rc) {
		gp_fail_in(err, "no driver for forge '%s'", provider);
		gp_forge_end(forge);
		return NULL;
	}
	forge->lines.fd = forge->child.from;
	return forge;
}

void gp_forge_about(struct gp_forge *forge, const struct gp_json *repository)
{
	gp_json_free(forge->repository);
	forge->repository = gp_json_copy(repository);
}

void gp_forge_end(struct gp_forge *forge)
{
	if (!forge)
		return;
	gp_child_end(&forge->child);
	gp_lines_free(&forge->lines);
	gp_json_free(forge->repository);
	free(forge->name);
	free(forge);
}

bool gp_forge_is_broken(const struct gp_forge *forge)
{
	return forge->broken;
}

static struct gp_json *request(const char *op)
{
	struct gp_json *r = gp_json_object();

	gp_json_set_text(r, "op", op);
	return r;
}

static int nonsense(const struct gp_forge *forge, struct gp_err *err, const char *what)
{
	return gp_fail(err, GP_EXIT_REPLY, "invalid response from %s: %s", forge->name, what);
}

static int send_request(struct gp_forge *forge, struct gp_json *req, struct gp_err *err)
{
	gp_json_set_int(req, "id", ++forge->id);
	gp_json_set(req, "repository", gp_json_copy(forge->repository));
	char *text = gp_json_print(req), *line = gp_asprintf("%s\n", text);
	int rc = gp_child_write(&forge->child, line, strlen(line), forge->timeout_ms, err);

	free(line);
	free(text);
	return rc ? gp_fail_in(err, "%s", forge->name) : 0;
}

static struct gp_json *receive(struct gp_forge *forge, struct gp_err *err)
{
	struct gp_err why = {0};
	struct gp_json *reply;
	char *line;
	size_t len;
	int rc;
	long long patience = (long long)forge->timeout_ms * MAX_PATIENCE, until = gp_now_ms() + patience;

	/* An empty line is a heartbeat: the driver is still at work. */
	do
		rc = gp_lines_next(&forge->lines, &line, &len, MAX_REPLY, forge->timeout_ms, &why);
	while (rc > 0 && !len && gp_now_ms() < until);
	if (rc > 0 && !len) {
		gp_fail(err, GP_EXIT_RETRY, "%s: still at work after %lld s", forge->name, patience / 1000);
		return NULL;
	}
	if (rc == 0) {
		gp_fail(err, GP_EXIT_SYSTEM, "%s ended without a reply", forge->name);
		return NULL;
	}
	if (rc < 0) {
		gp_fail(err, why.code == GP_EXIT_INPUT ? GP_EXIT_REPLY : why.code, "%s: %s", forge->name, why.message);
		return NULL;
	}
	reply = gp_json_parse(line, len, &why);
	if (!reply)
		nonsense(forge, err, why.message);
	else if (gp_json_get_int(reply, "id", -1) != forge->id)
		nonsense(forge, err, "it answers another request");
	else
		return reply;
	gp_json_free(reply);
	return NULL;
}

/* Sends req (taken over) and returns the reply's result, yours. */
static struct gp_json *call(struct gp_forge *forge, struct gp_json *req, struct gp_err *err)
{
	struct gp_json *reply = send_request(forge, req, err) ? NULL : receive(forge, err), *result = NULL;
	const struct gp_json *error = gp_json_get(reply, "error");

	gp_json_free(req);
	if (!reply) {
		forge->broken = true;
		return NULL;
	}
	if (error) {
		int64_t code = gp_json_get_int(error, "exit", 0);
		const char *message = gp_json_get_text(error, "message");

		/* A message of line ends alone counts as none. */
		if (message && !message[strspn(message, " \t\r\n")])
			message = NULL;
		gp_fail(err, code > 0 && code < 256 ? (int)code : GP_EXIT_REPLY, "%s",
			message ? message : "the forge gave no reason");
	} else if (!gp_json_is_object(gp_json_get(reply, "result"))) {
		nonsense(forge, err, "it has neither result nor error");
	} else {
		result = gp_json_take(reply, "result");
	}
	gp_json_free(reply);
	return result;
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

	nonsense(forge, err, what);
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
		return nonsense(forge, err, "unknown pull request state");
	if (gp_oid_parse(&oid, gp_json_get_text(pull, "head")))
		return nonsense(forge, err, "a pull request's head is not a commit id");
	if (merged && !gp_json_is_null(merged) &&
	    (!gp_json_is_string(merged) || gp_oid_parse(&oid, gp_json_text(merged))))
		return nonsense(forge, err, "a pull request's merge_commit is not a commit id");
	if (id && !gp_json_is_null(id) && !gp_json_is_string(id))
		return nonsense(forge, err, "a pull request's id is not a string");
	return 0;
}

/* The same for a commit's statuses. */
static int check_statuses(const struct gp_forge *forge, const struct gp_json *list, struct gp_err *err)
{
	static const char *const states[] = {"success", "failure", "pending", NULL};

	if (!gp_json_is_array(list))
		return nonsense(forge, err, "it lists no statuses of a commit that was asked for");
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
	struct gp_json *result = call(forge, req, err), *pulls;

	if (!result)
		return NULL;
	pulls = gp_json_take(result, "pull_requests");
	gp_json_free(result);
	int rc = gp_json_is_array(pulls) ? 0 : nonsense(forge, err, "it lists no pull requests");

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

struct gp_json *gp_forge_find_branch(struct gp_forge *forge, const char *branch, struct gp_err *err)
{
	struct gp_json *req = request("find-pr");

	gp_json_set_text(req, "branch", branch);
	return find(forge, req, err);
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
	struct gp_json *req = request("find-pr");

	gp_json_set_text(req, "merged_as", commit);
	return find(forge, req, err);
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
	struct gp_json *result = call(forge, req, err), *pull = take_pull(forge, result, err);

	*warnings = result ? gp_json_take(result, "warnings") : NULL;
	*created = gp_json_get_true(result, "created");
	gp_json_free(result);
	return pull;
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
	struct gp_json *result = call(forge, req, err), *pull = take_pull(forge, result, err);

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
	struct gp_json *result = call(forge, req, err), *pull = take_pull(forge, result, err);

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
	result = call(forge, req, err);
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
	result = call(forge, req, err);
	gp_json_free(result);
	return result ? 0 : -1;
}
