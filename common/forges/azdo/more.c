/*
 * The labels and reviewers of a pull request: what is missing is added, what people have added stays.
 * https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-labels/create
 * https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-reviewers/create-pull-request-reviewer
 */
#include <stdlib.h>
#include <string.h>

#include "forge/server.h"
#include "forges/azdo/azdo.h"
#include "sys/mem.h"

enum { ID_LENGTH = 36 };

/* A reviewer is named by the id of an identity: to look one up takes another service, with other permissions. */
static bool is_id(const char *name)
{
	return strlen(name) == ID_LENGTH && strspn(name, "0123456789abcdefABCDEF-") == ID_LENGTH;
}

struct members {
	struct gp_json *list;
	const char *name;
};

static int take(struct gp_azdo *a, const struct gp_json *item, void *ctx, struct gp_err *err)
{
	const struct members *m = ctx;

	(void)a, (void)err;
	if (gp_json_get_text(item, m->name))
		gp_json_append(m->list, gp_json_string(gp_json_get_text(item, m->name)));
	return 0;
}

/* Those of wanted that a list of the pull request lacks. Yours; NULL with err. */
static struct gp_json *missing_of(struct gp_azdo *a, int64_t number, enum gp_azdo_resource resource, const char *list,
				  const char *member, const struct gp_json *wanted, bool created, struct gp_err *err)
{
	char *path = gp_asprintf("pullrequests/%lld/%s", (long long)number, list);
	struct members have = {gp_json_array(), member};
	struct gp_json *missing = NULL;
	bool none = false;

	if (!gp_json_first(wanted) || created ||
	    !gp_azdo_list(a, resource, path, GP_AZDO_WHOLE, &none, take, &have, err))
		missing = gp_wanted_missing(wanted, have.list);
	gp_json_free(have.list);
	free(path);
	return missing;
}

/* Sends one; that Azure does not do it is a warning, for the pull request is there. */
static int add(struct gp_azdo *a, const char *method, enum gp_azdo_resource resource, const char *path,
	       const struct gp_json *body, const char *name, struct gp_json **warnings, struct gp_err *err)
{
	struct gp_api_answer answer;
	struct gp_err why = {0};
	int rc = gp_azdo_send(a, method, resource, path, body, GP_API_ALWAYS, &answer, err);

	if (!rc && answer.status / 100 != 2) {
		gp_azdo_refuse(a, &answer, &why);
		gp_warn(warnings, "cannot add '%s': %s", name, why.message);
	}
	gp_api_answer_free(&answer);
	return rc;
}

static int add_labels(struct gp_azdo *a, int64_t number, const struct gp_json *missing, struct gp_json **warnings,
		      struct gp_err *err)
{
	char *path = gp_asprintf("pullrequests/%lld/labels", (long long)number);
	int rc = 0;

	for (const struct gp_json *m = gp_json_first(missing); m && !rc; m = gp_json_next(m)) {
		struct gp_json *body = gp_json_object();

		gp_json_set_text(body, "name", gp_json_text(m));
		rc = add(a, "POST", GP_AZDO_LABELS, path, body, gp_json_text(m), warnings, err);
		gp_json_free(body);
	}
	free(path);
	return rc;
}

static int add_reviewers(struct gp_azdo *a, int64_t number, const struct gp_json *missing, struct gp_json **warnings,
			 struct gp_err *err)
{
	int rc = 0;

	for (const struct gp_json *m = gp_json_first(missing); m && !rc; m = gp_json_next(m)) {
		const char *id = gp_json_text(m);

		if (!is_id(id)) {
			gp_warn(warnings, "reviewer '%s' of #%lld is not the id of an identity in Azure DevOps", id,
				(long long)number);
			continue;
		}
		struct gp_json *body = gp_json_object();
		char *path = gp_asprintf("pullrequests/%lld/reviewers/%s", (long long)number, id);

		gp_json_set_text(body, "id", id);
		gp_json_set_int(body, "vote", 0);
		rc = add(a, "PUT", GP_AZDO_REPOSITORY, path, body, id, warnings, err);
		free(path);
		gp_json_free(body);
	}
	return rc;
}

int gp_azdo_add_more(struct gp_azdo *a, int64_t number, const struct gp_wanted *w, bool created,
		     struct gp_json **warnings, struct gp_err *err)
{
	struct gp_json *labels = missing_of(a, number, GP_AZDO_LABELS, "labels", "name", w->labels, created, err),
		       *reviewers = labels ? missing_of(a, number, GP_AZDO_REPOSITORY, "reviewers", "id", w->reviewers,
							created, err)
					   : NULL;
	int rc = reviewers ? 0 : -1;

	if (!rc)
		rc = add_labels(a, number, labels, warnings, err);
	if (!rc)
		rc = add_reviewers(a, number, reviewers, warnings, err);
	gp_json_free(reviewers);
	gp_json_free(labels);
	return rc;
}
