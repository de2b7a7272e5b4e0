/* The parameters of each operation. */
#include <string.h>
#include <strings.h>

#include "data/oid.h"
#include "forge/server.h"
#include "sys/exit.h"

static const char *const methods[] = {"merge", "squash", "rebase", NULL};
static const char *const states[] = {"success", "failure", "pending", NULL};

static bool is_given(const struct gp_json *request, const char *name)
{
	const struct gp_json *value = gp_json_get(request, name);

	return value && !gp_json_is_null(value);
}

static int read_base(const char **out, const struct gp_json *request, bool must, struct gp_err *err)
{
	const struct gp_json *repository = gp_json_get(request, "repository");
	int rc = must ? gp_request_name(out, repository, "base", err)
		      : gp_request_optional_text(out, repository, "base", err);

	return rc ? gp_fail_in(err, "repository") : 0;
}

/* The one way to find that the request has. */
static int read_way(struct gp_find *out, const struct gp_json *request, struct gp_err *err)
{
	static const char *const names[] = {[GP_FIND_NUMBER] = "number",
					    [GP_FIND_BRANCH] = "branch",
					    [GP_FIND_MERGED_AS] = "merged_as",
					    [GP_FIND_OPEN] = "open"};
	size_t given = 0;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (is_given(request, names[i])) {
			out->way = (enum gp_find_way)i;
			given++;
		}
	return given == 1
		       ? 0
		       : gp_fail(err, GP_EXIT_INPUT,
				 "find-pr takes exactly one of the parameters 'number', 'branch', 'merged_as', 'open'");
}

int gp_request_find(struct gp_find *out, const struct gp_json *request, struct gp_err *err)
{
	bool open;

	*out = (struct gp_find){0};
	if (read_way(out, request, err) || read_base(&out->base, request, out->way == GP_FIND_BRANCH, err))
		return -1;
	switch (out->way) {
	case GP_FIND_NUMBER:
		return gp_request_number(&out->number, request, "number", err);
	case GP_FIND_BRANCH:
		return gp_request_name(&out->branch, request, "branch", err) ||
				       (is_given(request, "closed") &&
					gp_request_bool(&out->closed, request, "closed", err))
			       ? -1
			       : 0;
	case GP_FIND_MERGED_AS:
		return gp_request_commit(&out->commit, request, "merged_as", err);
	default:
		if (gp_request_bool(&open, request, "open", err))
			return -1;
		return open ? 0 : gp_fail(err, GP_EXIT_INPUT, "parameter 'open' cannot be false");
	}
}

struct gp_json *gp_find_answer(const struct gp_finder *finder, void *repository, const struct gp_json *request,
			       struct gp_err *err)
{
	struct gp_find f;

	if (gp_request_find(&f, request, err))
		return NULL;
	switch (f.way) {
	case GP_FIND_NUMBER:
		return gp_pulls_result(finder->number(repository, f.number, err));
	case GP_FIND_BRANCH:
		return gp_pulls_result((f.closed ? finder->closed : finder->branch)(repository, f.branch, f.base, err));
	case GP_FIND_MERGED_AS:
		return gp_pulls_result(finder->merged_as(repository, f.commit, f.base, err));
	default:
		return gp_pulls_result(finder->open(repository, err));
	}
}

static int read_texts(const struct gp_json **out, const struct gp_json *request, const char *name, struct gp_err *err)
{
	*out = is_given(request, name) ? gp_json_get(request, name) : NULL;
	for (const struct gp_json *t = gp_json_first(*out); t; t = gp_json_next(t))
		if (!gp_json_text(t) || !*gp_json_text(t))
			return gp_fail(err, GP_EXIT_INPUT, "parameter '%s' holds something else than texts", name);
	return *out && !gp_json_is_array(*out) ? gp_fail(err, GP_EXIT_INPUT, "parameter '%s' is not an array", name)
					       : 0;
}

bool gp_wanted_has_more(const struct gp_wanted *wanted)
{
	return gp_json_first(wanted->labels) || gp_json_first(wanted->reviewers);
}

struct gp_json *gp_wanted_missing(const struct gp_json *wanted, const struct gp_json *have)
{
	struct gp_json *missing = gp_json_array();

	for (const struct gp_json *w = gp_json_first(wanted); w; w = gp_json_next(w)) {
		const struct gp_json *h = gp_json_first(have);

		while (h && strcasecmp(gp_json_text(h), gp_json_text(w)) != 0)
			h = gp_json_next(h);
		if (!h)
			gp_json_append(missing, gp_json_copy(w));
	}
	return missing;
}

int gp_request_wanted(struct gp_wanted *out, const struct gp_json *request, struct gp_err *err)
{
	*out = (struct gp_wanted){0};
	if (read_texts(&out->labels, request, "labels", err) ||
	    read_texts(&out->reviewers, request, "reviewers", err) ||
	    (is_given(request, "draft") && gp_request_bool(&out->draft, request, "draft", err)))
		return -1;
	return gp_request_name(&out->branch, request, "branch", err) ||
			       gp_request_name(&out->title, request, "title", err) ||
			       gp_request_text(&out->description, request, "description", err) ||
			       read_base(&out->base, request, true, err)
		       ? -1
		       : 0;
}

int gp_request_new_commit(struct gp_new_commit *out, const struct gp_json *request, struct gp_err *err)
{
	*out = (struct gp_new_commit){.files = gp_json_get(request, "files")};
	if (gp_request_name(&out->branch, request, "branch", err) ||
	    gp_request_commit(&out->parent, request, "parent", err) ||
	    gp_request_name(&out->message, request, "message", err))
		return -1;
	if (!gp_json_is_array(out->files) || !gp_json_first(out->files))
		return gp_fail(err, GP_EXIT_INPUT, "parameter 'files' is not an array with files");
	for (const struct gp_json *f = gp_json_first(out->files); f; f = gp_json_next(f))
		if (!gp_json_get_text(f, "path") || !gp_json_get_text(f, "contents"))
			return gp_fail(err, GP_EXIT_INPUT,
				       "parameter 'files' holds something without path or contents");
	return 0;
}

static int read_bound(struct gp_merge *out, const struct gp_json *request, struct gp_err *err)
{
	return gp_request_commit(&out->head, request, "head", err) ||
			       gp_request_word(&out->method, request, "method", methods, err)
		       ? -1
		       : 0;
}

int gp_request_merge(struct gp_merge *out, const struct gp_json *request, struct gp_err *err)
{
	*out = (struct gp_merge){.enable = true};
	return gp_request_number(&out->number, request, "number", err) || read_bound(out, request, err) ? -1 : 0;
}

int gp_request_auto_merge(struct gp_merge *out, const struct gp_json *request, struct gp_err *err)
{
	*out = (struct gp_merge){0};
	if (gp_request_number(&out->number, request, "number", err) ||
	    gp_request_bool(&out->enable, request, "enable", err) ||
	    gp_request_optional_text(&out->id, request, "pull_id", err))
		return -1;
	return out->enable ? read_bound(out, request, err) : 0;
}

int gp_request_commits(const struct gp_json **commits, bool *all, const struct gp_json *request, struct gp_err *err)
{
	struct gp_oid oid;

	*commits = gp_json_get(request, "commits");
	*all = false;
	if (!gp_json_is_array(*commits))
		return gp_fail(err, GP_EXIT_INPUT, "parameter 'commits' is not an array");
	for (const struct gp_json *c = gp_json_first(*commits); c; c = gp_json_next(c))
		if (gp_oid_parse(&oid, gp_json_text(c)))
			return gp_fail(
				err, GP_EXIT_INPUT,
				"parameter 'commits' holds something else than commit ids of 40 hexadecimal digits");
	return is_given(request, "all") ? gp_request_bool(all, request, "all", err) : 0;
}

int gp_request_check(int64_t *number, const struct gp_json *request, struct gp_err *err)
{
	*number = 0;
	return is_given(request, "number") ? gp_request_number(number, request, "number", err) : 0;
}

int gp_request_post(struct gp_post *out, const struct gp_json *request, struct gp_err *err)
{
	*out = (struct gp_post){0};
	if (gp_request_commit(&out->commit, request, "commit", err) ||
	    gp_request_name(&out->context, request, "context", err) ||
	    gp_request_word(&out->state, request, "state", states, err) ||
	    gp_request_optional_text(&out->description, request, "description", err) ||
	    gp_request_optional_text(&out->url, request, "url", err))
		return -1;
	if (!is_given(request, "number"))
		return 0;
	return gp_request_number(&out->number, request, "number", err) ||
			       gp_request_optional_text(&out->id, request, "pull_id", err)
		       ? -1
		       : 0;
}
