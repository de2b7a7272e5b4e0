/* Merging by GitHub itself, once the required checks are green.
 * https://docs.github.com/graphql/reference/mutations#enablepullrequestautomerge */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "forge/server.h"
#include "forges/github/github.h"
#include "sys/exit.h"
#include "sys/mem.h"

static const char *const methods[] = {"merge", "squash", "rebase", NULL};

/* The mutation. Returns the pull request; NULL with *refusal or err. */
static struct gp_json *mutate(struct gp_github *g, const struct gp_merge *a, const char *id, char **refusal,
			      struct gp_err *err)
{
	static const char on[] =
		"mutation($id:ID!,$method:PullRequestMergeMethod!,$head:GitObjectID!){enablePullRequestAutoMerge("
		"input:{pullRequestId:$id,mergeMethod:$method,expectedHeadOid:$head}){"
		"pullRequest{...pull repository{nameWithOwner}}}}" GP_GITHUB_PULL;
	static const char off[] = "mutation($id:ID!){disablePullRequestAutoMerge(input:{pullRequestId:$id}){"
				  "pullRequest{...pull repository{nameWithOwner}}}}" GP_GITHUB_PULL;
	static const char *const upper[] = {"MERGE", "SQUASH", "REBASE"};
	struct gp_json *variables = gp_json_object(), *data, *pull = NULL;
	const struct gp_json *node;
	const char *slug;

	gp_json_set_text(variables, "id", id);
	for (size_t i = 0; a->enable && methods[i]; i++)
		if (!strcmp(methods[i], a->method))
			gp_json_set_text(variables, "method", upper[i]);
	if (a->enable)
		gp_json_set_text(variables, "head", a->head);
	data = gp_github_mutate(g, a->enable ? on : off, variables, refusal, err);
	node = gp_json_get(gp_json_first(data), "pullRequest");
	slug = gp_json_get_text(gp_json_get(node, "repository"), "nameWithOwner");
	if (data)
		pull = gp_github_pull(g, node, err);
	if (pull &&
	    (gp_json_get_int(pull, "number", 0) != a->number || !slug || strcasecmp(slug, g->address.slug) != 0)) {
		gp_fail(err, GP_EXIT_INPUT, "parameter 'pull_id' is not that of #%lld in '%s'", (long long)a->number,
			g->address.slug);
		gp_json_free(pull);
		pull = NULL;
	}
	gp_json_free(data);
	return pull;
}

/* GitHub has nothing to wait for. The words are not documented; these are what it answers. */
static bool is_clean(const char *refusal)
{
	return gp_api_mentions(refusal, "in clean status") || gp_api_mentions(refusal, "in unstable status") ||
	       gp_api_mentions(refusal, "protected branch rules not configured");
}

/* GitHub refused, because of the pull request's state or kind. */
static struct gp_json *explain(struct gp_github *g, const struct gp_merge *a, const char *refusal, struct gp_err *err)
{
	struct gp_json *pull = NULL, *result;
	bool on;

	if (gp_api_mentions(refusal, "not allowed for this repository")) {
		gp_fail(err, GP_EXIT_REFUSED,
			"auto-merge is not allowed in '%s': 'Allow auto-merge' in Settings > General > Pull Requests permits it",
			g->address.slug);
		return NULL;
	}
	pull = gp_github_look_up(g, a->number, err);
	on = gp_json_get_true(pull, "auto_merge");
	if (!pull || (a->enable && gp_pull_check_bound(pull, a->head, err)))
		goto fail;
	if (a->enable != on && !(a->enable && is_clean(refusal))) {
		gp_fail(err, GP_EXIT_REFUSED, "cannot switch auto-merge %s for #%lld: %s", a->enable ? "on" : "off",
			(long long)a->number, refusal);
		goto fail;
	}
	result = gp_pull_result(pull);
	if (a->enable != on)
		gp_json_set_bool(result, "clean", true);
	return result;
fail:
	gp_json_free(pull);
	return NULL;
}

/* Without an id: what there is to do. Returns the pull request where that is nothing, or NULL; *id is yours. */
static struct gp_json *prepare(struct gp_github *g, const struct gp_merge *a, char **id, struct gp_err *err)
{
	struct gp_json *pull = gp_github_look_up(g, a->number, err);

	if (pull && !a->enable && !gp_json_get_true(pull, "auto_merge"))
		return pull;
	if (pull && (!a->enable || !gp_pull_check_bound(pull, a->head, err)))
		*id = gp_strdup(gp_json_get_text(pull, "id"));
	gp_json_free(pull);
	return NULL;
}

static bool is_done(const struct gp_json *pull, const struct gp_merge *a)
{
	return a->enable == gp_json_get_true(pull, "auto_merge") ||
	       strcmp(gp_json_get_text(pull, "state"), "open") != 0;
}

/* GitHub's later answer counts; a replica may need a second look. Takes pull over, passes NULL through. */
static struct gp_json *confirm(struct gp_github *g, const struct gp_merge *a, struct gp_json *pull, struct gp_err *err)
{
	if (!pull || is_done(pull, a))
		return pull;
	gp_json_free(pull);
	pull = gp_github_look_up(g, a->number, err);
	if (!pull || is_done(pull, a))
		return pull;
	gp_json_free(pull);
	gp_api_nonsense(&g->api,
			a->enable ? "auto-merge was switched on and is off" : "auto-merge was switched off and is on",
			err);
	return NULL;
}

static struct gp_json *set_auto_merge(struct gp_github *g, const struct gp_merge *a, struct gp_err *err)
{
	char *id = gp_strdup(a->id), *refusal = NULL;
	struct gp_json *pull = id ? NULL : prepare(g, a, &id, err), *result;

	if (!pull && id)
		pull = mutate(g, a, id, &refusal, err);
	result = refusal ? explain(g, a, refusal, err) : gp_pull_result(confirm(g, a, pull, err));
	free(refusal);
	free(id);
	return result;
}

struct gp_json *gp_github_set_auto_merge(void *repository, const struct gp_json *request, struct gp_err *err)
{
	struct gp_merge a;

	return gp_request_auto_merge(&a, request, err) ? NULL : set_auto_merge(repository, &a, err);
}
