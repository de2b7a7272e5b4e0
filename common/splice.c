#include "splice.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exit.h"
#include "marker.h"
#include "mem.h"
#include "yaml.h"

static FILE *open_text(char **text, size_t *len)
{
	FILE *f = open_memstream(text, len);

	if (!f)
		gp_reallocarray(NULL, SIZE_MAX, 2);
	return f;
}

static void close_text(FILE *f)
{
	bool failed = ferror(f);

	/* Memory is the only thing that such a stream can run out of. */
	if (fclose(f) || failed)
		gp_reallocarray(NULL, SIZE_MAX, 2);
}

char *gp_splice(const char *text, size_t len, const struct gp_splice *splices, size_t n, size_t *out_len)
{
	char *out = NULL;
	FILE *f = open_text(&out, out_len);
	size_t from = 0;

	for (size_t i = 0; i < n; i++) {
		fwrite(text + from, 1, splices[i].start - from, f);
		fputs(splices[i].bytes, f);
		from = splices[i].end;
	}
	fwrite(text + from, 1, len - from, f);
	close_text(f);
	return out;
}

/* What a parser sees of a text, written down for comparison. */
struct record {
	FILE *out;
	const struct gp_splice *splices; /* the scalars whose style does not count */
	size_t count, next, number;
	bool substitute; /* write the splices' new values: this is the text before */
	bool loose;      /* quotes do not count, as long as a string stays one */
};

static char scalar_type(const struct record *r, const struct gp_yaml_event *e)
{
	if (!r->loose)
		return (char)('0' + (int)e->style);
	return e->style != GP_YAML_PLAIN || gp_yaml_reads_as_string(e->value) ? 's' : 'p';
}

static int record_event(void *ctx, const struct gp_yaml_event *e, struct gp_err *err)
{
	struct record *r = ctx;
	const struct gp_splice *splice = NULL;

	(void)err;
	if (e->type == GP_YAML_SCALAR) {
		if (r->next < r->count && r->splices[r->next].number == r->number)
			splice = &r->splices[r->next++];
		r->number++;
	}
	const char *value = splice && r->substitute ? splice->value : e->value;
	/* Lengths first, so that no text can pass for another's end. */
	const size_t head[] = {
		(size_t)e->type,
		e->is_key,
		e->type != GP_YAML_SCALAR ? 0 : splice ? (size_t)'*' : (size_t)scalar_type(r, e),
		e->anchor ? strlen(e->anchor) + 1 : 0,
		e->tag ? strlen(e->tag) + 1 : 0,
		value == e->value ? e->value_len : strlen(value),
	};

	fwrite(head, sizeof head, 1, r->out);
	fwrite(e->anchor ? e->anchor : "", 1, head[3], r->out);
	fwrite(e->tag ? e->tag : "", 1, head[4], r->out);
	fwrite(value ? value : "", 1, head[5], r->out);
	return 0;
}

static int record_marker(void *ctx, const struct gp_marker *marker)
{
	const struct record *r = ctx;

	fwrite(marker->policy, 1, strlen(marker->policy) + 1, r->out);
	return 0;
}

/* Yours; NULL where the text is no YAML. */
static char *record(struct record *r, const char *text, size_t len, size_t *out_len, struct gp_err *err)
{
	char *out = NULL;
	int rc;

	r->out = open_text(&out, out_len);
	rc = gp_yaml_parse(text, len, record_event, r, err);
	if (!rc && r->loose)
		gp_marker_each(text, len, record_marker, r);
	close_text(r->out);
	if (!rc)
		return out;
	free(out);
	return NULL;
}

static bool same_outside(const char *a, size_t a_len, const char *b, size_t b_len, const struct gp_splice *s, size_t n)
{
	size_t i = 0, j = 0;

	for (const struct gp_splice *end = s + n; s < end; s++) {
		size_t same = s->start - i, new = strlen(s->bytes);

		if (b_len - j < same + new || memcmp(a + i, b + j, same) != 0)
			return false;
		i = s->end;
		j += same + new;
	}
	return a_len - i == b_len - j && !memcmp(a + i, b + j, a_len - i);
}

int gp_splice_prove(const char *before, size_t before_len, const char *after, size_t after_len,
		    const struct gp_splice *splices, size_t n, struct gp_err *err)
{
	struct record old = {.splices = splices, .count = n, .substitute = true},
		      new = {.splices = splices, .count = n};
	size_t old_len = 0, new_len = 0;
	char *want = record(&old, before, before_len, &old_len, err);
	char *have = record(&new, after, after_len, &new_len, err);
	bool same = want && have && old_len == new_len && !memcmp(want, have, new_len) &&
		    same_outside(before, before_len, after, after_len, splices, n);

	free(want);
	free(have);
	if (same)
		return 0;
	gp_err_clear(err);
	return gp_fail(err, GP_EXIT_BUG,
		       "the new text would differ in more than the marked scalars; nothing was changed");
}

int gp_splice_equivalent(const char *a, size_t a_len, const char *b, size_t b_len, struct gp_err *err)
{
	struct record of_a = {.loose = true}, of_b = {.loose = true};
	size_t len_a = 0, len_b = 0;
	char *seen_a = record(&of_a, a, a_len, &len_a, err);
	char *seen_b = seen_a ? record(&of_b, b, b_len, &len_b, err) : NULL;
	int rc = -1;

	if (seen_b)
		rc = len_a == len_b && !memcmp(seen_a, seen_b, len_a);
	free(seen_a);
	free(seen_b);
	return rc;
}
