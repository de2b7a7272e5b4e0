#include "forges/github/github.h"

#include <stdlib.h>

#include "sys/exit.h"
#include "sys/mem.h"

int gp_github_get(struct gp_github *g, const char *url, const struct gp_json **page, char **next, bool *denied,
		  struct gp_err *err)
{
	struct gp_api_answer answer;
	const char *link;
	int rc = gp_api_get(&g->api, url, &answer, page, &link, err);

	*next = rc ? NULL : gp_strdup(link);
	if (!rc && !*page && denied && answer.status == 403)
		*denied = true;
	else if (!rc && !*page && answer.status != 404 && answer.status != 422)
		rc = gp_github_refuse(g, &answer, "contents and commit statuses: read", err);
	gp_api_answer_free(&answer);
	return rc;
}
