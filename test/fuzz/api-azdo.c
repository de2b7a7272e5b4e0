/*
 * api-azdo.c - any bytes as Azure DevOps's answers to an operation: it ends with
 * an error, or with a result as gp-forge(7) promises it, and the token goes
 * nowhere else.
 */
#include "http-replies.h"

#include "forges/azdo/azdo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct gp_forge_op ops[] = {
		{"get-repository", gp_azdo_get_repository, 0},
		{"find-pr", gp_azdo_find_pr, 0},
		{"open-pr", gp_azdo_open_pr, 0},
		{"set-auto-merge", gp_azdo_set_auto_merge, 0},
		{"merge-pr", gp_azdo_merge_pr, 0},
		{"list-statuses", gp_azdo_list_statuses, 0},
		{"set-status", gp_azdo_set_status, 0},
		{NULL, NULL, 0},
	};

	http_play(data, size, ops, "http://127.0.0.1:1/acme/shop%20project/_git/shop", gp_azdo_open, gp_azdo_close);
	return 0;
}
