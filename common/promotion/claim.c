#include "promotion/claim.h"

#include <stdlib.h>
#include <string.h>

#include "git/tree.h"
#include "promotion/claim-history.h"
#include "sys/exit.h"
#include "sys/mem.h"

static int broken(struct gp_claim *claim, char *reason)
{
	/* The first finding is the one reported. */
	if (claim->reason) {
		free(reason);
		return 0;
	}
	claim->state = GP_CLAIM_BROKEN;
	claim->reason = reason;
	return 0;
}

/* Whether a message is this line (len bytes of it) and nothing else. */
static bool is_only(const char *message, const char *line, size_t len)
{
	return !strncmp(message, line, len) && !message[len + strspn(message + len, "\r\n")];
}

/*
 * Whether the older tool made this commit: it writes a promotion's title and nothing more
 * (https://github.com/XenitAB/gitops-promotion/blob/main/pkg/git/pull_request.go). Statuses belong to commits, not to
 * pull requests: a commit must show what it is, or a green status from another branch, where nobody called it a
 * promotion, would open the gate for one.
 */
static bool is_titled(const char *message)
{
	const char *version = strstr(message, " version "), *env = version ? strstr(version, " to environment ") : NULL;

	return !strncmp(message, "Promote ", 8) && env && is_only(message, message, strcspn(message, "\r\n"));
}

static int check_title(struct gp_claim *claim, const char *message)
{
	char *title = gp_promotion_title(&claim->promotion);

	if (!claim->by_trailer && !is_only(message, title, strlen(title)))
		broken(claim, gp_asprintf("its commit is neither gp's own nor '%s', as its description says", title));
	free(title);
	return claim->state == GP_CLAIM_SOUND ? 0 : -1;
}

/* Reads trailer and description. Returns whether they agree. */
static bool read_words(struct gp_claim *claim, const char *message, const char *description)
{
	bool agree = true;
	struct gp_err trailer_err = {0}, description_err = {0}, view = {0};
	struct gp_json *said = gp_promotion_in_description(description, &description_err);

	claim->metadata = gp_promotion_in_message(message, &trailer_err);
	claim->by_trailer = claim->metadata != NULL;
	if (trailer_err.code) {
		broken(claim, gp_asprintf("%s", trailer_err.message));
	} else if (!claim->metadata && description_err.code) {
		broken(claim, gp_asprintf("%s", description_err.message));
	} else if (!claim->metadata) {
		claim->metadata = said;
		said = NULL;
	}
	if (claim->metadata && gp_promotion_view(&claim->promotion, claim->metadata, &view)) {
		broken(claim, gp_asprintf("%s", view.message));
		gp_json_free(claim->metadata);
		claim->metadata = NULL;
	}
	if (claim->by_trailer && claim->metadata) {
		struct gp_promotion other;
		struct gp_err none = {0};

		agree = said && !gp_promotion_view(&other, said, &none) && gp_promotion_same(&claim->promotion, &other);
	}
	gp_json_free(said);
	return agree;
}

/* met: whether own ends at the base; otherwise only its newest commit is certain to be the branch's. */
static bool is_foreign(const struct gp_own *own, const struct gp_chain *chain, bool met)
{
	size_t ignored;

	for (size_t i = 0; i < own->count && (met || !i); i++) {
		struct gp_err none = {0};
		struct gp_json *trailer = gp_promotion_in_message(own->step[i].message, &none);

		gp_json_free(trailer);
		if (!trailer && !is_titled(own->step[i].message) &&
		    !gp_own_is_update(&own->step[i], own, chain, &ignored))
			return true;
	}
	return false;
}

/*
 * One own commit, and merges of the base. Anything else that it merges would be an ancestor of the final merge, and
 * could undo parts of the base without showing in the head's tree.
 */
static int check_shape(struct gp_claim *claim, const struct gp_own *own, const struct gp_chain *chain)
{
	size_t commits = 0, ignored;

	for (size_t i = 0; i < own->count; i++) {
		if (gp_own_is_update(&own->step[i], own, chain, &ignored))
			continue;
		if (own->step[i].is_merge)
			return broken(claim, gp_strdup("it merges something that is not its base: "
						       "carry other edits in their own pull request"));
		commits++;
	}
	if (commits == 1)
		return 0;
	return broken(claim, gp_asprintf("it has %zu commits of its own instead of one: "
					 "carry other edits in their own pull request",
					 commits));
}

/* The older tool's feature deployments are never promoted, and no gate guards them. */
static bool is_feature(const struct gp_claim *claim, const char *branch)
{
	return claim->metadata && !strcmp(claim->promotion.type, "feature") && !gp_promotion_is_branch(branch);
}

/* Compares what the head changes with what it should change. */
struct compare {
	struct gp_claim *claim;
	struct gp_base *base;
	const struct gp_change *change;
	size_t matched;
	bool is_old; /* the base has changed since */
	char *gone;  /* a file of it that the base no longer has, or NULL */
};

/* Whether the older tool's file is right: reformatted, but the same YAML and the same markers. */
static int same_meaning(const struct compare *c, const struct gp_file *file, const struct gp_oid *oid,
			struct gp_err *err)
{
	struct gp_err none = {0};
	size_t len;
	char *text = gp_git_read_blob(c->base->repository.git, &len, oid, err);
	int same;

	if (!text)
		return -1;
	same = gp_setter_equivalent(file->text, file->len, text, len, &none);
	free(text);
	return same > 0;
}

/* If the base has renamed the file since, a merge takes the change along, perhaps to another environment. */
static int check_place(struct compare *c, const char *path, struct gp_err *err)
{
	struct gp_entry entry;
	int found = c->is_old ? gp_tree_find(c->base->repository.git, &entry, &c->base->tree, path, err) : 1;

	if (found < 0)
		return -1;
	if (!c->gone && (!found || (c->is_old && !gp_entry_is_file(&entry))))
		c->gone = gp_strdup(path);
	return 0;
}

static int compare_file(void *ctx, const char *path, const struct gp_entry *from, const struct gp_entry *to,
			struct gp_err *err)
{
	struct compare *c = ctx;
	const struct gp_promotion *p = &c->claim->promotion;
	struct gp_oid wanted;
	int same = 1;

	for (size_t i = 0; i < c->change->file_count; i++) {
		const struct gp_file *file = &c->change->files[i];

		if (strcmp(file->path, path))
			continue;
		if (gp_git_hash_blob(&wanted, file->text, file->len, err))
			return -1;
		if (!from || !to || to->mode != file->mode)
			same = 0;
		else if (!gp_oid_equal(&to->oid, &wanted))
			same = c->claim->by_trailer ? 0 : same_meaning(c, file, &to->oid, err);
		if (same < 0)
			return -1;
		if (!same)
			return broken(c->claim,
				      gp_asprintf("'%s' is not what promoting %s/%s %s makes of it: carry other edits "
						  "in their own pull request",
						  path, p->group, p->app, p->tag));
		c->matched++;
		return check_place(c, path, err);
	}
	return broken(c->claim, gp_asprintf("it also changes '%s': carry other edits in their own pull request", path));
}

/* Applies the setter to the base commit that a commit contains, and compares the results. */
static int check_content(struct gp_claim *claim, struct gp_base *base, const struct gp_link *link, bool is_old,
			 const struct gp_oid *tree, struct gp_err *err)
{
	const struct gp_promotion *p = &claim->promotion;
	const struct gp_setter setter = {p->group, p->app, p->tag};
	struct gp_change change;
	struct gp_err why = {0};
	struct compare c = {claim, base, &change, 0, is_old, NULL};
	int rc;

	if (gp_manifests_change(base->manifests, &change, &link->tree, p->env, &setter, &why)) {
		if (why.code != GP_EXIT_INPUT)
			return gp_fail(err, why.code, "%s", why.message);
		return broken(claim, gp_strdup(why.message));
	}
	rc = gp_tree_diff(base->repository.git, &link->tree, tree, compare_file, &c, &why);
	/* A tree that no program writes, or an endless one. */
	if (rc && why.code == GP_EXIT_INPUT)
		rc = broken(claim, gp_strdup(why.message));
	else if (rc)
		gp_fail(err, why.code, "%s", why.message);
	else if (c.matched < change.file_count)
		broken(claim, gp_asprintf("it does not set %s/%s to %s everywhere in '%s/%s'", p->group, p->app, p->tag,
					  p->group, p->env));
	else if (c.gone && claim->state == GP_CLAIM_SOUND) {
		claim->is_outrun = true;
		broken(claim, gp_asprintf("'%s' is gone from '%s', and a merge might set the tag elsewhere", c.gone,
					  base->branch));
	}
	free(c.gone);
	gp_change_free(&change);
	return rc;
}

/*
 * Checks each own commit, not only the head: if one commit brings a change and a later one reverts it, a merge may
 * revert it in the base too.
 */
static int check_steps(struct gp_claim *claim, struct gp_base *base, const struct gp_chain *chain,
		       const struct gp_own *own, struct gp_err *err)
{
	size_t index = own->meets, at;

	for (size_t i = own->count; i-- > 0;) {
		if (gp_own_is_update(&own->step[i], own, chain, &at) && at < index)
			index = at;
		if (check_content(claim, base, &chain->link[index], index > 0, &own->step[i].tree, err))
			return -1;
		if (claim->state != GP_CLAIM_SOUND)
			return 0;
	}
	return 0;
}

/*
 * Whether nothing in a pull request speaks of promotions, without reading its history: a person's pull request must not
 * cost a walk to its base.
 */
static int is_plain(struct gp_base *base, const char *branch, const struct gp_oid *head, const char *description,
		    struct gp_err *err)
{
	struct gp_err said = {0};
	struct gp_json *metadata = gp_promotion_in_description(description, &said), *trailer = NULL;
	struct gp_commit commit;
	int plain = !metadata && !said.code && !gp_promotion_is_branch(branch);

	gp_json_free(metadata);
	if (!plain)
		return 0;
	if (gp_repository_read(&base->repository, base->branch, head, &commit, head, err))
		return -1;
	trailer = gp_promotion_in_message(commit.message, &said);
	plain = commit.parent_count == 1 && !trailer && !said.code && !is_titled(commit.message);
	gp_json_free(trailer);
	gp_commit_free(&commit);
	return plain;
}

/*
 * No commit of the base was met. A commit of gp's own may start from one that is too far back to be looked for, or that a
 * forced push has replaced.
 */
static void check_far(struct gp_claim *claim, const struct gp_own *own, const struct gp_base *base)
{
	broken(claim, gp_asprintf("it does not start from a commit on '%s' (first parents, %d commits back)",
				  base->branch, GP_OWN_HISTORY));
	if (!claim->by_trailer || own->count < 2 || own->step[0].is_merge)
		return;
	claim->is_outrun = true;
	claim->from = own->step[1].tree;
}

int gp_claim_read(struct gp_claim *claim, struct gp_base *base, struct gp_chain *chain, const char *branch,
		  const struct gp_oid *head, const char *description, struct gp_err *err)
{
	struct gp_own own = {0};
	const char *message;
	size_t at;
	int rc = -1, met, plain;
	bool agree;

	*claim = (struct gp_claim){0};
	if (gp_repository_need(&base->repository, base->branch, head, 1, err))
		return -1;
	plain = is_plain(base, branch, head, description, err);
	if (plain)
		return plain < 0 ? -1 : 0;
	met = gp_own_find(&own, base, chain, head, err);
	if (met < 0)
		goto out;
	rc = 0;
	if (met) {
		claim->base_index = own.meets;
		for (size_t i = 0; i < own.count; i++)
			if (gp_own_is_update(&own.step[i], &own, chain, &at) && at < claim->base_index)
				claim->base_index = at;
		claim->base = chain->link[claim->base_index].commit;
		claim->from = chain->link[claim->base_index].tree;
	}
	claim->is_foreign = is_foreign(&own, chain, met);
	message = gp_own_message(&own, chain);
	agree = read_words(claim, message, description);
	if (claim->state != GP_CLAIM_NONE || is_feature(claim, branch))
		goto out;
	if (!claim->metadata) {
		if (gp_promotion_is_branch(branch))
			broken(claim,
			       gp_asprintf(
				       "branch '%s' is for promotions, but neither its commit nor its description says "
				       "which one it is",
				       branch));
		else if (is_titled(message))
			broken(claim, gp_strdup("its commit looks like a promotion's, but its description does not say "
						"which one it is"));
		goto out;
	}
	claim->state = GP_CLAIM_SOUND;
	if (!met)
		check_far(claim, &own, base);
	else if (!own.count)
		broken(claim, gp_asprintf("it has no commit that '%s' does not have", base->branch));
	else if (!check_shape(claim, &own, chain) && !check_title(claim, message))
		rc = check_steps(claim, base, chain, &own, err);
	if (!rc && claim->state == GP_CLAIM_SOUND && !agree) {
		claim->state = GP_CLAIM_UNSETTLED;
		claim->reason = gp_strdup(
			"its description does not say what its commit says: it is being updated, or was edited "
			"(gp promote mends it)");
	}
out:
	gp_own_free(&own);
	return rc;
}

void gp_claim_free(struct gp_claim *claim)
{
	gp_json_free(claim->metadata);
	free(claim->reason);
	*claim = (struct gp_claim){0};
}
