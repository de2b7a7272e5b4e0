#include "promotion/opening.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "promotion/api-commit.h"
#include "promotion/description.h"
#include "promotion/document.h"
#include "promotion/superseded.h"
#include "sys/exit.h"
#include "sys/mem.h"

/* So many are looked for in the list of all that are open, fewer by their branches. */
enum { MANY = 10 };

void gp_opening_read(struct gp_opening *o, struct gp_json *document)
{
	*o = (struct gp_opening){0};
	gp_proposal_read(&o->proposal, document, &o->err);
}

void gp_opening_free(struct gp_opening *o)
{
	gp_proposal_free(&o->proposal);
	gp_json_free(o->pull);
	gp_claim_free(&o->claim);
	free(o->skip);
}

void gp_opening_begin_again(struct gp_opening *o, struct gp_base *base)
{
	struct gp_json *document = o->proposal.document;
	bool beaten = o->beaten;

	gp_opening_free(o);
	gp_opening_read(o, document);
	o->beaten = beaten;
	o->again = true;
	base->tip = (struct gp_oid){{0}};
}

bool gp_opening_goes_on(const struct gp_opening *o)
{
	return !o->skip && !o->err.code && !o->later;
}

/* The base's tip, once, and where the branches are: with one request, if one server answers both. */
static int ask(struct gp_branches *branches, struct gp_base *base, struct gp_err *err)
{
	const struct gp_repository *r = &base->repository;

	if (gp_oid_is_zero(&base->tip) && !strcmp(r->url, r->push_url))
		return gp_base_ask_with(base, base->branch, branches, err);
	if (gp_oid_is_zero(&base->tip) && gp_base_ask(base, base->branch, err))
		return -1;
	return gp_repository_branches(&base->repository, branches, err);
}

void gp_openings_check(struct gp_opening *o, size_t n, struct gp_base *base)
{
	struct gp_branches branches = {0};
	struct gp_err err = {0};
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
		if (gp_opening_goes_on(&o[i]))
			gp_branches_add(&branches, o[i].proposal.branch);
	if (branches.count)
		ask(&branches, base, &err);
	for (size_t i = 0; i < n; i++) {
		if (!gp_opening_goes_on(&o[i]))
			continue;
		o[i].old = branches.tip[at++];
		if (err.code)
			o[i].err = err;
		else
			gp_proposal_check(&o[i].proposal, base, &o[i].skip, &o[i].err);
	}
	gp_branches_free(&branches);
}

/* The open one of this repository's branch, from a list of all; a copy, or NULL. */
static struct gp_json *pull_in(const struct gp_json *pulls, const char *branch, const struct gp_base *base)
{
	for (const struct gp_json *p = gp_json_first(pulls); p; p = gp_json_next(p))
		if (!gp_json_get_true(p, "fork") && !strcmp(gp_json_get_text(p, "branch"), branch) &&
		    !strcmp(gp_json_get_text(p, "base"), base->branch))
			return gp_json_copy(p);
	return NULL;
}

/* No pull request is open, but the branch may be there: left by one that was merged, or a person's. */
static int check_left(struct gp_opening *o, struct gp_base *base, struct gp_err *err)
{
	struct gp_proposal *p = &o->proposal;
	const char *merged = gp_json_text(gp_document_get(p->document, "previous_pull_request.head"));
	char hex[GP_OID_HEX + 1];
	struct gp_claim claim;
	int rc;

	if (gp_oid_is_zero(&o->old) || gp_oid_equal(&o->old, &p->commit) ||
	    (merged && !strcmp(merged, gp_oid_hex(hex, &o->old))))
		return 0;
	rc = gp_claim_read(&claim, base, &p->chain, p->branch, &o->old, "", err);
	if (!rc && claim.is_foreign)
		rc = gp_fail(
			err, GP_EXIT_REFUSED,
			"branch '%s' has commits that are not gp's, and no pull request: open one, or delete the branch",
			p->branch);
	gp_claim_free(&claim);
	return rc;
}

static void meet(struct gp_opening *o, const struct gp_json *pulls, struct gp_base *base, struct gp_forge *forge)
{
	struct gp_proposal *p = &o->proposal;

	if (pulls)
		o->pull = pull_in(pulls, p->branch, base);
	else if (gp_forge_find_own(forge, p->branch, &o->pull, &o->err))
		return;
	if (o->pull && !gp_proposal_meet(p, base, o->pull, &o->claim, &o->meeting, &o->err)) {
		bool sound = o->claim.state == GP_CLAIM_SOUND || o->claim.state == GP_CLAIM_UNSETTLED;

		gp_oid_parse(&o->old, gp_json_get_text(o->pull, "head"));
		/* What is not gp's own was pushed only just now: a person decides. */
		if (o->again && o->claim.state == GP_CLAIM_BROKEN)
			gp_branch_moved(p->branch, &o->err);
		/* Who came last stays. */
		if (o->beaten && sound && o->meeting == GP_MEET_RESET)
			o->meeting = GP_MEET_YIELD;
		else
			o->beaten = false;
	} else if (!o->pull && !p->dry_run)
		check_left(o, base, &o->err);
}

void gp_openings_meet(struct gp_opening *o, size_t n, struct gp_base *base, struct gp_forge *forge)
{
	struct gp_json *pulls = NULL;
	struct gp_err err = {0};
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += gp_opening_goes_on(&o[i]);
	if (count >= MANY)
		pulls = gp_forge_find_open(forge, &err);
	for (size_t i = 0; i < n; i++) {
		if (!gp_opening_goes_on(&o[i]))
			continue;
		o[i].later = gp_forge_is_broken(forge);
		if (err.code)
			o[i].err = err;
		else if (!o[i].later)
			meet(&o[i], pulls, base, forge);
	}
	gp_json_free(pulls);
}

void gp_openings_push(struct gp_opening *o, size_t n, struct gp_base *base, struct gp_forge *forge)
{
	struct gp_push *pushes = gp_calloc(n, sizeof *pushes);
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		struct gp_proposal *p = &o[i].proposal;

		if (!gp_opening_goes_on(&o[i]) || p->dry_run || (o[i].pull && o[i].meeting != GP_MEET_RESET))
			continue;
		o[i].later = gp_forge_is_broken(forge);
		if (!o[i].later && p->config.via_api && gp_api_commit(base, forge, p->branch, &p->commit, &o[i].err))
			continue;
		if (o[i].later || (o[i].pull && gp_forge_stop_auto_merge(forge, &o[i].pull, &o[i].err)))
			continue;
		pushes[count++] = (struct gp_push){.branch = p->branch, .commit = p->commit, .old = o[i].old};
		o[i].pushed = true;
	}
	gp_repository_push(&base->repository, pushes, count);
	for (size_t i = 0, at = 0; i < n; i++)
		if (o[i].pushed) {
			o[i].lost = pushes[at].moved;
			o[i].err = pushes[at++].err;
		}
	free(pushes);
}

struct telling {
	gp_told_fn *told;
	void *ctx;
};

__attribute__((format(printf, 2, 3))) static void tell(const struct telling *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *text = gp_vasprintf(fmt, ap);
	va_end(ap);
	t->told(t->ctx, 0, text);
	free(text);
}

/*
 * Puts the forge's pull request into the document, with what was done. Takes pull over. A forge may lag behind the push,
 * so if it shows another head, git is asked where the branch is: 75 if another run has moved it.
 */
static int keep(struct gp_opening *o, struct gp_base *base, struct gp_json *pull, const struct gp_oid *head,
		bool created, bool updated)
{
	struct gp_proposal *p = &o->proposal;
	char hex[GP_OID_HEX + 1];
	struct gp_oid now = {{0}};
	int rc = 0;

	gp_oid_parse(&now, gp_json_get_text(pull, "head"));
	if (!gp_oid_equal(&now, head))
		rc = gp_repository_branch(&base->repository, p->branch, &now, &o->err);
	if (!rc && !gp_oid_equal(&now, head) && !strcmp(gp_json_get_text(pull, "state"), "open"))
		rc = gp_branch_moved(p->branch, &o->err);
	if (rc && o->err.code == GP_EXIT_RETRY) {
		o->lost = true;
		o->beaten = o->pushed;
	}
	if (rc) {
		gp_json_free(pull);
		return -1;
	}
	gp_json_set_text(pull, "head", gp_oid_hex(hex, head));
	gp_json_set_bool(pull, "created", created);
	gp_json_set_bool(pull, "updated", updated);
	gp_json_set(p->document, "pull_request", pull);
	return 0;
}

static struct gp_json *write(struct gp_opening *o, struct gp_forge *forge, const char *title, const char *description,
			     bool *created, const struct telling *t)
{
	const struct gp_forge_wanted wanted = {o->proposal.branch, title, description, o->proposal.more};
	struct gp_json *warnings, *pull = gp_forge_open_pr(forge, &wanted, created, &warnings, &o->err);

	for (const struct gp_json *w = gp_json_first(warnings); w; w = gp_json_next(w)) {
		char *text = gp_asprintf("warning: %s", gp_json_text(w) ? gp_json_text(w) : "");

		t->told(t->ctx, -1, text);
		free(text);
	}
	gp_json_free(warnings);
	return pull;
}

static void open_new(struct gp_opening *o, struct gp_base *base, struct gp_forge *forge, const struct telling *t)
{
	struct gp_proposal *p = &o->proposal;
	struct gp_json *pull;
	char *body;
	bool created;

	if (p->dry_run) {
		tell(t, "would push '%s' and open pull request '%s'", p->branch, p->title);
		return;
	}
	body = gp_description(&p->promotion, p->document);
	pull = write(o, forge, p->title, body, &created, t);
	free(body);
	if (!pull) {
		gp_fail_in(&o->err, "cannot open pull request of '%s' on '%s'", p->branch, base->repository.clean_url);
		return;
	}
	tell(t, "%s pull request #%lld '%s'", created ? "opened" : "updated",
	     (long long)gp_json_get_int(pull, "number", 0), p->title);
	keep(o, base, pull, &p->commit, created, !created);
}

/* Corrects the title and description of the open pull request to what `said` says. */
static void describe(struct gp_opening *o, struct gp_base *base, struct gp_forge *forge,
		     const struct gp_promotion *said, const struct gp_oid *head, const struct telling *t)
{
	struct gp_proposal *p = &o->proposal;
	struct gp_json *pull = gp_json_copy(o->pull);
	bool is_ours = gp_promotion_same(said, &p->promotion), created = false;
	char *body = gp_description(said, is_ours ? p->document : NULL), *title = gp_promotion_title(said);
	long long number = gp_json_get_int(pull, "number", 0);
	bool wrong = strcmp(gp_json_get_text(pull, "title"), title) != 0 ||
		     strcmp(gp_json_get_text(pull, "description"), body) != 0;
	/* Which labels and reviewers it has is known to the forge alone. */
	bool asks = wrong || gp_json_first(gp_json_get(p->more, "labels")) ||
		    gp_json_first(gp_json_get(p->more, "reviewers"));

	if (asks) {
		gp_json_free(pull);
		pull = write(o, forge, title, body, &created, t);
		if (!pull)
			gp_fail_in(&o->err, "cannot update pull request #%lld", number);
	}
	if (pull) {
		tell(t,
		     p->remakes  ? "made pull request #%lld '%s' anew: it no longer merged"
		     : o->pushed ? "reset pull request #%lld to '%s'"
		     : wrong     ? "repaired pull request #%lld '%s'"
				 : "pull request #%lld '%s' is up to date",
		     number, title);
		keep(o, base, pull, head, created, o->pushed || wrong);
	}
	free(title);
	free(body);
}

void gp_opening_finish(struct gp_opening *o, struct gp_base *base, struct gp_forge *forge, gp_told_fn *told, void *ctx)
{
	struct gp_proposal *p = &o->proposal;
	const struct telling t = {told, ctx};
	long long number = gp_json_get_int(o->pull, "number", 0);

	if (!o->pull)
		open_new(o, base, forge, &t);
	else if (p->dry_run && o->meeting != GP_MEET_YIELD)
		tell(&t,
		     o->meeting == GP_MEET_KEEP ? "pull request #%lld '%s' would keep its commit"
						: "would reset pull request #%lld to '%s'",
		     number, p->title);
	else if (o->meeting == GP_MEET_RESET)
		describe(o, base, forge, &p->promotion, &p->commit, &t);
	else if (!p->dry_run && (o->meeting == GP_MEET_KEEP || o->claim.state != GP_CLAIM_SOUND))
		/* A run that lost a race against this one may have left the wrong title over it. */
		describe(o, base, forge, &o->claim.promotion, &o->old, &t);
	if (!o->err.code && o->pull && o->meeting == GP_MEET_YIELD && (o->beaten || p->is_outdone))
		o->skip = gp_superseded_by(o->claim.promotion.tag, number);
	else if (!o->err.code && o->pull && o->meeting == GP_MEET_YIELD && p->objection)
		o->skip = gp_asprintf("%s by #%lld (see --allow-older)", p->objection, number);
	else if (!o->err.code && o->pull && o->meeting == GP_MEET_YIELD)
		o->skip = gp_asprintf("pull request #%lld takes %s/%s %s to %s first", number, o->claim.promotion.group,
				      o->claim.promotion.app, o->claim.promotion.tag, o->claim.promotion.env);
}
