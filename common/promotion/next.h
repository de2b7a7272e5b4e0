/*
 * next.h - where a promotion goes: its target environment, and the next one after
 * a merge. For gp-read-config.
 */
#ifndef GP_NEXT_H
#define GP_NEXT_H

#include <stddef.h>

#include "data/json.h"
#include "promotion/base-branch.h"
#include "promotion/config.h"
#include "promotion/promotion.h"
#include "sys/err.h"

/* Sets the document's member `environment` to the configured one with this index, for a promotion of p's app. errors: 65, 71. */
int gp_next_set_environment(struct gp_base *base, const struct gp_config *config, struct gp_json *document,
			    const struct gp_promotion *p, size_t index, struct gp_err *err);

/* Is called for each environment that is passed over, with "passed over ENV: why". */
typedef void gp_next_note_fn(void *ctx, const char *note);

/*
 * Turns the document of a merged promotion into that of the next one: `promotion`, `environment`, and
 * `previous_pull_request` in place of `pull_request`. Returns 1; 0 with *reason (yours) if it goes no further; -1: 65, 71.
 */
int gp_next(struct gp_base *base, const struct gp_config *config, struct gp_json *document,
	    const struct gp_promotion *p, char **reason, gp_next_note_fn *note, void *ctx, struct gp_err *err);

#endif
