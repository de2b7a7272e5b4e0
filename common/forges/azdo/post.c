/*
 * Posting a status: of a commit, or of a pull request, where a status policy looks.
 * https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-statuses/create
 */
#include <stdlib.h>
#include <string.h>

#include "forges/azdo/azdo.h"
#include "gate/flux.h"
#include "sys/exit.h"
#include "sys/mem.h"

/* How often to wait for the forge to make an iteration of a push. */
enum { MAX_LAG_ATTEMPTS = 6 };

/* "genre/name" parted where gp_azdo_status joins them: a genre has no '/'. What Flux would post gets its genre. */
static struct gp_json *context_of(const char *text)
{
	struct gp_json *context = gp_json_object();
	const char *slash = strchr(text, '/');
	bool flux = gp_context_is_flux(text), parted = !flux && slash && slash != text && slash[1];
	char *genre = flux ? gp_strdup(GP_FLUX_GENRE) : parted ? gp_memdup0(text, (size_t)(slash - text)) : NULL;

	gp_json_set_text(context, "name", parted ? slash + 1 : text);
	if (genre)
		gp_json_set_text(context, "genre", genre);
	free(genre);
	return context;
}

static const char *state_of(const char *state)
{
	return !strcmp(state, "success") ? "succeeded" : !strcmp(state, "failure") ? "failed" : "pending";
}

static struct gp_json *body_of(const struct gp_post *p, int64_t iteration, const char *url)
{
	struct gp_json *body = gp_json_object();

	if (iteration)
		gp_json_set_int(body, "iterationId", iteration);
	gp_json_set_text(body, "state", state_of(p->state));
	if (p->description)
		gp_json_set_text(body, "description", p->description);
	gp_json_set(body, "context", context_of(p->context));
	if (url)
		gp_json_set_text(body, "targetUrl", url);
	return body;
}

static bool is_over(struct gp_azdo *a, int64_t number, struct gp_err *err)
{
	struct gp_json *pull = gp_azdo_look_up(a, number, NULL, err);
	bool over = pull && strcmp(gp_json_get_text(pull, "state"), "open") != 0;

	gp_json_free(pull);
	return over;
}

/*
 * Posts to a pull request, or (0) to a commit; takes body over. Returns the status; NULL with err, or, where what it is
 * for is not there, with *missing, or, where the pull request is completed or abandoned, so that there is none to post to
 * any more, with *over. An attempt whose answer was lost, or somebody else's status, may have let it merge just now.
 */
static struct gp_json *post(struct gp_azdo *a, int64_t number, const char *path, struct gp_json *body, bool *missing,
			    bool *over, struct gp_err *err)
{
	enum gp_azdo_resource resource = number ? GP_AZDO_PULL_STATUSES : GP_AZDO_REPOSITORY;
	struct gp_api_answer answer;
	struct gp_json *status = NULL;

	*missing = *over = false;
	if (!gp_azdo_send(a, "POST", resource, path, body, GP_API_ALWAYS, &answer, err)) {
		if (answer.status == 404 && !gp_azdo_is_lost(&answer))
			*missing = true;
		else if (gp_azdo_is(&answer, "TF401181") && number && is_over(a, number, err))
			*over = true;
		else if (answer.status != 200 && answer.status != 201)
			gp_azdo_refuse(a, &answer, err);
		else if (!(status = gp_azdo_status(a, answer.json)))
			gp_api_nonsense(&a->api, "a status without context or time", err);
	}
	gp_api_answer_free(&answer);
	gp_json_free(body);
	return status;
}

static struct gp_json *post_on_commit(struct gp_azdo *a, const struct gp_post *p, const char *url, bool *missing,
				      struct gp_err *err)
{
	char *path = gp_asprintf("commits/%s/statuses", p->commit);
	bool over;
	struct gp_json *status = post(a, 0, path, body_of(p, 0, url), missing, &over, err);

	free(path);
	return status;
}

/*
 * The iteration that the status is bound to: so it says nothing of a later head. Without the pull request's id, the
 * commit has to be the head; who has the id has just seen that it is.
 */
static int find_iteration(struct gp_azdo *a, struct gp_azdo_iterations *i, const struct gp_post *p, struct gp_err *err)
{
	int rc = gp_azdo_iterations_read(i, a, p->number, err);

	for (int n = 1; !rc && !i->of_commit && n < MAX_LAG_ATTEMPTS; n++) {
		/* Either it never was the head, or the forge does not show it yet. */
		struct gp_json *pull = gp_azdo_look_up_bound(a, p->number, p->commit, NULL, err);

		rc = pull ? 0 : -1;
		gp_json_free(pull);
		if (!rc && !(rc = gp_azdo_iterations_read(i, a, p->number, err)) && !i->of_commit &&
		    gp_api_pause(&a->api, n, 0, NULL))
			break;
	}
	if (rc)
		return -1;
	if (!i->of_commit)
		return gp_fail(err, GP_EXIT_RETRY, "%s has yet to see that the head of #%lld is %s", a->api.host,
			       (long long)p->number, p->commit);
	if (!p->id && i->of_commit != i->last && strcmp(i->head, p->commit) != 0)
		return gp_fail(err, GP_EXIT_RETRY, "head of #%lld is now %s, not %s", (long long)p->number, i->head,
			       p->commit);
	return 0;
}

/* On the pull request first: a reader of the commit's status may rely on the other. */
static struct gp_json *post_on_pull(struct gp_azdo *a, const struct gp_post *p, struct gp_err *err)
{
	struct gp_azdo_iterations i = {.commit = p->commit};
	struct gp_json *status = NULL, *mirror = NULL;
	char *path = NULL, *page = NULL;
	bool missing = false, over = false;

	if (!find_iteration(a, &i, p, err)) {
		path = gp_asprintf("pullrequests/%lld/statuses", (long long)p->number);
		status = post(a, p->number, path, body_of(p, i.of_commit, p->url), &missing, &over, err);
	}
	if (missing)
		gp_fail(err, GP_EXIT_REFUSED, "no pull request #%lld in '%s'", (long long)p->number, a->address.name);
	if (status || over) {
		page = gp_asprintf("%s/pullrequest/%lld", a->address.web, (long long)p->number);
		mirror = post_on_commit(a, p, page, &missing, err);
		/* A fork's commit may not be here. */
		if (!mirror && !missing) {
			gp_json_free(status);
			status = NULL;
		} else if (!status && mirror) {
			status = gp_json_copy(mirror);
		} else if (!status) {
			gp_fail(err, GP_EXIT_REFUSED, "no commit %s in '%s'", p->commit, a->address.name);
		}
		gp_json_free(mirror);
	}
	free(page);
	free(path);
	gp_azdo_iterations_free(&i);
	return status;
}

static struct gp_json *post_plainly(struct gp_azdo *a, const struct gp_post *p, struct gp_err *err)
{
	bool missing;
	struct gp_json *status = post_on_commit(a, p, p->url, &missing, err);

	if (missing)
		gp_fail(err, GP_EXIT_REFUSED, "no commit %s in '%s'", p->commit, a->address.name);
	return status;
}

struct gp_json *gp_azdo_set_status(void *repository, const struct gp_json *request, struct gp_err *err)
{
	struct gp_json *status, *result = NULL;
	struct gp_post p;

	if (gp_request_post(&p, request, err))
		return NULL;
	status = p.number ? post_on_pull(repository, &p, err) : post_plainly(repository, &p, err);
	if (status) {
		char *at = gp_asprintf("%.19sZ", gp_json_get_text(status, "created_at"));

		gp_json_set_text(status, "created_at", at);
		free(at);
		result = gp_json_object();
		gp_json_set(result, "status", status);
	}
	return result;
}
