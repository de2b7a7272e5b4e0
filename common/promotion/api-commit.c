#include "promotion/api-commit.h"

#include <stdlib.h>
#include <string.h>

#include "git/tree.h"
#include "promotion/config.h"
#include "sys/base64.h"
#include "sys/exit.h"

struct listing {
	struct gp_git *git;
	struct gp_json *files;
};

static int list_file(void *ctx, const char *path, const struct gp_entry *from, const struct gp_entry *to,
		     struct gp_err *err)
{
	struct listing *l = ctx;
	size_t len;

	(void)from;
	if (!to)
		return gp_fail(err, GP_EXIT_INPUT, "a promotion that removes '%s'", path);
	char *text = gp_git_read_blob(l->git, &len, &to->oid, err);

	if (!text)
		return -1;
	char *code = gp_base64(text, len);
	struct gp_json *file = gp_json_object();

	gp_json_set_text(file, "path", path);
	gp_json_set_text(file, "contents", code);
	gp_json_append(l->files, file);
	free(code);
	free(text);
	return 0;
}

static int read_commit(struct gp_git *git, struct gp_commit *out, const struct gp_oid *oid, struct gp_err *err)
{
	char hex[GP_OID_HEX + 1];
	int found = gp_git_read_commit(git, out, oid, err);

	if (!found)
		gp_fail(err, GP_EXIT_SYSTEM, "commit %s is missing", gp_oid_hex(hex, oid));
	if (found > 0 && out->parent_count == 1)
		return 0;
	if (found > 0) {
		gp_commit_free(out);
		gp_fail(err, GP_EXIT_REFUSED, "commit %s has not one parent", gp_oid_hex(hex, oid));
	}
	return -1;
}

/* The end of a message does not matter: git ends it with a line break. */
static bool is_same_message(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);

	while (n && a[n - 1] == '\n')
		n--;
	while (m && b[m - 1] == '\n')
		m--;
	return n == m && !strncmp(a, b, n);
}

/* Byte for byte the same, or it is not used. */
static int compare(struct gp_base *base, const struct gp_commit *ours, const struct gp_oid *made, struct gp_err *err)
{
	struct gp_commit theirs;
	bool same;

	if (gp_repository_need(&base->repository, base->branch, made, 1, err) ||
	    read_commit(base->repository.git, &theirs, made, err))
		return -1;
	same = gp_oid_equal(&theirs.tree, &ours->tree) && gp_oid_equal(&theirs.parents[0], &ours->parents[0]) &&
	       is_same_message(theirs.message, ours->message);
	gp_commit_free(&theirs);
	return same ? 0
		    : gp_fail(err, GP_EXIT_REFUSED,
			      "commit_via: api: the commit that the forge has made is another one");
}

/* The driver does not know the operation. */
static int makes_none(struct gp_err *err)
{
	gp_err_clear(err);
	return gp_fail(err, GP_EXIT_CONFIG, GP_CONFIG_FILE ": commit_via: api: this forge makes no commits; use git");
}

int gp_api_commit(struct gp_base *base, struct gp_forge *forge, const char *branch, struct gp_oid *commit,
		  struct gp_err *err)
{
	struct listing l = {base->repository.git, gp_json_array()};
	char hex[GP_OID_HEX + 1];
	struct gp_commit ours, parent;
	struct gp_oid made;
	int rc = -1;

	if (read_commit(l.git, &ours, commit, err)) {
		gp_json_free(l.files);
		return -1;
	}
	if (gp_git_read_commit(l.git, &parent, &ours.parents[0], err) <= 0) {
		gp_fail(err, GP_EXIT_SYSTEM, "commit %s is missing", gp_oid_hex(hex, &ours.parents[0]));
		goto out;
	}
	rc = gp_tree_diff(l.git, &parent.tree, &ours.tree, list_file, &l, err);
	gp_commit_free(&parent);
	if (!rc &&
	    gp_forge_create_commit(forge, branch, gp_oid_hex(hex, &ours.parents[0]), ours.message, l.files, &made, err))
		rc = err->code == GP_EXIT_USAGE ? makes_none(err) : gp_fail_in(err, "commit_via: api");
	if (!rc)
		rc = compare(base, &ours, &made, err);
	if (!rc)
		*commit = made;
out:
	gp_commit_free(&ours);
	gp_json_free(l.files);
	return rc;
}
