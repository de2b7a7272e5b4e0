/* Pull requests, from either API to what gp-forge(7) promises. */
#include <stdlib.h>
#include <string.h>

#include "forges/github/github.h"
#include "sys/exit.h"
#include "sys/mem.h"

/* A text member of both; null counts as empty where it may be that. */
static bool copy_text(struct gp_json *pull, const char *to, const struct gp_json *node, const char *from,
		      bool may_be_null)
{
	const struct gp_json *value = gp_json_get(node, from);
	bool missing = may_be_null && gp_json_is_null(value);

	if (!missing && !gp_json_is_string(value))
		return false;
	gp_json_set_text(pull, to, missing ? "" : gp_json_text(value));
	return true;
}

/* The last things that both have in common; takes pull over. */
static struct gp_json *complete(const struct gp_github *g, struct gp_json *pull, bool copied, const char *merge_commit,
				struct gp_err *err)
{
	const char *state = gp_json_get_text(pull, "state"), *lacks;

	gp_json_set_text(pull, "merge_commit", state && !strcmp(state, "merged") ? merge_commit : NULL);
	lacks = gp_pull_lacks(pull);
	if (copied && !lacks)
		return pull;
	gp_api_nonsense(&g->api, lacks ? lacks : "a pull request without all of its members", err);
	gp_json_free(pull);
	return NULL;
}

struct gp_json *gp_github_pull(const struct gp_github *g, const struct gp_json *node, struct gp_err *err)
{
	const char *state = gp_json_get_text(node, "state");
	struct gp_json *pull = gp_json_object();
	bool copied = state && (!strcmp(state, "OPEN") || !strcmp(state, "CLOSED") || !strcmp(state, "MERGED"));

	/* A missing value must not read as "no". */
	copied = copied && gp_json_is_bool(gp_json_get(node, "isCrossRepository"));
	gp_json_set_int(pull, "number", gp_json_get_int(node, "number", 0));
	copied = copied && copy_text(pull, "url", node, "url", false) &&
		 copy_text(pull, "title", node, "title", false) && copy_text(pull, "description", node, "body", true) &&
		 copy_text(pull, "branch", node, "headRefName", false) &&
		 copy_text(pull, "base", node, "baseRefName", false) &&
		 copy_text(pull, "head", node, "headRefOid", false);
	if (copied)
		gp_json_set_text(pull, "state", *state == 'O' ? "open" : *state == 'M' ? "merged" : "closed");
	gp_json_set_bool(pull, "auto_merge", gp_json_is_object(gp_json_get(node, "autoMergeRequest")));
	gp_json_set_bool(pull, "fork", gp_json_get_true(node, "isCrossRepository"));
	copied = copied && copy_text(pull, "id", node, "id", false);
	return complete(g, pull, copied, gp_json_get_text(gp_json_get(node, "mergeCommit"), "oid"), err);
}

/* A branch whose repository is gone counts as a fork's. */
static bool is_fork(const struct gp_json *node)
{
	const char *head = gp_json_get_text(gp_json_get(gp_json_get(node, "head"), "repo"), "full_name");
	const char *base = gp_json_get_text(gp_json_get(gp_json_get(node, "base"), "repo"), "full_name");

	return !head || !base || strcmp(head, base) != 0;
}

struct gp_json *gp_github_rest_pull(const struct gp_github *g, const struct gp_json *node, struct gp_err *err)
{
	const struct gp_json *head = gp_json_get(node, "head"), *base = gp_json_get(node, "base");
	const char *state = gp_json_get_text(node, "state");
	struct gp_json *pull = gp_json_object();
	bool merged = gp_json_get_true(node, "merged"), open = state && !strcmp(state, "open"), copied = state != NULL;

	gp_json_set_int(pull, "number", gp_json_get_int(node, "number", 0));
	copied = copied && copy_text(pull, "url", node, "html_url", false) &&
		 copy_text(pull, "title", node, "title", false) && copy_text(pull, "description", node, "body", true) &&
		 copy_text(pull, "branch", head, "ref", false) && copy_text(pull, "base", base, "ref", false) &&
		 copy_text(pull, "head", head, "sha", false);
	gp_json_set_text(pull, "state", merged ? "merged" : open ? "open" : "closed");
	gp_json_set_bool(pull, "auto_merge", gp_json_is_object(gp_json_get(node, "auto_merge")));
	gp_json_set_bool(pull, "fork", is_fork(node));
	copied = copied && copy_text(pull, "id", node, "node_id", false);
	return complete(g, pull, copied, gp_json_get_text(node, "merge_commit_sha"), err);
}

int gp_github_ask_number(struct gp_github *g, struct gp_json **pull, int64_t number, struct gp_err *err)
{
	static const char query[] =
		"query($owner:String!,$name:String!,$number:Int!){repository(owner:$owner,name:$name){"
		"pullRequest(number:$number){...pull}}}" GP_GITHUB_PULL;
	struct gp_json *variables, *data;
	const struct gp_json *node;

	*pull = NULL;
	/* GraphQL's Int has 32 bits. */
	if (number > INT32_MAX)
		return 0;
	variables = gp_json_object();
	gp_json_set_int(variables, "number", number);
	data = gp_github_query(g, query, variables, err);
	node = gp_json_get(gp_github_repository(g, data, err), "pullRequest");
	if (gp_json_is_object(node))
		*pull = gp_github_pull(g, node, err);
	gp_json_free(data);
	return err->code ? -1 : 0;
}

struct gp_json *gp_github_look_up(struct gp_github *g, int64_t number, struct gp_err *err)
{
	struct gp_json *pull;

	if (!gp_github_ask_number(g, &pull, number, err) && !pull)
		gp_fail(err, GP_EXIT_REFUSED, "no pull request #%lld in '%s'", (long long)number, g->address.slug);
	return pull;
}
