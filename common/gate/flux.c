#include "gate/flux.h"

#include <string.h>
#include <strings.h>

bool gp_context_is_flux(const char *context)
{
	return !strncmp(context, "kustomization/", 14) || !strncmp(context, "helmrelease/", 12);
}

static const char separators[] = " \t\r\n.,:;!()'\"-_/";

/* Whether a text contains a word, in any case. */
static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = text; *at; at += strcspn(at, separators), at += strspn(at, separators))
		if (strcspn(at, separators) == n && !strncasecmp(at, word, n))
			return true;
	return false;
}

/* The length without blanks and periods at the end. */
static size_t trimmed(const char *text)
{
	size_t n = strlen(text);

	while (n && strchr(" \t\r\n.", text[n - 1]))
		n--;
	return n;
}

/* Any text that denies success is not Flux's and does not count. */
static bool ends_in_succeeded(const char *description)
{
	static const char done[] = "succeeded";
	static const char *const undone[] = {"rollback", "uninstall", "not", "never", "failed"};
	size_t n = trimmed(description), m = sizeof done - 1;

	for (size_t i = 0; i < sizeof undone / sizeof *undone; i++)
		if (has_word(description, undone[i]))
			return false;
	return n >= m && !strncmp(description + n - m, done, m) && (n == m || description[n - m - 1] == ' ');
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
	size_t n;

	description += strspn(description, " \t");
	n = trimmed(description);
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (strlen(reasons[i]) == n && !strncasecmp(description, reasons[i], n))
			return true;
	return false;
}

bool gp_flux_success_counts(const char *context, const char *description)
{
	if (!description)
		return !gp_context_is_flux(context);
	return gp_context_is_flux(context) ? ends_in_succeeded(description) : !says_nothing(description);
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
