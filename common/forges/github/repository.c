/* What a repository's settings say. */
#include <stdlib.h>
#include <string.h>

#include "forge/server.h"
#include "forges/github/github.h"
#include "sys/exit.h"
#include "sys/mem.h"

static void add_check(struct gp_json *checks, const char *context)
{
	for (const struct gp_json *c = gp_json_first(checks); c; c = gp_json_next(c))
		if (!strcmp(gp_json_text(c), context))
			return;
	gp_json_append(checks, gp_json_string(context));
}

/* https://docs.github.com/rest/repos/rules#get-rules-for-a-branch: who may read the repository may read these. */
static int add_rulesets(struct gp_github *g, struct gp_json *checks, const char *branch, struct gp_err *err)
{
	char *name = gp_api_escape(branch),
	     *url = gp_asprintf("/repos/%s/rules/branches/%s?per_page=100", g->address.slug, name);
	const struct gp_api_call call = {"GET", url, NULL, NULL, GP_API_ALWAYS};
	struct gp_api_answer answer;
	int rc = gp_api_send(&g->api, &call, &answer, err);

	/* A server that knows no rulesets answers 404. */
	for (const struct gp_json *rule = gp_json_first(rc || answer.status != 200 ? NULL : answer.json); rule;
	     rule = gp_json_next(rule)) {
		const char *type = gp_json_get_text(rule, "type");
		const struct gp_json *required = gp_json_get(gp_json_get(rule, "parameters"), "required_status_checks");

		if (!type || strcmp(type, "required_status_checks") != 0)
			continue;
		for (const struct gp_json *c = gp_json_first(required); c; c = gp_json_next(c))
			if (gp_json_get_text(c, "context"))
				add_check(checks, gp_json_get_text(c, "context"));
	}
	gp_api_answer_free(&answer);
	free(url);
	free(name);
	return rc;
}

/* Classic protection, told to those who may administer it. */
static void add_protection(struct gp_json *checks, const struct gp_json *ref)
{
	const struct gp_json *rule = gp_json_get(ref, "branchProtectionRule");

	for (const struct gp_json *c = gp_json_first(gp_json_get(rule, "requiredStatusCheckContexts")); c;
	     c = gp_json_next(c))
		if (gp_json_text(c))
			add_check(checks, gp_json_text(c));
}

struct gp_json *gp_github_get_repository(void *place, const struct gp_json *request, struct gp_err *err)
{
	static const char query[] =
		"query($owner:String!,$name:String!,$ref:String!){repository(owner:$owner,name:$name){autoMergeAllowed "
		"defaultBranchRef{name branchProtectionRule{requiredStatusCheckContexts}}"
		"ref(qualifiedName:$ref){branchProtectionRule{requiredStatusCheckContexts}}}}";
	struct gp_github *g = place;
	struct gp_json *variables, *data, *result = NULL, *checks;
	const struct gp_json *repository, *main, *allowed, *ref;
	const char *base, *branch;
	char *qualified;

	if (gp_request_optional_text(&base, gp_json_get(request, "repository"), "base", err))
		return NULL;
	variables = gp_json_object();
	qualified = gp_asprintf("refs/heads/%s", base ? base : "HEAD");
	gp_json_set_text(variables, "ref", qualified);
	free(qualified);
	data = gp_github_query(g, query, variables, err);
	repository = gp_github_repository(g, data, err);
	if (!repository)
		goto out;
	main = gp_json_get(repository, "defaultBranchRef");
	allowed = gp_json_get(repository, "autoMergeAllowed");
	ref = base ? gp_json_get(repository, "ref") : main;
	branch = base ? base : gp_json_get_text(main, "name");
	checks = gp_json_array();
	add_protection(checks, ref);
	if (branch && add_rulesets(g, checks, branch, err)) {
		gp_json_free(checks);
		goto out;
	}
	result = gp_json_object();
	gp_json_set_text(result, "default_branch", gp_json_get_text(main, "name"));
	gp_json_set(result, "auto_merge_allowed",
		    gp_json_is_bool(allowed) ? gp_json_copy(allowed) : gp_json_string(NULL));
	/* The token may not see all of them. */
	if (!gp_json_first(checks) && !gp_json_is_object(gp_json_get(ref, "branchProtectionRule"))) {
		gp_json_free(checks);
		checks = gp_json_string(NULL);
	}
	gp_json_set(result, "required_checks", checks);
out:
	gp_json_free(data);
	return result;
}
