#include "forges/azdo/driver.h"

#include <stdio.h>
#include <stdlib.h>

#include "forges/azdo/azdo.h"
#include "sys/mem.h"

static const char *const headers[] = {"Accept: application/json", "X-TFS-FedAuthRedirect: Suppress", NULL};

static const struct gp_api_forge azdo = {.provider = "azdo",
					 .headers = headers,
					 .limit_ms = gp_azdo_limit_ms,
					 .words = gp_azdo_words,
					 .is_sign_in = gp_azdo_is_sign_in};

static struct gp_api *open_repository(const char *url, const struct gp_api_patience *patience, gp_env_fn *env,
				      struct gp_err *err)
{
	struct gp_azdo *a = gp_calloc(1, sizeof *a);

	snprintf(a->version, sizeof a->version, "7.1");
	/*
	 * https://learn.microsoft.com/rest/api/azure/devops/policy/evaluations/list
	 * https://learn.microsoft.com/rest/api/azure/devops/git/policy-configurations/get
	 */
	a->preview[GP_AZDO_EVALUATIONS] = a->preview[GP_AZDO_POLICIES] = a->preview[GP_AZDO_CONNECTION] = true;
	if (!gp_azdo_address_read(&a->address, url, env, err) &&
	    !gp_api_open(&a->api, &azdo, a->address.host, a->address.base, url, patience, env, err))
		return &a->api;
	gp_azdo_address_free(&a->address);
	free(a);
	return NULL;
}

static void close_repository(void *repository)
{
	struct gp_azdo *a = repository;

	gp_api_close(&a->api);
	gp_azdo_address_free(&a->address);
	free(a->me);
	free(a->looked_for);
	free(a->ruled);
	gp_json_free(a->rules);
	free(a);
}

static const struct gp_forge_op ops[] = {
	{"get-repository", gp_azdo_get_repository, 0},
	{"find-pr", gp_azdo_find_pr, 0},
	{"open-pr", gp_azdo_open_pr, 0},
	{"set-auto-merge", gp_azdo_set_auto_merge, 0},
	{"merge-pr", gp_azdo_merge_pr, 0},
	{"list-statuses", gp_azdo_list_statuses, 0},
	{"set-status", gp_azdo_set_status, 0},
	{0},
};

const struct gp_api_driver gp_azdo_driver = {.name = "gp-forge-azdo",
					     .forge = "Azure DevOps",
					     .ops = ops,
					     .open = open_repository,
					     .close = close_repository};
