#include <stdlib.h>
#include <string.h>

#include "forge/provider.h"
#include "git/program.h"
#include "sys/exit.h"
#include "sys/mem.h"
#include "sys/process.h"

/* The server's own words: what hooks and the forge reported ("remote: …"), and why the ref was rejected. */
static int refused(const struct gp_repository *r, const char *branch, struct gp_output *o, struct gp_err *err)
{
	const char *line = strstr(o->out, "\n!\t"), *why = line ? strchr(line, '[') : NULL;
	char *said = gp_strdup("");

	if (!why) {
		free(said);
		bool denied = gp_repository_is_denied(o->err), late = gp_repository_is_late(o->err);
		int code = denied ? GP_EXIT_DENIED : late ? GP_EXIT_RETRY : GP_EXIT_SYSTEM;

		return gp_fail(err, code, "cannot push branch '%s' to %s: %s%s", branch, r->clean_url,
			       gp_repository_git_reason(o->err), denied ? " (may the token write contents?)" : "");
	}
	for (const char *at = o->err; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		int len = (int)strcspn(at, "\n");

		if (len <= 8 || strncmp(at, "remote: ", 8) != 0 || strspn(at + 8, " \r") == (size_t)(len - 8))
			continue;
		char *more = gp_asprintf("%s: %.*s", said, len - 8, at + 8);

		free(said);
		said = more;
	}
	const struct gp_provider_advice *advice = gp_provider_advise(why);

	advice = advice ? advice : gp_provider_advise(said);
	gp_fail(err, advice ? advice->exit : GP_EXIT_REFUSED, "cannot push branch '%s' to %s: %.*s%s%s%s", branch,
		r->clean_url, (int)strcspn(why, "\n"), why, said, advice ? "; " : "", advice ? advice->todo : "");
	free(said);
	return -1;
}

int gp_repository_push(struct gp_repository *r, const char *branch, const struct gp_oid *commit,
		       const struct gp_oid *old, struct gp_err *err)
{
	char hex[GP_OID_HEX + 1], old_hex[GP_OID_HEX + 1];
	char *refspec = gp_asprintf("%s:refs/heads/%s", gp_oid_hex(hex, commit), branch);
	char *lease = gp_asprintf("--force-with-lease=refs/heads/%s:%s", branch,
				  gp_oid_is_zero(old) ? "" : gp_oid_hex(old_hex, old));
	const char *const argv[] = {"git",
				    "push",
				    "--porcelain",
				    "--no-verify",
				    "--no-follow-tags",
				    "--no-signed",
				    "--recurse-submodules=no",
				    lease,
				    "--",
				    r->push_url,
				    refspec,
				    NULL};
	struct gp_output o;
	struct gp_oid now;
	int rc = gp_repository_talk(r, &o, argv, NULL, 0, err);

	if (rc || !o.status)
		goto out;
	/* Ask the remote whether the lease was lost: the words for it differ between transports. */
	rc = gp_repository_branch(r, branch, &now, err);
	if (rc)
		goto out;
	if (gp_oid_equal(&now, commit)) {
		rc = 0;
	} else if (!gp_oid_equal(&now, old)) {
		rc = gp_fail(err, GP_EXIT_RETRY, "branch '%s' changed during the push (another run?): run again",
			     branch);
	} else {
		rc = refused(r, branch, &o, err);
	}
out:
	gp_output_free(&o);
	free(lease);
	free(refspec);
	return rc;
}
