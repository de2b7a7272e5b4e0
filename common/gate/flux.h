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

/* On a forge whose statuses have a genre, Flux uses this one, alone or followed by ':' and more. */
#define GP_FLUX_GENRE "fluxcd"
bool gp_genre_is_flux(const char *genre);

/* What Flux writes as the description of a status with this state ("success", "failure", "pending"). Static; NULL for
 * another state. */
const char *gp_flux_description(const char *state);

#endif
