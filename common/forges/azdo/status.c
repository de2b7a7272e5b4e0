/*
 * Statuses of commits. https://learn.microsoft.com/rest/api/azure/devops/git/statuses/list
 * What is posted as a check of a pull request stands there, where policies look, and on its head as well, with the pull
 * request's page as its address: so the checks of many pull requests come with one request.
 */
#include <stdlib.h>
#include <string.h>

#include "forges/azdo/azdo.h"
#include "gate/flux.h"
#include "sys/mem.h"

enum { BATCH = 100, SECONDS = 19, DIGITS = 9 };

static const char *state_of(const char *state)
{
	if (!state)
		return "pending";
	return !strcmp(state, "succeeded")                           ? "success"
	       : !strcmp(state, "failed") || !strcmp(state, "error") ? "failure"
								     : "pending";
}

/* The pull request whose page an address is; 0: another address. */
static int64_t number_of(const struct gp_azdo *a, const char *url)
{
	static const char page[] = "/pullrequest/";
	size_t n = strlen(a->address.web);
	const char *digits;

	if (!url || strncmp(url, a->address.web, n) != 0 || strncmp(url + n, page, strlen(page)) != 0)
		return 0;
	digits = url + n + strlen(page);
	n = strspn(digits, "0123456789");
	return n && n < 10 && !digits[n] ? strtoll(digits, NULL, 10) : 0;
}

/* "2017-09-19T14:50:25.16Z" with all digits behind the second, so that times compare as text. Yours; NULL: no time. */
static char *time_of(const char *text)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd";
	char digits[DIGITS + 1] = "000000000";
	size_t n;

	if (!text || strlen(text) < SECONDS)
		return NULL;
	for (size_t i = 0; i < SECONDS; i++)
		if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return NULL;
	n = text[SECONDS] == '.' ? strspn(text + SECONDS + 1, "0123456789") : 0;
	memcpy(digits, text + SECONDS + 1, n < DIGITS ? n : DIGITS);
	return gp_asprintf("%.*s.%sZ", (int)SECONDS, text, digits);
}

/* Genre and name as one context. Flux's own contexts read as on forges without genres. Yours. */
static char *context_of(const char *genre, const char *name)
{
	return genre && *genre && !gp_genre_is_flux(genre) ? gp_asprintf("%s/%s", genre, name) : gp_strdup(name);
}

/* A person's uniqueName is an address, that of a service an id behind "Build\\": then its name for people says more. */
static const char *who(const struct gp_json *identity)
{
	const char *unique = gp_json_get_text(identity, "uniqueName"),
		   *name = gp_json_get_text(identity, "displayName");

	return unique && strchr(unique, '@') ? unique : name ? name : unique;
}

struct gp_json *gp_azdo_status(const struct gp_azdo *a, const struct gp_json *node)
{
	const struct gp_json *context = gp_json_get(node, "context");
	const char *name = gp_json_get_text(context, "name"), *genre = gp_json_get_text(context, "genre"),
		   *url = gp_json_get_text(node, "targetUrl");
	char *at = time_of(gp_json_get_text(node, "creationDate")), *whole;
	struct gp_json *status = NULL;

	if (name && *name && at) {
		whole = context_of(genre, name);
		status = gp_status(whole, state_of(gp_json_get_text(node, "state")),
				   gp_json_get_text(node, "description"), url, at, "status",
				   who(gp_json_get(node, "createdBy")));
		if (number_of(a, url))
			gp_json_set_int(status, "number", number_of(a, url));
		free(whole);
	}
	free(at);
	return status;
}

/* One of a list; what has no name or time is none. "notApplicable" comes with it, for withdraw; number: its pull request. */
static void append_status(struct gp_azdo *a, struct gp_json *list, const struct gp_json *item, int64_t number)
{
	struct gp_json *status = gp_azdo_status(a, item);
	const char *state = gp_json_get_text(item, "state");

	if (!status)
		return;
	if (state && !strcmp(state, "notApplicable"))
		gp_json_set_text(status, "state", NULL);
	if (number)
		gp_json_set_int(status, "number", number);
	gp_json_append(list, status);
}

static int take_status(struct gp_azdo *a, const struct gp_json *item, void *ctx, struct gp_err *err)
{
	(void)err;
	append_status(a, ctx, item, 0);
	return 0;
}

/* A pull request's own statuses, of one iteration. */
struct checks {
	int64_t number, iteration;
	struct gp_json *list;
};

static int take_check(struct gp_azdo *a, const struct gp_json *item, void *ctx, struct gp_err *err)
{
	struct checks *c = ctx;

	(void)err;
	if (gp_json_get_int(item, "iterationId", 0) == c->iteration)
		append_status(a, c->list, item, c->number);
	return 0;
}

static bool is_withdrawn(const struct gp_json *list, const struct gp_json *status)
{
	const char *context = gp_json_get_text(status, "context");

	for (const struct gp_json *s = gp_json_first(list); s; s = gp_json_next(s)) {
		if (!strcmp(gp_json_get_text(s, "context"), context) && !gp_json_get_text(s, "state"))
			return true;
		if (s == status)
			break;
	}
	return false;
}

/* Newest first, with the protocol's times. "notApplicable" withdraws all earlier ones. */
static struct gp_json *settled(struct gp_json *list)
{
	struct gp_json *sorted = gp_statuses_in_order(list), *out = gp_json_array();

	for (const struct gp_json *s = gp_json_first(sorted); s; s = gp_json_next(s)) {
		struct gp_json *copy;
		char *at;

		if (is_withdrawn(sorted, s))
			continue;
		copy = gp_json_copy(s);
		at = gp_asprintf("%.*sZ", (int)SECONDS, gp_json_get_text(s, "created_at"));
		gp_json_set_text(copy, "created_at", at);
		gp_json_append(out, copy);
		free(at);
	}
	gp_json_free(sorted);
	return out;
}

/* All statuses of one commit; none if the forge does not know it. */
static int list_one(struct gp_azdo *a, struct gp_json *all, const char *commit, bool whole, struct gp_err *err)
{
	char *path = gp_asprintf("commits/%s/statuses?latestOnly=%s", commit, whole ? "false" : "true");
	struct gp_json *list = gp_json_array();
	bool missing = false;
	int rc = gp_azdo_list(a, GP_AZDO_REPOSITORY, path, GP_AZDO_PLAIN, &missing, take_status, list, err);

	gp_json_set(all, commit, settled(list));
	free(path);
	return rc;
}

/* One request's worth of commits into all. Returns 1; 0 if the forge does not know all of them; -1. */
static int ask_batch(struct gp_azdo *a, struct gp_json *all, const struct gp_json *ids, struct gp_err *err)
{
	struct gp_json *body = gp_json_object();
	struct gp_api_answer answer;
	char *path = gp_asprintf("commitsbatch?includeStatuses=true&$top=%zu", gp_json_count(ids));
	int rc;

	gp_json_set(body, "ids", gp_json_copy(ids));
	rc = gp_azdo_send(a, "POST", GP_AZDO_REPOSITORY, path, body, GP_API_ALWAYS, &answer, err);
	gp_json_free(body);
	free(path);
	if (!rc && answer.status == 200) {
		const struct gp_json *value = gp_json_get(answer.json, "value");

		rc = gp_json_is_array(value) ? 1 : gp_api_nonsense(&a->api, "a list without its value", err);
		for (const struct gp_json *c = rc > 0 ? gp_json_first(value) : NULL; c; c = gp_json_next(c)) {
			const char *commit = gp_json_get_text(c, "commitId");
			struct gp_json *list = gp_json_array();

			for (const struct gp_json *s = gp_json_first(gp_json_get(c, "statuses")); s;
			     s = gp_json_next(s))
				take_status(a, s, list, err);
			a->batches = a->batches || gp_json_first(list);
			gp_json_set(all, commit ? commit : "", settled(list));
		}
	} else if (!rc && (gp_azdo_is_lost(&answer) || answer.status == 403)) {
		rc = gp_azdo_refuse(a, &answer, err);
	}
	gp_api_answer_free(&answer);
	return rc;
}

/*
 * Commits from *first on, at most BATCH. That statuses come with commitsbatch is said of includeStatuses in
 * https://learn.microsoft.com/rest/api/azure/devops/git/commits/get-commits-batch and nowhere shown: until some have come
 * with a batch, one without any says nothing, and each commit is asked for; once that brings what a batch did not, no
 * batch is asked for any more.
 */
static int list_batch(struct gp_azdo *a, struct gp_json *all, const struct gp_json **first, struct gp_err *err)
{
	struct gp_json *ids = gp_json_array(), *found = gp_json_object();
	int batched, rc = 0;

	for (; *first && gp_json_count(ids) < BATCH; *first = gp_json_next(*first))
		gp_json_append(ids, gp_json_copy(*first));
	batched = gp_json_count(ids) > 1 && !a->no_batches ? ask_batch(a, found, ids, err) : 0;
	for (const struct gp_json *c = gp_json_first(ids); c && !rc && batched >= 0; c = gp_json_next(c)) {
		struct gp_json *list = batched && a->batches ? gp_json_take(found, gp_json_text(c)) : NULL;

		if (list)
			gp_json_set(all, gp_json_text(c), list);
		else
			rc = list_one(a, all, gp_json_text(c), false, err);
		if (batched && !a->batches && gp_json_first(gp_json_get(all, gp_json_text(c))))
			a->no_batches = true;
	}
	gp_json_free(ids);
	gp_json_free(found);
	return batched < 0 ? -1 : rc;
}

/*
 * With the number of a pull request: its own statuses, which policies look at, of the iteration that it is at; none where
 * the commit is not its head any more. What stands on the commit may be of an earlier one with the same head: after
 * another base was chosen, or a push that was taken back.
 */
static int list_of_pull(struct gp_azdo *a, struct gp_json *all, const char *commit, int64_t number, struct gp_err *err)
{
	struct gp_azdo_iterations i = {.commit = commit};
	char *path = gp_asprintf("pullrequests/%lld/statuses", (long long)number);
	struct checks checks = {.number = number, .list = gp_json_array()};
	int rc = gp_azdo_iterations_read(&i, a, number, err);

	checks.iteration = i.last;
	if (!rc && i.of_commit == i.last)
		rc = gp_azdo_list(a, GP_AZDO_PULL_STATUSES, path, GP_AZDO_WHOLE, NULL, take_check, &checks, err);
	gp_json_set(all, commit, settled(checks.list));
	gp_azdo_iterations_free(&i);
	free(path);
	return rc;
}

/* Puts the whole history in the place of what is known, for those that have any. */
static int complete(struct gp_azdo *a, struct gp_json *all, const struct gp_json *commits, struct gp_err *err)
{
	int rc = 0;

	for (const struct gp_json *c = gp_json_first(commits); c && !rc; c = gp_json_next(c))
		if (gp_json_first(gp_json_get(all, gp_json_text(c))))
			rc = list_one(a, all, gp_json_text(c), true, err);
	return rc;
}

/* Each once. Yours. */
static struct gp_json *unique(const struct gp_json *commits)
{
	struct gp_json *seen = gp_json_object(), *out = gp_json_array();

	for (const struct gp_json *c = gp_json_first(commits); c; c = gp_json_next(c)) {
		if (!gp_json_get(seen, gp_json_text(c)))
			gp_json_append(out, gp_json_copy(c));
		gp_json_set_bool(seen, gp_json_text(c), true);
	}
	gp_json_free(seen);
	return out;
}

struct gp_json *gp_azdo_list_statuses(void *repository, const struct gp_json *request, struct gp_err *err)
{
	struct gp_azdo *a = repository;
	const struct gp_json *commits, *next;
	struct gp_json *once, *statuses, *result = NULL;
	int64_t number;
	bool all;
	int rc = 0;

	if (gp_request_commits(&commits, &all, request, err) || gp_request_check(&number, request, err))
		return NULL;
	once = unique(commits);
	statuses = gp_json_object();
	next = gp_json_first(once);
	if (number) {
		for (; next && !rc; next = gp_json_next(next))
			rc = list_of_pull(a, statuses, gp_json_text(next), number, err);
	} else if (gp_json_count(once) == 1) {
		rc = list_one(a, statuses, gp_json_text(next), all, err);
	} else {
		while (next && !rc)
			rc = list_batch(a, statuses, &next, err);
		if (!rc && all)
			rc = complete(a, statuses, once, err);
	}
	gp_json_free(once);
	if (!rc) {
		result = gp_json_object();
		gp_json_set(result, "statuses", statuses);
	} else {
		gp_json_free(statuses);
	}
	return result;
}
