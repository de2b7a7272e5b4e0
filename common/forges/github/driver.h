/*
 * driver.h - GitHub as a forge: all that bin/gp-forge-github.c needs.
 */
#ifndef GP_GITHUB_DRIVER_H
#define GP_GITHUB_DRIVER_H

#include "forge/api.h"

extern const struct gp_api_driver gp_github_driver;

#endif
