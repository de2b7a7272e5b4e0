#include "promotion/stuck.h"

#include <stdlib.h>
#include <string.h>

#include "promotion/claim.h"
#include "promotion/conflict.h"
#include "sys/mem.h"

static bool is_ours(const struct gp_base *base, const struct gp_json *pull)
{
	return !gp_json_get_true(pull, "fork") && !strcmp(gp_json_get_text(pull, "base"), base->branch) &&
	       !strcmp(gp_json_get_text(pull, "state"), "open") &&
	       gp_promotion_is_branch(gp_json_get_text(pull, "branch"));
}

static void fetch_heads(struct gp_base *base, const struct gp_json *pulls)
{
	struct gp_oid *heads = NULL;
	size_t count = 0;

	for (const struct gp_json *pull = gp_json_first(pulls); pull; pull = gp_json_next(pull)) {
		if (!is_ours(base, pull))
			continue;
		heads = gp_grow(heads, count, sizeof *heads);
		gp_oid_parse(&heads[count++], gp_json_get_text(pull, "head"));
	}
	/* Where one is gone by now, each is fetched when it is judged. */
	gp_repository_need(&base->repository, base->branch, heads, count, &(struct gp_err){0});
	free(heads);
}

void gp_stuck_find(struct gp_base *base, const struct gp_json *pulls, gp_found_fn *found, gp_told_fn *told, void *ctx)
{
	struct gp_chain chain = {0};

	fetch_heads(base, pulls);
	for (const struct gp_json *pull = gp_json_first(pulls); pull; pull = gp_json_next(pull)) {
		struct gp_err err = {0};
		struct gp_claim claim;
		struct gp_oid head;
		char *now = NULL;

		if (!is_ours(base, pull))
			continue;
		gp_oid_parse(&head, gp_json_get_text(pull, "head"));
		if (gp_claim_read(&claim, base, &chain, gp_json_get_text(pull, "branch"), &head,
				  gp_json_get_text(pull, "description"), &err)) {
			char *text = gp_asprintf("warning: cannot look at #%lld: %s",
						 (long long)gp_json_get_int(pull, "number", 0), err.message);

			told(ctx, -1, text);
			free(text);
		} else if (claim.metadata && !strcmp(claim.promotion.type, "promote") &&
			   (claim.state == GP_CLAIM_UNSETTLED ||
			    gp_claim_fit(&claim, base, &head, &now) == GP_FIT_STUCK)) {
			found(ctx, pull, &claim.promotion);
		}
		free(now);
		gp_claim_free(&claim);
	}
	gp_chain_free(&chain);
}
