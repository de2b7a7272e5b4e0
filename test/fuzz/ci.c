/*
 * ci.c - any bytes as text from outside on its way to a terminal or to a CI
 * system's log: it stays text, and stays on its line.
 */
#include "forge/provider.h"
#include "fuzz.h"
#include "sys/err.h"
#include "sys/exit.h"
#include "sys/mem.h"
#include "sys/utf8.h"

/* A job of GitHub's, then one of Azure's. */
static char *github(const char *name)
{
	static char yes[] = "true", file[] = "/tmp/file";

	if (!strcmp(name, "GITHUB_ACTIONS"))
		return yes;
	return !strcmp(name, "GITHUB_OUTPUT") ? file : NULL;
}

static char *azure(const char *name)
{
	static char yes[] = "True";

	return !strcmp(name, "TF_BUILD") ? yes : NULL;
}

static bool is_utf8(const char *text)
{
	for (size_t left = strlen(text), n; left; left -= n, text += n)
		if (!(n = gp_utf8_length(text, left)))
			return false;
	return true;
}

static void check_line(const char *text, size_t cap)
{
	char *line = malloc(cap), *again = malloc(cap);

	FUZZ_HOLDS(line && again);
	gp_clean_line(line, cap, text);
	FUZZ_HOLDS(strlen(line) < cap && fuzz_is_printable(line) && is_utf8(line));
	gp_clean_line(again, cap, line);
	/* One that was cut off is as long as it may be already. */
	FUZZ_HOLDS(!strcmp(line, again) || strlen(line) + 4 >= cap);
	free(again);
	free(line);
}

static void check_error(const char *text)
{
	struct gp_err err = {0};

	gp_fail(&err, GP_EXIT_INPUT, "%s", text);
	gp_fail(&err, GP_EXIT_BUG, "a second one");
	gp_fail_in(&err, "%s", text);
	FUZZ_HOLDS(err.code == GP_EXIT_INPUT && fuzz_is_printable(err.message) && is_utf8(err.message));
	for (int i = 0; i < 2; i++) {
		char *line = gp_ci_annotation(i ? azure : github, "gp-fuzz", err.message), *end = strchr(line, '\n');
		size_t begin = i ? strlen("##vso[task.logissue type=error]") : strlen("::error title=gp-fuzz::");

		/* One command: its own. */
		FUZZ_HOLDS(end && !end[1] && strlen(line) > begin);

		for (const char *c = line + begin; (c = strchr(c, '%')); c++)
			FUZZ_HOLDS(!strncmp(c, i ? "%AZP25" : "%25", i ? 6 : 3));
		free(line);
	}
}

static void check_log(const char *text)
{
	char *of_github = gp_ci_disarm(github, text, "?"), *of_azure = gp_ci_disarm(azure, text, "\\u0023");
	const char *file;
	char *output = gp_ci_output(github, "name", text, &file);

	char *clean = gp_clean_text(text), *harmless = gp_ci_disarm(github, clean, "?");

	FUZZ_HOLDS(!strstr(of_github, "##[") && !strstr(of_azure, "##vso["));
	FUZZ_HOLDS(is_utf8(harmless));
	for (char *line = harmless, *end; *line; line = end + (*end != '\0')) {
		end = line + strcspn(line, "\n");
		if (end > line && end[-1] == '\r')
			end[-1] = ' ';
		for (char *c = line; c < end; c++)
			*c = *c == '\t' ? ' ' : *c;
		/* What is before the first line end follows words of our own. */
		FUZZ_HOLDS(line == harmless || strncmp(line + strspn(line, " "), "::", 2) != 0);
	}
	for (char *c = harmless; *c; c++)
		*c = *c == '\n' ? ' ' : *c;
	FUZZ_HOLDS(fuzz_is_printable(harmless));
	free(harmless);
	free(clean);
	FUZZ_HOLDS(!output || strchr(output, '\n') == output + strlen(output) - 1);
	free(output);
	free(of_azure);
	free(of_github);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	check_line(text, 8);
	check_line(text, 100);
	check_line(text, size + 8);
	check_error(text);
	check_log(text);
	free(text);
	return 0;
}
