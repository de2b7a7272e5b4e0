#include "gate/posting.h"

#include <stdlib.h>
#include <string.h>

#include "promotion/document.h"
#include "sys/exit.h"
#include "sys/mem.h"

static const char *const state_names[] =
	{[GP_GATE_OPEN] = "success", [GP_GATE_CLOSED] = "failure", [GP_GATE_UNDECIDED] = "pending"};

static void put_standing(struct gp_json *status, const struct gp_json *known, const char *head, int64_t number,
			 const char *check)
{
	const struct gp_json *s = gp_forge_standing(known, head, number, check);
	struct gp_json *standing;

	if (!gp_json_get(known, head))
		return;
	standing = s ? gp_json_object() : gp_json_string(NULL);
	if (s) {
		gp_json_set_text(standing, "state", gp_json_get_text(s, "state"));
		gp_json_set_text(standing, "description", gp_json_get_text(s, "description"));
		if (gp_json_get_int(s, "number", 0))
			gp_json_set_int(standing, "number", gp_json_get_int(s, "number", 0));
	}
	gp_json_set(status, "standing", standing);
}

void gp_posting_put_verdict(struct gp_json *document, const struct gp_verdict *v, const char *head,
			    const struct gp_json *known, const char *check)
{
	struct gp_json *status = gp_json_object();

	gp_json_set_text(status, "state", state_names[v->state]);
	gp_json_set_text(status, "env", v->env);
	gp_json_set_text(status, "reason", v->reason);
	gp_json_set_text(status, "head", head);
	gp_json_set_text(status, "sha", v->commit);
	gp_json_set_text(status, "context", v->context);
	gp_json_set_text(status, "description", v->description);
	gp_json_set_text(status, "url", v->url);
	put_standing(status, known, head, gp_json_get_int(gp_json_get(document, "pull_request"), "number", 0), check);
	gp_json_set(document, "status", status);
}

int gp_posting_of_verdict(struct gp_posting *p, const struct gp_json *document, struct gp_err *err)
{
	const struct gp_json *status = gp_json_get(document, "status"), *pull = gp_json_get(document, "pull_request");
	const char *reason = gp_json_get_text(status, "reason"), *pull_head = gp_json_get_text(pull, "head");

	*p = (struct gp_posting){
		.commit = gp_json_get_text(status, "head"),
		.context = gp_document_need_text(document, "config.gate_check", err),
		.state = gp_document_need_text(document, "status.state", err),
		.url = gp_json_get_text(status, "url"),
		.number = gp_json_get_int(pull, "number", 0),
	};
	p->description = p->text;
	if (!p->commit)
		p->commit = gp_document_need_text(document, "pull_request.head", err);
	if (!p->context || !p->state || !p->commit)
		return -1;
	if (pull_head && !strcmp(pull_head, p->commit))
		p->id = gp_json_get_text(pull, "id");
	gp_clean_line(p->text, sizeof p->text, reason ? reason : p->state);
	if (gp_oid_parse(&p->head, p->commit))
		return gp_fail(err, GP_EXIT_INPUT, "pull_request.head in the document is not a commit id: '%s'",
			       p->commit);
	return 0;
}

bool gp_posting_differs(const struct gp_posting *p, const struct gp_json *standing)
{
	const char *state = gp_json_get_text(standing, "state");
	const char *description = gp_json_get_text(standing, "description");

	if (state && !strcmp(state, "success") && !strcmp(p->state, "pending"))
		return false;
	return !state || strcmp(state, p->state) != 0 || !description || strcmp(description, p->description) != 0;
}

bool gp_posting_must_ask(const struct gp_posting *p, const struct gp_json *document)
{
	const struct gp_json *seen = gp_document_get(document, "status.standing");

	return !seen || (gp_posting_differs(p, seen) && !strcmp(p->state, "pending"));
}

/* What stands there may be a check of an earlier state of the pull request, which no longer counts. */
static int is_outdated(const struct gp_posting *p, struct gp_forge *forge, struct gp_err *err)
{
	struct gp_json *checks = gp_forge_list_checks(forge, &p->head, p->number, err);
	int news;

	if (!checks)
		return -1;
	news = gp_posting_differs(p, gp_forge_standing(checks, p->commit, p->number, p->context));
	gp_json_free(checks);
	return news;
}

int gp_posting_is_news(const struct gp_posting *p, const struct gp_json *document, const struct gp_json *known,
		       bool strict, struct gp_forge *forge, struct gp_err *err)
{
	const struct gp_json *standing = gp_document_get(document, "status.standing");
	struct gp_json *asked = NULL;
	int news;

	if (gp_posting_must_ask(p, document)) {
		if (!gp_json_get(known, p->commit) && !(asked = gp_forge_list_statuses(forge, &p->head, 1, false, err)))
			return -1;
		standing = gp_forge_standing(asked ? asked : known, p->commit, p->number, p->context);
	}
	news = gp_posting_differs(p, standing);
	if (!news && strict && gp_json_get_int(standing, "number", 0) > 0)
		news = is_outdated(p, forge, err);
	gp_json_free(asked);
	return news;
}

int gp_posting_is_green(struct gp_forge *forge, const char *head, int64_t number, const char *check, struct gp_err *err)
{
	struct gp_json *statuses;
	struct gp_oid commit;
	const char *state;
	int green;

	gp_oid_parse(&commit, head);
	statuses = gp_forge_list_statuses(forge, &commit, 1, false, err);
	if (!statuses)
		return -1;
	state = gp_json_get_text(gp_forge_standing(statuses, head, number, check), "state");
	green = state && !strcmp(state, "success");
	gp_json_free(statuses);
	return green;
}

bool gp_posting_has_verdict(const struct gp_json *document)
{
	return !gp_document_exit(document) || gp_document_is_verdict(document);
}

struct gp_json *gp_posting_look_ahead(struct gp_forge *forge, struct gp_json *const documents[], size_t n)
{
	struct gp_oid *heads = gp_calloc(n, sizeof *heads);
	struct gp_json *known = NULL;
	struct gp_posting p;
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		if (gp_posting_has_verdict(documents[i]) &&
		    !gp_posting_of_verdict(&p, documents[i], &(struct gp_err){0}) &&
		    gp_posting_must_ask(&p, documents[i]))
			heads[count++] = p.head;
	if (count)
		known = gp_forge_list_statuses(forge, heads, count, false, &(struct gp_err){0});
	free(heads);
	return known;
}
