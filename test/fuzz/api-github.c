/*
 * api-github.c - any bytes as GitHub's answers to an operation: it ends with
 * an error, or with a result as gp-forge(7) promises it, and the token goes
 * nowhere else.
 */
#include "http-replies.h"

#include "forges/github/github.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct gp_forge_op ops[] = {
		{"get-repository", gp_github_get_repository, 0},
		{"find-pr", gp_github_find_pr, 0},
		{"open-pr", gp_github_open_pr, 0},
		{"set-auto-merge", gp_github_set_auto_merge, 0},
		{"merge-pr", gp_github_merge_pr, 0},
		{"list-statuses", gp_github_list_statuses, 0},
		{"set-status", gp_github_set_status, 0},
		{NULL, NULL, 0},
	};

	http_play(data, size, ops, "http://127.0.0.1:1/acme/shop.git", gp_github_open, gp_github_close);
	return 0;
}
