/*
 * manifests.h - the manifests below <group>/<env>/ of a commit's tree: which
 * files a promotion changes and how, and which tag an environment carries.
 * Takes stock of an environment once, however many documents ask for it, and
 * reads again what has a marker of their app. Writes nothing but what
 * gp_manifests_write is asked to.
 */
#ifndef GP_MANIFESTS_H
#define GP_MANIFESTS_H

#include "git/objects.h"
#include "setter/setter.h"
#include "sys/err.h"

struct gp_manifests;

/* git is borrowed. Yours. */
struct gp_manifests *gp_manifests_new(struct gp_git *git);
void gp_manifests_free(struct gp_manifests *m);

/* What has been read so far: trees, manifests, and how often one was parsed as YAML for a setter. */
struct gp_reads {
	size_t trees, manifests, parsed;
};
struct gp_reads gp_manifests_reads(const struct gp_manifests *m);

/* A file that changes. */
struct gp_file {
	char *path;
	unsigned mode;
	struct gp_oid from; /* the blob as it is */
	char *text;         /* as it will be */
	size_t len;
};

/* What setting a tag does to an environment. Start with {0}. */
struct gp_change {
	struct gp_edits edits; /* each marked scalar, also those that stay; `changed` says how many do not */
	struct gp_file *files;
	size_t file_count;
	char **warnings; /* lines that speak of the app beside markers that can be read; at most GP_CHANGE_WARNINGS */
	size_t warning_count;
};
enum { GP_CHANGE_WARNINGS = 20 };
void gp_change_free(struct gp_change *change);

/*
 * Applies the setter to all manifests below <group>/<env> of a tree. errors:
 * 65 if there is no such directory, no marker of the app in it (names a line that only looks like one, or the
 * nearest ones), or a manifest that cannot be edited exactly (file and line).
 */
int gp_manifests_change(struct gp_manifests *m, struct gp_change *out, const struct gp_oid *tree, const char *env,
			const struct gp_setter *setter, struct gp_err *err);

/* Writes the changed blobs and trees; *out is the new root tree. errors: 71. */
int gp_manifests_write(struct gp_manifests *m, struct gp_oid *out, const struct gp_oid *tree,
		       const struct gp_change *change, struct gp_err *err);

/* manifests-carry.c: what an environment says of an app. */
struct gp_carry {
	size_t markers;  /* marked scalars */
	size_t at_tag;   /* those that are at the setter's tag */
	const char *tag; /* of the first scalar that is not at it; NULL where all are. Borrowed, as long as m lives. */
};

/*
 * Looks at <group>/<env> of a tree; no such directory is one without markers. One without markers in which anything
 * speaks of the app all the same (trace-search.h) is an error, 65.
 * Cheap for trees that are alike: what did not change since an earlier call for the same setter is not
 * looked at again. errors: 65 as above, 71.
 */
int gp_manifests_carry(struct gp_manifests *m, struct gp_carry *out, const struct gp_oid *tree, const char *env,
		       const struct gp_setter *setter, struct gp_err *err);

/*
 * Calls fn for each app that has a marker of an image or a tag in <group>/<env> of a tree, in no order; no such directory
 * is one without apps. A return other than 0 ends it and is returned. errors: 65 for directories that are nested too
 * deeply, 71.
 */
typedef int gp_app_fn(void *ctx, const char *app);
int gp_manifests_apps(struct gp_manifests *m, const struct gp_oid *tree, const char *group, const char *env,
		      gp_app_fn *fn, void *ctx, struct gp_err *err);

/*
 * The one tag that an app has in an environment; the setter's own does not matter. *tag is yours; NULL if there is no
 * marker, or they have different ones. errors: as gp_manifests_carry.
 */
int gp_manifests_tag(struct gp_manifests *m, char **tag, const struct gp_oid *tree, const char *env,
		     const struct gp_setter *setter, struct gp_err *err);

/* Whether an environment carries exactly this tag. */
bool gp_carry_is_at(const struct gp_carry *carry);

#endif
