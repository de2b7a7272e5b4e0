/* gp-forge-azdo: the forge at dev.azure.com, visualstudio.com and Azure DevOps Server. */
#include "forges/azdo/azdo.h"
#include "tool/driver.h"

static const char help[] = "usage: gp-forge-azdo [-hqVv] [-C dir]\n"
			   "\n"
			   "Azure DevOps as a forge: reads requests from standard input, one JSON object a\n"
			   "line, and answers each with a line on standard output.\n"
			   "\n"
			   "  -C, --directory dir  work in dir\n" GP_HELP_LEAST;

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

int main(int argc, char **argv)
{
	static const struct gp_driver driver = {ops, gp_azdo_open, gp_azdo_close};
	struct gp_tool tool = {.name = "gp-forge-azdo", .help = help, .is_driver = true};

	return gp_driver_main(&driver, &tool, argc, argv);
}
