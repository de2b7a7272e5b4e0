/*
 * setter.c - any bytes as a manifest: gp_setter_apply refuses them with 65, or
 * changes the scalars it reports and nothing else, and nothing more when it is
 * called again.
 */
#include <stdbool.h>
#include <string.h>

#include "data/yaml.h"
#include "fuzz.h"
#include "setter/setter.h"
#include "sys/exit.h"

#define A64 "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"

/* A tag as it is, one that needs quotes, and both kinds of digest. */
static const char *const versions[] = {"v2", "1.10", "sha256:" A64, "v2@sha256:" A64};

struct line {
	const char *start, *end; /* without its line end */
	const char *next;
};

static struct line line_at(const char *start, const char *end)
{
	struct line line = {start, start, end};
	size_t n = 0;

	while (line.end < end && !(n = gp_yaml_break(line.end, (size_t)(end - line.end))))
		line.end++;
	line.next = line.end + n;
	return line;
}

static bool same(const char *a, const char *a_end, const char *b, const char *b_end)
{
	return a_end - a == b_end - b && !memcmp(a, b, (size_t)(a_end - a));
}

static bool ends_with(const struct line *line, const char *s, size_t n)
{
	return (size_t)(line->end - line->start) >= n && !memcmp(line->end - n, s, n);
}

/* Whether after is before with one scalar replaced by value, in some quotes or in none, and the marker left behind it. */
static bool is_edited(const struct line *before, const struct line *after, const char *value)
{
	static const char *const quotes[] = {"", "\"", "'"};
	size_t n = strlen(value);

	for (const char *s = after->start; s < after->end && s - after->start <= before->end - before->start; s++) {
		for (size_t i = 0; i < sizeof quotes / sizeof *quotes; i++) {
			size_t q = strlen(quotes[i]), left = (size_t)(after->end - s);
			const char *rest = s + n + 2 * q;

			if (left > n + 2 * q && !memcmp(s, quotes[i], q) && !memcmp(s + q, value, n) &&
			    !memcmp(s + q + n, quotes[i], q) && memchr(rest, '#', (size_t)(after->end - rest)) &&
			    ends_with(before, rest, (size_t)(after->end - rest)))
				return true;
		}
		if (s - after->start == before->end - before->start || *s != before->start[s - after->start])
			break;
	}
	return false;
}

/* Line by line: all edits are where they say, one a line, and every other byte is the same. */
static void check_lines(const char *text, size_t len, const char *out, size_t out_len, const struct gp_edits *edits)
{
	const char *a = text, *b = out, *a_end = text + len, *b_end = out + out_len;
	size_t edit = 0;

	for (size_t number = 1; a < a_end; number++) {
		struct line old = line_at(a, a_end), new = line_at(b, b_end);

		FUZZ_HOLDS(b < b_end);
		FUZZ_HOLDS(same(old.end, old.next, new.end, new.next));
		while (edit < edits->count && edits->item[edit].line < number)
			edit++;
		if (edit < edits->count && edits->item[edit].line == number && edits->item[edit].changed)
			FUZZ_HOLDS(is_edited(&old, &new, edits->item[edit].to));
		else
			FUZZ_HOLDS(same(old.start, old.end, new.start, new.end));
		a = old.next;
		b = new.next;
	}
	FUZZ_HOLDS(b == b_end);
}

static void check_edits(const struct gp_edits *edits)
{
	size_t changed = 0;

	for (size_t i = 0; i < edits->count; i++) {
		const struct gp_edit *e = &edits->item[i];

		FUZZ_HOLDS(!e->path && e->from && e->to && e->tag);
		FUZZ_HOLDS(e->changed || !strcmp(e->from, e->to));
		FUZZ_HOLDS(!i || edits->item[i - 1].line < e->line);
		changed += e->changed;
	}
	FUZZ_HOLDS(changed == edits->changed);
}

/* What is set cannot be set again, and reads as what was reported. */
static void check_again(const struct gp_setter *setter, const char *text, size_t len, const struct gp_edits *first)
{
	struct gp_edits edits = {0};
	struct gp_err err = {0};
	char *out;
	size_t out_len;

	FUZZ_HOLDS(!gp_setter_apply(setter, text, len, &out, &out_len, &edits, &err));
	FUZZ_HOLDS(!out && !edits.changed && edits.count == first->count);
	for (size_t i = 0; i < edits.count; i++) {
		FUZZ_HOLDS(!strcmp(edits.item[i].from, first->item[i].to));
		FUZZ_HOLDS(edits.item[i].line == first->item[i].line);
	}
	gp_edits_free(&edits);
	FUZZ_HOLDS(gp_setter_equivalent(text, len, text, len, &err) == 1);
}

static void check(const struct gp_setter *setter, const char *text, size_t len)
{
	struct gp_edits edits = {0};
	struct gp_err err = {0};
	char *out = NULL;
	size_t out_len = 0;

	if (gp_setter_apply(setter, text, len, &out, &out_len, &edits, &err)) {
		FUZZ_HOLDS(err.code == GP_EXIT_INPUT && *err.message);
		FUZZ_HOLDS(!out && !edits.count && gp_setter_may_match(text, len, setter));
		return;
	}
	FUZZ_HOLDS(!err.code && !out == !edits.changed);
	FUZZ_HOLDS(!edits.count || gp_setter_may_match(text, len, setter));
	check_edits(&edits);
	if (!setter->tag)
		FUZZ_HOLDS(!out);
	if (out) {
		check_lines(text, len, out, out_len, &edits);
		check_again(setter, out, out_len, &edits);
	}
	free(out);
	gp_edits_free(&edits);
}

struct search {
	const char *text;
	size_t len;
	const struct gp_setter *setter;
};

/* The fast search overlooks no marker that is read at leisure. */
static int check_search(void *ctx, size_t line, const char *policy)
{
	const struct search *s = ctx;
	size_t n = strlen("apps:web");

	FUZZ_HOLDS(line > 0 && gp_setter_may_match(s->text, s->len, NULL));
	if (!strncmp(policy, "apps:web", n) && (!policy[n] || policy[n] == ':'))
		FUZZ_HOLDS(gp_setter_may_match(s->text, s->len, s->setter));
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gp_setter setter = {"apps", "web", NULL};
	struct search search = {(const char *)data, size, &setter};

	FUZZ_HOLDS(!gp_setter_each_marker(search.text, size, check_search, &search));
	check(&setter, (const char *)data, size);
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
		setter.tag = versions[i];
		check(&setter, (const char *)data, size);
	}
	return 0;
}
