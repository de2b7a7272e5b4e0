/* Pull requests, from the forge's form to that of gp-forge(7). */
#include <stdlib.h>
#include <string.h>

#include "data/oid.h"
#include "forges/azdo/azdo.h"
#include "sys/exit.h"
#include "sys/mem.h"

static const char heads[] = "refs/heads/";

static const char *commit_of(const struct gp_json *node, const char *member)
{
	return gp_json_get_text(gp_json_get(node, member), "commitId");
}

static void set_branch(struct gp_json *pull, const char *to, const struct gp_json *node, const char *from)
{
	const char *ref = gp_json_get_text(node, from);

	gp_json_set_text(pull, to, ref && !strncmp(ref, heads, strlen(heads)) ? ref + strlen(heads) : ref);
}

static const char *state_of(const char *status)
{
	return !status                        ? NULL
	       : !strcmp(status, "active")    ? "open"
	       : !strcmp(status, "completed") ? "merged"
	       : !strcmp(status, "abandoned") ? "closed"
					      : NULL;
}

/* All zeros stand for nobody. */
static bool is_somebody(const struct gp_json *identity)
{
	const char *id = gp_json_get_text(identity, "id");

	return id && id[strspn(id, "0-")];
}

/* PROJECT/REPOSITORY/HEAD: ids that other requests need. */
static void set_id(struct gp_json *pull, const struct gp_json *node)
{
	const struct gp_json *repository = gp_json_get(node, "repository");
	const char *project = gp_json_get_text(gp_json_get(repository, "project"), "id"),
		   *id = gp_json_get_text(repository, "id"), *head = gp_json_get_text(pull, "head");
	char *text = gp_asprintf("%s/%s/%s", project ? project : "", id ? id : "", head ? head : "");

	gp_json_set_text(pull, "id", text);
	free(text);
}

void gp_azdo_id_free(struct gp_azdo_id *id)
{
	free(id->project);
	free(id->repository);
	free(id->head);
	*id = (struct gp_azdo_id){0};
}

void gp_azdo_id_read(struct gp_azdo_id *out, const char *id)
{
	static const char allowed[] = "0123456789abcdefABCDEF-";
	char **const part[] = {&out->project, &out->repository, &out->head};

	*out = (struct gp_azdo_id){0};
	for (size_t i = 0; id && i < sizeof part / sizeof *part; i++) {
		size_t n = strspn(id, allowed);

		/* The id may come from a document that somebody has edited. */
		if (id[n] != (i < 2 ? '/' : '\0')) {
			gp_azdo_id_free(out);
			return;
		}
		*part[i] = n ? gp_memdup0(id, n) : NULL;
		id += n + 1;
	}
}

struct gp_json *gp_azdo_pull(const struct gp_azdo *a, const struct gp_json *node, struct gp_err *err)
{
	const char *description = gp_json_get_text(node, "description");
	long long number = gp_json_get_int(node, "pullRequestId", 0);
	const char *state = state_of(gp_json_get_text(node, "status")), *lacks;
	struct gp_json *pull = gp_json_object();
	char *url = gp_asprintf("%s/pullrequest/%lld", a->address.web, number);

	gp_json_set_int(pull, "number", number);
	gp_json_set_text(pull, "url", url);
	gp_json_set_text(pull, "title", gp_json_get_text(node, "title"));
	gp_json_set_text(pull, "description", description ? description : "");
	set_branch(pull, "branch", node, "sourceRefName");
	set_branch(pull, "base", node, "targetRefName");
	gp_json_set_text(pull, "head", commit_of(node, "lastMergeSourceCommit"));
	gp_json_set_text(pull, "state", state);
	gp_json_set_bool(pull, "auto_merge",
			 state && *state == 'o' && is_somebody(gp_json_get(node, "autoCompleteSetBy")));
	gp_json_set_bool(pull, "fork", gp_json_is_object(gp_json_get(node, "forkSource")));
	gp_json_set_text(pull, "merge_commit", state && *state == 'm' ? commit_of(node, "lastMergeCommit") : NULL);
	set_id(pull, node);
	free(url);
	lacks = gp_pull_lacks(pull);
	if (!lacks && state && *state == 'm' && !gp_json_get_text(pull, "merge_commit"))
		lacks = "a pull request is completed, and it does not say as what";
	if (!lacks)
		return pull;
	gp_api_nonsense(&a->api, lacks, err);
	gp_json_free(pull);
	return NULL;
}

struct sought {
	const char *ref;
	char *commit;
};

static int take_ref(struct gp_azdo *a, const struct gp_json *item, void *ctx, struct gp_err *err)
{
	struct sought *s = ctx;
	const char *name = gp_json_get_text(item, "name"), *commit = gp_json_get_text(item, "objectId");
	struct gp_oid oid;

	/* Where a branch is gone, its pull request is abandoned: what cannot be read must not look like that. */
	if (!name || !commit || gp_oid_parse(&oid, commit))
		return gp_api_nonsense(&a->api, "a branch without name or id", err);
	if (!s->commit && !strcmp(name, s->ref))
		s->commit = gp_strdup(commit);
	return 0;
}

/* The filter is what the names begin with: https://learn.microsoft.com/rest/api/azure/devops/git/refs/list */
char *gp_azdo_tip(struct gp_azdo *a, const char *branch, struct gp_err *err)
{
	char *name = gp_api_escape(branch), *path = gp_asprintf("refs?filter=heads/%s", name),
	     *ref = gp_asprintf("%s%s", heads, branch);
	struct sought s = {ref, NULL};

	gp_azdo_list(a, GP_AZDO_REPOSITORY, path, GP_AZDO_TOKEN, NULL, take_ref, &s, err);
	free(ref);
	free(path);
	free(name);
	return s.commit;
}

/*
 * A pull request stays active when its branch is deleted. To gp it is closed then: nothing can come of it, and whoever
 * asks for it is to be told.
 */
static int close_if_gone(struct gp_azdo *a, struct gp_json *pull, const struct gp_json *node, struct gp_err *err)
{
	const char *merge = gp_json_get_text(node, "mergeStatus");
	char *tip;

	if (strcmp(gp_json_get_text(pull, "state"), "open") != 0 || gp_json_get_true(pull, "fork") || !merge ||
	    strcmp(merge, "failure") != 0)
		return 0;
	tip = gp_azdo_tip(a, gp_json_get_text(pull, "branch"), err);
	if (!tip && !err->code) {
		gp_json_set_text(pull, "state", "closed");
		gp_json_set_bool(pull, "auto_merge", false);
	}
	free(tip);
	return err->code ? -1 : 0;
}

static int ask(struct gp_azdo *a, struct gp_json **pull, const struct gp_json **node, int64_t number,
	       struct gp_err *err)
{
	char *path = gp_asprintf("pullrequests/%lld", (long long)number);
	int rc = 0;

	*pull = NULL;
	*node = NULL;
	/* Its numbers have 32 bits. */
	if (number <= INT32_MAX)
		rc = gp_azdo_get(a, GP_AZDO_REPOSITORY, path, node, err);
	free(path);
	if (rc || !*node)
		return rc;
	*pull = gp_azdo_pull(a, *node, err);
	if (!*pull || !close_if_gone(a, *pull, *node, err))
		return *pull ? 0 : -1;
	gp_json_free(*pull);
	*pull = NULL;
	return -1;
}

int gp_azdo_ask_number(struct gp_azdo *a, struct gp_json **pull, int64_t number, struct gp_err *err)
{
	const struct gp_json *node;

	return ask(a, pull, &node, number, err);
}

struct gp_json *gp_azdo_look_up(struct gp_azdo *a, int64_t number, const struct gp_json **node, struct gp_err *err)
{
	const struct gp_json *said;
	struct gp_json *pull;

	if (!ask(a, &pull, &said, number, err) && !pull)
		gp_fail(err, GP_EXIT_REFUSED, "no pull request #%lld in '%s'", (long long)number, a->address.name);
	if (node)
		*node = said;
	return pull;
}

/* Whether the branch is at this commit, though the forge still shows another head. Returns 1, 0, -1. */
static int is_behind(struct gp_azdo *a, const struct gp_json *pull, const char *head, struct gp_err *err)
{
	char *tip;
	int behind;

	if (strcmp(gp_json_get_text(pull, "state"), "open") != 0 || !strcmp(gp_json_get_text(pull, "head"), head) ||
	    gp_json_get_true(pull, "fork"))
		return 0;
	tip = gp_azdo_tip(a, gp_json_get_text(pull, "branch"), err);
	behind = err->code ? -1 : tip && !strcmp(tip, head);
	free(tip);
	return behind;
}

struct gp_json *gp_azdo_look_up_bound(struct gp_azdo *a, int64_t number, const char *head, const struct gp_json **node,
				      struct gp_err *err)
{
	struct gp_json *pull;

	for (int n = 1;; n++) {
		int behind;

		pull = gp_azdo_look_up(a, number, node, err);
		behind = pull ? is_behind(a, pull, head, err) : -1;
		if (behind <= 0)
			break;
		gp_json_free(pull);
		if (gp_api_pause(&a->api, n, 0, NULL)) {
			gp_fail(err, GP_EXIT_RETRY, "%s has yet to see that the head of #%lld is %s", a->api.host,
				(long long)number, head);
			return NULL;
		}
	}
	if (pull && !err->code && !gp_pull_check_bound(pull, head, err))
		return pull;
	gp_json_free(pull);
	return NULL;
}

int gp_azdo_change(struct gp_azdo *a, int64_t number, const struct gp_json *body, struct gp_api_answer *answer,
		   struct gp_err *err)
{
	char *path = gp_asprintf("pullrequests/%lld", (long long)number);
	int rc = gp_azdo_send(a, "PATCH", GP_AZDO_REPOSITORY, path, body, GP_API_ALWAYS, answer, err);

	free(path);
	return rc;
}
