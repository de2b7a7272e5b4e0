/* GraphQL: errors come with status 200, beside partial data. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "forges/github/github.h"
#include "sys/exit.h"
#include "sys/mem.h"

enum { MAX_TIMEOUTS = 3 };

static bool is_type(const struct gp_json *error, const char *type)
{
	const char *text = gp_json_get_text(error, "type");

	return text && !strcmp(text, type);
}

static bool has_step(const struct gp_json *path, const char *step)
{
	for (const struct gp_json *p = gp_json_first(path); p; p = gp_json_next(p))
		if (gp_json_text(p) && !strcmp(gp_json_text(p), step))
			return true;
	return false;
}

/*
 * A missing object, or one that the token may not see, is null in the data: no error, unless it is the repository
 * itself.
 */
static bool is_gap(const struct gp_json *error)
{
	const struct gp_json *path = gp_json_get(error, "path");

	if (is_type(error, "NOT_FOUND"))
		return gp_json_count(path) > 1;
	return is_type(error, "FORBIDDEN") && (has_step(path, "nodes") || has_step(path, "branchProtectionRule"));
}

static int refuse(const struct gp_github *g, const struct gp_json *error, struct gp_err *err)
{
	const char *message = gp_json_get_text(error, "message");

	message = message ? message : "it does not say why";
	if (is_type(error, "FORBIDDEN") || is_type(error, "INSUFFICIENT_SCOPES"))
		return gp_fail(
			err, GP_EXIT_DENIED,
			"%s in '%s': the token needs the permissions contents, pull requests and commit statuses: write",
			message, g->address.slug);
	if (is_type(error, "NOT_FOUND"))
		return gp_fail(err, GP_EXIT_REFUSED, "no repository '%s' at %s, or this token may not see it",
			       g->address.slug, g->address.host);
	return gp_fail(err, GP_EXIT_REFUSED, "%s refuses: %s", g->address.host, message);
}

static const struct gp_json *first_error(const struct gp_json *reply)
{
	const struct gp_json *e = gp_json_first(gp_json_get(reply, "errors"));

	while (e && is_gap(e))
		e = gp_json_next(e);
	return e;
}

/* A query that took GitHub too long, or hit a bug of its: "Something went wrong while executing your query." */
static bool is_hiccup(const struct gp_json *error)
{
	const char *message = gp_json_get_text(error, "message");

	return error && !gp_json_get(error, "type") && message &&
	       !strncasecmp(message, "something went wrong", strlen("something went wrong"));
}

/* Asks; the reply as it is, yours. */
static struct gp_json *ask(struct gp_github *g, const struct gp_json *body, struct gp_err *err)
{
	const struct gp_api_call call = {"POST", g->address.graphql, body, NULL, GP_API_ALWAYS};
	struct gp_api_answer answer;
	struct gp_json *reply = NULL;

	for (int n = 1;; n++) {
		if (gp_api_send(&g->api, &call, &answer, err))
			break;
		if (answer.status != 200) {
			gp_github_refuse(g, &answer, "contents, pull requests and commit statuses: write", err);
			break;
		}
		if (!answer.json) {
			gp_api_nonsense(&g->api, "it is empty", err);
			break;
		}
		if (!is_hiccup(first_error(answer.json)) || n > MAX_TIMEOUTS || gp_api_pause(&g->api, n, 0, NULL)) {
			reply = answer.json;
			answer.json = NULL;
			break;
		}
		gp_api_answer_free(&answer);
	}
	gp_api_answer_free(&answer);
	return reply;
}

static struct gp_json *post(struct gp_github *g, const char *query, struct gp_json *variables, struct gp_err *err)
{
	struct gp_json *body = gp_json_object(), *reply;
	const char *name = strchr(g->address.slug, '/');
	char *owner = gp_memdup0(g->address.slug, (size_t)(name - g->address.slug));

	if (strstr(query, "$owner")) {
		gp_json_set_text(variables, "owner", owner);
		gp_json_set_text(variables, "name", name + 1);
	}
	gp_json_set_text(body, "query", query);
	gp_json_set(body, "variables", variables);
	reply = ask(g, body, err);
	gp_json_free(body);
	free(owner);
	return reply;
}

/* The reply's data if there is no error; takes reply over. */
static struct gp_json *data_of(const struct gp_github *g, struct gp_json *reply, struct gp_err *err)
{
	const struct gp_json *error = first_error(reply);
	struct gp_json *data = NULL;

	if (error) {
		if (is_hiccup(error))
			gp_fail(err, GP_EXIT_RETRY, "%s keeps failing: %s", g->address.host,
				gp_json_get_text(error, "message"));
		else
			refuse(g, error, err);
	} else if (reply) {
		data = gp_json_take(reply, "data");
		if (!gp_json_is_object(data)) {
			gp_api_nonsense(&g->api, "no data", err);
			gp_json_free(data);
			data = NULL;
		}
	}
	gp_json_free(reply);
	return data;
}

struct gp_json *gp_github_query(struct gp_github *g, const char *query, struct gp_json *variables, struct gp_err *err)
{
	return data_of(g, post(g, query, variables, err), err);
}

struct gp_json *gp_github_mutate(struct gp_github *g, const char *query, struct gp_json *variables, char **refusal,
				 struct gp_err *err)
{
	struct gp_json *reply = post(g, query, variables, err);
	const struct gp_json *error = gp_json_first(gp_json_get(reply, "errors"));

	*refusal = NULL;
	if (error && !is_hiccup(error) && !is_type(error, "FORBIDDEN") && !is_type(error, "INSUFFICIENT_SCOPES")) {
		*refusal = gp_github_words(reply);
		gp_json_free(reply);
		if (!*refusal)
			*refusal = gp_strdup("it does not say why");
		return NULL;
	}
	return data_of(g, reply, err);
}

struct gp_json *gp_github_repository(const struct gp_github *g, const struct gp_json *data, struct gp_err *err)
{
	struct gp_json *repository = gp_json_get(data, "repository");

	if (!data)
		return NULL;
	if (gp_json_is_object(repository))
		return repository;
	gp_fail(err, GP_EXIT_REFUSED, "no repository '%s' at %s, or this token may not see it", g->address.slug,
		g->address.host);
	return NULL;
}
