#include <string.h>

#include "forge/provider.h"
#include "sys/exit.h"

/*
 * https://docs.github.com/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps (workflow)
 * https://docs.github.com/repositories/configuring-branches-and-merges-in-your-repository/managing-rulesets/troubleshooting-rules
 * https://learn.microsoft.com/azure/devops/repos/git/set-git-repository-permissions
 */
static const struct gp_provider_advice advice[] = {
	{"without `workflow", GP_EXIT_DENIED, "give the token the permission to write workflows"},
	{"GH006", GP_EXIT_REFUSED, "leave promote/** out of the branch protection rule"},
	{"GH013", GP_EXIT_REFUSED, "leave promote/** out of the ruleset"},
	{"'GenericContribute'", GP_EXIT_DENIED, "allow the token's user 'Contribute' on the repository"},
	{"'CreateBranch'", GP_EXIT_DENIED, "allow the token's user 'Create branch' on the repository"},
	{"'PullRequestContribute'", GP_EXIT_DENIED,
	 "allow the token's user 'Contribute to pull requests' on the repository"},
	{"'ForcePush'", GP_EXIT_DENIED, "allow the token's user 'Force push' on the repository"},
	{"TF402455", GP_EXIT_REFUSED, "leave promote/** out of the branch policies"},
};

const struct gp_provider_advice *gp_provider_advise(const char *words)
{
	for (size_t i = 0; i < sizeof advice / sizeof *advice; i++)
		if (strstr(words, advice[i].words))
			return &advice[i];
	return NULL;
}
