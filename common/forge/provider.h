/*
 * provider.h - the one table that knows forges and CI systems by name: which
 * driver a remote's URL means, what a CI system's variables say about the job,
 * how it wants errors shown. A new forge is a row here and a gp-forge-NAME.
 * Reads no environment by itself: callers in bin/ (and tool) pass getenv.
 */
#ifndef GP_PROVIDER_H
#define GP_PROVIDER_H

#include <stdbool.h>

#include "sys/err.h"

typedef char *gp_env_fn(const char *name);

/* A variable's value; NULL if it is not set, or empty. */
const char *gp_env_value(gp_env_fn *env, const char *name);

/* The driver for a remote's URL or path: "local", "github", …; NULL where neither it nor the CI system tells. Static. */
const char *gp_provider_of_url(const char *url, gp_env_fn *env);

/* A token, and whose it is. */
struct gp_token {
	char *text;  /* yours; NULL: there is none */
	bool is_job; /* the forge's own CI has given it to the job that we are in */
};
/*
 * The token for a forge at the remote's URL: what GP_TOKEN holds, else one of the forge's own variables (only if the
 * remote is on the job's own server), else the first line of the file that GP_TOKEN_FILE names. errors: 78, where that
 * file cannot be read or holds no token.
 */
int gp_provider_token(struct gp_token *out, const char *provider, const char *url, gp_env_fn *env, struct gp_err *err);
/* The variables that may hold it: "GP_TOKEN, A or B". Yours. */
char *gp_provider_token_names(const char *provider);

/* Every variable that may hold a token. Programs that need none are started without them. */
#define GP_PROVIDER_TOKENS "GP_TOKEN", "GITHUB_TOKEN", "GH_TOKEN", "SYSTEM_ACCESSTOKEN", "AZURE_DEVOPS_EXT_PAT"

/*
 * The token variables to hide from a driver: all for the local forge, other forges' for one that gp knows, none for one
 * that it does not know. Ends with a NULL; the array is yours, its strings are static.
 */
const char **gp_provider_hidden(const char *provider);

/*
 * The HTTP header that carries a token to the forge's git server, yours; NULL where there is no token, and for the local
 * forge. A forge that gp does not know gets it with the user name GP_GIT_USER, otherwise "git". errors: 78, where that
 * cannot be a user name.
 */
int gp_provider_git_header(char **out, const char *provider, const struct gp_token *token, gp_env_fn *env,
			   struct gp_err *err);
/* The header that carries it to the forge's API; NULL for a forge that gp does not know. Yours. */
char *gp_provider_api_header(const char *provider, const struct gp_token *token);

/* Where the same repository is over HTTPS, for a remote that is reached by SSH; NULL if that cannot be told. Yours. */
char *gp_provider_https_url(const char *provider, const char *url, gp_env_fn *env);

/* What to do about a push that a forge's git server rejected: provider-push.c. */
struct gp_provider_advice {
	const char *words; /* words by which the reason is recognized */
	int exit;          /* 69, or 77 if it is a permission */
	const char *todo;  /* "allow …" */
};
/* The advice for the server's words; NULL if there is none. Static. */
const struct gp_provider_advice *gp_provider_advise(const char *words);

/* Whether s can be the NAME in gp-forge-NAME: [a-z0-9-]+. */
int gp_provider_name_valid(const char *s);

/* What the CI system says of the job; unknown members are NULL. Strings are yours (gp_ci_free). */
struct gp_ci {
	char *commit; /* the commit that the job is for */
	char *since;  /* on a push: what the branch pointed to before */
	char *number; /* the pull request's number */
	char *head;   /* the pull request's head for which the job was started */
};
/* errors: 65 if a file that a variable names cannot be read as it should. */
int gp_ci_read(struct gp_ci *ci, gp_env_fn *env, struct gp_err *err);
void gp_ci_free(struct gp_ci *ci);

/* The line that shows an error as the CI system's annotation, with its line end; NULL outside CI. Yours. */
char *gp_ci_annotation(gp_env_fn *env, const char *program, const char *message);

/*
 * Text for the job's log, with CI commands disarmed: a CI system looks for them anywhere in a line, so the '#' that
 * begins one becomes sign. Yours.
 */
char *gp_ci_disarm(gp_env_fn *env, const char *text, const char *sign);

/*
 * The file to which a step's summary, in Markdown, is appended. For a CI system that provides none: a file of this
 * process in the job's temporary directory. NULL if the job shows no summaries. Yours.
 */
char *gp_ci_summary_file(gp_env_fn *env);

/*
 * The line for the log that makes the CI system show that file, with its line end; NULL if it is shown anyway. Yours.
 */
char *gp_ci_show_summary(gp_env_fn *env, const char *path);

/*
 * Text that sets an output of the step, with its line end: to append to *file (borrowed) or, if that is NULL, to print
 * to the log. NULL if the job has no outputs, and for a value of several lines in a file, which could set another
 * output. Yours.
 */
char *gp_ci_output(gp_env_fn *env, const char *name, const char *text, const char **file);

#endif
