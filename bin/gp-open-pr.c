/* gp-open-pr: opens the pull request of a promotion, or resets the open one of its branch; never a second. */
#include <stdlib.h>
#include <string.h>

#include "gate/posting.h"
#include "promotion/description.h"
#include "promotion/document.h"
#include "promotion/proposal.h"
#include "sys/exit.h"
#include "sys/mem.h"
#include "tool/tool.h"

static const char help[] = "usage: gp-open-pr [-hnqVv] [-C dir] [--provider name] [--remote name]\n"
			   "\n"
			   "Pushes the commit of each document to its branch and opens the pull request, or\n"
			   "resets the one that is open. An up-to-date one keeps its commit.\n"
			   "\n"
			   "  -n, --dry-run        say what would be done and do nothing\n" GP_HELP_COMMON;

struct state {
	struct gp_tool *tool;
	struct gp_base base;
	struct gp_forge *forge;
	bool dry_run;
};

/*
 * Puts the forge's pull request into the document, with what was done. Takes pull over. A forge may lag behind the push,
 * so if it shows another head, git is asked where the branch is: 75 if another run has moved it.
 */
static int keep(struct state *s, struct gp_proposal *p, struct gp_json *pull, const struct gp_oid *head, bool created,
		bool updated, struct gp_err *err)
{
	char hex[GP_OID_HEX + 1];
	struct gp_oid now = {{0}};
	int rc = 0;

	gp_oid_parse(&now, gp_json_get_text(pull, "head"));
	if (!gp_oid_equal(&now, head))
		rc = gp_repository_branch(&s->base.repository, p->branch, &now, err);
	if (!rc && !gp_oid_equal(&now, head) && !strcmp(gp_json_get_text(pull, "state"), "open"))
		rc = gp_fail(err, GP_EXIT_RETRY, "branch '%s' changed during the push (another run?): run again",
			     p->branch);
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

static int open_new(struct state *s, struct gp_proposal *p, struct gp_err *err)
{
	struct gp_json *pull;
	char *body;
	bool created;

	if (p->dry_run) {
		gp_tool_say(s->tool, 0, "would push '%s' and open pull request '%s'", p->branch, p->title);
		return 0;
	}
	if ((!p->is_asked && gp_repository_branch(&s->base.repository, p->branch, &p->old, err)) ||
	    gp_repository_push(&s->base.repository, p->branch, &p->commit, &p->old, err))
		return -1;
	body = gp_description(&p->promotion, p->document);
	pull = gp_forge_open_pr(s->forge, p->branch, p->title, body, &created, err);
	free(body);
	if (!pull)
		return gp_fail_in(err, "cannot open pull request of '%s' on '%s'", p->branch,
				  s->base.repository.clean_url);
	gp_tool_say(s->tool, 0, "%s pull request #%lld '%s'", created ? "opened" : "updated",
		    (long long)gp_json_get_int(pull, "number", 0), p->title);
	return keep(s, p, pull, &p->commit, created, !created, err);
}

/* Corrects the title and description of an open pull request. Takes pull over. */
static int describe(struct state *s, struct gp_proposal *p, struct gp_json *pull, const struct gp_promotion *said,
		    const struct gp_oid *head, bool was_reset, struct gp_err *err)
{
	bool is_ours = gp_promotion_same(said, &p->promotion);
	char *body = gp_description(said, is_ours ? p->document : NULL), *title = gp_promotion_title(said);
	long long number = gp_json_get_int(pull, "number", 0);
	bool created = false;
	bool wrong = strcmp(gp_json_get_text(pull, "title"), title) != 0 ||
		     strcmp(gp_json_get_text(pull, "description"), body) != 0;
	int rc = 0;

	if (wrong) {
		struct gp_json *answer = gp_forge_open_pr(s->forge, p->branch, title, body, &created, err);

		gp_json_free(pull);
		pull = answer;
		rc = answer ? 0 : gp_fail_in(err, "cannot update pull request #%lld", number);
	}
	if (!rc) {
		gp_tool_say(s->tool, 0,
			    p->conflicts ? "made pull request #%lld '%s' anew: it conflicted"
			    : was_reset  ? "reset pull request #%lld to '%s'"
			    : wrong      ? "repaired pull request #%lld '%s'"
					 : "pull request #%lld '%s' is up to date",
			    number, title);
		rc = keep(s, p, pull, head, created, was_reset || wrong, err);
	}
	free(title);
	free(body);
	return rc;
}

/*
 * Auto-merge off, then the push, then title and description: at no moment may the old approval merge the new content, or
 * the new title stand above the old content. Takes pull over.
 */
static int reset(struct state *s, struct gp_proposal *p, struct gp_json *pull, const struct gp_oid *head,
		 struct gp_err *err)
{
	if (gp_forge_stop_auto_merge(s->forge, &pull, err) ||
	    gp_repository_push(&s->base.repository, p->branch, &p->commit, head, err)) {
		gp_json_free(pull);
		return -1;
	}
	return describe(s, p, pull, &p->promotion, &p->commit, true, err);
}

/* Takes pull over. */
static int meet_open(struct state *s, struct gp_proposal *p, struct gp_json *pull, struct gp_err *err)
{
	long long number = gp_json_get_int(pull, "number", 0);
	enum gp_meeting meeting;
	struct gp_claim claim;
	struct gp_oid head;
	int rc = gp_proposal_meet(p, &s->base, pull, &claim, &meeting, err);

	gp_oid_parse(&head, gp_json_get_text(pull, "head"));
	if (!rc && meeting == GP_MEET_RESET && strcmp(claim.promotion.env, p->promotion.env) != 0)
		gp_tool_say(s->tool, -1, "warning: #%lld no longer takes %s to %s%s", number, claim.promotion.tag,
			    claim.promotion.env,
			    gp_posting_is_green(s->forge, gp_json_get_text(pull, "head"), number, p->config.gate_check,
						&(struct gp_err){0}) > 0
				    ? ", where its gate was open"
				    : "");
	if (!rc && p->dry_run && meeting != GP_MEET_YIELD)
		gp_tool_say(s->tool, 0,
			    meeting == GP_MEET_KEEP ? "pull request #%lld '%s' would keep its commit"
						    : "would reset pull request #%lld to '%s'",
			    number, p->title);
	else if (!rc && meeting == GP_MEET_RESET)
		rc = reset(s, p, gp_json_copy(pull), &head, err);
	else if (!rc && !p->dry_run && (meeting == GP_MEET_KEEP || claim.state != GP_CLAIM_SOUND))
		/* A run that lost a race against this one may have left the wrong title over it. */
		rc = describe(s, p, gp_json_copy(pull), &claim.promotion, &head, false, err);
	if (!rc && meeting == GP_MEET_YIELD)
		gp_tool_skip(s->tool, p->document, "pull request #%lld takes %s/%s %s to %s first", number,
			     claim.promotion.group, claim.promotion.app, claim.promotion.tag, claim.promotion.env);
	gp_json_free(pull);
	gp_claim_free(&claim);
	return rc;
}

static int open_or_reset(struct state *s, struct gp_proposal *p, struct gp_err *err)
{
	struct gp_json *pull;

	if (gp_forge_find_own(s->forge, p->branch, &pull, err))
		return -1;
	return pull ? meet_open(s, p, pull, err) : open_new(s, p, err);
}

static int open_pr(void *ctx, struct gp_json *document, struct gp_err *err)
{
	struct state *s = ctx;
	struct gp_proposal p;
	char *reason = NULL;
	int rc = -1;

	if (s->dry_run)
		gp_json_set_bool(document, "dry_run", true);
	if (!gp_proposal_read(&p, document, err) && !gp_tool_base_of(s->tool, &s->base, document, err))
		rc = gp_proposal_check(&p, &s->base, &reason, err);
	if (rc > 0)
		rc = gp_tool_forge(s->tool, &s->forge, document, err) ? -1 : open_or_reset(s, &p, err);
	else if (!rc)
		gp_tool_skip(s->tool, document, "%s", reason);
	free(reason);
	gp_proposal_free(&p);
	return rc;
}

int main(int argc, char **argv)
{
	struct gp_tool tool = {.name = "gp-open-pr", .help = help, .after = "gp-read-config ... | gp-set-tag"};
	struct state s = {.tool = &tool};
	const struct gp_option options[] = {{"dry-run", 'n', GP_OPTION_FLAG, &s.dry_run}, {0}};

	if (gp_tool_start(&tool, argc, argv, options))
		gp_tool_filter(&tool, open_pr, &s, false);
	return gp_tool_finish(&tool, &s.base, s.forge);
}
