/* Opening a pull request, or changing the title and description of the open one. */
#include <stdlib.h>
#include <string.h>

#include "forges/azdo/azdo.h"
#include "sys/exit.h"
#include "sys/mem.h"

/* "cannot be more than 4000 characters": of UTF-16, as .NET counts them. */
enum { MAX_DESCRIPTION = 4000 };

/*
 * A description that the forge accepts. The metadata comment at its beginning is never cut; the text after it is.
 * Yours; NULL with err if the comment alone is too long.
 */
static char *fitting(const char *text, struct gp_err *err)
{
	const char *end = !strncmp(text, "<!--", 4) ? strstr(text, "-->") : NULL;
	size_t len = end ? (size_t)(end + 3 - text) : 0;
	char *comment = gp_memdup0(text, len), *rest, *out = NULL;

	/* There are more bytes than units: it is cut a little earlier than necessary. */
	if (len + 3 > MAX_DESCRIPTION) {
		gp_fail(err, GP_EXIT_REFUSED, "the metadata alone is longer than the %d characters of a description",
			MAX_DESCRIPTION);
	} else {
		rest = gp_api_shorten(text + len, MAX_DESCRIPTION - len, true);
		out = gp_asprintf("%s%s", comment, rest);
		free(rest);
	}
	free(comment);
	return out;
}

static char *ref_of(const char *branch)
{
	return gp_asprintf("refs/heads/%s", branch);
}

/*
 * Whether there is something to open a pull request for: the forge opens one without commits, too, and of two branches
 * does not say which is missing. https://learn.microsoft.com/rest/api/azure/devops/git/diffs/get
 */
static int check_branches(struct gp_azdo *a, const struct gp_wanted *w, struct gp_err *err)
{
	char *base = gp_api_escape(w->base), *branch = gp_api_escape(w->branch);
	char *path = gp_asprintf("diffs/commits?baseVersion=%s&baseVersionType=branch&targetVersion=%s"
				 "&targetVersionType=branch&$top=1",
				 base, branch);
	const struct gp_json *diff;
	int rc = gp_azdo_get(a, GP_AZDO_REPOSITORY, path, &diff, err);

	if (!rc && !diff) {
		/* One of them is not there. */
		char *tip = gp_azdo_tip(a, w->branch, err);

		rc = err->code ? -1
			       : gp_fail(err, GP_EXIT_REFUSED, "no branch '%s' in '%s'", tip ? w->base : w->branch,
					 a->address.name);
		free(tip);
	} else if (!rc && gp_json_get_int(diff, "aheadCount", -1) == 0) {
		rc = gp_fail(err, GP_EXIT_REFUSED, "no commits between %s and %s", w->base, w->branch);
	}
	free(path);
	free(branch);
	free(base);
	return rc;
}

/* Whether a pull request is an open one of these branches. */
static bool is_wanted(const struct gp_json *pull, const struct gp_wanted *w)
{
	return !strcmp(gp_json_get_text(pull, "state"), "open") && !gp_json_get_true(pull, "fork") &&
	       !strcmp(gp_json_get_text(pull, "branch"), w->branch) && !strcmp(gp_json_get_text(pull, "base"), w->base);
}

/* Sets the texts of an open one. Returns the pull request; NULL with err, or without if it is no longer open. */
static struct gp_json *update(struct gp_azdo *a, int64_t number, const struct gp_wanted *w, struct gp_err *err)
{
	struct gp_json *body = gp_json_object(), *pull = NULL;
	struct gp_api_answer answer;

	gp_json_set_text(body, "title", w->title);
	gp_json_set_text(body, "description", w->description);
	if (!gp_azdo_change(a, number, body, &answer, err)) {
		if (answer.status == 200)
			pull = gp_azdo_pull(a, answer.json, err);
		else if (!gp_azdo_is(&answer, "TF401181") && !gp_azdo_is(&answer, "TF401180"))
			gp_azdo_refuse(a, &answer, err);
	}
	if (pull && !is_wanted(pull, w)) {
		gp_json_free(pull);
		pull = NULL;
	}
	gp_api_answer_free(&answer);
	gp_json_free(body);
	return pull;
}

/* The same for one that was found; takes it over. *same: it has them already. */
static struct gp_json *update_found(struct gp_azdo *a, struct gp_json *found, const struct gp_wanted *w, bool *same,
				    struct gp_err *err)
{
	int64_t number = gp_json_get_int(found, "number", 0);

	*same = !strcmp(gp_json_get_text(found, "title"), w->title) &&
		!strcmp(gp_json_get_text(found, "description"), w->description);
	if (*same)
		return found;
	gp_json_free(found);
	return update(a, number, w, err);
}

/*
 * One attempt: posts, and looks where that may have found or made one already. Returns 1 with *pull, 0 if there is
 * none in spite of it, -1 with err. *why is then what the forge had to say.
 */
static int attempt(struct gp_azdo *a, const struct gp_json *body, const struct gp_wanted *w, struct gp_json **pull,
		   bool *created, struct gp_err *why, struct gp_err *err)
{
	struct gp_api_answer answer;
	struct gp_json *pulls;
	int rc = gp_azdo_send(a, "POST", GP_AZDO_REPOSITORY, "pullrequests", body, GP_API_IF_UNSENT, &answer, why);
	bool unclear = answer.repeated;

	*pull = NULL;
	if (rc && !unclear) {
		gp_fail(err, why->code, "%s", why->message);
	} else if (!rc && (answer.status == 201 || answer.status == 200)) {
		*pull = gp_azdo_pull(a, answer.json, err);
		*created = true;
	} else if (!rc && !gp_azdo_is(&answer, "TF401179") && answer.status != 409) {
		gp_azdo_refuse(a, &answer, err);
	} else {
		if (!rc)
			gp_azdo_refuse(a, &answer, why);
		pulls = gp_azdo_find_branch(a, w->branch, w->base, err);
		if (gp_json_first(pulls))
			*pull = update_found(a, gp_json_copy(gp_json_first(pulls)), w, created, err);
		gp_json_free(pulls);
		/* A pull request exactly as requested is the result of our attempt. */
		*created = *created && unclear;
	}
	gp_api_answer_free(&answer);
	return err->code ? -1 : *pull != NULL;
}

static struct gp_json *open_new(struct gp_azdo *a, const struct gp_wanted *w, bool *created, struct gp_err *err)
{
	struct gp_json *body, *pull = NULL;
	char *from = ref_of(w->branch), *into = ref_of(w->base);
	int rc = check_branches(a, w, err);

	body = gp_json_object();
	gp_json_set_text(body, "sourceRefName", from);
	gp_json_set_text(body, "targetRefName", into);
	gp_json_set_text(body, "title", w->title);
	gp_json_set_text(body, "description", w->description);
	if (w->draft)
		gp_json_set_bool(body, "isDraft", true);
	for (int n = 1; !rc; n++) {
		struct gp_err why = {0};

		*created = false;
		rc = attempt(a, body, w, &pull, created, &why, err);
		if (!rc && gp_api_pause(&a->api, n, 0, NULL))
			rc = gp_fail(err, why.code, "%s", why.message);
	}
	gp_json_free(body);
	free(into);
	free(from);
	return pull;
}

/* The number of the open one, as far as this process has looked for it just now; 0: none, or it has not. */
static int64_t recall(struct gp_azdo *a, const struct gp_wanted *w)
{
	char *now = gp_asprintf("%s\n%s", w->branch, w->base);
	int64_t number = a->looked_for && !strcmp(a->looked_for, now) ? a->looked_up : 0;

	free(now);
	return number;
}

struct gp_json *gp_azdo_open_pr(void *repository, const struct gp_json *request, struct gp_err *err)
{
	struct gp_azdo *a = repository;
	struct gp_json *pull = NULL, *warnings = NULL;
	struct gp_wanted w;
	char *description;
	bool created = false;
	int64_t number;

	if (gp_request_wanted(&w, request, err) || !(description = fitting(w.description, err)))
		return NULL;
	w.description = description;
	number = recall(a, &w);
	if (number)
		pull = update(a, number, &w, err);
	if (!pull && !err->code)
		pull = open_new(a, &w, &created, err);
	free(description);
	if (pull && gp_azdo_add_more(a, gp_json_get_int(pull, "number", 0), &w, created, &warnings, err)) {
		gp_json_free(pull);
		pull = NULL;
	}
	return gp_opened_result(pull, created, warnings);
}
