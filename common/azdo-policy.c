/*
 * Branch policies: what has to be so before a pull request may be completed.
 * https://learn.microsoft.com/azure/devops/repos/git/branch-policies
 */
#include <stdlib.h>
#include <string.h>

#include "azdo.h"
#include "exit.h"
#include "mem.h"

/* A policy that looks at a status: https://learn.microsoft.com/azure/devops/repos/git/pr-status-policy */
static const char status_type[] = "cbdc66da-9728-4af8-aada-9a5a32e4a226";

static bool blocks(const struct gp_json *configuration)
{
	return gp_json_get_true(configuration, "isBlocking") && gp_json_get_true(configuration, "isEnabled") &&
	       !gp_json_get_true(configuration, "isDeleted");
}

/* Auto-complete waits for what does not block, too, unless it is told not to. */
static void note_optional(struct gp_azdo_policies *p, const struct gp_json *configuration)
{
	if (gp_json_get_int(configuration, "id", 0) <= 0 || gp_json_get_true(configuration, "isBlocking") ||
	    !gp_json_get_true(configuration, "isEnabled"))
		return;
	if (!p->optional)
		p->optional = gp_json_array();
	gp_json_append(p->optional, gp_json_copy(gp_json_get(configuration, "id")));
}

/* The context that a policy wants; NULL where it is of another kind. Yours. */
static char *context_of(const struct gp_json *configuration)
{
	const struct gp_json *settings = gp_json_get(configuration, "settings");
	const char *type = gp_json_get_text(gp_json_get(configuration, "type"), "id"),
		   *name = gp_json_get_text(settings, "statusName"), *genre = gp_json_get_text(settings, "statusGenre");

	if (!type || strcmp(type, status_type) != 0 || !name)
		return NULL;
	return genre && *genre ? gp_asprintf("%s/%s", genre, name) : gp_strdup(name);
}

/* How people know it. Yours. */
static char *name_of(const struct gp_json *configuration)
{
	const char *own = gp_json_get_text(gp_json_get(configuration, "settings"), "displayName"),
		   *type = gp_json_get_text(gp_json_get(configuration, "type"), "displayName");
	char *context = context_of(configuration);

	return context ? context : gp_strdup(own && *own ? own : type && *type ? type : "a policy");
}

static void add_unmet(struct gp_azdo_policies *p, const struct gp_json *configuration, const char *how)
{
	char *name = name_of(configuration),
	     *longer = gp_asprintf("%s%s'%s' is %s", p->unmet ? p->unmet : "", p->unmet ? ", " : "", name, how);

	free(name);
	free(p->unmet);
	p->unmet = longer;
}

void gp_azdo_policies_free(struct gp_azdo_policies *policies)
{
	free(policies->unmet);
	gp_json_free(policies->optional);
	*policies = (struct gp_azdo_policies){0};
}

/* https://learn.microsoft.com/rest/api/azure/devops/policy/evaluations/list#policyevaluationstatus */
static int take_evaluation(struct gp_azdo *a, const struct gp_json *item, void *ctx, struct gp_err *err)
{
	struct gp_azdo_policies *p = ctx;
	const struct gp_json *configuration = gp_json_get(item, "configuration");
	const char *status = gp_json_get_text(item, "status");

	(void)a;
	(void)err;
	note_optional(p, configuration);
	if (!blocks(configuration) || !status)
		return 0;
	p->blocking++;
	if (strcmp(status, "approved") != 0 && strcmp(status, "notApplicable") != 0)
		add_unmet(p, configuration,
			  !strcmp(status, "queued")    ? "missing"
			  : !strcmp(status, "running") ? "pending"
						       : status);
	return 0;
}

int gp_azdo_policies_read(struct gp_azdo_policies *out, struct gp_azdo *a, const char *project, int64_t number,
			  struct gp_err *err)
{
	char *artifact = gp_asprintf("vstfs:///CodeReview/CodeReviewId/%s/%lld", project, (long long)number),
	     *escaped = gp_api_escape(artifact),
	     *path = gp_asprintf("policy/evaluations?artifactId=%s&includeNotApplicable=true", escaped);
	int rc;

	*out = (struct gp_azdo_policies){0};
	rc = gp_azdo_list(a, GP_AZDO_EVALUATIONS, path, GP_AZDO_DOLLAR, NULL, take_evaluation, out, err);
	if (rc)
		gp_azdo_policies_free(out);
	free(path);
	free(escaped);
	free(artifact);
	return rc;
}

static int list_configurations(struct gp_azdo *a, const char *repository, const char *base, bool *missing,
			       gp_azdo_take_fn *take, void *ctx, struct gp_err *err)
{
	char *name = gp_api_escape(base);
	char *path = gp_asprintf("git/policy/configurations?repositoryId=%s&refName=refs/heads/%s", repository, name);
	int rc = gp_azdo_list(a, GP_AZDO_POLICIES, path, GP_AZDO_TOKEN, missing, take, ctx, err);

	free(path);
	free(name);
	return rc;
}

static int take_blocking(struct gp_azdo *a, const struct gp_json *item, void *ctx, struct gp_err *err)
{
	struct gp_azdo_policies *p = ctx;

	(void)a;
	(void)err;
	note_optional(p, item);
	if (blocks(item)) {
		p->blocking++;
		add_unmet(p, item, "missing");
	}
	return 0;
}

int gp_azdo_policies_of_branch(struct gp_azdo_policies *out, struct gp_azdo *a, const char *repository,
			       const char *base, struct gp_err *err)
{
	*out = (struct gp_azdo_policies){0};
	if (!list_configurations(a, repository, base, NULL, take_blocking, out, err))
		return 0;
	gp_azdo_policies_free(out);
	return -1;
}

struct settings {
	struct gp_json *checks;
	bool guarded;
};

static int take_check(struct gp_azdo *a, const struct gp_json *item, void *ctx, struct gp_err *err)
{
	struct settings *s = ctx;
	char *context = blocks(item) ? context_of(item) : NULL;

	(void)a;
	(void)err;
	s->guarded = s->guarded || blocks(item);
	if (context)
		gp_json_append(s->checks, gp_json_string(context));
	free(context);
	return 0;
}

/* "refs/heads/main" -> "main" */
static const char *branch_of(const char *ref)
{
	return ref && !strncmp(ref, "refs/heads/", 11) ? ref + 11 : NULL;
}

struct gp_json *gp_azdo_get_repository(void *place, const struct gp_json *request, struct gp_err *err)
{
	struct gp_azdo *a = place;
	struct settings s = {0};
	struct gp_json *result = NULL;
	const struct gp_json *repository;
	const char *id, *base, *main;
	bool missing = false;

	if (gp_request_optional_text(&base, gp_json_get(request, "repository"), "base", err) ||
	    gp_azdo_get(a, GP_AZDO_REPOSITORY, "", &repository, err))
		return NULL;
	id = gp_json_get_text(repository, "id");
	main = branch_of(gp_json_get_text(repository, "defaultBranch"));
	if (!id) {
		gp_api_nonsense(&a->api, "a repository without an id", err);
		return NULL;
	}
	s.checks = gp_json_array();
	base = base ? base : main;
	if (base && list_configurations(a, id, base, &missing, take_check, &s, err)) {
		gp_json_free(s.checks);
		return NULL;
	}
	result = gp_json_object();
	gp_json_set_text(result, "default_branch", main);
	/* Where no policy blocks, there is nothing that auto-complete would wait for. */
	if (base && !missing)
		gp_json_set_bool(result, "auto_merge_allowed", s.guarded);
	else
		gp_json_set_text(result, "auto_merge_allowed", NULL);
	if (missing) {
		gp_json_free(s.checks);
		s.checks = gp_json_string(NULL);
	}
	gp_json_set(result, "required_checks", s.checks);
	return result;
}
