/*
 * Making a commit by the API: GitHub signs what it makes for an App. It needs a branch for it, which is there only
 * meanwhile; the commit can be fetched by its id afterwards.
 * https://docs.github.com/graphql/reference/mutations#createcommitonbranch
 * https://docs.github.com/rest/git/refs
 */
#include <stdlib.h>
#include <string.h>

#include "forge/server.h"
#include "forges/github/github.h"
#include "sys/exit.h"
#include "sys/mem.h"

static const char permission[] = "contents: write";

/* Where the commit is made; one that a killed job has left is used again. */
static char *scratch_of(const char *branch)
{
	return gp_asprintf("gp-commit/%s", branch);
}

static int send(struct gp_github *g, const char *method, const char *path, const struct gp_json *body,
		struct gp_api_answer *answer, struct gp_err *err)
{
	char *url = gp_asprintf("/repos/%s/git/%s", g->address.slug, path);
	const struct gp_api_call call = {method, url, body, NULL, GP_API_ALWAYS};
	int rc = gp_api_send(&g->api, &call, answer, err);

	free(url);
	return rc;
}

/* Puts the scratch branch at a commit, whether it is there or not. */
static int place(struct gp_github *g, const char *scratch, const char *commit, struct gp_err *err)
{
	char *ref = gp_asprintf("refs/heads/%s", scratch), *path = gp_asprintf("refs/heads/%s", scratch);
	struct gp_json *made = gp_json_object(), *moved = gp_json_object();
	struct gp_api_answer answer;
	int rc;

	gp_json_set_text(made, "ref", ref);
	gp_json_set_text(made, "sha", commit);
	gp_json_set_text(moved, "sha", commit);
	gp_json_set_bool(moved, "force", true);
	rc = send(g, "POST", "refs", made, &answer, err);
	if (!rc && answer.status == 422) {
		gp_api_answer_free(&answer);
		rc = send(g, "PATCH", path, moved, &answer, err);
	}
	if (!rc && answer.status / 100 != 2)
		rc = gp_github_refuse(g, &answer, permission, err);
	gp_api_answer_free(&answer);
	gp_json_free(moved);
	gp_json_free(made);
	free(path);
	free(ref);
	return rc;
}

/* One that cannot be taken away is used again. */
static void take_away(struct gp_github *g, const char *scratch)
{
	char *path = gp_asprintf("refs/heads/%s", scratch);
	struct gp_api_answer answer;

	send(g, "DELETE", path, NULL, &answer, &(struct gp_err){0});
	gp_api_answer_free(&answer);
	free(path);
}

static struct gp_json *input_of(const struct gp_github *g, const struct gp_new_commit *c, const char *scratch)
{
	struct gp_json *input = gp_json_object(), *branch = gp_json_object(), *message = gp_json_object(),
		       *changes = gp_json_object();
	size_t subject = strcspn(c->message, "\n");
	char *headline = gp_memdup0(c->message, subject);
	const char *body = c->message + subject;

	gp_json_set_text(branch, "repositoryNameWithOwner", g->address.slug);
	gp_json_set_text(branch, "branchName", scratch);
	gp_json_set_text(message, "headline", headline);
	gp_json_set_text(message, "body", body + strspn(body, "\n"));
	gp_json_set(changes, "additions", gp_json_copy(c->files));
	gp_json_set(input, "branch", branch);
	gp_json_set(input, "message", message);
	gp_json_set(input, "fileChanges", changes);
	gp_json_set_text(input, "expectedHeadOid", c->parent);
	free(headline);
	return input;
}

struct gp_json *gp_github_create_commit(void *repository, const struct gp_json *request, struct gp_err *err)
{
	static const char query[] = "mutation($input:CreateCommitOnBranchInput!){createCommitOnBranch(input:$input){"
				    "commit{oid}}}";
	struct gp_github *g = repository;
	struct gp_json *variables, *data, *result = NULL;
	struct gp_new_commit c;
	char *scratch, *refusal = NULL;

	if (gp_request_new_commit(&c, request, err))
		return NULL;
	scratch = scratch_of(c.branch);
	if (place(g, scratch, c.parent, err)) {
		free(scratch);
		return NULL;
	}
	variables = gp_json_object();
	gp_json_set(variables, "input", input_of(g, &c, scratch));
	data = gp_github_mutate(g, query, variables, &refusal, err);
	if (refusal)
		gp_fail(err, GP_EXIT_REFUSED, "%s", refusal);
	const struct gp_json *commit = gp_json_get(gp_json_get(data, "createCommitOnBranch"), "commit");

	if (data && !gp_json_get_text(commit, "oid")) {
		gp_api_nonsense(&g->api, "a commit without an id", err);
	} else if (data) {
		result = gp_json_object();
		gp_json_set_text(result, "commit", gp_json_get_text(commit, "oid"));
	}
	take_away(g, scratch);
	gp_json_free(data);
	free(refusal);
	free(scratch);
	return result;
}
