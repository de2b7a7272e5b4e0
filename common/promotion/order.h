/*
 * order.h - which of an app's releases is the older one, by the configuration's key order.
 */
#ifndef GP_ORDER_H
#define GP_ORDER_H

#include <stdbool.h>

#include "data/json.h"
#include "promotion/config.h"
#include "promotion/promotion.h"
#include "setter/setter.h"

/*
 * What is wrong with the order, "apps/web goes back in dev: v1 is older than v2", where one of the edits would replace a
 * tag by an older one; yours. NULL: nothing. *is_ruled: whether the document's configuration orders this app's tags, and
 * the release is a new one; otherwise it is for a warning, and where nothing is configured, a guess.
 */
char *gp_order_objection(const struct gp_json *document, const struct gp_promotion *p, const struct gp_edits *edits,
			 bool *is_ruled);

/*
 * The same where the release would take the place of another one that is still on its way to the environment, in an open
 * pull request.
 */
char *gp_order_objection_to(const struct gp_json *document, const struct gp_promotion *p, const char *open_tag,
			    bool *is_ruled);

/*
 * Whether the promotion's tag is older than another one, as the configuration orders the app's tags; where it does not, by
 * a guess.
 */
bool gp_order_is_older(const struct gp_config *config, const struct gp_promotion *p, const char *other);

/* Whether the document's promotion was let pass although it is older: its member allow_older. */
bool gp_order_is_lifted(const struct gp_json *document);

#endif
