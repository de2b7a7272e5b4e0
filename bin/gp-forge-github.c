/* gp-forge-github: the forge at github.com and GitHub Enterprise Server. */
#include "forges/github/github.h"
#include "tool/driver.h"

static const char help[] = "usage: gp-forge-github [-hqVv] [-C dir]\n"
			   "\n"
			   "GitHub as a forge: reads requests from standard input, one JSON object a line,\n"
			   "and answers each with a line on standard output.\n"
			   "\n"
			   "  -C, --directory dir  work in dir\n" GP_HELP_LEAST;

static const struct gp_forge_op ops[] = {
	{"get-repository", gp_github_get_repository, 0},
	{"find-pr", gp_github_find_pr, 0},
	{"open-pr", gp_github_open_pr, 0},
	{"set-auto-merge", gp_github_set_auto_merge, 0},
	{"merge-pr", gp_github_merge_pr, 0},
	{"list-statuses", gp_github_list_statuses, 0},
	{"set-status", gp_github_set_status, 0},
	{0},
};

int main(int argc, char **argv)
{
	static const struct gp_driver driver = {ops, gp_github_open, gp_github_close};
	struct gp_tool tool = {.name = "gp-forge-github", .help = help, .is_driver = true};

	return gp_driver_main(&driver, &tool, argc, argv);
}
