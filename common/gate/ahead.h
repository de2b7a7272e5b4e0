/*
 * ahead.h - what the gate needs for many pull requests, fetched and asked for at
 * once. For gp-check-status.
 */
#ifndef GP_AHEAD_H
#define GP_AHEAD_H

#include <stddef.h>

#include "data/json.h"
#include "forge/forge.h"
#include "gate/gate.h"
#include "promotion/base-branch.h"

/* A pull request, and the configuration that it is judged by. */
struct gp_ahead {
	struct gp_judged pull;
	struct gp_config config;
};

/*
 * Fetches the heads of n pull requests, and returns the statuses of their heads and of all commits that gp_gate_judge
 * will ask about, as gp_forge_list_statuses does; yours. NULL if they cannot be read: each judgement then asks for itself
 * and reports what is wrong.
 */
struct gp_json *gp_gate_look_ahead(struct gp_base *base, struct gp_forge *forge, const struct gp_ahead *ahead,
				   size_t n);

#endif
