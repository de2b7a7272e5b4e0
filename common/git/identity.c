#include <stdlib.h>

#include "git/program.h"
#include "sys/process.h"

static const char *const identity_variable[] = {"GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"};

/* useConfigOnly: gp's own name says more than one that git makes up from the machine's. */
void gp_repository_ask_identity(struct gp_repository *r)
{
	struct gp_err later = {0};

	for (size_t i = 0; i < 2; i++) {
		const char *const argv[] = {"git", "-c", "user.useConfigOnly=true", "var", identity_variable[i], NULL};

		if (!r->identity[i].name && !r->asked[i].pid)
			gp_run_start(&r->asked[i], argv, gp_repository_local_env, &later);
	}
	gp_repository_ask_signing(r);
}

static int read_identity(struct gp_repository *r, size_t i, struct gp_err *err)
{
	const char *const own[] =
		{"git", "-c", "user.name=gp", "-c", "user.email=gp@localhost", "var", identity_variable[i], NULL};
	struct gp_err none = {0};
	char *line = NULL;

	if (gp_repository_git_end(&line, &r->asked[i], "git var", &none) &&
	    gp_repository_git(&line, own, "cannot tell who commits", err))
		return -1;
	int rc = gp_ident_parse(&r->identity[i], gp_repository_one_line(line), err);

	free(line);
	return rc;
}

int gp_repository_identity(struct gp_repository *r, const struct gp_ident **author, const struct gp_ident **committer,
			   struct gp_err *err)
{
	gp_repository_ask_identity(r);
	for (size_t i = 0; i < 2; i++)
		if (!r->identity[i].name && read_identity(r, i, err))
			return -1;
	*author = &r->identity[0];
	*committer = &r->identity[1];
	return 0;
}
