/* Pushes to a pull request: its iterations. https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-iterations */
#include <stdlib.h>
#include <string.h>

#include "forges/azdo/azdo.h"
#include "sys/exit.h"
#include "sys/mem.h"

static int take_iteration(struct gp_azdo *a, const struct gp_json *item, void *ctx, struct gp_err *err)
{
	struct gp_azdo_iterations *i = ctx;
	const char *head = gp_json_get_text(gp_json_get(item, "sourceRefCommit"), "commitId");
	int64_t id = gp_json_get_int(item, "id", 0);

	if (!head || id <= 0)
		return gp_api_nonsense(&a->api, "an iteration without id or commit", err);
	if (id > i->last) {
		i->last = id;
		free(i->head);
		i->head = gp_strdup(head);
	}
	if (!strcmp(head, i->commit) && id > i->of_commit)
		i->of_commit = id;
	return 0;
}

int gp_azdo_iterations_read(struct gp_azdo_iterations *i, struct gp_azdo *a, int64_t number, struct gp_err *err)
{
	char *path = gp_asprintf("pullrequests/%lld/iterations", (long long)number);
	bool missing = false;
	int rc;

	gp_azdo_iterations_free(i);
	rc = gp_azdo_list(a, GP_AZDO_REPOSITORY, path, GP_AZDO_WHOLE, &missing, take_iteration, i, err);
	free(path);
	if (!rc && (missing || !i->head))
		rc = gp_fail(err, GP_EXIT_REFUSED, "no pull request #%lld in '%s'", (long long)number, a->address.name);
	return rc;
}

void gp_azdo_iterations_free(struct gp_azdo_iterations *i)
{
	free(i->head);
	*i = (struct gp_azdo_iterations){.commit = i->commit};
}
