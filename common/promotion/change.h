/*
 * change.h - the commit that sets a promotion's tag, and what the document says
 * of it. For gp-set-tag.
 */
#ifndef GP_CHANGE_H
#define GP_CHANGE_H

#include "data/json.h"
#include "data/oid.h"
#include "promotion/base-branch.h"
#include "promotion/promotion.h"
#include "setter/manifests.h"
#include "sys/err.h"

/* The document's change.files: path, line, from and to of each scalar that changes. Yours. */
struct gp_json *gp_change_files(const struct gp_edits *edits);

/*
 * Writes the commit of a change on top of the base's tip; no ref moves. Its message is the title, at most 50 lines of
 * changes, and the metadata, which the gate reads, as a trailer. errors: 71.
 */
int gp_change_commit(struct gp_base *base, const struct gp_promotion *p, const struct gp_change *change,
		     struct gp_oid *out, struct gp_err *err);

#endif
