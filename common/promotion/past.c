#include "promotion/past.h"

#include <stdlib.h>
#include <string.h>

#include "git/tree.h"
#include "sys/mem.h"

void gp_past_free(struct gp_past *past)
{
	for (size_t i = 0; i < past->count; i++)
		free(past->tag[i]);
	free(past->tag);
	*past = (struct gp_past){0};
}

bool gp_past_has(const struct gp_past *past, const char *tag)
{
	for (size_t i = 1; i < past->count; i++)
		if (!strcmp(past->tag[i], tag))
			return true;
	return false;
}

int gp_past_read(struct gp_past *past, struct gp_base *base, struct gp_chain *chain, const char *env,
		 const struct gp_setter *setter, struct gp_err *err)
{
	char *dir = gp_asprintf("%s/%s", setter->group, env);
	struct gp_entry before = {0};
	int rc = 0;

	*past = (struct gp_past){0};
	for (size_t i = 0; i < GP_PAST_COMMITS && !rc; i++) {
		int reached = gp_chain_reach(chain, base, i, err);
		struct gp_entry entry = {0};
		struct gp_err old = {0};
		char *tag = NULL;

		if (reached <= 0) {
			rc = reached;
			break;
		}
		const struct gp_link *link = &chain->link[i];

		if (gp_tree_find(base->repository.git, &entry, &link->tree, dir, &old) > 0 &&
		    gp_oid_equal(&entry.oid, &before.oid))
			continue;
		before = entry;
		if (gp_manifests_tag(base->manifests, &tag, &link->tree, env, setter, i ? &old : err)) {
			/* Old history may be damaged for good: the search ends there. */
			rc = i ? 0 : -1;
			break;
		}
		if (!tag || (past->count && !strcmp(past->tag[past->count - 1], tag))) {
			free(tag);
			continue;
		}
		past->tag = gp_grow(past->tag, past->count, sizeof *past->tag);
		past->tag[past->count++] = tag;
	}
	free(dir);
	if (rc)
		gp_past_free(past);
	return rc;
}
