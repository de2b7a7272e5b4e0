#include "promotion/conflict.h"

#include <stdlib.h>
#include <string.h>

#include "git/tree.h"
#include "sys/mem.h"

struct fit {
	struct gp_base *base;
	bool conflicts;
};

/* A file that the head changes conflicts where the base has changed it too, and the two do not merge line by line. */
static int check_file(void *ctx, const char *path, const struct gp_entry *from, const struct gp_entry *to,
		      struct gp_err *err)
{
	struct fit *f = ctx;
	struct gp_git *git = f->base->repository.git;
	struct gp_entry now;
	int rc = gp_tree_find(git, &now, &f->base->tree, path, err);

	if (rc < 0)
		return -1;
	if (!rc || !from || !to || !gp_entry_is_file(&now)) {
		f->conflicts = true;
		return 0;
	}
	if (gp_oid_equal(&now.oid, &from->oid) || gp_oid_equal(&now.oid, &to->oid))
		return 0;
	rc = gp_git_file_merges(git, &from->oid, &now.oid, &to->oid, err);
	f->conflicts |= !rc;
	return rc < 0 ? -1 : 0;
}

static bool conflicts(const struct gp_claim *claim, struct gp_base *base, const struct gp_oid *head)
{
	struct fit f = {base, false};
	struct gp_err ignored = {0};
	struct gp_commit commit;

	if (!claim->base_index || gp_git_read_commit(base->repository.git, &commit, head, &ignored) <= 0)
		return false;
	int rc = gp_tree_diff(base->repository.git, &claim->from, &commit.tree, check_file, &f, &ignored);

	gp_commit_free(&commit);
	return !rc && f.conflicts;
}

enum gp_fit gp_claim_fit(const struct gp_claim *claim, struct gp_base *base, const struct gp_oid *head, char **now)
{
	const struct gp_promotion *p = &claim->promotion;
	bool sound = claim->state == GP_CLAIM_SOUND || claim->state == GP_CLAIM_UNSETTLED;
	struct gp_carry then, tip;
	struct gp_err ignored = {0};

	*now = NULL;
	if (!claim->is_outrun && (!sound || !conflicts(claim, base, head)))
		return GP_FIT_MERGES;
	const struct gp_setter setter = {p->group, p->app, p->tag};

	if (gp_manifests_carry(base->manifests, &then, &claim->from, p->env, &setter, &ignored))
		return GP_FIT_MERGES;
	char *before = gp_strdup(then.tag ? then.tag : p->tag);

	if (gp_manifests_carry(base->manifests, &tip, &base->tree, p->env, &setter, &ignored)) {
		free(before);
		return GP_FIT_MERGES;
	}
	bool same = tip.tag && !strcmp(before, tip.tag);

	if (!same)
		*now = gp_strdup(tip.markers && !tip.tag ? p->tag : tip.tag);
	free(before);
	return same ? GP_FIT_STUCK : GP_FIT_OVERTAKEN;
}
