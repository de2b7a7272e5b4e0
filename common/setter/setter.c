#include "setter/setter.h"

#include <stdlib.h>
#include <string.h>

#include "data/yaml.h"
#include "setter/image.h"
#include "setter/marker.h"
#include "setter/sops.h"
#include "setter/splice.h"
#include "setter/trace.h"
#include "sys/exit.h"
#include "sys/mem.h"

/* What becomes of a marked scalar. */
struct target {
	const struct gp_marked *scalar;
	char *to;    /* its new value; NULL: it is not concerned */
	char *bytes; /* the same as YAML, where that differs from what stands there */
	char *version;
};

struct targets {
	struct target *item;
	size_t count;
	const struct gp_marked **digest; /* by the mapping they are in */
	size_t digest_count;
};

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

static int by_mapping(const void *a, const void *b)
{
	size_t x = (*(const struct gp_marked *const *)a)->mapping, y = (*(const struct gp_marked *const *)b)->mapping;

	return (x > y) - (x < y);
}

static int by_place(const void *a, const void *b)
{
	size_t x = (*(const struct gp_marked *const *)a)->number, y = (*(const struct gp_marked *const *)b)->number;
	int order = by_mapping(a, b);

	return order ? order : (x > y) - (x < y);
}

static void take_targets(struct targets *s, const struct gp_marked_list *marked)
{
	s->item = gp_calloc(marked->count, sizeof *s->item);
	s->count = marked->count;
	for (size_t i = 0; i < marked->count; i++) {
		const struct gp_marked *scalar = &marked->item[i];

		s->item[i].scalar = scalar;
		if (scalar->kind != GP_MARKER_DIGEST || !scalar->mapping)
			continue;
		s->digest = gp_grow(s->digest, s->digest_count, sizeof *s->digest);
		s->digest[s->digest_count++] = scalar;
	}
	if (s->digest_count)
		qsort(s->digest, s->digest_count, sizeof *s->digest, by_place);
	/* One of each mapping, the first. */
	for (size_t i = 0, count = s->digest_count; i < count; i++) {
		if (!i)
			s->digest_count = 0;
		if (!s->digest_count || by_mapping(&s->digest[s->digest_count - 1], &s->digest[i]) != 0)
			s->digest[s->digest_count++] = s->digest[i];
	}
}

/*
 * The digest in the same mapping that has a marker of its own, as Helm values and kustomize's images may have; or NULL.
 */
static const struct gp_marked *digest_beside(const struct targets *s, const struct target *t)
{
	const struct gp_marked *const *found =
		s->digest_count ? bsearch(&t->scalar, s->digest, s->digest_count, sizeof *s->digest, by_mapping) : NULL;

	return found ? *found : NULL;
}

/* Whether a marked digest is still to be filled in. */
static bool is_empty(const struct gp_marked *c)
{
	return c->value &&
	       (!*c->value || (c->style == GP_YAML_PLAIN && (!strcmp(c->value, "~") || !strcmp(c->value, "null"))));
}

/* Readers go by the digest: a new tag beside an old digest would change nothing that runs. */
static int check_beside(const struct targets *s, const struct target *t, const struct gp_version *new,
			struct gp_err *err)
{
	const struct gp_marked *digest = digest_beside(s, t);

	if (!digest || new->digest_len || is_empty(digest))
		return 0;
	return gp_fail(err, GP_EXIT_INPUT, "line %zu: the digest in line %zu would keep the old image: give TAG@DIGEST",
		       t->scalar->line, digest->line);
}

static int set_image_for_tag(struct target *t, const struct gp_version *new, struct gp_err *err)
{
	struct gp_version v;

	if (set_image(t, new, err))
		return -1;
	/* Next time, "web@sha256:…" in a tag's place would read as the tag "web". */
	if (gp_version_parse(&v, t->to))
		return gp_fail(err, GP_EXIT_INPUT, "line %zu: '%s' would read as a tag", t->scalar->line, t->to);
	return 0;
}

static int set_tag(const struct targets *s, struct target *t, const struct gp_version *new, struct gp_err *err)
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
	if (digest_beside(s, t))
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
	struct gp_version old;

	if (!is_empty(t->scalar) && !(gp_version_parse(&old, from) && !old.tag_len))
		return gp_fail(err, GP_EXIT_INPUT, "line %zu: '%s' is not a digest", t->scalar->line, from);
	t->version = gp_strdup(from);
	t->to = gp_memdup0(new->digest, new->digest_len);
	return 0;
}

/* The value as YAML, in the quotes that are there. Versions and image references need no escapes. */
static char *encode(const struct gp_marked *c, const char *value)
{
	const char *quote = "\"";

	if (c->style == GP_YAML_SINGLE)
		quote = "'";
	else if (c->style == GP_YAML_PLAIN && (c->is_tagged || gp_yaml_plain_is_string(value)))
		quote = "";
	return gp_asprintf("%s%s%s", quote, value, quote);
}

/* Whether every reader sees the new value already; the spelling does not matter. */
static bool is_there(const struct gp_marked *c, const char *value)
{
	return !strcmp(c->value, value) &&
	       (c->style != GP_YAML_PLAIN || c->is_tagged || gp_yaml_plain_is_string(value));
}

/* Build metadata is for charts alone: no registry takes it as a tag, which OCI charts spell with '_'. */
static int check_build(const struct gp_marked *c, const struct gp_version *new, struct gp_err *err)
{
	if (!new || !gp_version_is_build(new) || (c->kind == GP_MARKER_TAG && c->is_chart))
		return 0;
	return gp_fail(err, GP_EXIT_INPUT,
		       "line %zu: an image's tag cannot be '%s'; only a chart's version can have a '+'", c->line,
		       new->tag);
}

static int set_target(const struct targets *s, struct target *t, const struct gp_version *new, struct gp_err *err)
{
	const struct gp_marked *c = t->scalar;
	int rc = 0;

	if (c->kind == GP_MARKER_NAME || (c->kind == GP_MARKER_DIGEST && (!new || !new->digest_len)))
		return 0;
	if (c->trouble)
		return gp_fail(err, GP_EXIT_INPUT, "line %zu: %s", c->line, c->trouble);
	if (!c->value)
		return gp_fail(err, GP_EXIT_INPUT, "line %zu: a NUL character in a marked scalar", c->line);
	if (check_build(c, new, err))
		return -1;
	if (c->kind == GP_MARKER_IMAGE)
		rc = set_image(t, new, err);
	else if (c->kind == GP_MARKER_TAG)
		rc = set_tag(s, t, new, err);
	else if (new)
		rc = set_digest(t, new, err);
	if (rc || !t->to || !new)
		return rc;
	if (!c->is_string)
		return gp_fail(err, GP_EXIT_INPUT, "line %zu: the marked scalar's tag says that it is not a string",
			       c->line);
	if (is_there(c, t->to))
		return 0;
	t->bytes = encode(c, t->to);
	return c->kind == GP_MARKER_DIGEST ? 0 : check_beside(s, t, new, err);
}

static void report(const struct targets *s, struct gp_edits *edits)
{
	for (size_t i = 0; i < s->count; i++) {
		struct target *t = &s->item[i];

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

static void targets_free(struct targets *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->item[i].to);
		free(s->item[i].bytes);
		free(s->item[i].version);
	}
	free(s->item);
	free(s->digest);
}

/* Makes the new text and proves it. */
static int edit(const struct targets *s, struct gp_tape *tape, const char *text, size_t len, char **out,
		size_t *out_len, struct gp_err *err)
{
	struct gp_splice *splices = gp_calloc(s->count, sizeof *splices);
	size_t n = 0;
	int rc = 0;

	for (size_t i = 0; i < s->count; i++) {
		const struct target *t = &s->item[i];

		if (t->bytes)
			splices[n++] = (struct gp_splice){t->scalar->number, t->scalar->start, t->scalar->end, t->bytes,
							  t->to};
	}
	if (n)
		rc = gp_sops_check(text, len, err);
	if (n && !rc) {
		*out = gp_splice(text, len, splices, n, out_len);
		rc = gp_splice_prove(tape, text, len, *out, *out_len, splices, n, err);
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

static int find_app(void *ctx, size_t line, const char *policy)
{
	const struct gp_setter *setter = ctx;

	return gp_marker_kind(policy, setter->group, setter->app) == GP_MARKER_NONE ? 0 : (int)line;
}

/* UTF-16 is legal YAML but cannot be edited here: do not take it for a text without a marker. */
static int refuse_utf16(const struct gp_setter *setter, const char *text, size_t len, struct gp_err *err)
{
	struct gp_setter app = *setter;
	int line = gp_setter_each_marker(text, len, find_app, &app);

	return line ? gp_fail(err, GP_EXIT_INPUT, "line %d: UTF-16, where only UTF-8 can be edited", line) : 0;
}

int gp_setter_apply(const struct gp_setter *setter, const char *text, size_t len, char **out, size_t *out_len,
		    struct gp_edits *edits, struct gp_err *err)
{
	struct gp_version new = {0};
	struct gp_marked_list marked = {0};
	struct targets targets = {0};
	struct gp_tape *tape;
	int rc;

	*out = NULL;
	*out_len = 0;
	if (is_utf16(text, len))
		return refuse_utf16(setter, text, len, err);
	if (setter->tag && !gp_version_parse(&new, setter->tag))
		return gp_fail(err, GP_EXIT_INPUT, "'%s' is neither a tag nor a digest", setter->tag);
	tape = gp_tape_new();
	rc = gp_marker_find(&marked, text, len, setter->group, setter->app, gp_tape_event, tape, err);
	take_targets(&targets, &marked);
	for (size_t i = 0; i < marked.count && !rc; i++)
		rc = set_target(&targets, &targets.item[i], setter->tag ? &new : NULL, err);
	if (!rc)
		rc = edit(&targets, tape, text, len, out, out_len, err);
	if (!rc)
		report(&targets, edits);
	gp_tape_free(tape);
	targets_free(&targets);
	gp_marked_free(&marked);
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

bool gp_setter_may_match(const char *text, size_t len, const struct gp_setter *setter)
{
	if (is_utf16(text, len) || (!setter && gp_trace_possible(text, len)))
		return true;
	return gp_marker_possible(text, len, setter ? setter->group : NULL, setter ? setter->app : NULL);
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
	char *narrow;
	size_t n = 0;
	int rc;

	if (!is_utf16(text, len))
		return gp_marker_possible(text, len, NULL, NULL) ? gp_marker_each(text, len, show_marker, &each) : 0;
	narrow = gp_calloc(len, 1);
	for (size_t i = 2; i < len; i++)
		if (text[i])
			narrow[n++] = text[i];
	rc = gp_marker_each(narrow, n, show_marker, &each);
	free(narrow);
	return rc;
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
