/*
 * Branch policies, as they are configured: what has to be so before a pull request may be completed. A list of them has the
 * policies of pushes beside those of the branch.
 * https://learn.microsoft.com/azure/devops/repos/git/branch-policies
 * https://learn.microsoft.com/rest/api/azure/devops/git/policy-configurations/get
 */
#include <stdlib.h>
#include <string.h>

#include "forges/azdo/azdo.h"
#include "sys/exit.h"
#include "sys/mem.h"

/* A policy that looks at a status: https://learn.microsoft.com/azure/devops/repos/git/pr-status-policy */
static const char status_type[] = "cbdc66da-9728-4af8-aada-9a5a32e4a226";

/*
 * Policies that demand an action, so that a new pull request does not meet them: a build, approvals by a number of
 * people or by certain people, a status. By https://github.com/microsoft/terraform-provider-azuredevops
 * (azuredevops/internal/service/policy/branch/common.go).
 */
static bool wants_work(const struct gp_json *rule)
{
	static const char *const types[] = {"0609b952-1397-4640-95ec-e00a01b2c241",
					    "fa4e907d-c16b-4a4c-9dfa-4906e5d171dd",
					    "fd2167ab-b0be-447a-8ec8-39368250530e", status_type};
	const char *type = gp_json_get_text(gp_json_get(rule, "type"), "id");

	for (size_t i = 0; type && i < sizeof types / sizeof *types; i++)
		if (!strcmp(type, types[i]))
			return true;
	return false;
}

/* A policy for pushes to a repository names no branch. */
static bool names_branch(const struct gp_json *rule)
{
	const struct gp_json *scopes = gp_json_get(gp_json_get(rule, "settings"), "scope");

	for (const struct gp_json *s = gp_json_first(scopes); s; s = gp_json_next(s))
		if (gp_json_get_text(s, "refName") || gp_json_get_text(s, "matchKind"))
			return true;
	return !gp_json_first(scopes);
}

enum gp_azdo_rule gp_azdo_rule_of(const struct gp_json *rule)
{
	const struct gp_json *settings = gp_json_get(rule, "settings");

	if (!gp_json_get_true(rule, "isEnabled") || gp_json_get_true(rule, "isDeleted"))
		return GP_AZDO_RULE_OFF;
	if (!wants_work(rule) && !names_branch(rule))
		return GP_AZDO_RULE_OFF;
	if (!gp_json_get_true(rule, "isBlocking"))
		return GP_AZDO_RULE_OPTIONAL;
	/* By paths, or only once a status was posted. */
	if (gp_json_first(gp_json_get(settings, "filenamePatterns")) ||
	    gp_json_get_int(settings, "policyApplicability", 0) == 1)
		return GP_AZDO_RULE_FOR_SOME;
	return wants_work(rule) ? GP_AZDO_RULE_WAITS : GP_AZDO_RULE_MEETABLE;
}

bool gp_azdo_rule_blocks(const struct gp_json *rule)
{
	return gp_azdo_rule_of(rule) >= GP_AZDO_RULE_FOR_SOME;
}

/* The context that a policy requires; NULL if it is of another kind. Yours. */
static char *context_of(const struct gp_json *rule)
{
	const struct gp_json *settings = gp_json_get(rule, "settings");
	const char *type = gp_json_get_text(gp_json_get(rule, "type"), "id"),
		   *name = gp_json_get_text(settings, "statusName"), *genre = gp_json_get_text(settings, "statusGenre");

	if (!type || strcmp(type, status_type) != 0 || !name)
		return NULL;
	return genre && *genre ? gp_asprintf("%s/%s", genre, name) : gp_strdup(name);
}

char *gp_azdo_rule_name(const struct gp_json *rule)
{
	const char *own = gp_json_get_text(gp_json_get(rule, "settings"), "displayName"),
		   *type = gp_json_get_text(gp_json_get(rule, "type"), "displayName");
	char *context = context_of(rule);

	return context ? context : gp_strdup(own && *own ? own : type && *type ? type : "a policy");
}

static int take_rule(struct gp_azdo *a, const struct gp_json *item, void *ctx, struct gp_err *err)
{
	(void)a;
	(void)err;
	gp_json_append(ctx, gp_json_copy(item));
	return 0;
}

bool gp_azdo_rules_known(const struct gp_azdo *a, const char *base)
{
	return a->ruled && !strcmp(a->ruled, base);
}

int gp_azdo_rules(struct gp_azdo *a, const char *repository, const char *base, struct gp_err *err)
{
	char *id = gp_api_escape(repository), *name = gp_api_escape(base);
	char *path = gp_asprintf("git/policy/configurations?repositoryId=%s&refName=refs/heads/%s", id, name);
	struct gp_json *rules = gp_json_array();
	bool missing = false;
	int rc = gp_azdo_list(a, GP_AZDO_POLICIES, path, GP_AZDO_TOKEN, &missing, take_rule, rules, err);

	free(path);
	free(name);
	free(id);
	gp_json_free(a->rules);
	free(a->ruled);
	a->rules = NULL;
	a->ruled = NULL;
	if (!rc)
		a->ruled = gp_strdup(base);
	if (!rc && !missing)
		a->rules = rules;
	else
		gp_json_free(rules);
	return rc;
}

/* "refs/heads/main" -> "main" */
static const char *branch_of(const char *ref)
{
	return ref && !strncmp(ref, "refs/heads/", 11) ? ref + 11 : NULL;
}

/* The contexts that pull requests into a branch need. Yours. */
static struct gp_json *checks_of(const struct gp_json *rules, bool *guarded)
{
	struct gp_json *checks = gp_json_array();

	*guarded = false;
	for (const struct gp_json *r = gp_json_first(rules); r; r = gp_json_next(r)) {
		char *context = gp_azdo_rule_blocks(r) ? context_of(r) : NULL;

		*guarded = *guarded || gp_azdo_rule_blocks(r);
		if (context)
			gp_json_append(checks, gp_json_string(context));
		free(context);
	}
	return checks;
}

struct gp_json *gp_azdo_get_repository(void *place, const struct gp_json *request, struct gp_err *err)
{
	struct gp_azdo *a = place;
	struct gp_json *result;
	const struct gp_json *repository;
	const char *id, *base, *main;
	bool guarded, missing;

	if (gp_request_optional_text(&base, gp_json_get(request, "repository"), "base", err) ||
	    gp_azdo_get(a, GP_AZDO_REPOSITORY, "", &repository, err))
		return NULL;
	id = gp_json_get_text(repository, "id");
	main = branch_of(gp_json_get_text(repository, "defaultBranch"));
	if (!id) {
		gp_api_nonsense(&a->api, "a repository without an id", err);
		return NULL;
	}
	base = base ? base : main;
	if (base && gp_azdo_rules(a, id, base, err))
		return NULL;
	missing = base && !a->rules;
	result = gp_json_object();
	gp_json_set_text(result, "default_branch", main);
	gp_json_set(result, "required_checks",
		    missing ? gp_json_string(NULL) : checks_of(base ? a->rules : NULL, &guarded));
	/* Without a blocking policy, auto-complete has nothing to wait for. */
	if (base && !missing)
		gp_json_set_bool(result, "auto_merge_allowed", guarded);
	else
		gp_json_set_text(result, "auto_merge_allowed", NULL);
	return result;
}
