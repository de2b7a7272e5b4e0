/* What a request reads: the repository, pull requests, statuses. */
#include <stdlib.h>
#include <string.h>

#include "exit.h"
#include "forge-server.h"
#include "local.h"
#include "mem.h"

/* The base branch, which the operations that need one find in `repository`. */
int gp_local_get_base(const char **base, const struct gp_json *request, struct gp_err *err)
{
	return gp_request_name(base, gp_json_get(request, "repository"), "base", err) ? gp_fail_in(err, "repository")
										      : 0;
}

/* A pull request as the protocol has it. */
static struct gp_json *pull_object(const struct gp_local *local, const struct gp_json *stored)
{
	static const char *const members[] = {"title", "description", "branch", "base", "head", "state", "auto_merge"};
	struct gp_json *pull = gp_json_object();
	int64_t number = gp_json_get_int(stored, "number", 0);
	char *url = gp_asprintf("%s#%lld", local->url, (long long)number);

	gp_json_set_int(pull, "number", number);
	gp_json_set_text(pull, "url", url);
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		gp_json_set(pull, members[i], gp_json_copy(gp_json_get(stored, members[i])));
	gp_json_set_bool(pull, "fork", false);
	gp_json_set_text(pull, "merge_commit", gp_json_get_text(stored, "merge_commit"));
	free(url);
	return pull;
}

/* {"pull_request":…} */
struct gp_json *gp_local_pull_result(const struct gp_local *local, const struct gp_json *stored)
{
	struct gp_json *result = gp_json_object();

	gp_json_set(result, "pull_request", pull_object(local, stored));
	return result;
}

/* The same for a number, whatever became of it since. */
struct gp_json *gp_local_number_result(struct gp_local *local, int64_t number, struct gp_err *err)
{
	const struct gp_local_pull *open = gp_local_find_open(local, number);
	struct gp_json *closed = open ? NULL : gp_local_read_closed(local, number, err), *result = NULL;

	if (open || closed)
		result = gp_local_pull_result(local, open ? open->json : closed);
	else
		gp_fail(err, GP_EXIT_REFUSED, "no pull request #%lld in '%s'", (long long)number, local->dir);
	gp_json_free(closed);
	return result;
}

struct gp_json *gp_local_get_repository(struct gp_local *local, const struct gp_json *request, struct gp_err *err)
{
	static const char *const args[] = {"symbolic-ref", "--quiet", "HEAD", NULL};
	struct gp_json *result, *checks;
	char *head = NULL;

	(void)request;
	/* It exits with 1 where HEAD is detached. */
	if (gp_local_git(local, &head, NULL, 1, args, NULL, 0, err) < 0 || gp_local_read_config(local, err)) {
		free(head);
		return NULL;
	}
	head[strcspn(head, "\n")] = '\0';
	result = gp_json_object();
	gp_json_set_text(result, "default_branch", strncmp(head, "refs/heads/", 11) ? NULL : head + 11);
	gp_json_set_bool(result, "auto_merge_allowed", local->config.auto_merge);
	checks = gp_json_array();
	for (size_t i = 0; i < local->config.required_count; i++)
		gp_json_append(checks, gp_json_string(local->config.required[i]));
	gp_json_set(result, "required_checks", checks);
	free(head);
	return result;
}

static struct gp_json *find_open(struct gp_local *local, const char *branch, const char *base)
{
	struct gp_json *pulls = gp_json_array();

	for (size_t i = 0; i < local->pull_count; i++) {
		const struct gp_json *json = local->pulls[i].json;

		if (strcmp(gp_json_get_text(json, "state"), "open") != 0)
			continue;
		if (!branch || (!strcmp(gp_json_get_text(json, "branch"), branch) &&
				!strcmp(gp_json_get_text(json, "base"), base)))
			gp_json_append(pulls, pull_object(local, json));
	}
	return pulls;
}

static int append_number(struct gp_local *local, struct gp_json *pulls, int64_t number, struct gp_err *err)
{
	struct gp_err none = {0};
	struct gp_json *result = gp_local_number_result(local, number, &none);

	if (result)
		gp_json_append(pulls, gp_json_take(result, "pull_request"));
	gp_json_free(result);
	/* That there is none is an answer. */
	return none.code && none.code != GP_EXIT_REFUSED ? gp_fail(err, none.code, "%s", none.message) : 0;
}

static struct gp_json *find_merged(struct gp_local *local, const char *commit, struct gp_err *err)
{
	struct gp_json *numbers = gp_local_read_merged(local, commit, err), *pulls = gp_json_array(),
		       *box = gp_json_object();
	int rc = err->code ? -1 : 0;

	for (const struct gp_json *n = gp_json_first(numbers); n && !rc; n = gp_json_next(n)) {
		gp_json_set(box, "n", gp_json_copy(n));
		rc = append_number(local, pulls, gp_json_get_int(box, "n", 0), err);
	}
	gp_json_free(box);
	gp_json_free(numbers);
	return pulls;
}

struct gp_json *gp_local_find_pr(struct gp_local *local, const struct gp_json *request, struct gp_err *err)
{
	static const char *const ways[] = {"number", "branch", "merged_as", "open"};
	const char *way = NULL, *branch, *base, *commit;
	struct gp_json *pulls = NULL, *result;
	int64_t number;
	size_t given = 0;
	bool open;

	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
		if (gp_json_get(request, ways[i]) && !gp_json_is_null(gp_json_get(request, ways[i])) && ++given)
			way = ways[i];
	if (given != 1) {
		gp_fail(err, GP_EXIT_INPUT,
			"find-pr takes exactly one of the parameters 'number', 'branch', 'merged_as', 'open'");
		return NULL;
	}
	if (*way == 'n' && !gp_request_number(&number, request, way, err)) {
		pulls = gp_json_array();
		append_number(local, pulls, number, err);
	} else if (*way == 'b' && !gp_request_name(&branch, request, way, err) &&
		   !gp_local_get_base(&base, request, err)) {
		pulls = find_open(local, branch, base);
	} else if (*way == 'm' && !gp_request_commit(&commit, request, way, err)) {
		pulls = find_merged(local, commit, err);
	} else if (*way == 'o' && !gp_request_bool(&open, request, way, err)) {
		if (open)
			pulls = find_open(local, NULL, NULL);
		else
			gp_fail(err, GP_EXIT_INPUT, "parameter 'open' cannot be false");
	}
	if (err->code) {
		gp_json_free(pulls);
		return NULL;
	}
	result = gp_json_object();
	gp_json_set(result, "pull_requests", pulls);
	return result;
}

struct gp_json *gp_local_list_statuses(struct gp_local *local, const struct gp_json *request, struct gp_err *err)
{
	const struct gp_json *commits = gp_json_get(request, "commits");
	struct gp_json *all = gp_json_object(), *result;

	if (!gp_json_is_array(commits))
		gp_fail(err, GP_EXIT_INPUT, "parameter 'commits' is not an array");
	for (const struct gp_json *c = gp_json_first(err->code ? NULL : commits); c && !err->code;
	     c = gp_json_next(c)) {
		struct gp_json *statuses;
		struct gp_oid oid;

		if (gp_oid_parse(&oid, gp_json_text(c)))
			gp_fail(err, GP_EXIT_INPUT,
				"parameter 'commits' holds something else than commit ids of 40 hexadecimal digits");
		else if ((statuses = gp_local_statuses(local, gp_json_text(c), err)))
			gp_json_set(all, gp_json_text(c), statuses);
	}
	if (err->code) {
		gp_json_free(all);
		return NULL;
	}
	result = gp_json_object();
	gp_json_set(result, "statuses", all);
	return result;
}
