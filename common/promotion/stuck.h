/*
 * stuck.h - open promotions that no longer merge, and would if they were made anew on the base's tip. For gp-find-pr.
 */
#ifndef GP_STUCK_H
#define GP_STUCK_H

#include "data/json.h"
#include "promotion/base-branch.h"
#include "promotion/pull.h"

/*
 * Finds them among pull requests, as the forge's protocol has them. Only those of this repository's promotion branches
 * into the base are judged, and only those are found whose commit is gp's own, by its content or, where that starts too
 * far back to be checked, by its trailer. Heads that are not here come with one fetch.
 */
void gp_stuck_find(struct gp_base *base, const struct gp_json *pulls, gp_found_fn *found, gp_told_fn *told, void *ctx);

#endif
