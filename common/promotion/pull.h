/*
 * pull.h - a pull request, as the forge's protocol has it, and the document that
 * starts with it. For gp-find-pr.
 */
#ifndef GP_PULL_H
#define GP_PULL_H

#include <stdbool.h>
#include <stdint.h>

#include "data/json.h"
#include "promotion/promotion.h"
#include "sys/err.h"

/*
 * For searches: called for each pull request that is found, with what its commit says; NULL: its description has to tell.
 * Both are borrowed. And called with what a person should know, at a level as gp_tool_say has them.
 */
typedef void gp_found_fn(void *ctx, const struct gp_json *pull, const struct gp_promotion *promotion);
typedef void gp_told_fn(void *ctx, int level, const char *text);

/* What a document says of its pull request; borrowed from it. */
struct gp_pull {
	int64_t number;
	const char *head, *state, *id; /* state and id may be NULL */
	bool auto_merge;
};
/* Reads them. errors: 65. */
int gp_pull_of(struct gp_pull *out, const struct gp_json *document, struct gp_err *err);

/* Reads a pull request's number. errors: 64. */
int gp_pull_number(int64_t *out, const char *text, struct gp_err *err);

/*
 * The document about a pull request: what it is in full, what its description says is promoted, and the member
 * `repository` of another document. Yours.
 */
struct gp_json *gp_pull_document(const struct gp_json *pull, const struct gp_json *repository);

/* "passed over #N: …", if a pull request that a commit of the base branch belongs to is no merged promotion into it; NULL
 * if it is one. Yours. */
char *gp_pull_passed_over(const struct gp_json *pull, const char *base);

#endif
