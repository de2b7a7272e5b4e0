/*
 * The labels and reviewers of a pull request: what is missing is added, what people have added stays.
 * https://docs.github.com/rest/issues/labels#add-labels-to-an-issue
 * https://docs.github.com/rest/pulls/review-requests#request-reviewers-for-a-pull-request
 */
#include <stdlib.h>
#include <string.h>

#include "forge/server.h"
#include "forges/github/github.h"
#include "sys/mem.h"

/* Appends a member of each object of a list. */
static void collect(struct gp_json *to, const struct gp_json *list, const char *member)
{
	for (const struct gp_json *item = gp_json_first(list); item; item = gp_json_next(item))
		if (gp_json_get_text(item, member))
			gp_json_append(to, gp_json_string(gp_json_get_text(item, member)));
}

/* Reads what it has. Who has given a review is asked no more. */
static int read(struct gp_github *g, const char *pull, const struct gp_wanted *w, struct gp_json *labels,
		struct gp_json *people, struct gp_err *err)
{
	char *url = gp_strdup(pull), *next = NULL;
	struct gp_api_pages pages = {0};
	const struct gp_json *page;
	struct gp_json *missing;
	int rc = gp_github_get(g, url, &page, &next, NULL, err);

	if (!rc) {
		collect(labels, gp_json_get(page, "labels"), "name");
		collect(people, gp_json_get(page, "requested_reviewers"), "login");
		collect(people, gp_json_get(page, "requested_teams"), "slug");
	}
	free(next);
	free(url);
	missing = gp_wanted_missing(w->reviewers, people);
	url = !rc && gp_json_first(missing) ? gp_asprintf("%s/reviews?per_page=100", pull) : NULL;
	gp_json_free(missing);
	while (!rc && url && !(rc = gp_api_turn(&g->api, &pages, url, err))) {
		rc = gp_github_get(g, url, &page, &next, NULL, err);
		for (const struct gp_json *r = rc ? NULL : gp_json_first(page); r; r = gp_json_next(r))
			if (gp_json_get_text(gp_json_get(r, "user"), "login"))
				gp_json_append(people,
					       gp_json_string(gp_json_get_text(gp_json_get(r, "user"), "login")));
		free(url);
		url = next;
	}
	gp_api_pages_free(&pages);
	free(url);
	return rc;
}

/* Posts; that GitHub does not do it is a warning, for the pull request is there. */
static int post(struct gp_github *g, const char *url, const struct gp_json *body, const char *what,
		struct gp_json **warnings, struct gp_err *err)
{
	const struct gp_api_call call = {"POST", url, body, NULL, GP_API_ALWAYS};
	struct gp_api_answer answer;
	struct gp_err why = {0};
	int rc = gp_api_send(&g->api, &call, &answer, err);

	if (!rc && answer.status / 100 != 2) {
		gp_github_refuse(g, &answer, "pull requests: write", &why);
		gp_warn(warnings, "%s: %s", what, why.message);
	}
	gp_api_answer_free(&answer);
	return rc;
}

static int add_labels(struct gp_github *g, int64_t number, const struct gp_json *missing, struct gp_json **warnings,
		      struct gp_err *err)
{
	char *url = gp_asprintf("/repos/%s/issues/%lld/labels", g->address.slug, (long long)number),
	     *what = gp_asprintf("cannot label #%lld", (long long)number);
	struct gp_json *body = gp_json_object();

	gp_json_set(body, "labels", gp_json_copy(missing));
	int rc = post(g, url, body, what, warnings, err);

	gp_json_free(body);
	free(what);
	free(url);
	return rc;
}

/* "org/team" is a team. */
static const char *team_of(const char *name)
{
	const char *slash = strchr(name, '/');

	return slash ? slash + 1 : NULL;
}

/* One request for each: GitHub refuses all of one for the sake of a single name. */
static int ask_reviewer(struct gp_github *g, int64_t number, const char *name, struct gp_json **warnings,
			struct gp_err *err)
{
	char *url = gp_asprintf("/repos/%s/pulls/%lld/requested_reviewers", g->address.slug, (long long)number),
	     *what = gp_asprintf("cannot ask '%s' to review #%lld", name, (long long)number);
	struct gp_json *body = gp_json_object(), *names = gp_json_array();

	gp_json_append(names, gp_json_string(team_of(name) ? team_of(name) : name));
	gp_json_set(body, team_of(name) ? "team_reviewers" : "reviewers", names);
	int rc = post(g, url, body, what, warnings, err);

	gp_json_free(body);
	free(what);
	free(url);
	return rc;
}

/* Teams are listed by their slug alone. */
static bool has_team(const struct gp_json *people, const char *name)
{
	struct gp_json *slug = gp_json_array(), *missing;

	if (team_of(name))
		gp_json_append(slug, gp_json_string(team_of(name)));
	missing = gp_wanted_missing(slug, people);
	bool has = team_of(name) && !gp_json_first(missing);

	gp_json_free(missing);
	gp_json_free(slug);
	return has;
}

int gp_github_add_more(struct gp_github *g, int64_t number, const struct gp_wanted *w, bool created,
		       struct gp_json **warnings, struct gp_err *err)
{
	char *pull = gp_asprintf("/repos/%s/pulls/%lld", g->address.slug, (long long)number);
	struct gp_json *labels = gp_json_array(), *people = gp_json_array(), *missing;
	int rc = 0;

	if (gp_wanted_has_more(w) && !created)
		rc = read(g, pull, w, labels, people, err);
	missing = gp_wanted_missing(w->labels, labels);
	if (!rc && gp_json_first(missing))
		rc = add_labels(g, number, missing, warnings, err);
	gp_json_free(missing);
	missing = gp_wanted_missing(w->reviewers, people);
	for (const struct gp_json *name = gp_json_first(missing); name && !rc; name = gp_json_next(name))
		if (!has_team(people, gp_json_text(name)))
			rc = ask_reviewer(g, number, gp_json_text(name), warnings, err);
	gp_json_free(missing);
	gp_json_free(people);
	gp_json_free(labels);
	free(pull);
	return rc;
}
