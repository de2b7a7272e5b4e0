#include "promotion/claim-history.h"

#include <stdint.h>
#include <stdlib.h>

#include "data/oidmap.h"
#include "sys/mem.h"

void gp_own_free(struct gp_own *own)
{
	for (size_t i = 0; i < own->count; i++)
		free(own->step[i].message);
	free(own->step);
}

/* The place of a commit in the first n links of the chain; n if it is not there. */
static size_t on_chain(const struct gp_chain *chain, size_t n, const struct gp_oid *commit)
{
	for (size_t i = 0; i < n; i++)
		if (gp_oid_equal(&chain->link[i].commit, commit))
			return i;
	return n;
}

/* The commits seen on both ways; links and steps are numbered from 1. */
struct seen {
	struct gp_oidmap links, steps;
};

/* Adds the next commit of the head's own history. Returns 1, 0 after a root, -1. */
static int add_step(struct gp_own *own, struct gp_base *base, const struct gp_oid *head, struct gp_oid *at,
		    struct gp_err *err)
{
	struct gp_commit c;

	if (gp_oid_is_zero(at))
		return 0;
	if (gp_repository_read(&base->repository, base->branch, head, &c, at, err))
		return -1;
	own->step = gp_grow(own->step, own->count, sizeof *own->step);
	own->step[own->count++] = (struct gp_own_step){
		.commit = *at,
		.tree = c.tree,
		.merged = c.parent_count == 2 ? c.parents[1] : (struct gp_oid){{0}},
		.is_merge = c.parent_count > 1,
		.message = gp_strdup(c.message),
	};
	*at = c.parent_count ? c.parents[0] : (struct gp_oid){{0}};
	gp_commit_free(&c);
	return 1;
}

/* The steps from the meeting point on are the base's. */
static int meet(struct gp_own *own, size_t steps, size_t link)
{
	while (own->count > steps)
		free(own->step[--own->count].message);
	own->meets = link;
	return 1;
}

/*
 * Walks back from the head and from the tip in step, so that neither goes further than needed: in a shallow clone each
 * step may be a fetch. Returns 1 if they meet, 0 if they do not, -1.
 */
static int walk_to_base(struct gp_own *own, struct seen *seen, struct gp_base *base, struct gp_chain *chain,
			const struct gp_oid *head, struct gp_err *err)
{
	struct gp_oid at = *head;
	uintptr_t other;

	for (size_t i = 0; i < GP_OWN_HISTORY; i++) {
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

int gp_own_find(struct gp_own *own, struct gp_base *base, struct gp_chain *chain, const struct gp_oid *head,
		struct gp_err *err)
{
	struct seen seen = {{0}, {0}};
	int rc = walk_to_base(own, &seen, base, chain, head, err);

	gp_oidmap_clear(&seen.links, NULL);
	gp_oidmap_clear(&seen.steps, NULL);
	return rc;
}

bool gp_own_is_update(const struct gp_own_step *step, const struct gp_own *own, const struct gp_chain *chain,
		      size_t *index)
{
	*index = on_chain(chain, own->meets, &step->merged);
	return step->is_merge && *index < own->meets;
}

const char *gp_own_message(const struct gp_own *own, const struct gp_chain *chain)
{
	size_t i = 0, ignored;

	while (i < own->count && gp_own_is_update(&own->step[i], own, chain, &ignored))
		i++;
	return i < own->count ? own->step[i].message : "";
}
