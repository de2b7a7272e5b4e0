#include "setter/splice.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/yaml.h"
#include "setter/marker.h"
#include "sys/exit.h"
#include "sys/mem.h"

char *gp_splice(const char *text, size_t len, const struct gp_splice *splices, size_t n, size_t *out_len)
{
	char *out = NULL;
	FILE *f = gp_open_text(&out, out_len);
	size_t from = 0;

	for (size_t i = 0; i < n; i++) {
		fwrite(text + from, 1, splices[i].start - from, f);
		fputs(splices[i].bytes, f);
		from = splices[i].end;
	}
	fwrite(text + from, 1, len - from, f);
	gp_close_text(f, &out);
	return out;
}

struct gp_tape {
	FILE *out;
	char *data;
	size_t len;
	bool loose; /* quotes do not matter as long as a string stays a string */
};

struct gp_tape *gp_tape_new(void)
{
	struct gp_tape *tape = gp_calloc(1, sizeof *tape);

	tape->out = gp_open_text(&tape->data, &tape->len);
	return tape;
}

static void end_tape(struct gp_tape *tape)
{
	if (tape->out)
		gp_close_text(tape->out, &tape->data);
	tape->out = NULL;
}

void gp_tape_free(struct gp_tape *tape)
{
	end_tape(tape);
	free(tape->data);
	free(tape);
}

/*
 * The head of an event on a tape; its anchor, tag and value follow. Lengths first, so that no event reads as another.
 */
struct head {
	unsigned char type, is_key, style, unused;
	uint32_t anchor, tag, value; /* less than GP_YAML_MAX_LENGTH */
};

static struct head head_of(const struct gp_yaml_event *e, bool loose)
{
	struct head head = {
		.type = (unsigned char)e->type,
		.is_key = e->is_key,
		.anchor = e->anchor ? (uint32_t)strlen(e->anchor) + 1 : 0,
		.tag = e->tag ? (uint32_t)strlen(e->tag) + 1 : 0,
		.value = e->value ? (uint32_t)e->value_len : 0,
	};

	if (e->type == GP_YAML_SCALAR && loose)
		head.style = e->style != GP_YAML_PLAIN || gp_yaml_reads_as_string(e->value);
	else if (e->type == GP_YAML_SCALAR)
		head.style = (unsigned char)e->style;
	return head;
}

int gp_tape_event(void *ctx, const struct gp_yaml_event *e, struct gp_err *err)
{
	struct gp_tape *tape = ctx;
	const struct head head = head_of(e, tape->loose);

	(void)err;
	fwrite(&head, sizeof head, 1, tape->out);
	fwrite(e->anchor ? e->anchor : "", 1, head.anchor, tape->out);
	fwrite(e->tag ? e->tag : "", 1, head.tag, tape->out);
	fwrite(e->value ? e->value : "", 1, head.value, tape->out);
	return 0;
}

static int tape_marker(void *ctx, const struct gp_marker *marker)
{
	const struct gp_tape *tape = ctx;

	fwrite(marker->policy, 1, strlen(marker->policy) + 1, tape->out);
	return 0;
}

/* A text beside the tape of another. */
struct comparison {
	const char *at, *end; /* the part of the tape that has not been compared yet */
	const struct gp_splice *splice, *last;
	size_t number; /* of the next scalar */
	bool differs;
};

/* Whether the next bytes of the tape are these; steps over len of them. */
static bool next_is(struct comparison *c, size_t len, const char *s, size_t n)
{
	bool same = (size_t)(c->end - c->at) >= len && n == len && (!n || !memcmp(c->at, s, n));

	c->at += (size_t)(c->end - c->at) >= len ? len : (size_t)(c->end - c->at);
	return same;
}

static int compare_event(void *ctx, const struct gp_yaml_event *e, struct gp_err *err)
{
	struct comparison *c = ctx;
	struct head was, is = head_of(e, false);
	const char *value = e->value;
	bool same;

	(void)err;
	if (c->differs || (size_t)(c->end - c->at) < sizeof was) {
		c->differs = true;
		return 0;
	}
	memcpy(&was, c->at, sizeof was);
	c->at += sizeof was;
	same = was.type == is.type && was.is_key == is.is_key && next_is(c, was.anchor, e->anchor, is.anchor) &&
	       next_is(c, was.tag, e->tag, is.tag);
	if (e->type == GP_YAML_SCALAR && c->splice < c->last && c->splice->number == c->number) {
		/* Its quotes may have been added. */
		c->at += (size_t)(c->end - c->at) >= was.value ? was.value : 0;
		same = same && strlen(c->splice->value) == is.value && !memcmp(c->splice->value, value, is.value);
		c->splice++;
	} else {
		same = same && was.style == is.style && next_is(c, was.value, value, is.value);
	}
	c->number += e->type == GP_YAML_SCALAR;
	c->differs = !same;
	return 0;
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

int gp_splice_prove(struct gp_tape *tape, const char *before, size_t before_len, const char *after, size_t after_len,
		    const struct gp_splice *splices, size_t n, struct gp_err *err)
{
	struct comparison c = {.splice = splices, .last = splices + n};

	end_tape(tape);
	c.at = tape->data;
	c.end = tape->data + tape->len;
	if (!gp_yaml_parse(after, after_len, compare_event, &c, err) && !c.differs && c.at == c.end &&
	    c.splice == c.last && same_outside(before, before_len, after, after_len, splices, n))
		return 0;
	gp_err_clear(err);
	return gp_fail(err, GP_EXIT_BUG,
		       "the new text would differ in more than the marked scalars; nothing was changed");
}

static int pass_over(void *ctx, const struct gp_yaml_event *e, struct gp_err *err)
{
	(void)ctx;
	(void)e;
	(void)err;
	return 0;
}

/* The markers and the scalar that each belongs to: a marker that moved means something else. */
static void tape_markers(struct gp_tape *tape, const char *text, size_t len)
{
	struct gp_marked_list marked = {0};
	struct gp_err none = {0};

	gp_marker_each(text, len, tape_marker, tape);
	gp_marker_find(&marked, text, len, NULL, NULL, pass_over, NULL, &none);
	for (size_t i = 0; i < marked.count; i++) {
		const struct gp_marked *m = &marked.item[i];
		const size_t place[] = {m->mark, m->number, m->trouble != NULL};

		fwrite(place, sizeof place, 1, tape->out);
	}
	gp_marked_free(&marked);
}

/* Everything that a text means; NULL if it is no YAML. */
static struct gp_tape *meaning(const char *text, size_t len, struct gp_err *err)
{
	struct gp_tape *tape = gp_tape_new();

	tape->loose = true;
	if (gp_yaml_parse(text, len, gp_tape_event, tape, err)) {
		gp_tape_free(tape);
		return NULL;
	}
	tape_markers(tape, text, len);
	end_tape(tape);
	return tape;
}

int gp_splice_equivalent(const char *a, size_t a_len, const char *b, size_t b_len, struct gp_err *err)
{
	struct gp_tape *of_a = meaning(a, a_len, err), *of_b = of_a ? meaning(b, b_len, err) : NULL;
	int rc = -1;

	if (of_b) {
		rc = of_a->len == of_b->len && !memcmp(of_a->data, of_b->data, of_a->len);
		gp_tape_free(of_b);
	}
	if (of_a)
		gp_tape_free(of_a);
	return rc;
}
