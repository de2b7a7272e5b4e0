/*
 * manifests-env.h - one environment's manifests, as manifests.c and manifests-carry.c read them; for these two.
 */
#ifndef GP_MANIFESTS_ENV_H
#define GP_MANIFESTS_ENV_H

#include "data/oidmap.h"
#include "setter/inventory.h"
#include "setter/manifests.h"

struct gp_manifests {
	struct gp_git *git;
	struct gp_inventory **inventory; /* of each environment that was asked for */
	size_t count, parsed;
	struct gp_counts counts;
	char *memo_of;          /* the setter that the memos are about */
	struct gp_oidmap memos; /* struct gp_carry *: what an environment's tree or a manifest's blob carries */
	struct gp_oidmap tags;  /* owns the strings that memos point to, by the id of the blob they come from */
};

/* The inventory of a directory <group>/<env>, begun where there is none yet. m's. */
struct gp_inventory *gp_manifests_inventory(struct gp_manifests *m, const char *dir);

/* The tree of <group>/<env>. Returns 1, 0 if there is none, -1: 65, 71. */
int gp_manifests_env(struct gp_manifests *m, struct gp_oid *out, const struct gp_oid *tree, const char *dir,
		     struct gp_err *err);

/* Applies the setter to one manifest, whose new text, if any, goes to *text, yours; *len is its length. errors: 65, 71. */
int gp_manifests_apply(struct gp_manifests *m, const struct gp_item *item, const struct gp_setter *setter, char **text,
		       size_t *len, struct gp_edits *edits, struct gp_err *err);

/* Forgets what the environments carry. */
void gp_manifests_forget(struct gp_manifests *m);

#endif
