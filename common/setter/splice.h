/*
 * splice.h - puts new values into a YAML text in place of some of its scalars,
 * and proves that nothing else changed. Used by setter. Borrows all it is given.
 */
#ifndef GP_SPLICE_H
#define GP_SPLICE_H

#include <stddef.h>

#include "data/yaml.h"
#include "sys/err.h"

/* One scalar to replace. */
struct gp_splice {
	size_t number;     /* which scalar of the text it is, from 0 */
	size_t start, end; /* its bytes; end is behind it */
	const char *bytes; /* what stands there instead */
	const char *value; /* and what that means */
};

/* The text with the n splices, which are in order, done. Yours. */
char *gp_splice(const char *text, size_t len, const struct gp_splice *splices, size_t n, size_t *out_len);

/* A record of a text's events; gp_tape_event (a gp_yaml_fn, whose context is the tape) adds one. */
struct gp_tape;
struct gp_tape *gp_tape_new(void);
void gp_tape_free(struct gp_tape *tape);
int gp_tape_event(void *ctx, const struct gp_yaml_event *e, struct gp_err *err);

/*
 * Parses the text after, and compares: every byte outside of the splices, and every event, with the tape of the text
 * before, the splices' scalars having their new values. errors: 70 if something else differs.
 */
int gp_splice_prove(struct gp_tape *tape, const char *before, size_t before_len, const char *after, size_t after_len,
		    const struct gp_splice *splices, size_t n, struct gp_err *err);

/* Whether both mean the same, see gp_setter_equivalent. Returns 1, 0; -1 if one is no YAML. */
int gp_splice_equivalent(const char *a, size_t a_len, const char *b, size_t b_len, struct gp_err *err);

#endif
