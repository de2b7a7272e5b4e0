/* Merging, now. https://docs.github.com/rest/pulls/pulls#merge-a-pull-request */
#include <stdlib.h>
#include <string.h>

#include "data/oid.h"
#include "forge/server.h"
#include "forges/github/github.h"
#include "sys/exit.h"
#include "sys/mem.h"

static const char permission[] = "contents: write";

/* Whether GitHub has not checked for conflicts yet. */
static bool is_undecided(struct gp_github *g, int64_t number)
{
	static const char query[] =
		"query($owner:String!,$name:String!,$number:Int!){repository(owner:$owner,name:$name){"
		"pullRequest(number:$number){mergeable}}}";
	struct gp_json *variables = gp_json_object(), *data;
	struct gp_err none = {0};
	const char *mergeable;
	bool undecided;

	gp_json_set_int(variables, "number", number);
	data = gp_github_query(g, query, variables, &none);
	mergeable = gp_json_get_text(gp_json_get(gp_json_get(data, "repository"), "pullRequest"), "mergeable");
	undecided = mergeable && !strcmp(mergeable, "UNKNOWN");
	gp_json_free(data);
	return undecided;
}

/* "'ci' is pending": how a required check stands; NULL if it is green. Yours. */
static char *unmet(const struct gp_json *statuses, const char *check)
{
	for (const struct gp_json *s = gp_json_first(statuses); s; s = gp_json_next(s)) {
		const char *state = gp_json_get_text(s, "state");

		if (!strcmp(gp_json_get_text(s, "context"), check))
			return strcmp(state, "success") != 0 ? gp_asprintf("'%s' is %s", check, state) : NULL;
	}
	return gp_asprintf("'%s' is missing", check);
}

/* The checks that are required of the head and not green, as far as this token can tell. Yours, or NULL. */
static char *all_unmet(struct gp_github *g, const char *base, const char *head)
{
	struct gp_json *request = gp_json_object(), *repository = gp_json_object(), *commits = gp_json_array();
	struct gp_json *settings, *found;
	const struct gp_json *statuses;
	struct gp_err none = {0};
	char *words = NULL;

	gp_json_set_text(repository, "base", base);
	gp_json_set(request, "repository", repository);
	gp_json_append(commits, gp_json_string(head));
	gp_json_set(request, "commits", commits);
	settings = gp_github_get_repository(g, request, &none);
	found = settings ? gp_github_list_statuses(g, request, &none) : NULL;
	statuses = gp_json_get(gp_json_get(found, "statuses"), head);
	for (const struct gp_json *c = gp_json_first(found ? gp_json_get(settings, "required_checks") : NULL); c;
	     c = gp_json_next(c)) {
		char *one = unmet(statuses, gp_json_text(c)), *longer;

		if (!one)
			continue;
		longer = gp_asprintf("%s%s%s", words ? words : "", words ? ", " : "", one);
		free(words);
		free(one);
		words = longer;
	}
	gp_json_free(request);
	gp_json_free(settings);
	gp_json_free(found);
	return words;
}

/*
 * GitHub's refusal, with the names of the checks if it only counts them ("2 of 3 required status checks are expected").
 */
static int cannot(struct gp_github *g, const struct gp_merge *m, const struct gp_json *pull, const char *words,
		  struct gp_err *err)
{
	char *names = NULL;

	if (gp_api_mentions(words, "required status check") && !strchr(words, '"'))
		names = all_unmet(g, gp_json_get_text(pull, "base"), m->head);
	gp_fail(err, GP_EXIT_REFUSED, "cannot merge #%lld: %s%s%s", (long long)m->number,
		words ? words : "it does not say why", names ? ": " : "", names ? names : "");
	free(names);
	return -1;
}

/* GitHub merged it as sha: the pull request, also if a replica does not know yet. */
static struct gp_json *merged(struct gp_github *g, const struct gp_merge *m, const struct gp_api_answer *answer,
			      struct gp_err *err)
{
	const char *sha = gp_json_get_text(answer->json, "sha");
	struct gp_json *pull;
	struct gp_oid oid;

	if (!gp_json_get_true(answer->json, "merged") || gp_oid_parse(&oid, sha)) {
		gp_api_nonsense(&g->api, "it merged, and does not say as what", err);
		return NULL;
	}
	pull = gp_github_look_up(g, m->number, err);
	if (pull) {
		gp_json_set_text(pull, "state", "merged");
		gp_json_set_bool(pull, "auto_merge", false);
		gp_json_set_text(pull, "merge_commit", sha);
	}
	return pull;
}

/* Why it failed; 0 without a pull request if another attempt may help. */
static int refused(struct gp_github *g, const struct gp_merge *m, const struct gp_api_answer *answer,
		   struct gp_json **out, struct gp_err *err)
{
	char *words = gp_github_words(answer->json);
	struct gp_json *pull = NULL;
	int rc = -1;

	if (answer->status == 405 && gp_api_mentions(words, "base branch was modified")) {
		rc = 0;
		goto out;
	}
	pull = gp_github_look_up(g, m->number, err);
	if (!pull)
		goto out;
	if (answer->repeated && !strcmp(gp_json_get_text(pull, "state"), "merged") &&
	    !strcmp(gp_json_get_text(pull, "head"), m->head)) {
		*out = pull;
		pull = NULL;
		rc = 0;
	} else if (gp_pull_check_bound(pull, m->head, err)) {
		goto out;
	} else if (answer->status == 405 && gp_api_mentions(words, "not mergeable") && is_undecided(g, m->number)) {
		rc = 0;
	} else if (answer->status == 405 || answer->status == 422) {
		cannot(g, m, pull, words, err);
	} else if (answer->status == 409) {
		/* It has the requested head: GitHub's refusal is temporary. */
		gp_fail(err, GP_EXIT_RETRY, "cannot merge #%lld: %s", (long long)m->number,
			words ? words : "it was changed");
	} else {
		gp_github_refuse(g, answer, permission, err);
	}
out:
	gp_json_free(pull);
	free(words);
	return rc;
}

static struct gp_json *merge(struct gp_github *g, const struct gp_merge *m, const struct gp_api_call *call,
			     struct gp_err *err)
{
	struct gp_json *pull = NULL;
	int rc = 0;

	for (int n = 1; !rc && !pull; n++) {
		struct gp_api_answer answer;

		rc = gp_api_send(&g->api, call, &answer, err);
		if (!rc && answer.status == 200)
			rc = (pull = merged(g, m, &answer, err)) ? 0 : -1;
		else if (!rc)
			rc = refused(g, m, &answer, &pull, err);
		if (!rc && !pull && gp_api_pause(&g->api, n, 0, NULL)) {
			char *words = gp_github_words(answer.json);

			rc = gp_fail(err, GP_EXIT_RETRY, "cannot merge #%lld: %s", (long long)m->number,
				     words ? words : "its base keeps moving");
			free(words);
		}
		gp_api_answer_free(&answer);
	}
	return pull;
}

struct gp_json *gp_github_merge_pr(void *repository, const struct gp_json *request, struct gp_err *err)
{
	struct gp_github *g = repository;
	struct gp_merge m;
	struct gp_json *body, *pull;
	char *url;

	if (gp_request_merge(&m, request, err))
		return NULL;
	url = gp_asprintf("/repos/%s/pulls/%lld/merge", g->address.slug, (long long)m.number);
	body = gp_json_object();
	gp_json_set_text(body, "sha", m.head);
	gp_json_set_text(body, "merge_method", m.method);
	pull = merge(g, &m, &(const struct gp_api_call){"PUT", url, body, NULL, GP_API_ALWAYS}, err);
	gp_json_free(body);
	free(url);
	return gp_pull_result(pull);
}
