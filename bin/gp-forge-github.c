/* gp-forge-github: the forge at github.com and GitHub Enterprise Server. */
#include "forges/github/driver.h"
#include "tool/driver.h"

int main(int argc, char **argv)
{
	return gp_driver_main(&gp_github_driver, argc, argv);
}
