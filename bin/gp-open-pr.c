/* gp-open-pr: opens the pull request of a promotion, or resets the open one of its branch; never a second. */
#include <stdlib.h>
#include <string.h>

#include "promotion/base-branch.h"
#include "promotion/claim.h"
#include "promotion/description.h"
#include "promotion/document.h"
#include "sys/exit.h"
#include "sys/mem.h"
#include "tool/tool.h"

static const char help[] = "usage: gp-open-pr [-hnqVv] [-C dir] [--provider name] [--remote name]\n"
			   "\n"
			   "Pushes the commit of each document to its branch and opens the pull request, or\n"
			   "resets the one that is open. One that is sound already keeps its commit.\n"
			   "\n"
			   "  -n, --dry-run        say what would be done and do nothing\n"
			   "  -C, --directory dir  work in dir\n" GP_HELP_COMMON;

enum { MAX_BEHIND = 1000 };

struct state {
	struct gp_tool *tool;
	struct gp_base base;
	struct gp_forge *forge;
	bool dry_run;
};

/* What one document asks for; strings are borrowed from it, but for title and branch. */
struct job {
	struct gp_json *document;
	struct gp_promotion promotion;
	struct gp_config config;
	char *branch, *title;
	struct gp_oid commit, tip; /* tip: what the commit was built on */
	size_t behind;             /* how many first-parent steps that is behind the base's tip now */
	struct gp_oid old;         /* where the branch was when the base was asked for, if it is_asked; zero: nowhere */
	bool is_asked, dry_run;
};

static int read_job(struct job *job, struct gp_json *document, struct gp_err *err)
{
	const char *branch, *commit, *tip;

	*job = (struct job){.document = document, .dry_run = gp_document_is_dry_run(document)};
	if (gp_promotion_view(&job->promotion, gp_json_get(document, "promotion"), err) ||
	    gp_config_from_json(&job->config, gp_json_get(document, "config"), err))
		return -1;
	job->branch = gp_promotion_branch(&job->promotion, job->config.per_env);
	job->title = gp_promotion_title(&job->promotion);
	branch = gp_document_need_text(document, "change.branch", err);
	tip = gp_document_need_text(document, "repository.tip", err);
	if (!branch || !tip)
		return -1;
	/* Whatever a document says, nothing but a promotion's own branch is ever pushed. */
	if (strcmp(branch, job->branch) != 0)
		return gp_fail(err, GP_EXIT_INPUT,
			       "change.branch in the document is '%s', but this promotion's branch is '%s'", branch,
			       job->branch);
	if (gp_oid_parse(&job->tip, tip))
		return gp_fail(err, GP_EXIT_INPUT, "repository.tip in the document is not a commit id: '%s'", tip);
	if (job->dry_run)
		return 0;
	commit = gp_document_need_text(document, "change.commit", err);
	if (!commit)
		return -1;
	if (gp_oid_parse(&job->commit, commit))
		return gp_fail(err, GP_EXIT_INPUT, "change.commit in the document is not a commit id: '%s'", commit);
	return 0;
}

static void free_job(struct job *job)
{
	gp_config_free(&job->config);
	free(job->branch);
	free(job->title);
}

/*
 * Takes the forge's pull request into the document, with what was done. Takes
 * pull over. A forge may lag behind the push, so where it shows another head
 * the branch itself is asked: one that somebody else has moved since is 75.
 */
static int keep(struct state *s, struct job *job, struct gp_json *pull, const struct gp_oid *head, bool created,
		bool updated, struct gp_err *err)
{
	char hex[GP_OID_HEX + 1];
	struct gp_oid now = {{0}};

	gp_oid_parse(&now, gp_json_get_text(pull, "head"));
	if (!gp_oid_equal(&now, head) && gp_repository_branch(&s->base.repository, job->branch, &now, err)) {
		gp_json_free(pull);
		return -1;
	}
	if (!gp_oid_equal(&now, head) && strcmp(gp_json_get_text(pull, "state"), "open") == 0) {
		gp_json_free(pull);
		return gp_fail(err, GP_EXIT_RETRY, "branch '%s' was moved by somebody else just now: run again",
			       job->branch);
	}
	gp_json_set_text(pull, "head", gp_oid_hex(hex, head));
	gp_json_set_bool(pull, "created", created);
	gp_json_set_bool(pull, "updated", updated);
	gp_json_set(job->document, "pull_request", pull);
	return 0;
}

static int open_new(struct state *s, struct job *job, struct gp_err *err)
{
	struct gp_json *pull;
	char *body;
	bool created;

	if (job->dry_run) {
		gp_tool_say(s->tool, 0, "would push '%s' and open pull request '%s'", job->branch, job->title);
		return 0;
	}
	if ((!job->is_asked && gp_repository_branch(&s->base.repository, job->branch, &job->old, err)) ||
	    gp_repository_push(&s->base.repository, job->branch, &job->commit, &job->old, err))
		return -1;
	body = gp_description(&job->promotion, job->document);
	pull = gp_forge_open_pr(s->forge, job->branch, job->title, body, &created, err);
	free(body);
	if (!pull)
		return gp_fail_in(err, "cannot open pull request of '%s' on '%s'", job->branch,
				  s->base.repository.clean_url);
	gp_tool_say(s->tool, 0, "%s pull request #%lld '%s'", created ? "opened" : "updated",
		    (long long)gp_json_get_int(pull, "number", 0), job->title);
	return keep(s, job, pull, &job->commit, created, !created, err);
}

/* Title and description of an open one, as they should be, where they are not. Takes pull over. */
static int describe(struct state *s, struct job *job, struct gp_json *pull, const struct gp_promotion *said,
		    const struct gp_oid *head, bool was_reset, struct gp_err *err)
{
	bool is_ours = gp_promotion_same(said, &job->promotion);
	char *body = gp_description(said, is_ours ? job->document : NULL), *title = gp_promotion_title(said);
	long long number = gp_json_get_int(pull, "number", 0);
	bool created = false;
	bool wrong = strcmp(gp_json_get_text(pull, "title"), title) != 0 ||
		     strcmp(gp_json_get_text(pull, "description"), body) != 0;
	int rc = 0;

	if (wrong) {
		struct gp_json *answer = gp_forge_open_pr(s->forge, job->branch, title, body, &created, err);

		gp_json_free(pull);
		pull = answer;
		rc = answer ? 0 : gp_fail_in(err, "cannot update pull request #%lld", number);
	}
	if (!rc) {
		gp_tool_say(s->tool, 0,
			    was_reset ? "reset pull request #%lld to '%s'"
			    : wrong   ? "repaired pull request #%lld '%s'"
				      : "pull request #%lld '%s' is as it should be",
			    number, title);
		rc = keep(s, job, pull, head, created, was_reset || wrong, err);
	}
	free(title);
	free(body);
	return rc;
}

/*
 * Auto-merge off, then the push, then title and description: at no moment may
 * the old approval merge the new content, or the new title stand over the old.
 * Takes pull over.
 */
static int reset(struct state *s, struct job *job, struct gp_json *pull, const struct gp_oid *head, struct gp_err *err)
{
	long long number = gp_json_get_int(pull, "number", 0);
	char hex[GP_OID_HEX + 1];
	bool clean;

	if (job->dry_run) {
		gp_tool_say(s->tool, 0, "would reset pull request #%lld to '%s'", number, job->title);
		gp_json_free(pull);
		return 0;
	}
	if (gp_json_get_true(pull, "auto_merge")) {
		struct gp_json *answer = gp_forge_set_auto_merge(s->forge, number, gp_json_get_text(pull, "id"), false,
								 "merge", gp_oid_hex(hex, head), &clean, err);

		gp_json_free(pull);
		if (!answer)
			return gp_fail_in(err, "cannot switch auto-merge of #%lld off", number);
		pull = answer;
	}
	if (gp_repository_push(&s->base.repository, job->branch, &job->commit, head, err)) {
		gp_json_free(pull);
		return -1;
	}
	return describe(s, job, pull, &job->promotion, &job->commit, true, err);
}

/* The claim's environment comes before ours: something newer is on its way through the same branch. */
static bool is_ahead(const struct job *job, const struct gp_claim *claim)
{
	int theirs = gp_config_find(&job->config, claim->promotion.env),
	    ours = gp_config_find(&job->config, job->promotion.env);

	return theirs >= 0 && theirs < ours;
}

/* Takes pull over. */
static int meet_open(struct state *s, struct job *job, struct gp_chain *chain, struct gp_json *pull, struct gp_err *err)
{
	const char *description = gp_json_get_text(pull, "description");
	long long number = gp_json_get_int(pull, "number", 0);
	struct gp_claim claim = {0};
	struct gp_oid head;
	int rc = -1;

	gp_oid_parse(&head, gp_json_get_text(pull, "head"));
	if (gp_claim_read(&claim, &s->base, chain, job->branch, &head, description, err))
		goto out;
	if (!claim.metadata) {
		gp_fail(err, GP_EXIT_REFUSED, "pull request #%lld of branch '%s' is no promotion: %s; close it first",
			number, job->branch, claim.reason ? claim.reason : "it says nothing about one");
		goto out;
	}
	if (strcmp(claim.promotion.type, job->promotion.type) != 0) {
		gp_fail(err, GP_EXIT_REFUSED, "branch '%s' is taken: pull request #%lld is of type '%s', not '%s'",
			job->branch, number, claim.promotion.type, job->promotion.type);
		goto out;
	}
	if (!gp_promotion_same_app(&claim.promotion, &job->promotion)) {
		gp_fail(err, GP_EXIT_REFUSED, "branch '%s' is taken: pull request #%lld promotes %s/%s, not %s/%s",
			job->branch, number, claim.promotion.group, claim.promotion.app, job->promotion.group,
			job->promotion.app);
		goto out;
	}
	bool sound = claim.state == GP_CLAIM_SOUND || claim.state == GP_CLAIM_UNSETTLED;

	if (sound && gp_promotion_same(&claim.promotion, &job->promotion)) {
		if (job->dry_run) {
			gp_tool_say(s->tool, 0, "pull request #%lld '%s' would keep its commit", number, job->title);
			rc = 0;
		} else {
			rc = describe(s, job, pull, &claim.promotion, &head, false, err);
			pull = NULL;
		}
	} else if (is_ahead(job, &claim) && !sound) {
		gp_fail(err, GP_EXIT_REFUSED,
			"pull request #%lld says that it takes %s/%s to %s first, but it is broken: %s; close it",
			number, claim.promotion.group, claim.promotion.app, claim.promotion.env, claim.reason);
	} else if (is_ahead(job, &claim)) {
		/* Whoever lost a race against it may have left the wrong title over it, this very promotion for one. */
		rc = claim.state == GP_CLAIM_SOUND || job->dry_run
			     ? 0
			     : describe(s, job, gp_json_copy(pull), &claim.promotion, &head, false, err);
		if (!rc)
			gp_tool_skip(s->tool, job->document, "pull request #%lld takes %s/%s %s to %s first", number,
				     claim.promotion.group, claim.promotion.app, claim.promotion.tag,
				     claim.promotion.env);
	} else if (!gp_oid_is_zero(&claim.base) && claim.base_index < job->behind) {
		gp_fail(err, GP_EXIT_RETRY,
			"pull request #%lld was made from a newer '%s' than this document: run again", number,
			s->base.branch);
	} else {
		rc = reset(s, job, pull, &head, err);
		pull = NULL;
	}
out:
	gp_json_free(pull);
	gp_claim_free(&claim);
	return rc;
}

static int open_or_reset(struct state *s, struct job *job, struct gp_chain *chain, struct gp_err *err)
{
	struct gp_json *pulls = gp_forge_find_branch(s->forge, job->branch, err), *pull = NULL;

	if (!pulls)
		return -1;
	for (const struct gp_json *p = gp_json_first(pulls); p && !pull; p = gp_json_next(p))
		if (!gp_json_get_true(p, "fork"))
			pull = gp_json_copy(p);
	gp_json_free(pulls);
	return pull ? meet_open(s, job, chain, pull, err) : open_new(s, job, err);
}

/* Whether the target carries of the app now what it carried at the document's tip. Returns 1, 0, -1. */
static int target_is_same(struct state *s, const struct job *job, const struct gp_chain *chain, struct gp_err *err)
{
	const struct gp_setter setter = {job->promotion.group, job->promotion.app, job->promotion.tag};
	struct gp_carry then, now;

	if (gp_manifests_carry(s->base.manifests, &then, &chain->link[job->behind].tree, job->promotion.env, &setter,
			       err) ||
	    gp_manifests_carry(s->base.manifests, &now, &s->base.tree, job->promotion.env, &setter, err))
		return -1;
	return then.markers == now.markers && then.at_tag == now.at_tag &&
	       strcmp(then.tag ? then.tag : "", now.tag ? now.tag : "") == 0;
}

/*
 * A document may have been edited, or put together from two: its commit must be
 * its promotion applied to its tip, and nothing else. errors: 65.
 */
static int check_commit(struct state *s, const struct job *job, struct gp_chain *chain, struct gp_err *err)
{
	char hex[GP_OID_HEX + 1], *comment;
	struct gp_claim claim;
	int rc;

	if (!gp_git_has(s->base.repository.git, &job->commit))
		return gp_fail(err, GP_EXIT_INPUT,
			       "commit %s of the document is not in this repository: was it made in another clone?",
			       gp_oid_hex(hex, &job->commit));
	comment = gp_promotion_comment(&job->promotion);
	rc = gp_claim_read(&claim, &s->base, chain, job->branch, &job->commit, comment, err);
	free(comment);
	if (!rc && (claim.state != GP_CLAIM_SOUND || !gp_promotion_same(&claim.promotion, &job->promotion)))
		rc = gp_fail(err, GP_EXIT_INPUT, "change.commit in the document is not its promotion: %s",
			     claim.reason ? claim.reason : "it says nothing about one");
	else if (!rc && !gp_oid_equal(&claim.base, &job->tip))
		rc = gp_fail(err, GP_EXIT_INPUT, "change.commit in the document does not stand on its repository.tip");
	gp_claim_free(&claim);
	return rc;
}

/* The base's tip, once; with the first document also where its branch is, if one server answers both. */
static int ask_base(struct state *s, struct job *job, struct gp_err *err)
{
	const struct gp_repository *r = &s->base.repository;

	if (!gp_oid_is_zero(&s->base.tip))
		return 0;
	if (strcmp(r->url, r->push_url) != 0)
		return gp_base_ask(&s->base, s->base.branch, err);
	job->is_asked = true;
	return gp_base_ask_both(&s->base, s->base.branch, job->branch, &job->old, err);
}

/*
 * The base may have moved since the document was made. What follows a merged
 * promotion is void when the environment that it comes from has gone on to
 * something newer. Returns 1 to go on, 0 when the document is skipped, -1.
 */
static int check_fresh(struct state *s, struct job *job, struct gp_chain *chain, struct gp_err *err)
{
	const char *previous = gp_json_text(gp_document_get(job->document, "environment.previous"));
	const struct gp_setter setter = {job->promotion.group, job->promotion.app, job->promotion.tag};
	struct gp_carry carry;
	int reached, same;

	if (ask_base(s, job, err))
		return -1;
	for (job->behind = 0; (reached = gp_chain_reach(chain, &s->base, job->behind, err)) > 0; job->behind++)
		if (gp_oid_equal(&chain->link[job->behind].commit, &job->tip) || job->behind == MAX_BEHIND)
			break;
	if (reached < 0)
		return -1;
	if (!reached || job->behind == MAX_BEHIND)
		return gp_fail(err, GP_EXIT_RETRY, "the document's tip is not in the recent history of '%s': run again",
			       s->base.branch);
	if (!job->behind)
		return 1;
	same = target_is_same(s, job, chain, err);
	if (same <= 0)
		return same < 0 ? -1
				: gp_fail(err, GP_EXIT_RETRY,
					  "%s/%s in %s has changed since the document was made: run again",
					  setter.group, setter.app, job->promotion.env);
	if (!previous || !gp_json_get(job->document, "previous_pull_request"))
		return 1;
	if (gp_manifests_carry(s->base.manifests, &carry, &s->base.tree, previous, &setter, err))
		return -1;
	if (gp_carry_is_at(&carry))
		return 1;
	gp_tool_say(s->tool, 1, "%s/%s no longer carries %s %s", setter.group, previous, setter.app, setter.tag);
	gp_tool_skip(s->tool, job->document, "superseded by %s", carry.tag ? carry.tag : "the app's removal");
	return 0;
}

static int open_pr(void *ctx, struct gp_json *document, struct gp_err *err)
{
	struct state *s = ctx;
	struct gp_chain chain = {0};
	struct job job;
	int rc = -1;

	if (s->dry_run)
		gp_json_set_bool(document, "dry_run", true);
	if (read_job(&job, document, err) || gp_base_open(&s->base, s->tool->remote, s->tool->provider, getenv, err) ||
	    gp_base_check_document(&s->base, document, err))
		goto out;
	rc = check_fresh(s, &job, &chain, err);
	if (rc > 0 && !job.dry_run && check_commit(s, &job, &chain, err))
		rc = -1;
	if (rc > 0)
		rc = gp_tool_forge(s->tool, &s->forge, document, err) ? -1 : open_or_reset(s, &job, &chain, err);
out:
	gp_chain_free(&chain);
	free_job(&job);
	return rc;
}

int main(int argc, char **argv)
{
	struct gp_tool tool = {.name = "gp-open-pr", .help = help};
	struct state s = {.tool = &tool};
	const struct gp_option options[] = {{"dry-run", 'n', GP_OPTION_FLAG, &s.dry_run}, {0}};

	if (gp_tool_start(&tool, argc, argv, options))
		gp_tool_filter(&tool, open_pr, &s, false);
	gp_forge_end(s.forge);
	gp_base_free(&s.base);
	return gp_tool_end(&tool);
}
