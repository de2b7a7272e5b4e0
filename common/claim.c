#include "claim.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "exit.h"
#include "mem.h"
#include "oidmap.h"
#include "tree.h"

enum { MAX_HISTORY = 1000 };

/* The commits from the head down to the base's chain, by first parents. */
struct own {
	struct step {
		struct gp_oid commit;
		struct gp_oid merged; /* the second parent of a merge of two, else zero */
		bool is_merge;
		char *message;
	} *step;
	size_t count;
	size_t meets; /* the chain's index where they meet */
};

static void own_free(struct own *own)
{
	for (size_t i = 0; i < own->count; i++)
		free(own->step[i].message);
	free(own->step);
}

static int broken(struct gp_claim *claim, char *reason)
{
	/* The first finding is the one to tell. */
	if (claim->reason) {
		free(reason);
		return 0;
	}
	claim->state = GP_CLAIM_BROKEN;
	claim->reason = reason;
	return 0;
}

/* Where in the first n links of the chain a commit stands; n where it does not. */
static size_t on_chain(const struct gp_chain *chain, size_t n, const struct gp_oid *commit)
{
	for (size_t i = 0; i < n; i++)
		if (gp_oid_equal(&chain->link[i].commit, commit))
			return i;
	return n;
}

/* The commits seen on either way; links and steps are numbered from 1. */
struct seen {
	struct gp_oidmap links, steps;
};

/* Adds the next commit of the head's own history. Returns 1, 0 behind a root, -1. */
static int add_step(struct own *own, struct gp_base *base, const struct gp_oid *head, struct gp_oid *at,
		    struct gp_err *err)
{
	struct gp_commit c;

	if (gp_oid_is_zero(at))
		return 0;
	if (gp_repository_read(&base->repository, base->branch, head, &c, at, err))
		return -1;
	own->step = gp_grow(own->step, own->count, sizeof *own->step);
	own->step[own->count++] = (struct step){
		.commit = *at,
		.merged = c.parent_count == 2 ? c.parents[1] : (struct gp_oid){{0}},
		.is_merge = c.parent_count > 1,
		.message = gp_strdup(c.message),
	};
	*at = c.parent_count ? c.parents[0] : (struct gp_oid){{0}};
	gp_commit_free(&c);
	return 1;
}

/* The steps from the meeting point on are the base's. */
static int meet(struct own *own, size_t steps, size_t link)
{
	while (own->count > steps)
		free(own->step[--own->count].message);
	own->meets = link;
	return 1;
}

/*
 * Walks down from the head and back from the tip in step, so that neither goes
 * further than the other needs: in a shallow clone each step may be a fetch.
 * Returns 1 where they meet, 0 where they do not, -1.
 */
static int walk_to_base(struct own *own, struct seen *seen, struct gp_base *base, struct gp_chain *chain,
			const struct gp_oid *head, struct gp_err *err)
{
	struct gp_oid at = *head;
	uintptr_t other;

	for (size_t i = 0; i < MAX_HISTORY; i++) {
		int link = gp_chain_reach(chain, base, i, err), step;

		if (link < 0)
			return -1;
		if (link) {
			gp_oidmap_set(&seen->links, &chain->link[i].commit, (void *)(i + 1));
			other = (uintptr_t)gp_oidmap_get(&seen->steps, &chain->link[i].commit);
			if (other)
				return meet(own, other - 1, i);
		}
		step = add_step(own, base, head, &at, err);
		if (step < 0)
			return -1;
		if (step) {
			const struct gp_oid *commit = &own->step[own->count - 1].commit;

			gp_oidmap_set(&seen->steps, commit, (void *)own->count);
			other = (uintptr_t)gp_oidmap_get(&seen->links, commit);
			if (other)
				return meet(own, own->count - 1, other - 1);
		}
		if (!link && !step)
			return 0;
	}
	return 0;
}

static int find_own(struct own *own, struct gp_base *base, struct gp_chain *chain, const struct gp_oid *head,
		    struct gp_err *err)
{
	struct seen seen = {{0}, {0}};
	int rc = walk_to_base(own, &seen, base, chain, head, err);

	gp_oidmap_clear(&seen.links, NULL);
	gp_oidmap_clear(&seen.steps, NULL);
	return rc;
}

/* Whether a step only brings the base into the branch ("Update branch"); then where on the chain that base commit is. */
static bool is_update(const struct step *step, const struct own *own, const struct gp_chain *chain, size_t *index)
{
	*index = on_chain(chain, own->meets, &step->merged);
	return step->is_merge && *index < own->meets;
}

/* Reads what trailer and description say. Returns whether they agree. */
static bool read_words(struct gp_claim *claim, const struct own *own, const struct gp_chain *chain,
		       const char *description)
{
	bool agree = true;
	struct gp_err trailer_err = {0}, description_err = {0}, view = {0};
	struct gp_json *said = gp_promotion_in_description(description, &description_err);
	size_t i = 0, ignored;

	while (i < own->count && is_update(&own->step[i], own, chain, &ignored))
		i++;
	if (i < own->count)
		claim->metadata = gp_promotion_in_message(own->step[i].message, &trailer_err);
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

/*
 * One commit of its own, and merges of the base. What else it has merged would
 * be an ancestor of the merge and so undo, unseen in the head's tree, what the
 * base has had from there.
 */
static int check_shape(struct gp_claim *claim, const struct own *own, const struct gp_chain *chain)
{
	size_t commits = 0, ignored;

	for (size_t i = 0; i < own->count; i++) {
		if (is_update(&own->step[i], own, chain, &ignored))
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

/* The older tool's feature deployments are never promoted, nor are they anything that a gate guards. */
static bool is_feature(const struct gp_claim *claim, const char *branch)
{
	return claim->metadata && !strcmp(claim->promotion.type, "feature") && !gp_promotion_is_branch(branch);
}

/* What the head changes against what it should change. */
struct compare {
	struct gp_claim *claim;
	struct gp_base *base;
	const struct gp_change *change;
	size_t matched;
};

/* Whether the older tool's file means what it should: laid out anew, but the same YAML and the same markers. */
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
		return 0;
	}
	return broken(c->claim, gp_asprintf("it also changes '%s': carry other edits in their own pull request", path));
}

/* Applies the setter to the base commit that the head contains, and compares. */
static int check_content(struct gp_claim *claim, struct gp_base *base, const struct gp_chain *chain,
			 const struct gp_oid *head, struct gp_err *err)
{
	const struct gp_promotion *p = &claim->promotion;
	const struct gp_setter setter = {p->group, p->app, p->tag};
	const struct gp_oid *tree = &chain->link[claim->base_index].tree;
	struct gp_change change;
	struct gp_err why = {0};
	struct compare c = {claim, base, &change, 0};
	struct gp_commit commit;
	int rc;

	if (gp_manifests_change(base->manifests, &change, tree, p->env, &setter, &why)) {
		if (why.code != GP_EXIT_INPUT)
			return gp_fail(err, why.code, "%s", why.message);
		return broken(claim, gp_strdup(why.message));
	}
	rc = gp_repository_read(&base->repository, base->branch, head, &commit, head, err);
	if (!rc) {
		rc = gp_tree_diff(base->repository.git, tree, &commit.tree, compare_file, &c, err);
		gp_commit_free(&commit);
	}
	if (!rc && c.matched < change.file_count)
		broken(claim, gp_asprintf("it does not set %s/%s to %s everywhere in '%s/%s'", p->group, p->app, p->tag,
					  p->group, p->env));
	gp_change_free(&change);
	return rc;
}

/*
 * Whether nothing about a pull request speaks of promotions, seen without its
 * history: a person's pull request must not cost a walk to its base.
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
	plain = commit.parent_count == 1 && !trailer && !said.code;
	gp_json_free(trailer);
	gp_commit_free(&commit);
	return plain;
}

int gp_claim_read(struct gp_claim *claim, struct gp_base *base, struct gp_chain *chain, const char *branch,
		  const struct gp_oid *head, const char *description, struct gp_err *err)
{
	struct own own = {0};
	size_t at;
	int rc = -1, met, plain;
	bool agree;

	*claim = (struct gp_claim){0};
	if (gp_repository_need(&base->repository, base->branch, head, 1, err))
		return -1;
	plain = is_plain(base, branch, head, description, err);
	if (plain)
		return plain < 0 ? -1 : 0;
	met = find_own(&own, base, chain, head, err);
	if (met < 0)
		goto out;
	rc = 0;
	if (met) {
		claim->base_index = own.meets;
		for (size_t i = 0; i < own.count; i++)
			if (is_update(&own.step[i], &own, chain, &at) && at < claim->base_index)
				claim->base_index = at;
		claim->base = chain->link[claim->base_index].commit;
	}
	agree = read_words(claim, &own, chain, description);
	if (claim->state != GP_CLAIM_NONE || is_feature(claim, branch))
		goto out;
	if (!claim->metadata) {
		if (gp_promotion_is_branch(branch))
			broken(claim,
			       gp_asprintf(
				       "branch '%s' is for promotions, but neither its commit nor its description says "
				       "which one it is",
				       branch));
		goto out;
	}
	claim->state = GP_CLAIM_SOUND;
	if (!met)
		broken(claim, gp_asprintf("it does not start from a commit on '%s' (first parents, %d commits back)",
					  base->branch, MAX_HISTORY));
	else if (!own.count)
		broken(claim, gp_asprintf("it has no commit that '%s' does not have", base->branch));
	else if (!check_shape(claim, &own, chain) && claim->state == GP_CLAIM_SOUND)
		rc = check_content(claim, base, chain, head, err);
	if (!rc && claim->state == GP_CLAIM_SOUND && !agree) {
		claim->state = GP_CLAIM_UNSETTLED;
		claim->reason = gp_strdup(
			"its description does not say what its commit says: it is being updated, or was edited");
	}
out:
	own_free(&own);
	return rc;
}

void gp_claim_free(struct gp_claim *claim)
{
	gp_json_free(claim->metadata);
	free(claim->reason);
	*claim = (struct gp_claim){0};
}
