#include "promotion/order.h"

#include <stdlib.h>
#include <string.h>

#include "setter/version.h"
#include "sys/mem.h"

/* The key of the app, else that of the configuration, which may be NULL. */
static const char *key_of(const struct gp_json *groups, const char *all, const struct gp_promotion *p)
{
	const struct gp_json *group = gp_json_get(groups, p->group);
	const char *own = gp_json_get_text(gp_json_get(gp_json_get(group, "applications"), p->app), "order");

	return own ? own : all;
}

/* The tag of TAG@DIGEST. Yours. */
static char *tag_of(const char *version)
{
	return gp_memdup0(version, strcspn(version, "@"));
}

static bool is_older(const char *version, const char *other, enum gp_order order)
{
	char *a = tag_of(version), *b = tag_of(other);
	bool older = gp_version_is_older(a, b, order);

	free(a);
	free(b);
	return older;
}

/* *is_ruled: as order.h has it. */
static enum gp_order order_of(const struct gp_json *document, const struct gp_promotion *p, bool *is_ruled)
{
	const struct gp_json *config = gp_json_get(document, "config");
	const char *key = key_of(gp_json_get(config, "groups"), gp_json_get_text(config, "order"), p);
	enum gp_order order = GP_ORDER_GUESSED;

	/* A promotion follows what was merged; one that is made anew is what was asked for before. */
	*is_ruled = key && gp_order_parse(&order, key) && !gp_json_get(document, "previous_pull_request") &&
		    !gp_json_get(document, "pull_request");
	return order;
}

bool gp_order_is_older(const struct gp_config *config, const struct gp_promotion *p, const char *other)
{
	const char *key = key_of(config->groups, config->order, p);
	enum gp_order order = GP_ORDER_GUESSED;

	if (key)
		gp_order_parse(&order, key);
	return is_older(p->tag, other, order);
}

bool gp_order_is_lifted(const struct gp_json *document)
{
	return gp_json_get_true(document, "allow_older");
}

char *gp_order_objection_to(const struct gp_json *document, const struct gp_promotion *p, const char *open_tag,
			    bool *is_ruled)
{
	enum gp_order order = order_of(document, p, is_ruled);

	if (!is_older(p->tag, open_tag, order))
		return NULL;
	return gp_asprintf("%s/%s goes back in %s: %s is older than %s, which is on its way there", p->group, p->app,
			   p->env, p->tag, open_tag);
}

char *gp_order_objection(const struct gp_json *document, const struct gp_promotion *p, const struct gp_edits *edits,
			 bool *is_ruled)
{
	enum gp_order order = order_of(document, p, is_ruled);

	for (size_t i = 0; i < edits->count; i++) {
		const struct gp_edit *e = &edits->item[i];

		if (e->changed && e->tag && is_older(p->tag, e->tag, order))
			return gp_asprintf("%s/%s goes back in %s: %s is older than %s", p->group, p->app, p->env,
					   p->tag, e->tag);
	}
	return NULL;
}
