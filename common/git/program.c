#include "git/program.h"

#include <stdbool.h>
#include <string.h>

#include "forge/provider.h"
#include "git/url.h"
#include "sys/exit.h"
#include "sys/process.h"

/* Never ask a person, who may not be there; speak English, so that messages can be distinguished. */
#define GIT_ENV "GIT_TERMINAL_PROMPT=0", "LC_ALL=C", "LANGUAGE"

const char *const gp_repository_git_env[] = {GIT_ENV, NULL};

/* For a git that does not leave this machine. One that does may have credential helpers that need a token. */
const char *const gp_repository_local_env[] = {GIT_ENV, GP_PROVIDER_TOKENS, NULL};

const char *gp_repository_git_reason(char *text)
{
	const char *best = NULL;

	gp_url_hide_credentials(text);
	for (char *save = NULL, *line = strtok_r(text, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save)) {
		if (!strncmp(line, "fatal: ", 7) || !strncmp(line, "error: ", 7))
			return line + 7;
		if (!strncmp(line, "remote: ", 8) && line[8])
			best = best ? best : line + 8;
		else if (!best && strncmp(line, "hint: ", 6) && strncmp(line, "To ", 3))
			best = line;
	}
	return best ? best : "git said nothing";
}

int gp_repository_judge(struct gp_output *o, char **out, const char *what, struct gp_err *err)
{
	bool failed = o->status != 0;
	int code = GP_EXIT_SYSTEM;
	const char *hint = "";

	if (gp_repository_is_denied(o->err)) {
		code = GP_EXIT_DENIED;
		hint = " (is the token right, and may it do this?)";
	} else if (strstr(o->err, "The requested URL returned error: 30")) {
		hint = " (it has moved: give the remote its new URL)";
	} else if (gp_repository_may_pass(o) >= GP_PASSING_SOON) {
		code = GP_EXIT_RETRY;
	} else if (strstr(o->err, "dubious ownership")) {
		/* git's own hint is a command with the right path: keep its cause and name the way out. */
		hint = " (trust it with: git config --global --add safe.directory DIR)";
	}
	if (failed)
		gp_fail(err, code, "%s: %s%s", what, gp_repository_git_reason(o->err), hint);
	if (!failed && out) {
		*out = o->out;
		o->out = NULL;
	}
	gp_output_free(o);
	return failed ? -1 : 0;
}

int gp_repository_git(char **out, const char *const argv[], const char *what, struct gp_err *err)
{
	return gp_repository_git_with(out, argv, NULL, 0, what, err);
}

int gp_repository_git_with(char **out, const char *const argv[], const char *input, size_t len, const char *what,
			   struct gp_err *err)
{
	struct gp_output o;

	if (gp_run(&o, argv, gp_repository_local_env, input, len, err))
		return -1;
	return gp_repository_judge(&o, out, what, err);
}

int gp_repository_git_end(char **out, struct gp_running *running, const char *what, struct gp_err *err)
{
	struct gp_output o;

	if (gp_run_end(running, &o, NULL, 0, err))
		return -1;
	return gp_repository_judge(&o, out, what, err);
}

char *gp_repository_one_line(char *text)
{
	text[strcspn(text, "\n")] = '\0';
	return text;
}
