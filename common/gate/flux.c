#include "gate/flux.h"

#include <string.h>

bool gp_context_is_flux(const char *context)
{
	return !strncmp(context, "kustomization/", 14) || !strncmp(context, "helmrelease/", 12);
}

bool gp_genre_is_flux(const char *genre)
{
	static const char own[] = GP_FLUX_GENRE;
	size_t n = sizeof own - 1;

	return !strncmp(genre, own, n) && (!genre[n] || genre[n] == ':');
}

const char *gp_flux_description(const char *state)
{
	return !strcmp(state, "success")   ? "reconciliation succeeded"
	       : !strcmp(state, "failure") ? "health check failed"
	       : !strcmp(state, "pending") ? "progressing"
					   : NULL;
}
