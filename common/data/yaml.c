#include "data/yaml.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "sys/exit.h"
#include "sys/mem.h"
#include "sys/utf8.h"

#define BOM "\xef\xbb\xbf"

/*
 * libyaml tells places in characters, from where it was started (a byte order
 * mark not counted). This follows it through the bytes; its steps are mostly
 * forward, and short where they go back.
 */
struct walk {
	const char *text;
	size_t len;
	size_t byte, index; /* the same place, in bytes and in characters */
	size_t base_index, base_line;
	void *anchors; /* names, for tsearch(3): those of the document so far */
	size_t depth;
	char frame[GP_YAML_MAX_DEPTH]; /* per open collection: a list, a map where a key comes next, or its value */
};

enum { IN_LIST, AT_KEY, AT_VALUE };

static size_t char_length(char lead)
{
	unsigned char c = (unsigned char)lead;

	return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

static size_t byte_of(struct walk *w, size_t index)
{
	index += w->base_index;
	for (; w->index < index && w->byte < w->len; w->index++)
		w->byte += char_length(w->text[w->byte]);
	for (; w->index > index && w->byte > 0; w->index--)
		do
			w->byte--;
		while (w->byte > 0 && ((unsigned char)w->text[w->byte] & 0xc0) == 0x80);
	return w->byte;
}

size_t gp_yaml_break(const char *s, size_t avail)
{
	const unsigned char *u = (const unsigned char *)s;

	if (avail < 1)
		return 0;
	if (u[0] == '\n')
		return 1;
	if (u[0] == '\r')
		return avail > 1 && u[1] == '\n' ? 2 : 1;
	if (u[0] == 0xc2)
		return avail > 1 && u[1] == 0x85 ? 2 : 0;
	return u[0] == 0xe2 && avail > 2 && u[1] == 0x80 && (u[2] == 0xa8 || u[2] == 0xa9) ? 3 : 0;
}

static bool is_word(char c)
{
	return c == '-' || c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* The length of an anchor, a tag, a comment or a blank at s: what stands before the scalar itself. */
static size_t property_length(const char *s, size_t avail)
{
	size_t n = 1;

	switch (*s) {
	case ' ':
	case '\t':
		return 1;
	case '#':
		while (n < avail && !gp_yaml_break(s + n, avail - n))
			n++;
		return n;
	case '&':
		while (n < avail && is_word(s[n]))
			n++;
		return n;
	case '!':
		/* libyaml takes a comma as part of a verbatim tag only. */
		while (n < avail && s[n] != ' ' && s[n] != '\t' && (s[n] != ',' || s[1] == '<') &&
		       !gp_yaml_break(s + n, avail - n))
			n++;
		return n;
	default:
		return 0;
	}
}

/* Moves the event's start behind its properties. */
static void skip_properties(const struct walk *w, struct gp_yaml_event *e)
{
	while (e->start < e->end) {
		const char *s = w->text + e->start;
		size_t n = gp_yaml_break(s, e->end - e->start);

		if (n) {
			e->line++;
			e->column = 1;
		} else {
			/* libyaml passes over a byte order mark at the beginning of any line. */
			n = e->column == 1 && e->end - e->start >= 3 && !memcmp(s, BOM, 3)
				    ? 3
				    : property_length(s, e->end - e->start);
			for (size_t i = 0; i < n; i += char_length(s[i]))
				e->column++;
		}
		if (!n)
			return;
		e->start += n;
	}
}

static void take_scalar(struct gp_yaml_event *e, const yaml_event_t *y)
{
	static const enum gp_yaml_style styles[] = {
		[YAML_PLAIN_SCALAR_STYLE] = GP_YAML_PLAIN,          [YAML_SINGLE_QUOTED_SCALAR_STYLE] = GP_YAML_SINGLE,
		[YAML_DOUBLE_QUOTED_SCALAR_STYLE] = GP_YAML_DOUBLE, [YAML_LITERAL_SCALAR_STYLE] = GP_YAML_LITERAL,
		[YAML_FOLDED_SCALAR_STYLE] = GP_YAML_FOLDED,
	};

	e->type = GP_YAML_SCALAR;
	e->style = styles[y->data.scalar.style];
	e->value = (const char *)y->data.scalar.value;
	e->value_len = y->data.scalar.length;
	e->tag = (const char *)y->data.scalar.tag;
	e->anchor = (const char *)y->data.scalar.anchor;
}

/* Whether libyaml's event is one of ours; fills in what does not depend on the place. */
static bool take(struct gp_yaml_event *e, const yaml_event_t *y)
{
	*e = (struct gp_yaml_event){0};
	switch (y->type) {
	case YAML_DOCUMENT_START_EVENT:
		e->type = GP_YAML_DOCUMENT_START;
		return true;
	case YAML_DOCUMENT_END_EVENT:
		e->type = GP_YAML_DOCUMENT_END;
		return true;
	case YAML_MAPPING_START_EVENT:
		e->type = GP_YAML_MAPPING_START;
		e->tag = (const char *)y->data.mapping_start.tag;
		e->anchor = (const char *)y->data.mapping_start.anchor;
		return true;
	case YAML_MAPPING_END_EVENT:
		e->type = GP_YAML_MAPPING_END;
		return true;
	case YAML_SEQUENCE_START_EVENT:
		e->type = GP_YAML_SEQUENCE_START;
		e->tag = (const char *)y->data.sequence_start.tag;
		e->anchor = (const char *)y->data.sequence_start.anchor;
		return true;
	case YAML_SEQUENCE_END_EVENT:
		e->type = GP_YAML_SEQUENCE_END;
		return true;
	case YAML_ALIAS_EVENT:
		e->type = GP_YAML_ALIAS;
		e->value = (const char *)y->data.alias.anchor;
		e->value_len = strlen(e->value);
		return true;
	case YAML_SCALAR_EVENT:
		take_scalar(e, y);
		return true;
	default:
		return false;
	}
}

static int bad(struct gp_err *err, size_t line, size_t column, const char *what)
{
	return gp_fail(err, GP_EXIT_INPUT, "line %zu, column %zu: %s", line, column, what);
}

/* Keeps account of the open collections, for is_key. */
static int nest(struct walk *w, struct gp_yaml_event *e, struct gp_err *err)
{
	char *top = w->depth ? &w->frame[w->depth - 1] : NULL;
	bool opens = e->type == GP_YAML_MAPPING_START || e->type == GP_YAML_SEQUENCE_START;

	if (e->type == GP_YAML_MAPPING_END || e->type == GP_YAML_SEQUENCE_END)
		w->depth--;
	if (!opens && e->type != GP_YAML_SCALAR && e->type != GP_YAML_ALIAS)
		return 0;
	if (top && *top != IN_LIST) {
		e->is_key = *top == AT_KEY;
		*top = e->is_key ? AT_VALUE : AT_KEY;
	}
	if (!opens)
		return 0;
	if (w->depth == GP_YAML_MAX_DEPTH)
		return bad(err, e->line, e->column, "nested too deeply");
	w->frame[w->depth++] = e->type == GP_YAML_MAPPING_START ? AT_KEY : IN_LIST;
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void forget_anchors(struct walk *w)
{
	while (w->anchors) {
		char *name = *(char **)w->anchors;

		tdelete(name, &w->anchors, by_text);
		free(name);
	}
}

/*
 * An alias means a node before it in its document (YAML 1.2, section 7.1); libyaml's parser leaves that to others, and
 * all of Flux, kubectl and Kustomize refuse it, by go-yaml's "unknown anchor 'x' referenced"
 * (https://github.com/go-yaml/yaml/blob/v3/decode.go). Nobody follows an alias here, so that one within its own node,
 * or many of many, cost nothing.
 */
static int keep_anchors(struct walk *w, const struct gp_yaml_event *e, struct gp_err *err)
{
	char *name;
	void *node;

	if (e->type == GP_YAML_DOCUMENT_START)
		forget_anchors(w);
	if (e->type == GP_YAML_ALIAS && !tfind(e->value, &w->anchors, by_text))
		return gp_fail(err, GP_EXIT_INPUT, "line %zu, column %zu: unknown anchor '%s'", e->line, e->column,
			       e->value);
	if (!e->anchor)
		return 0;
	name = gp_strdup(e->anchor);
	node = tsearch(name, &w->anchors, by_text);
	if (!node)
		gp_out_of_memory();
	if (*(char **)node != name)
		free(name);
	return 0;
}

static int deliver(struct walk *w, const yaml_event_t *y, gp_yaml_fn *fn, void *ctx, struct gp_err *err)
{
	struct gp_yaml_event e;

	if (!take(&e, y))
		return 0;
	e.start = byte_of(w, y->start_mark.index);
	e.end = byte_of(w, y->end_mark.index);
	e.line = w->base_line + y->start_mark.line + 1;
	e.column = y->start_mark.column + 1;
	e.end_line = w->base_line + y->end_mark.line + 1;
	if (e.type == GP_YAML_SCALAR && (e.anchor || e.tag))
		skip_properties(w, &e);
	return nest(w, &e, err) || keep_anchors(w, &e, err) ? -1 : fn(ctx, &e, err);
}

static int bad_byte(const char *text, size_t at, const char *what, struct gp_err *err)
{
	size_t line = 1, column = 1;

	for (size_t i = 0, n; i < at; i += n) {
		n = gp_yaml_break(text + i, at - i);
		line += n > 0;
		column = n ? 1 : column + 1;
		if (!n)
			n = char_length(text[i]);
	}
	return bad(err, line, column, what);
}

static int syntax_error(struct walk *w, const yaml_parser_t *p, size_t from, struct gp_err *err)
{
	size_t at = byte_of(w, p->problem_mark.index), line = w->base_line + p->problem_mark.line + 1;
	size_t column = p->problem_mark.column + 1;

	if (p->error == YAML_MEMORY_ERROR)
		gp_out_of_memory();
	if (p->error == YAML_READER_ERROR)
		return bad_byte(w->text, from + p->problem_offset, p->problem, err);
	if (p->error == YAML_SCANNER_ERROR && at < w->len && w->text[at] == '\t')
		return bad(err, line, column, "a tab cannot indent YAML, only blanks can");
	if (!p->context)
		return bad(err, line, column, p->problem);
	return gp_fail(err, GP_EXIT_INPUT, "line %zu, column %zu: %s %s", line, column, p->problem, p->context);
}

/*
 * Parses the text from the byte *from on. libyaml wants "---" after "...",
 * YAML 1.2 (section 9.2) does not: where it stops for that, *again is set, and
 * the rest is to be parsed as a text of its own.
 */
static int parse_from(struct walk *w, size_t *from, bool *again, gp_yaml_fn *fn, void *ctx, struct gp_err *err)
{
	yaml_parser_t parser;
	yaml_event_t event;
	yaml_mark_t end = {0};
	bool done = false;
	int rc = 0;

	*again = false;
	if (!yaml_parser_initialize(&parser))
		gp_out_of_memory();
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)w->text + *from, w->len - *from);
	while (!rc && !done) {
		if (!yaml_parser_parse(&parser, &event)) {
			*again = parser.error == YAML_PARSER_ERROR && end.index > 0 &&
				 parser.problem_mark.line > end.line;
			if (!*again)
				rc = syntax_error(w, &parser, *from, err);
			break;
		}
		done = event.type == YAML_STREAM_END_EVENT;
		end = (yaml_mark_t){0};
		if (event.type == YAML_DOCUMENT_END_EVENT && !event.data.document_end.implicit)
			end = event.end_mark;
		rc = deliver(w, &event, fn, ctx, err);
		yaml_event_delete(&event);
	}
	if (*again) {
		/* From the beginning of the line, as columns mean indentation. */
		*from = byte_of(w, parser.problem_mark.index - parser.problem_mark.column);
		w->base_index = w->index;
		w->base_line += parser.problem_mark.line;
	}
	yaml_parser_delete(&parser);
	return rc;
}

int gp_yaml_parse(const char *text, size_t len, gp_yaml_fn *fn, void *ctx, struct gp_err *err)
{
	struct walk w = {.text = text, .len = len};
	size_t from = 0;
	bool again = true;
	int rc = 0;

	if (len > GP_YAML_MAX_LENGTH)
		return gp_fail(err, GP_EXIT_INPUT, "more than %d MiB of YAML", GP_YAML_MAX_LENGTH >> 20);
	for (size_t n; from < len; from += n) {
		n = gp_utf8_length(text + from, len - from);
		if (!n)
			return bad_byte(text, from, "not UTF-8", err);
	}
	from = len >= 3 && !memcmp(text, BOM, 3) ? 3 : 0;
	w.byte = from;
	while (again && !rc)
		rc = parse_from(&w, &from, &again, fn, ctx, err);
	forget_anchors(&w);
	return rc;
}
