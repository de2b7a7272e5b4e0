#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "git/program.h"
#include "sys/exit.h"
#include "sys/mem.h"
#include "sys/process.h"

/* A member of git's environment for one of the two, "AUTHOR" or "COMMITTER". Yours. */
static char *date_of(const char *who, const struct gp_ident *ident)
{
	int minutes = abs(ident->offset_min);

	return gp_asprintf("GIT_%s_DATE=@%lld %c%02d%02d", who, (long long)ident->time,
			   ident->offset_min < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

/* git itself signs, by gpg.format, user.signingkey and all else that it knows of (git-commit-tree(1)). */
static int commit_signed(struct gp_oid *out, const struct gp_oid *tree, const struct gp_oid *parent,
			 const struct gp_ident *author, const struct gp_ident *committer, const char *message,
			 struct gp_err *err)
{
	char tree_hex[GP_OID_HEX + 1], parent_hex[GP_OID_HEX + 1], *line = NULL;
	char *own[] = {
		gp_asprintf("GIT_AUTHOR_NAME=%s", author->name),
		gp_asprintf("GIT_AUTHOR_EMAIL=%s", author->email),
		gp_asprintf("GIT_COMMITTER_NAME=%s", committer->name),
		gp_asprintf("GIT_COMMITTER_EMAIL=%s", committer->email),
		date_of("AUTHOR", author),
		date_of("COMMITTER", committer),
	};
	const char *const argv[] =
		{"git", "-c", "i18n.commitEncoding=UTF-8", "commit-tree", "-S", "-p", gp_oid_hex(parent_hex, parent),
		 "-F",  "-",  gp_oid_hex(tree_hex, tree),  NULL};
	size_t n = 0, count = sizeof own / sizeof *own;
	int rc;

	while (gp_repository_local_env[n])
		n++;
	const char **env = gp_calloc(n + count + 1, sizeof *env);

	memcpy(env, gp_repository_local_env, n * sizeof *env);
	memcpy(env + n, own, sizeof own);
	struct gp_output o;

	rc = gp_run(&o, argv, env, message, strlen(message), err);
	if (!rc)
		rc = gp_repository_judge(&o, &line, "cannot sign the commit", err);
	if (!rc && gp_oid_parse(out, gp_repository_one_line(line)))
		rc = gp_fail(err, GP_EXIT_SYSTEM, "git commit-tree printed no commit: '%s'", line);
	for (size_t i = 0; i < count; i++)
		free(own[i]);
	free(env);
	free(line);
	return rc;
}

int gp_repository_commit(struct gp_repository *r, struct gp_oid *out, const struct gp_oid *tree,
			 const struct gp_oid *parent, const char *message, struct gp_err *err)
{
	const struct gp_ident *author, *committer;

	if (gp_repository_identity(r, &author, &committer, err) || gp_repository_find_signing(r, err))
		return -1;
	return r->signing == GP_SIGNING_ON
		       ? commit_signed(out, tree, parent, author, committer, message, err)
		       : gp_git_write_commit(r->git, out, tree, parent, 1, author, committer, message, err);
}
