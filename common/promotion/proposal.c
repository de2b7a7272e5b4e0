#include "promotion/proposal.h"

#include <stdlib.h>
#include <string.h>

#include "promotion/conflict.h"
#include "promotion/document.h"
#include "promotion/order.h"
#include "sys/exit.h"
#include "sys/mem.h"

/* How far the base may have moved since the document was made. */
enum { MAX_BEHIND = 1000 };

int gp_proposal_read(struct gp_proposal *p, struct gp_json *document, struct gp_err *err)
{
	const char *branch, *commit, *tip;

	*p = (struct gp_proposal){.document = document, .dry_run = gp_document_is_dry_run(document)};
	if (gp_promotion_view(&p->promotion, gp_json_get(document, "promotion"), err) ||
	    gp_config_from_json(&p->config, gp_json_get(document, "config"), err))
		return -1;
	int index = gp_config_find(&p->config, p->promotion.env);

	p->more = index < 0 ? NULL : gp_config_pull_request(&p->config, (size_t)index);
	p->branch = gp_promotion_branch(&p->promotion, p->config.per_env);
	p->title = gp_promotion_title(&p->promotion);
	branch = gp_document_need_text(document, "change.branch", err);
	tip = gp_document_need_text(document, "repository.tip", err);
	if (!branch || !tip)
		return -1;
	/* Whatever a document says, only a promotion's own branch is ever pushed. */
	if (strcmp(branch, p->branch) != 0)
		return gp_fail(err, GP_EXIT_INPUT,
			       "change.branch in the document is '%s', but this promotion's branch is '%s'", branch,
			       p->branch);
	if (gp_oid_parse(&p->tip, tip))
		return gp_fail(err, GP_EXIT_INPUT, "repository.tip in the document is not a commit id: '%s'", tip);
	if (p->dry_run)
		return 0;
	commit = gp_document_need_text(document, "change.commit", err);
	if (!commit)
		return -1;
	if (gp_oid_parse(&p->commit, commit))
		return gp_fail(err, GP_EXIT_INPUT, "change.commit in the document is not a commit id: '%s'", commit);
	return 0;
}

void gp_proposal_free(struct gp_proposal *p)
{
	gp_chain_free(&p->chain);
	gp_config_free(&p->config);
	gp_json_free(p->more);
	free(p->objection);
	free(p->branch);
	free(p->title);
}

/* Finds the document's tip on the base's chain. */
static int find_tip(struct gp_proposal *p, struct gp_base *base, struct gp_err *err)
{
	int reached;

	for (p->behind = 0; (reached = gp_chain_reach(&p->chain, base, p->behind, err)) > 0; p->behind++)
		if (gp_oid_equal(&p->chain.link[p->behind].commit, &p->tip) || p->behind == MAX_BEHIND)
			break;
	if (reached < 0)
		return -1;
	if (!reached || p->behind == MAX_BEHIND)
		return gp_fail(err, GP_EXIT_RETRY, "the document's tip is not in the recent history of '%s': run again",
			       base->branch);
	return 0;
}

/* Whether the target carries of the app now what it carried at the document's tip. Returns 1, 0, -1. */
static int target_is_same(struct gp_proposal *p, struct gp_base *base, const struct gp_setter *setter,
			  struct gp_err *err)
{
	struct gp_carry then, now;

	if (gp_manifests_carry(base->manifests, &then, &p->chain.link[p->behind].tree, p->promotion.env, setter, err) ||
	    gp_manifests_carry(base->manifests, &now, &base->tree, p->promotion.env, setter, err))
		return -1;
	return then.markers == now.markers && then.at_tag == now.at_tag &&
	       strcmp(then.tag ? then.tag : "", now.tag ? now.tag : "") == 0;
}

/* Whether the environment that it comes from still carries the version, as far as it follows a merged promotion. */
static int previous_is_same(struct gp_proposal *p, struct gp_base *base, const struct gp_setter *setter, char **reason,
			    struct gp_err *err)
{
	const char *previous = gp_json_text(gp_document_get(p->document, "environment.previous"));
	struct gp_carry carry;

	if (!previous ||
	    (!gp_json_get(p->document, "previous_pull_request") && !gp_json_get_true(p->document, "missing")))
		return 1;
	if (gp_manifests_carry(base->manifests, &carry, &base->tree, previous, setter, err))
		return -1;
	if (gp_carry_is_at(&carry))
		return 1;
	*reason = gp_asprintf("superseded by %s", carry.tag ? carry.tag : "the app's removal");
	return 0;
}

static int check_base(struct gp_proposal *p, struct gp_base *base, char **reason, struct gp_err *err)
{
	const struct gp_setter setter = {p->promotion.group, p->promotion.app, p->promotion.tag};

	if (find_tip(p, base, err))
		return -1;
	if (!p->behind)
		return 1;
	int same = target_is_same(p, base, &setter, err);

	if (same < 0)
		return -1;
	if (!same)
		return gp_fail(err, GP_EXIT_RETRY, "%s/%s in %s has changed since the document was made: run again",
			       setter.group, setter.app, p->promotion.env);
	return previous_is_same(p, base, &setter, reason, err);
}

static int check_commit(struct gp_proposal *p, struct gp_base *base, struct gp_err *err)
{
	char hex[GP_OID_HEX + 1], *comment;
	struct gp_claim claim;
	int rc;

	if (!gp_git_has(base->repository.git, &p->commit))
		return gp_fail(err, GP_EXIT_INPUT,
			       "commit %s of the document is not in this repository: was it made in another clone?",
			       gp_oid_hex(hex, &p->commit));
	comment = gp_promotion_comment(&p->promotion);
	rc = gp_claim_read(&claim, base, &p->chain, p->branch, &p->commit, comment, err);
	free(comment);
	if (!rc && (claim.state != GP_CLAIM_SOUND || !gp_promotion_same(&claim.promotion, &p->promotion)))
		rc = gp_fail(err, GP_EXIT_INPUT, "change.commit in the document is not its promotion: %s",
			     claim.reason ? claim.reason : "it names none");
	else if (!rc && !gp_oid_equal(&claim.base, &p->tip))
		rc = gp_fail(err, GP_EXIT_INPUT, "change.commit in the document is not based on its repository.tip");
	gp_claim_free(&claim);
	return rc;
}

int gp_proposal_check(struct gp_proposal *p, struct gp_base *base, char **reason, struct gp_err *err)
{
	int rc = check_base(p, base, reason, err);

	return rc > 0 && !p->dry_run && check_commit(p, base, err) ? -1 : rc;
}

/* Whether the claim's environment comes before ours: a newer release is on its way through the same branch. */
static bool is_ahead(const struct gp_proposal *p, const struct gp_claim *claim)
{
	int theirs = gp_config_find(&p->config, claim->promotion.env),
	    ours = gp_config_find(&p->config, p->promotion.env);

	return theirs >= 0 && theirs < ours;
}

/* Whether the pull request is a promotion of the same app. errors: 69. */
static int check_claim(const struct gp_proposal *p, const struct gp_claim *claim, long long number, struct gp_err *err)
{
	if (!claim->metadata)
		return gp_fail(err, GP_EXIT_REFUSED,
			       "pull request #%lld of branch '%s' is no promotion: %s; close it first", number,
			       p->branch, claim->reason ? claim->reason : "it names none");
	if (strcmp(claim->promotion.type, p->promotion.type) != 0)
		return gp_fail(err, GP_EXIT_REFUSED,
			       "branch '%s' is taken: pull request #%lld is of type '%s', not '%s'", p->branch, number,
			       claim->promotion.type, p->promotion.type);
	if (!gp_promotion_same_app(&claim->promotion, &p->promotion))
		return gp_fail(err, GP_EXIT_REFUSED,
			       "branch '%s' is taken: pull request #%lld promotes %s/%s, not %s/%s", p->branch, number,
			       claim->promotion.group, claim->promotion.app, p->promotion.group, p->promotion.app);
	return 0;
}

/*
 * A slower job may come with an older release than the one that is on its way to the environment; and a promotion that is
 * only made anew never takes the place of another.
 */
static enum gp_meeting check_order(struct gp_proposal *p, const struct gp_claim *claim, bool sound, const char *head)
{
	const char *seen = gp_json_text(gp_document_get(p->document, "pull_request.head"));

	if (sound && seen && strcmp(seen, head) != 0) {
		p->is_outdone = true;
		return GP_MEET_YIELD;
	}
	if (!sound || strcmp(claim->promotion.env, p->promotion.env) != 0)
		return GP_MEET_RESET;
	p->objection = gp_order_objection_to(p->document, &p->promotion, claim->promotion.tag, &p->is_ruled);
	return p->objection && p->is_ruled && !gp_order_is_lifted(p->document) ? GP_MEET_YIELD : GP_MEET_RESET;
}

int gp_proposal_meet(struct gp_proposal *p, struct gp_base *base, const struct gp_json *pull, struct gp_claim *claim,
		     enum gp_meeting *meeting, struct gp_err *err)
{
	long long number = gp_json_get_int(pull, "number", 0);
	struct gp_oid head;
	char *now = NULL;

	*claim = (struct gp_claim){0};
	gp_oid_parse(&head, gp_json_get_text(pull, "head"));
	if (gp_claim_read(claim, base, &p->chain, p->branch, &head, gp_json_get_text(pull, "description"), err) ||
	    check_claim(p, claim, number, err))
		return -1;
	bool sound = claim->state == GP_CLAIM_SOUND || claim->state == GP_CLAIM_UNSETTLED;

	if (sound && gp_promotion_same(&claim->promotion, &p->promotion)) {
		/* Another commit costs the approvals of this one: only where it merges, and this one does not. */
		p->remakes = claim->base_index > p->behind && gp_claim_fit(claim, base, &head, &now) != GP_FIT_MERGES;
		*meeting = p->remakes ? GP_MEET_RESET : GP_MEET_KEEP;
	} else if (is_ahead(p, claim)) {
		*meeting = GP_MEET_YIELD;
		if (!sound)
			return gp_fail(err, GP_EXIT_REFUSED,
				       "pull request #%lld takes %s/%s to %s first, but it is broken: %s; close it",
				       number, claim->promotion.group, claim->promotion.app, claim->promotion.env,
				       claim->reason);
	} else if (!gp_oid_is_zero(&claim->base) && claim->base_index < p->behind) {
		return gp_fail(err, GP_EXIT_RETRY,
			       "pull request #%lld was made from a newer '%s' than this document: run again", number,
			       base->branch);
	} else {
		p->remakes = claim->is_outrun && gp_promotion_same(&claim->promotion, &p->promotion);
		*meeting = check_order(p, claim, sound, gp_json_get_text(pull, "head"));
	}
	free(now);
	return 0;
}
