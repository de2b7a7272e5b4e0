/*
 * driver.h - Azure DevOps as a forge: all that bin/gp-forge-azdo.c needs.
 */
#ifndef GP_AZDO_DRIVER_H
#define GP_AZDO_DRIVER_H

#include "forge/api.h"

extern const struct gp_api_driver gp_azdo_driver;

#endif
