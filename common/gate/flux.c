#include "gate/flux.h"

#include <string.h>
#include <strings.h>

bool gp_context_is_flux(const char *context)
{
	return !strncmp(context, "kustomization/", 14) || !strncmp(context, "helmrelease/", 12);
}

/* The length without blanks and periods at the end. */
static size_t trimmed(const char *text)
{
	size_t n = strlen(text);

	while (n && strchr(" \t\r\n.", text[n - 1]))
		n--;
	return n;
}

static bool is_one_of(const char *description, const char *const reasons[], size_t count)
{
	size_t n;

	description += strspn(description, " \t");
	n = trimmed(description);
	for (size_t i = 0; i < count; i++)
		if (strlen(reasons[i]) == n && !strncasecmp(description, reasons[i], n))
			return true;
	return false;
}

/*
 * The reasons that say that something was reconciled: of the kustomize-controller, of the helm-controller (api/v2,
 * condition_types.go, and v2beta1), and what all may say (fluxcd/pkg, apis/meta).
 */
static bool says_success(const char *description)
{
	static const char *const reasons[] = {"reconciliation succeeded", "install succeeded", "upgrade succeeded",
					      "test succeeded", "succeeded"};

	return is_one_of(description, reasons, sizeof reasons / sizeof *reasons);
}

/*
 * Reasons of events that are posted as success although nothing was reconciled, as the notification-controller spells
 * them: in lower case, a blank before each former capital.
 */
static bool says_nothing(const char *description)
{
	static const char *const reasons[] = {
		"artifact up to date",
		"dependency not ready",
		"drift corrected",
		"drift detected",
		"info",
		"initialized",
		"new artifact",
		"no change",
		"progressing",
		"progressing with retry",
		"rollback succeeded",
		"suspended",
		"uninstall succeeded",
		"unknown",
	};

	return is_one_of(description, reasons, sizeof reasons / sizeof *reasons);
}

bool gp_flux_success_counts(const char *context, const char *description)
{
	if (!description)
		return !gp_context_is_flux(context);
	return gp_context_is_flux(context) ? says_success(description) : !says_nothing(description);
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
