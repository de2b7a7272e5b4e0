/*
 * client.h - one request to the driver and its reply. For forge.c, which knows what the operations are.
 */
#ifndef GP_CLIENT_H
#define GP_CLIENT_H

#include "data/json.h"
#include "forge/forge.h"
#include "sys/err.h"

/* Sends a request, which is taken over. Returns the reply's result, yours. errors: as forge.h has them. */
struct gp_json *gp_forge_call(struct gp_forge *forge, struct gp_json *request, struct gp_err *err);

/* "invalid response from gp-forge-NAME: what"; 76. Returns -1. */
int gp_forge_nonsense(const struct gp_forge *forge, struct gp_err *err, const char *what);

#endif
