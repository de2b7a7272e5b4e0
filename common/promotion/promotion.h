/*
 * promotion.h - what a promotion is and how it is written down: branch names,
 * titles, the metadata in a description and in a commit's trailer. All of it is
 * shared with the older tool (github.com/XenitAB/gitops-promotion), so that
 * promotions in flight survive the change. Strings are borrowed unless said.
 */
#ifndef GP_PROMOTION_H
#define GP_PROMOTION_H

#include <stdbool.h>

#include "data/json.h"
#include "sys/err.h"

struct gp_promotion {
	const char *type; /* "promote"; the older tool also knows "feature" */
	const char *group, *app, *tag, *env;
	const char *sha;     /* the base tip it started from; never judged */
	const char *feature; /* "" for a promotion */
};

/*
 * A view of the JSON object (metadata, or the document's member `promotion`):
 * lives as long as json. A missing type means promote, a missing sha or feature
 * is "". errors: 65 for a missing or wrong member and for names and tags that
 * are none (config.h, setter.h say which are).
 */
int gp_promotion_view(struct gp_promotion *out, const struct gp_json *json, struct gp_err *err);

/* As the document's member; yours. */
struct gp_json *gp_promotion_to_json(const struct gp_promotion *p);

/* Whether all that is promoted is the same: type, group, app, tag, environment; or only type, group and app. */
bool gp_promotion_same(const struct gp_promotion *a, const struct gp_promotion *b);
bool gp_promotion_same_app(const struct gp_promotion *a, const struct gp_promotion *b);

/* "promote/<group>-<app>", per environment "promote/<env>/<group>-<app>". Yours. */
char *gp_promotion_branch(const struct gp_promotion *p, bool per_env);
/* Whether a branch's name is one that only promotions have. */
bool gp_promotion_is_branch(const char *branch);

/* The pull request's title, which is also the commit's subject. Yours. */
char *gp_promotion_title(const struct gp_promotion *p);

/* The metadata as JSON on one line, with <, > and & as \u003c, \u003e, \u0026, so that it cannot end a comment. Yours. */
char *gp_promotion_metadata(const struct gp_promotion *p);

/*
 * Finds the metadata in a description, `<!-- metadata = {…} -->`, or in the
 * last paragraph of a commit message, `Gp-Promotion: {…}`. Returns the object
 * (yours, to be seen through gp_promotion_view) or NULL if there is none. What is there but
 * broken, or there twice, is NULL with err (65).
 */
struct gp_json *gp_promotion_in_description(const char *description, struct gp_err *err);
struct gp_json *gp_promotion_in_message(const char *message, struct gp_err *err);

/* The trailer's line. Yours. */
char *gp_promotion_trailer(const struct gp_promotion *p);

/* The description's first line. Yours. */
char *gp_promotion_comment(const struct gp_promotion *p);

#endif
