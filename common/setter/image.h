/*
 * image.h - names of container images and their versions, by the grammar of
 * OCI references as https://github.com/distribution/reference has it. Used by
 * setter; works on borrowed text, owns nothing.
 */
#ifndef GP_IMAGE_H
#define GP_IMAGE_H

#include <stdbool.h>
#include <stddef.h>

/* TAG, DIGEST or TAG@DIGEST taken apart. Both borrowed; a part that is missing has length 0. */
struct gp_version {
	const char *tag, *digest;
	size_t tag_len, digest_len;
};

/* Whether s is such a version, as gp_tag_valid describes it; version is filled in any case. */
bool gp_version_parse(struct gp_version *version, const char *s);

/* Whether it is a chart's version with build metadata, which no image's tag can have. */
bool gp_version_is_build(const struct gp_version *version);

/*
 * Whether s is an image reference: [HOST[:PORT]/]PATH[:TAG][@DIGEST]. Hands
 * out the length of the repository, that is all before the tag and digest.
 */
bool gp_image_parse(const char *s, size_t *repository_len, struct gp_version *version);

/* The image of that repository at that version. Yours. */
char *gp_image_at(const char *repository, size_t repository_len, const struct gp_version *version);

#endif
