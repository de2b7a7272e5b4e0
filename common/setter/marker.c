#include "setter/marker.h"

#include <stdlib.h>
#include <string.h>

#include "data/json.h"
#include "sys/exit.h"
#include "sys/mem.h"

#define MEMBER "$imagepolicy"

bool gp_marker_possible(const char *text, size_t len, const char *group, const char *app)
{
	char *start;
	bool found;

	/*
	 * In JSON only \u can spell a letter, a '$' or a ':' in another way. memchr is several times faster than memmem
	 * here.
	 */
	for (const char *s = text, *end = text + len; (s = memchr(s, '\\', (size_t)(end - s)));)
		if (++s < end && *s == 'u')
			return true;
	if (!app)
		return memmem(text, len, MEMBER, strlen(MEMBER));
	/* The app's name is the rarer text: search for it first. */
	start = gp_asprintf("\"%s:%s", group, app);
	found = memmem(text, len, start, strlen(start)) && memmem(text, len, MEMBER, strlen(MEMBER));
	free(start);
	return found;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The object behind the '#' characters at s, or NULL. Yours. */
static struct gp_json *read_comment(const char *s, const char *end)
{
	struct gp_err err;
	struct gp_json *json;

	while (s < end && *s == '#')
		s++;
	while (s < end && is_blank(*s))
		s++;
	if (s == end || *s != '{')
		return NULL;
	gp_err_clear(&err);
	json = gp_json_parse(s, (size_t)(end - s), &err);
	for (const struct gp_json *m = gp_json_first(json); m; m = gp_json_next(m))
		if (!gp_json_is_string(m)) {
			gp_json_free(json);
			return NULL;
		}
	return json;
}

static int read_line(const char *text, const char *end, struct gp_marker *marker, gp_marker_fn *fn, void *ctx)
{
	const char *s = text + marker->hash;
	int rc = 0;

	while (end > s && is_blank(end[-1]))
		end--;
	if (end == s || end[-1] != '}')
		return 0;
	while (!rc && s && s < end) {
		struct gp_json *json = read_comment(s, end);

		marker->hash = (size_t)(s - text);
		marker->policy = gp_json_get_text(json, MEMBER);
		/* Skip the whole row: a line of nothing else must not take quadratic time. */
		while (s < end && *s == '#')
			s++;
		s = marker->policy ? NULL : memchr(s, '#', (size_t)(end - s));
		if (marker->policy)
			rc = fn(ctx, marker);
		gp_json_free(json);
	}
	return rc;
}

/* The next byte that may begin a line break. Most bytes are skipped. */
static const char *near_break(const char *s, const char *end)
{
	while (s < end && *s != '\n' && *s != '\r' && (unsigned char)*s < 0xc2)
		s++;
	return s;
}

const char *gp_marker_line_end(const char *s, const char *end)
{
	while ((s = near_break(s, end)) < end && !gp_yaml_break(s, (size_t)(end - s)))
		s++;
	return s;
}

int gp_marker_each(const char *text, size_t len, gp_marker_fn *fn, void *ctx)
{
	struct gp_marker marker = {.line = 1};
	const char *end = text + len, *s = text, *hash;
	int rc = 0;

	while (!rc && (hash = memchr(s, '#', (size_t)(end - s)))) {
		while ((s = near_break(s, hash)) < hash) {
			size_t n = gp_yaml_break(s, (size_t)(end - s));

			s += n ? n : 1;
			if (n) {
				marker.line++;
				marker.line_start = (size_t)(s - text);
			}
		}
		s = gp_marker_line_end(s, end);
		marker.hash = (size_t)(hash - text);
		rc = read_line(text, s, &marker, fn, ctx);
	}
	return rc;
}

enum gp_marker_kind gp_marker_suffix(const char *suffix)
{
	static const struct {
		const char *suffix;
		enum gp_marker_kind kind;
	} kinds[] = {
		{"", GP_MARKER_IMAGE},
		{":tag", GP_MARKER_TAG},
		{":name", GP_MARKER_NAME},
		{":digest", GP_MARKER_DIGEST},
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (!strcmp(suffix, kinds[i].suffix))
			return kinds[i].kind;
	return GP_MARKER_NONE;
}

enum gp_marker_kind gp_marker_kind(const char *policy, const char *group, const char *app)
{
	size_t g = strlen(group), a = strlen(app);

	if (strncmp(policy, group, g) != 0 || policy[g] != ':' || strncmp(policy + g + 1, app, a) != 0)
		return GP_MARKER_NONE;
	return gp_marker_suffix(policy + g + 1 + a);
}

/* What "!!" in a tag stands for. */
#define CORE "tag:yaml.org,2002:"

/* A scalar that lies, at least in part, on a line with a marker of the app. */
struct scalar {
	struct gp_marked found;
	size_t end_line, mark; /* mark: which one it was noted for */
	bool is_key;
};

struct mark {
	size_t hash, line_start, line;
	enum gp_marker_kind kind;
};

struct scan {
	const char *text, *group, *app;
	gp_yaml_fn *watch;
	void *watch_ctx;
	struct mark *marks;
	struct scalar *scalars;
	size_t mark_count, scalar_count;
	bool at_chart;                         /* the key before is one of a chart's version */
	size_t mark;                           /* the first whose line the parser has not passed */
	size_t numbers, mappings;              /* counted so far */
	size_t open[GP_YAML_MAX_DEPTH], depth; /* the open collections: a mapping's number, 0 for a list */
};

static int note_mark(void *ctx, const struct gp_marker *m)
{
	struct scan *s = ctx;
	enum gp_marker_kind kind = s->group ? gp_marker_kind(m->policy, s->group, s->app) : GP_MARKER_IMAGE;

	if (kind == GP_MARKER_NONE)
		return 0;
	s->marks = gp_grow(s->marks, s->mark_count, sizeof *s->marks);
	s->marks[s->mark_count++] = (struct mark){m->hash, m->line_start, m->line, kind};
	return 0;
}

static bool is_block(const struct scalar *c)
{
	return c->found.style == GP_YAML_LITERAL || c->found.style == GP_YAML_FOLDED;
}

static void note_scalar(struct scan *s, const struct gp_yaml_event *e)
{
	struct gp_marked found = {
		.start = e->start,
		.end = e->end,
		.line = e->line,
		.number = s->numbers,
		.mapping = s->depth ? s->open[s->depth - 1] : 0,
		.style = e->style,
		.is_chart = s->at_chart,
		.is_string = !e->tag || strncmp(e->tag, CORE, strlen(CORE)) != 0 || !strcmp(e->tag, CORE "str"),
		.is_tagged = e->tag && (!strcmp(e->tag, CORE "str") || !strcmp(e->tag, "!")),
		.value = strlen(e->value) == e->value_len ? gp_strdup(e->value) : NULL,
	};

	struct scalar *before = s->scalar_count ? &s->scalars[s->scalar_count - 1] : NULL;

	/* A line may hold millions of scalars: of those that end before the mark, only the last one matters. */
	if (before && before->mark == s->mark && before->found.line == before->end_line && !is_block(before) &&
	    e->style != GP_YAML_LITERAL && e->style != GP_YAML_FOLDED) {
		free(before->found.value);
		s->scalar_count--;
	}
	s->scalars = gp_grow(s->scalars, s->scalar_count, sizeof *s->scalars);
	s->scalars[s->scalar_count++] = (struct scalar){found, e->end_line, s->mark, e->is_key};
}

/* Helm's, Flux's and kustomize's key; Argo CD's. */
static bool is_chart_key(const struct gp_yaml_event *e)
{
	return e->is_key && (!strcmp(e->value, "version") || !strcmp(e->value, "targetRevision"));
}

static int note_event(void *ctx, const struct gp_yaml_event *e, struct gp_err *err)
{
	struct scan *s = ctx;

	switch (e->type) {
	case GP_YAML_MAPPING_START:
		s->at_chart = false;
		s->open[s->depth++] = ++s->mappings;
		break;
	case GP_YAML_SEQUENCE_START:
		s->at_chart = false;
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
		s->at_chart = is_chart_key(e);
		s->numbers++;
		break;
	default:
		break;
	}
	return s->watch(s->watch_ctx, e, err);
}

/* Whether a mark within a scalar is a comment: it follows the header of a block scalar. */
static bool in_header(const char *text, const struct scalar *c, const struct mark *m)
{
	const char *start = text + c->found.start, *hash = text + m->hash;

	return is_block(c) && m->line_start <= c->found.start && memchr(start, '#', (size_t)(hash - start) + 1) == hash;
}

static bool only_blanks_and_a_comma(const char *s, const char *end)
{
	size_t commas = 0;

	for (; s < end; s++) {
		commas += *s == ',';
		if (!is_blank(*s) && *s != ',')
			return false;
	}
	return commas <= 1;
}

/* The scalar that the mark belongs to, of those from *from on: the last before it on its line, or NULL. */
static struct scalar *attach(struct scan *s, const struct mark *m, size_t *from)
{
	struct scalar *last = NULL, *c;

	while (*from < s->scalar_count && s->scalars[*from].found.end < m->line_start)
		++*from;
	for (size_t i = *from; i < s->scalar_count && s->scalars[i].found.start <= m->hash; i++) {
		c = &s->scalars[i];
		if (m->hash < c->found.end && !c->is_key && in_header(s->text, c, m)) {
			c->found.trouble = "the marker is on a block scalar";
			return c;
		}
		if (m->hash < c->found.end)
			return NULL;
		if (!is_block(c))
			last = c;
	}
	if (!last || last->is_key || !only_blanks_and_a_comma(s->text + last->found.end, s->text + m->hash))
		return NULL;
	if (last->found.line != last->end_line)
		last->found.trouble = "the marker is on a scalar of several lines";
	return last;
}

static void attach_all(struct scan *s, struct gp_marked_list *out)
{
	size_t from = 0;

	for (size_t i = 0; i < s->mark_count; i++) {
		struct scalar *c = attach(s, &s->marks[i], &from);

		if (!c)
			continue;
		out->item = gp_grow(out->item, out->count, sizeof *out->item);
		out->item[out->count] = c->found;
		out->item[out->count].mark = i;
		/* Report the marker's line: it says more than the scalar's first. */
		out->item[out->count].line = c->found.trouble ? s->marks[i].line : c->found.line;
		out->item[out->count++].kind = s->marks[i].kind;
		c->found.value = NULL;
	}
}

int gp_marker_find(struct gp_marked_list *out, const char *text, size_t len, const char *group, const char *app,
		   gp_yaml_fn *watch, void *watch_ctx, struct gp_err *err)
{
	struct scan s = {.text = text, .group = group, .app = app, .watch = watch, .watch_ctx = watch_ctx};
	int rc = 0;

	*out = (struct gp_marked_list){0};
	if (!gp_marker_possible(text, len, group, app))
		return 0;
	gp_marker_each(text, len, note_mark, &s);
	if (s.mark_count)
		rc = gp_yaml_parse(text, len, note_event, &s, err);
	if (!rc)
		attach_all(&s, out);
	for (size_t i = 0; i < s.scalar_count; i++)
		free(s.scalars[i].found.value);
	free(s.scalars);
	free(s.marks);
	return rc;
}

void gp_marked_free(struct gp_marked_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->item[i].value);
	free(list->item);
	*list = (struct gp_marked_list){0};
}
