/*
 * provider.h - the one table that knows forges and CI systems by name: which
 * driver a remote's URL means, what a CI system's variables say about the job,
 * how it wants errors shown. A new forge is a row here and a gp-forge-NAME.
 * Reads no environment by itself: callers in bin/ (and tool) pass getenv.
 */
#ifndef GP_PROVIDER_H
#define GP_PROVIDER_H

#include "err.h"

typedef char *gp_env_fn(const char *name);

/* The driver for a remote's URL or path: "local", "github", …; NULL where the URL does not tell. Static. */
const char *gp_provider_of_url(const char *url);

/* Whether s can be the NAME in gp-forge-NAME: [a-z0-9-]+. */
int gp_provider_name_valid(const char *s);

/* What the CI system says of the job; members that it does not tell are NULL. Strings are yours (gp_ci_free). */
struct gp_ci {
	char *commit; /* the commit that the job is for */
	char *since;  /* on a push: what the branch pointed to before */
	char *number; /* the pull request's number */
	char *head;   /* the pull request's head for which the job was started */
};
/* errors: 65 where a file that a variable names cannot be read as it should. */
int gp_ci_read(struct gp_ci *ci, gp_env_fn *env, struct gp_err *err);
void gp_ci_free(struct gp_ci *ci);

/* The line that shows an error in the CI system's own way, with its line end; NULL outside of CI. Yours. */
char *gp_ci_annotation(gp_env_fn *env, const char *program, const char *message);

#endif
