/*
 * description.h - the description of a promotion's pull request: the metadata for programs, and what a person needs to
 * know before merging.
 */
#ifndef GP_DESCRIPTION_H
#define GP_DESCRIPTION_H

#include "data/json.h"
#include "promotion/promotion.h"

/*
 * The description, in Markdown: metadata first, then what moves from where to
 * where, and what it waits for. Reads the document's members change,
 * environment, config and previous_pull_request where they are there; what
 * comes from outside stands in code spans and cannot end them. The same
 * document gives the same text. Yours.
 */
char *gp_description(const struct gp_promotion *p, const struct gp_json *document);

#endif
