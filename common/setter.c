#include "setter.h"

#include <stdlib.h>
#include <string.h>

#include "exit.h"
#include "image.h"
#include "marker.h"
#include "mem.h"
#include "splice.h"
#include "yaml.h"

/* What "!!" in a tag stands for. */
#define CORE "tag:yaml.org,2002:"

/* A scalar that lies, at least in part, on a line with a marker of the app. */
struct scalar {
	size_t start, end, line, end_line;
	size_t number;  /* which scalar of the text it is */
	size_t mapping; /* the mapping that it is a value of, 0: of none */
	enum gp_yaml_style style;
	bool is_key, is_string; /* is_string: not tagged to be a number or the like */
	char *value;
};

struct mark {
	size_t hash, line_start, line;
	enum gp_marker_kind kind;
};

/* A marked scalar and what becomes of it. */
struct target {
	const struct scalar *scalar;
	enum gp_marker_kind kind;
	char *to;    /* its new value; NULL: it is not concerned */
	char *bytes; /* the same as YAML, where that differs from what stands there */
	char *version;
};

struct scan {
	const struct gp_setter *setter;
	struct mark *marks;
	struct scalar *scalars;
	struct target *targets;
	size_t mark_count, scalar_count, target_count;
	size_t mark;                           /* the first whose line the parser has not passed */
	size_t numbers, mappings;              /* counted so far */
	size_t open[GP_YAML_MAX_DEPTH], depth; /* the open collections: a mapping's number, 0 for a list */
};

static int refuse(size_t line, struct gp_err *err, const char *what)
{
	return gp_fail(err, GP_EXIT_INPUT, "line %zu: %s", line, what);
}

static int note_mark(void *ctx, const struct gp_marker *m)
{
	struct scan *s = ctx;
	enum gp_marker_kind kind = gp_marker_kind(m->policy, s->setter->group, s->setter->app);

	if (kind == GP_MARKER_NONE)
		return 0;
	s->marks = gp_grow(s->marks, s->mark_count, sizeof *s->marks);
	s->marks[s->mark_count++] = (struct mark){m->hash, m->line_start, m->line, kind};
	return 0;
}

static void note_scalar(struct scan *s, const struct gp_yaml_event *e)
{
	struct scalar *c;

	s->scalars = gp_grow(s->scalars, s->scalar_count, sizeof *s->scalars);
	c = &s->scalars[s->scalar_count++];
	*c = (struct scalar){
		.start = e->start,
		.end = e->end,
		.line = e->line,
		.end_line = e->end_line,
		.number = s->numbers,
		.mapping = s->depth ? s->open[s->depth - 1] : 0,
		.style = e->style,
		.is_key = e->is_key,
		.is_string = !e->tag || strncmp(e->tag, CORE, strlen(CORE)) != 0 || !strcmp(e->tag, CORE "str"),
		.value = strlen(e->value) == e->value_len ? gp_strdup(e->value) : NULL,
	};
}

static int note_event(void *ctx, const struct gp_yaml_event *e, struct gp_err *err)
{
	struct scan *s = ctx;

	(void)err;
	switch (e->type) {
	case GP_YAML_MAPPING_START:
		s->open[s->depth++] = ++s->mappings;
		break;
	case GP_YAML_SEQUENCE_START:
		s->open[s->depth++] = 0;
		break;
	case GP_YAML_MAPPING_END:
	case GP_YAML_SEQUENCE_END:
		s->depth--;
		break;
	case GP_YAML_SCALAR:
		while (s->mark < s->mark_count && s->marks[s->mark].hash < e->start)
			s->mark++;
		if (s->mark < s->mark_count && e->end >= s->marks[s->mark].line_start && e->end > e->start)
			note_scalar(s, e);
		s->numbers++;
		break;
	default:
		break;
	}
	return 0;
}

static bool is_block(const struct scalar *c)
{
	return c->style == GP_YAML_LITERAL || c->style == GP_YAML_FOLDED;
}

/* Whether a mark that lies within a scalar is a comment all the same: it may stand behind a block scalar's header. */
static bool in_header(const char *text, const struct scalar *c, const struct mark *m)
{
	const char *first = memchr(text + c->start, '#', m->hash - c->start + 1);

	return is_block(c) && m->line_start <= c->start && first == text + m->hash;
}

static bool only_blanks_and_a_comma(const char *s, const char *end)
{
	size_t commas = 0;

	for (; s < end; s++) {
		commas += *s == ',';
		if (*s != ' ' && *s != '\t' && *s != ',')
			return false;
	}
	return commas <= 1;
}

/* Finds the scalar that the mark belongs to among those from *from on; none is fine. */
static int attach(struct scan *s, const char *text, const struct mark *m, size_t *from, struct gp_err *err)
{
	const struct scalar *last = NULL, *c;

	while (*from < s->scalar_count && s->scalars[*from].end < m->line_start)
		++*from;
	for (size_t i = *from; i < s->scalar_count && s->scalars[i].start <= m->hash; i++) {
		c = &s->scalars[i];
		if (m->hash < c->end)
			return !c->is_key && in_header(text, c, m)
				       ? refuse(m->line, err, "the marker is on a block scalar")
				       : 0;
		if (!is_block(c))
			last = c;
	}
	if (!last || last->is_key || !only_blanks_and_a_comma(text + last->end, text + m->hash))
		return 0;
	if (last->line != last->end_line)
		return refuse(m->line, err, "the marker is on a scalar of several lines");
	s->targets = gp_grow(s->targets, s->target_count, sizeof *s->targets);
	s->targets[s->target_count++] = (struct target){.scalar = last, .kind = m->kind};
	return 0;
}

static int find_targets(struct scan *s, const char *text, size_t len, struct gp_err *err)
{
	size_t from = 0;

	if (gp_yaml_parse(text, len, note_event, s, err))
		return -1;
	for (size_t i = 0; i < s->mark_count; i++)
		if (attach(s, text, &s->marks[i], &from, err))
			return -1;
	return 0;
}

static char *version_text(const struct gp_version *v)
{
	const char *at = v->tag_len && v->digest_len ? "@" : "";

	return gp_asprintf("%.*s%s%.*s", (int)v->tag_len, v->tag, at, (int)v->digest_len, v->digest);
}

static int set_image(struct target *t, const struct gp_version *new, struct gp_err *err)
{
	const char *from = t->scalar->value;
	struct gp_version old;
	size_t len;

	if (!gp_image_parse(from, &len, &old))
		return gp_fail(err, GP_EXIT_INPUT, "line %zu: '%s' is not an image reference", t->scalar->line, from);
	t->version = version_text(&old);
	t->to = new ? gp_image_at(from, len, new) : gp_strdup(from);
	return 0;
}

/* Whether the same mapping holds the digest too, as Helm values and kustomize's images may. */
static bool has_digest_beside(const struct scan *s, const struct target *t)
{
	for (size_t i = 0; i < s->target_count && t->scalar->mapping; i++)
		if (s->targets[i].kind == GP_MARKER_DIGEST && s->targets[i].scalar->mapping == t->scalar->mapping)
			return true;
	return false;
}

static int set_image_for_tag(struct target *t, const struct gp_version *new, struct gp_err *err)
{
	struct gp_version v;

	if (set_image(t, new, err))
		return -1;
	/* "web@sha256:…" in a tag's place would pass for the tag "web" the next time. */
	if (gp_version_parse(&v, t->to))
		return gp_fail(err, GP_EXIT_INPUT, "line %zu: '%s' would read as a tag", t->scalar->line, t->to);
	return 0;
}

static int set_tag(const struct scan *s, struct target *t, const struct gp_version *new, struct gp_err *err)
{
	const char *from = t->scalar->value;
	struct gp_version old, v;
	bool is_version = gp_version_parse(&old, from);

	if (!is_version && strpbrk(from, ":/"))
		return set_image_for_tag(t, new, err);
	t->version = gp_strdup(from);
	if (!new) {
		t->to = gp_strdup(from);
		return 0;
	}
	v = *new;
	if (has_digest_beside(s, t))
		v.digest_len = 0;
	else if (!v.tag_len && !(is_version && !old.tag_len))
		return gp_fail(err, GP_EXIT_INPUT,
			       "line %zu: the tag '%s' cannot become a digest alone: give TAG@DIGEST", t->scalar->line,
			       from);
	if (v.tag_len || v.digest_len)
		t->to = version_text(&v);
	return 0;
}

static int set_digest(struct target *t, const struct gp_version *new, struct gp_err *err)
{
	const char *from = t->scalar->value;
	bool empty = !*from || (t->scalar->style == GP_YAML_PLAIN && (!strcmp(from, "~") || !strcmp(from, "null")));
	struct gp_version old;

	if (!new || !new->digest_len)
		return 0;
	if (!empty && !(gp_version_parse(&old, from) && !old.tag_len))
		return gp_fail(err, GP_EXIT_INPUT, "line %zu: '%s' is not a digest", t->scalar->line, from);
	t->version = gp_strdup(from);
	t->to = gp_memdup0(new->digest, new->digest_len);
	return 0;
}

/* The value as YAML, in the quotes that stand there. Versions and image references need no escapes. */
static char *encode(enum gp_yaml_style style, const char *value)
{
	const char *quote = "\"";

	if (style == GP_YAML_SINGLE)
		quote = "'";
	else if (style == GP_YAML_PLAIN && gp_yaml_plain_is_string(value))
		quote = "";
	return gp_asprintf("%s%s%s", quote, value, quote);
}

static int set_target(const struct scan *s, struct target *t, const struct gp_version *new, const char *text,
		      struct gp_err *err)
{
	const struct scalar *c = t->scalar;
	int rc = 0;

	if (!c->value)
		return refuse(c->line, err, "a NUL character in a marked scalar");
	if (t->kind == GP_MARKER_IMAGE)
		rc = set_image(t, new, err);
	else if (t->kind == GP_MARKER_TAG)
		rc = set_tag(s, t, new, err);
	else if (t->kind == GP_MARKER_DIGEST)
		rc = set_digest(t, new, err);
	if (rc || !t->to || !new)
		return rc;
	if (!c->is_string)
		return refuse(c->line, err, "the marked scalar's tag says that it is not a string");
	t->bytes = encode(c->style, t->to);
	if (strlen(t->bytes) == c->end - c->start && !memcmp(t->bytes, text + c->start, c->end - c->start)) {
		free(t->bytes);
		t->bytes = NULL;
	}
	return 0;
}

static void report(const struct scan *s, struct gp_edits *edits)
{
	for (size_t i = 0; i < s->target_count; i++) {
		struct target *t = &s->targets[i];

		if (!t->to)
			continue;
		edits->item = gp_grow(edits->item, edits->count, sizeof *edits->item);
		edits->item[edits->count++] = (struct gp_edit){
			.line = t->scalar->line,
			.from = gp_strdup(t->scalar->value),
			.to = gp_strdup(t->to),
			.tag = gp_strdup(t->version),
			.changed = t->bytes != NULL,
		};
		edits->changed += t->bytes != NULL;
	}
}

static void scan_free(struct scan *s)
{
	for (size_t i = 0; i < s->scalar_count; i++)
		free(s->scalars[i].value);
	for (size_t i = 0; i < s->target_count; i++) {
		free(s->targets[i].to);
		free(s->targets[i].bytes);
		free(s->targets[i].version);
	}
	free(s->marks);
	free(s->scalars);
	free(s->targets);
}

/* Makes the new text, where there is one, and proves it. */
static int edit(const struct scan *s, const char *text, size_t len, char **out, size_t *out_len, struct gp_err *err)
{
	struct gp_splice *splices = gp_calloc(s->target_count, sizeof *splices);
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; i < s->target_count; i++) {
		const struct target *t = &s->targets[i];

		if (t->bytes)
			splices[n++] = (struct gp_splice){t->scalar->number, t->scalar->start, t->scalar->end, t->bytes,
							  t->to};
	}
	if (n) {
		*out = gp_splice(text, len, splices, n, out_len);
		rc = gp_splice_prove(text, len, *out, *out_len, splices, n, err);
	}
	if (rc) {
		free(*out);
		*out = NULL;
		*out_len = 0;
	}
	free(splices);
	return rc;
}

static bool is_utf16(const char *text, size_t len)
{
	return len >= 2 && (!memcmp(text, "\xff\xfe", 2) || !memcmp(text, "\xfe\xff", 2));
}

/* A text of UTF-16 is legal YAML that cannot be edited here: it must not pass for one without a marker. */
static int refuse_utf16(struct scan *s, const char *text, size_t len, struct gp_err *err)
{
	char *narrow = gp_calloc(len, 1);
	size_t n = 0;

	for (size_t i = 2; i < len; i++)
		if (text[i])
			narrow[n++] = text[i];
	gp_marker_each(narrow, n, note_mark, s);
	free(narrow);
	return s->mark_count ? refuse(s->marks[0].line, err, "UTF-16, where only UTF-8 can be edited") : 0;
}

int gp_setter_apply(const struct gp_setter *setter, const char *text, size_t len, char **out, size_t *out_len,
		    struct gp_edits *edits, struct gp_err *err)
{
	struct scan s = {.setter = setter};
	struct gp_version new;
	int rc = 0;

	*out = NULL;
	*out_len = 0;
	if (is_utf16(text, len)) {
		rc = refuse_utf16(&s, text, len, err);
		goto out;
	}
	if (!gp_marker_possible(text, len, setter->group, setter->app))
		return 0;
	if (setter->tag && !gp_version_parse(&new, setter->tag))
		return gp_fail(err, GP_EXIT_INPUT, "'%s' is not a tag or digest", setter->tag);
	gp_marker_each(text, len, note_mark, &s);
	if (s.mark_count)
		rc = find_targets(&s, text, len, err);
	for (size_t i = 0; i < s.target_count && !rc; i++)
		rc = set_target(&s, &s.targets[i], setter->tag ? &new : NULL, text, err);
	if (!rc)
		rc = edit(&s, text, len, out, out_len, err);
	if (!rc)
		report(&s, edits);
out:
	scan_free(&s);
	return rc;
}

void gp_edits_free(struct gp_edits *edits)
{
	for (size_t i = 0; i < edits->count; i++) {
		free(edits->item[i].path);
		free(edits->item[i].from);
		free(edits->item[i].to);
		free(edits->item[i].tag);
	}
	free(edits->item);
	*edits = (struct gp_edits){0};
}

bool gp_setter_may_match(const char *text, size_t len)
{
	return is_utf16(text, len) || gp_marker_possible(text, len, NULL, NULL);
}

struct each {
	gp_setter_marker_fn *fn;
	void *ctx;
};

static int show_marker(void *ctx, const struct gp_marker *m)
{
	const struct each *each = ctx;

	return each->fn(each->ctx, m->line, m->policy);
}

int gp_setter_each_marker(const char *text, size_t len, gp_setter_marker_fn *fn, void *ctx)
{
	struct each each = {fn, ctx};

	return gp_marker_possible(text, len, NULL, NULL) ? gp_marker_each(text, len, show_marker, &each) : 0;
}

int gp_setter_equivalent(const char *a, size_t a_len, const char *b, size_t b_len, struct gp_err *err)
{
	return gp_splice_equivalent(a, a_len, b, b_len, err);
}

bool gp_tag_valid(const char *s)
{
	struct gp_version version;

	return gp_version_parse(&version, s);
}
