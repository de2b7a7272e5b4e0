/* What a request reads: the repository, pull requests, statuses. */
#include <stdlib.h>
#include <string.h>

#include "forge/server.h"
#include "forges/local/local.h"
#include "sys/exit.h"
#include "sys/mem.h"

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
	return gp_pull_result(pull_object(local, stored));
}

/* The same for a number, in any state since. */
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

struct gp_json *gp_local_get_repository(void *repository, const struct gp_json *request, struct gp_err *err)
{
	struct gp_local *local = repository;
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

/* How far back closed ones are looked for. */
enum { MAX_CLOSED = 1000 };

static struct gp_json *find_closed(struct gp_local *local, const char *branch, const char *base, struct gp_err *err)
{
	struct gp_json *pulls = gp_json_array();
	int64_t last = gp_local_last_number(local, err);

	for (int64_t n = last; n > 0 && n > last - MAX_CLOSED && !err->code; n--) {
		struct gp_json *stored = gp_local_read_closed(local, n, err);

		if (stored && !strcmp(gp_json_get_text(stored, "state"), "closed") &&
		    !strcmp(gp_json_get_text(stored, "branch"), branch) &&
		    !strcmp(gp_json_get_text(stored, "base"), base))
			gp_json_append(pulls, pull_object(local, stored));
		gp_json_free(stored);
	}
	return gp_pulls_in_order(pulls);
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

struct gp_json *gp_local_find_pr(void *repository, const struct gp_json *request, struct gp_err *err)
{
	struct gp_local *local = repository;
	struct gp_json *pulls = NULL;
	struct gp_find f;

	if (gp_request_find(&f, request, err))
		return NULL;
	switch (f.way) {
	case GP_FIND_NUMBER:
		pulls = gp_json_array();
		append_number(local, pulls, f.number, err);
		break;
	case GP_FIND_BRANCH:
		pulls = f.closed ? find_closed(local, f.branch, f.base, err) : find_open(local, f.branch, f.base);
		break;
	case GP_FIND_MERGED_AS:
		pulls = find_merged(local, f.commit, err);
		break;
	default:
		pulls = find_open(local, NULL, NULL);
	}
	if (err->code) {
		gp_json_free(pulls);
		return NULL;
	}
	return gp_pulls_result(pulls);
}

struct gp_json *gp_local_list_statuses(void *repository, const struct gp_json *request, struct gp_err *err)
{
	const struct gp_json *commits;
	struct gp_json *statuses, *result;
	bool all;

	if (gp_request_commits(&commits, &all, request, err))
		return NULL;
	statuses = gp_json_object();
	for (const struct gp_json *c = gp_json_first(commits); c; c = gp_json_next(c)) {
		struct gp_json *list = gp_local_statuses(repository, gp_json_text(c), err);

		if (!list) {
			gp_json_free(statuses);
			return NULL;
		}
		gp_json_set(statuses, gp_json_text(c), list);
	}
	result = gp_json_object();
	gp_json_set(result, "statuses", statuses);
	return result;
}
