/*
 * driver.h - the main program of a driver whose forge is reached by an API over
 * HTTP (api.h). For bin/gp-forge-*.c alone; like tool.h it reads the
 * environment and stdin and writes stdout on its program's behalf.
 */
#ifndef GP_DRIVER_H
#define GP_DRIVER_H

#include "forge/api.h"

/* Serves requests until stdin ends, patiently as GP_TIMEOUT and GP_RETRY_BUDGET say. Returns main's exit status. */
int gp_driver_main(const struct gp_api_driver *driver, int argc, char **argv);

#endif
