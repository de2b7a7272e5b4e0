#include "gate/ahead.h"

#include <stdlib.h>

#include "sys/mem.h"

/* A shallow clone has none of the heads: they come with one fetch. */
static void fetch_heads(struct gp_base *base, const struct gp_ahead *ahead, size_t n)
{
	struct gp_oid *heads = gp_calloc(n, sizeof *heads);
	struct gp_err later = {0};

	for (size_t i = 0; i < n; i++)
		heads[i] = ahead[i].pull.head;
	if (n > 1)
		gp_repository_need(&base->repository, base->branch, heads, n, &later);
	free(heads);
}

struct gp_json *gp_gate_look_ahead(struct gp_base *base, struct gp_forge *forge, const struct gp_ahead *ahead, size_t n)
{
	struct gp_json *statuses = NULL;
	struct gp_oid *commits = NULL;
	size_t count = 0;

	fetch_heads(base, ahead, n);
	for (size_t i = 0; i < n; i++) {
		struct gp_err later = {0};

		if (gp_gate_commits(&commits, &count, base, &ahead[i].config, &ahead[i].pull, &later))
			continue;
		commits = gp_grow(commits, count, sizeof *commits);
		commits[count++] = ahead[i].pull.head;
	}
	if (count)
		statuses = gp_forge_list_statuses(forge, commits, count, false, &(struct gp_err){0});
	free(commits);
	return statuses;
}
