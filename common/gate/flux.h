/*
 * flux.h - the names under which Flux reports: what a status's context is when
 * its notification-controller has posted it. Anybody may include it.
 * https://fluxcd.io/flux/components/notification/providers/#git-commit-status-updates
 */
#ifndef GP_FLUX_H
#define GP_FLUX_H

#include <stdbool.h>

/* Whether a context is one of Flux's own identifiers: kustomization/… or helmrelease/…. */
bool gp_context_is_flux(const char *context);

/*
 * Whether a success may be evidence, by its description. Flux's notification-controller posts every event that is no
 * error as success, under the event's reason in words, and a Provider's commitStatusExpr may give it any context. In
 * Flux's own contexts only the reasons that say success count; in another, all but those that are known to say nothing. A
 * rollback or an uninstallation that succeeded counts in none.
 * https://fluxcd.io/flux/components/notification/providers/#git-commit-status-updates
 */
bool gp_flux_success_counts(const char *context, const char *description);

/* On a forge whose statuses have a genre, Flux uses this one, alone or followed by ':' and more. */
#define GP_FLUX_GENRE "fluxcd"
bool gp_genre_is_flux(const char *genre);

/* What Flux writes as the description of a status with this state ("success", "failure", "pending"). Static; NULL for
 * another state. */
const char *gp_flux_description(const char *state);

#endif
