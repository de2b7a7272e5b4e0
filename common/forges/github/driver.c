#include "forges/github/driver.h"

#include <stdlib.h>

#include "forges/github/github.h"
#include "sys/mem.h"

/* https://docs.github.com/rest/using-the-rest-api/getting-started-with-the-rest-api#headers */
static const char *const headers[] = {"Accept: application/vnd.github+json", "X-GitHub-Api-Version: 2022-11-28", NULL};

static const struct gp_api_forge github = {.provider = "github",
					   .headers = headers,
					   .limit_ms = gp_github_limit_ms,
					   .words = gp_github_words};

static struct gp_api *open_repository(const char *url, const struct gp_api_patience *patience, gp_env_fn *env,
				      struct gp_err *err)
{
	struct gp_github *g = gp_calloc(1, sizeof *g);

	if (!gp_github_address_read(&g->address, url, env, err) &&
	    !gp_api_open(&g->api, &github, g->address.host, g->address.rest, url, patience, env, err))
		return &g->api;
	gp_github_address_free(&g->address);
	free(g);
	return NULL;
}

static void close_repository(void *repository)
{
	struct gp_github *g = repository;

	gp_api_close(&g->api);
	gp_json_free(g->polled);
	gp_github_address_free(&g->address);
	free(g);
}

static const struct gp_forge_op ops[] = {
	{"get-repository", gp_github_get_repository, 0},
	{"find-pr", gp_github_find_pr, 0},
	{"open-pr", gp_github_open_pr, 0},
	{"set-auto-merge", gp_github_set_auto_merge, 0},
	{"merge-pr", gp_github_merge_pr, 0},
	{"list-statuses", gp_github_list_statuses, 0},
	{"set-status", gp_github_set_status, 0},
	{"create-commit", gp_github_create_commit, 0},
	{0},
};

const struct gp_api_driver gp_github_driver = {.name = "gp-forge-github",
					       .forge = "GitHub",
					       .ops = ops,
					       .open = open_repository,
					       .close = close_repository};
