/* gp-forge-azdo: the forge at Azure DevOps Services and Azure DevOps Server. */
#include "forges/azdo/driver.h"
#include "tool/driver.h"

int main(int argc, char **argv)
{
	return gp_driver_main(&gp_azdo_driver, argc, argv);
}
