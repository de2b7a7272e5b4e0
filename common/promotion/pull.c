#include "promotion/pull.h"

#include <stdlib.h>
#include <string.h>

#include "data/oid.h"
#include "promotion/document.h"
#include "promotion/promotion.h"
#include "sys/exit.h"
#include "sys/mem.h"

int gp_pull_of(struct gp_pull *out, const struct gp_json *document, struct gp_err *err)
{
	const struct gp_json *pull = gp_json_get(document, "pull_request");
	struct gp_oid ignored;

	out->number = gp_json_get_int(pull, "number", 0);
	out->head = gp_document_need_text(document, "pull_request.head", err);
	out->state = gp_json_get_text(pull, "state");
	out->id = gp_json_get_text(pull, "id");
	out->auto_merge = gp_json_get_true(pull, "auto_merge");
	if (!out->head)
		return -1;
	if (out->number <= 0)
		return gp_fail(err, GP_EXIT_INPUT, "document has no pull_request.number");
	if (gp_oid_parse(&ignored, out->head))
		return gp_fail(err, GP_EXIT_INPUT, "pull_request.head in the document is not a commit id: '%s'",
			       out->head);
	return 0;
}

int gp_pull_number(int64_t *out, const char *text, struct gp_err *err)
{
	size_t n = strspn(text, "0123456789");

	*out = n && n < 16 && !text[n] ? strtoll(text, NULL, 10) : 0;
	return *out > 0 ? 0 : gp_fail(err, GP_EXIT_USAGE, "not the number of a pull request: '%s'", text);
}

/* What the description says is promoted. Yours; NULL: nothing, or broken metadata, about which the gate has more to say. */
static struct gp_json *promotion_of(const struct gp_json *pull)
{
	struct gp_err ignored = {0};
	struct gp_promotion p;
	struct gp_json *metadata = gp_promotion_in_description(gp_json_get_text(pull, "description"), &ignored);
	struct gp_json *promotion = NULL;

	if (metadata && !gp_promotion_view(&p, metadata, &ignored))
		promotion = gp_promotion_to_json(&p);
	gp_json_free(metadata);
	return promotion;
}

struct gp_json *gp_pull_document(const struct gp_json *pull, const struct gp_json *repository)
{
	struct gp_json *document = gp_json_object(), *promotion = promotion_of(pull);

	if (promotion)
		gp_json_set(document, "promotion", promotion);
	gp_json_set(document, "pull_request", gp_json_copy(pull));
	gp_json_set(document, "repository", gp_json_copy(gp_json_get(repository, "repository")));
	return document;
}

char *gp_pull_passed_over(const struct gp_json *pull, const char *base)
{
	long long number = gp_json_get_int(pull, "number", 0);
	struct gp_json *promotion;

	if (strcmp(gp_json_get_text(pull, "state"), "merged") != 0)
		return gp_asprintf("passed over #%lld: it is %s", number, gp_json_get_text(pull, "state"));
	if (gp_json_get_true(pull, "fork"))
		return gp_asprintf("passed over #%lld: it came from a fork", number);
	if (strcmp(gp_json_get_text(pull, "base"), base) != 0)
		return gp_asprintf("passed over #%lld: it was merged into '%s'", number,
				   gp_json_get_text(pull, "base"));
	promotion = promotion_of(pull);
	gp_json_free(promotion);
	return promotion ? NULL : gp_asprintf("passed over #%lld: it is no promotion", number);
}
