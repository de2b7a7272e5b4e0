/*
 * setter.h - sets an app's tag in one YAML text by its markers, changing the
 * marked scalars' bytes and nothing else. A marker is a comment behind a scalar
 * on its line, read as Flux reads it: {"$imagepolicy": "group:app"}, with
 * ":tag", ":name" or ":digest" behind it. Knows nothing of repositories.
 *
 * What a marked scalar becomes, by the marker and by what is set:
 *
 *   marker   scalar           TAG          DIGEST         TAG@DIGEST
 *   (none)   REPO...          REPO:TAG     REPO@DIGEST    REPO:TAG@DIGEST
 *   :tag     REPO... (1)      as above     as above (2)   as above
 *   :tag     any other text   TAG          refused (3)    TAG@DIGEST (4)
 *   :digest  DIGEST or empty  unchanged    DIGEST         DIGEST
 *   :name    any              unchanged    unchanged      unchanged
 *
 * (1) Told by ':' or '/', unless it is a DIGEST or TAG@DIGEST itself.
 * (2) Refused where the result would read as a tag, as web@sha256:... would.
 * (3) A scalar that holds a digest alone gets the new one.
 * (4) Kustomize's newTag and Helm's image.tag are put behind "REPO:", where
 * TAG@DIGEST is right. With a ":digest" marker in the same mapping the digest
 * goes there: then the tag becomes TAG, and DIGEST leaves it as it is. TAG alone is refused beside a digest that is
 * not empty: readers go by the digest, so the old image would stay.
 *
 * Quotes stay as they are. A scalar without quotes gets double quotes where its
 * new text would not be a string to every reader; so a bare 1.10 is not at tag 1.10 yet.
 * https://fluxcd.io/flux/guides/image-update/#configure-image-update-for-custom-resources
 */
#ifndef GP_SETTER_H
#define GP_SETTER_H

#include <stdbool.h>
#include <stddef.h>

#include "sys/err.h"

/* What to set: borrowed strings. tag is TAG, DIGEST ("sha256:…") or TAG@DIGEST; NULL: only look. */
struct gp_setter {
	const char *group, *app, *tag;
};

/* One marked scalar. */
struct gp_edit {
	char *path;      /* filled in by the caller of gp_setter_apply; freed by gp_edits_free */
	size_t line;     /* from 1 */
	char *from, *to; /* the scalar's value before and after, unquoted; equal where it is at the tag already */
	char *tag;       /* the part of `from` that a tag promotion is about: its tag, digest, or tag@digest */
	bool changed;    /* whether bytes change */
};

/* All marked scalars found, in order. Start with {0}. */
struct gp_edits {
	struct gp_edit *item;
	size_t count;
	size_t changed; /* how many of them change */
};
void gp_edits_free(struct gp_edits *edits);

/* Whether the text could hold a marker of the setter's app, or, for NULL, of any: one fast search, no parse. */
bool gp_setter_may_match(const char *text, size_t len, const struct gp_setter *setter);

/*
 * Finds each scalar that a tag promotion of setter's app concerns (markers
 * group:app, group:app:tag, and group:app:digest where tag has a digest; never
 * group:app:name), appends it to edits (path NULL), and, where a tag was given
 * and some scalar's bytes change, hands out the new text (yours); otherwise *out is NULL.
 * Text without a marker of this app is never parsed as YAML. Before it
 * returns new text, it has parsed it again and compared: only the
 * scalars in edits differ. Applying it twice changes nothing more.
 * errors (65, "line L[, column C]: what"): invalid YAML beside a marker of
 * this app, a marker on a multi-line or block scalar, text that is not UTF-8,
 * a scalar that is no image reference where one was expected, a change to a file whose MAC SOPS would not verify any
 * more. 70 if the
 * comparison fails. Nothing is appended then.
 */
int gp_setter_apply(const struct gp_setter *setter, const char *text, size_t len, char **out, size_t *out_len,
		    struct gp_edits *edits, struct gp_err *err);

/*
 * Calls fn for each comment that reads as a marker, of any app, by lines and
 * without parsing YAML: for hints ("nearest markers"). policy is the marker's
 * value, such as "apps:web:tag". A return other than 0 ends it and is returned.
 */
typedef int gp_setter_marker_fn(void *ctx, size_t line, const char *policy);
int gp_setter_each_marker(const char *text, size_t len, gp_setter_marker_fn *fn, void *ctx);

/*
 * Whether two YAML texts mean the same: the same events with the same values
 * and types, quotes and layout aside, and the same markers in the same order.
 * For pull requests of the older tool, which reformats files. Returns 1, 0; -1 if a text is no YAML.
 */
int gp_setter_equivalent(const char *a, size_t a_len, const char *b, size_t b_len, struct gp_err *err);

/*
 * Whether s is what a promotion may set: an OCI tag ([A-Za-z0-9_][A-Za-z0-9._-]{0,127}),
 * a digest (sha256:64 hex, sha384:96, sha512:128, or of another algorithm at least 32 characters,
 * so that an image such as web:v1 is none), or TAG@DIGEST; or a chart's version with build metadata (1.2.4+build.5),
 * which the setter sets only where a chart's version stands: https://semver.org/#spec-item-10.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md
 */
bool gp_tag_valid(const char *s);

#endif
