#include <stdlib.h>
#include <string.h>

#include "git/program.h"
#include "sys/process.h"

static const char *const identity_variable[] = {"GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"};

static const char *const signing_question[] = {"git", "config", "--type=bool", "--get", "commit.gpgsign", NULL};

static void ask_signing(struct gp_repository *r)
{
	struct gp_err later = {0};

	if (r->signing == GP_SIGNING_UNKNOWN && !r->asked[2].pid)
		gp_run_start(&r->asked[2], signing_question, gp_repository_local_env, &later);
}

/* Whether commits are to be signed. A key that is not set is exit status 1. */
int gp_repository_find_signing(struct gp_repository *r, struct gp_err *err)
{
	struct gp_output o;

	if (r->signing != GP_SIGNING_UNKNOWN)
		return 0;
	ask_signing(r);
	if (!r->asked[2].pid ? gp_run(&o, signing_question, gp_repository_local_env, NULL, 0, err)
			     : gp_run_end(&r->asked[2], &o, NULL, 0, err))
		return -1;
	if (o.status == 1) {
		r->signing = GP_SIGNING_OFF;
	} else if (!o.status) {
		r->signing = !strcmp(gp_repository_one_line(o.out), "true") ? GP_SIGNING_ON : GP_SIGNING_OFF;
	} else {
		return gp_repository_judge(&o, NULL, "cannot tell whether commits are signed", err);
	}
	gp_output_free(&o);
	return 0;
}

/* useConfigOnly: gp's own name says more than one that git makes up from the machine's. */
void gp_repository_ask_identity(struct gp_repository *r)
{
	struct gp_err later = {0};

	for (size_t i = 0; i < 2; i++) {
		const char *const argv[] = {"git", "-c", "user.useConfigOnly=true", "var", identity_variable[i], NULL};

		if (!r->identity[i].name && !r->asked[i].pid)
			gp_run_start(&r->asked[i], argv, gp_repository_local_env, &later);
	}
	ask_signing(r);
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
