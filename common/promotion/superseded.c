#include "promotion/superseded.h"

#include <string.h>

#include "promotion/claim.h"
#include "sys/mem.h"

char *gp_superseded_by(const char *tag, int64_t number)
{
	return gp_asprintf("superseded by %s, which another run has just brought in #%lld", tag, (long long)number);
}

char *gp_superseded(struct gp_base *base, struct gp_forge *forge, const struct gp_json *document,
		    const struct gp_pull *pull, struct gp_err *err)
{
	struct gp_json *pulls = gp_forge_find_number(forge, pull->number, err);
	const struct gp_json *now = gp_json_first(pulls);
	const char *head = gp_json_get_text(now, "head");
	struct gp_chain chain = {0};
	struct gp_promotion ours;
	struct gp_claim claim;
	struct gp_oid oid;
	char *by = NULL;

	if (!head || !strcmp(head, pull->head) || gp_oid_parse(&oid, head) ||
	    gp_promotion_view(&ours, gp_json_get(document, "promotion"), err) || gp_base_ask(base, base->branch, err))
		goto out;
	if (!gp_claim_read(&claim, base, &chain, gp_json_get_text(now, "branch"), &oid,
			   gp_json_get_text(now, "description"), err) &&
	    (claim.state == GP_CLAIM_SOUND || claim.state == GP_CLAIM_UNSETTLED) &&
	    gp_promotion_same_app(&claim.promotion, &ours))
		by = gp_superseded_by(claim.promotion.tag, pull->number);
	gp_claim_free(&claim);
	gp_chain_free(&chain);
out:
	gp_json_free(pulls);
	return by;
}
