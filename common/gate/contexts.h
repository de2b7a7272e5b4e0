/*
 * contexts.h - which status contexts speak of an environment. Used by gate alone.
 */
#ifndef GP_CONTEXTS_H
#define GP_CONTEXTS_H

#include <stdbool.h>

#include "promotion/base-branch.h"
#include "promotion/config.h"

/*
 * The contexts of <group> and <env>: Flux's own, kustomization/<group>-<env>[/<id>] or helmrelease/…, or what the glob
 * pattern says ({group} and {env} in it stand for the names). All borrowed.
 */
struct gp_wanted {
	const char *pattern, *group, *env; /* pattern: NULL for Flux's own */
	const struct gp_json *from;        /* whose statuses count, an array of names; NULL: anybody's */
	const struct gp_json *without;     /* globs of contexts that do not; NULL: none */
};

/* Where the environment has a pattern of its own, it takes the place of the configuration's. */
struct gp_wanted gp_wanted_of(const struct gp_config *config, const char *group, const char *env);

/* Whether a context is one of them. A gp_context_fn (evidence.h): wanted is a struct gp_wanted. */
bool gp_wanted_matches(const void *wanted, const char *context);

/* Whether a context that is none of them looks as if it should be: it has "<group>-<env>" in it. */
bool gp_wanted_is_near(const struct gp_wanted *w, const char *context);

/*
 * Fails with 78 if the same contexts could speak of another environment, of this or of another group in the base.
 * errors: 78, 71.
 */
int gp_wanted_check_twins(struct gp_base *base, const struct gp_config *config, const struct gp_wanted *wanted,
			  struct gp_err *err);

#endif
