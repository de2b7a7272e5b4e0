/*
 * past.h - which tags an environment has carried of an app, one after the other, by the base's first-parent history.
 */
#ifndef GP_PAST_H
#define GP_PAST_H

#include <stdbool.h>
#include <stddef.h>

#include "promotion/base-branch.h"
#include "setter/setter.h"

enum { GP_PAST_COMMITS = 1000 };

/* Newest first; [0] is the tip's. A commit whose markers disagree, or that has none, is passed over. */
struct gp_past {
	char **tag;
	size_t count;
};

/* Looks back GP_PAST_COMMITS commits, deepening a shallow clone. errors: 65 at the tip, 71. Free it with gp_past_free. */
int gp_past_read(struct gp_past *past, struct gp_base *base, struct gp_chain *chain, const char *env,
		 const struct gp_setter *setter, struct gp_err *err);
void gp_past_free(struct gp_past *past);

/* Whether the tag was there before the newest one. */
bool gp_past_has(const struct gp_past *past, const char *tag);

#endif
