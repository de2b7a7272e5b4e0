/*
 * driver.h - the main program of a driver whose forge is reached by an API over
 * HTTP (api.h). For bin/gp-forge-*.c alone; like tool.h it reads the
 * environment and stdin and writes stdout on its program's behalf.
 */
#ifndef GP_DRIVER_H
#define GP_DRIVER_H

#include "forge/api.h"
#include "forge/server.h"
#include "tool/tool.h"

struct gp_driver {
	const struct gp_forge_op *ops; /* on what open returns: a struct that begins with its struct gp_api */
	struct gp_api *(*open)(const char *url, const struct gp_api_patience *patience, gp_env_fn *env,
			       struct gp_err *err);
	void (*close)(void *repository);
};

/* Serves requests until stdin ends, patiently as GP_TIMEOUT and GP_RETRY_BUDGET say. Returns main's exit status. */
int gp_driver_main(const struct gp_driver *driver, struct gp_tool *tool, int argc, char **argv);

#endif
