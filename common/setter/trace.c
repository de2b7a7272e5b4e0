#include "setter/trace.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data/yaml.h"
#include "setter/marker.h"

static const char name_bytes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
static const char member[] = "imagepolicy";

enum { MEMBER = sizeof member - 1 };

/* Several needles, each as fast as reading; a search that ignores case is many times slower. */
bool gp_trace_possible(const char *text, size_t len)
{
	return memmem(text, len, "magepolicy", 10) || memmem(text, len, "magePolicy", 10) ||
	       memmem(text, len, "MAGEPOLICY", 10);
}

/* The beginning of the next line, behind the line break at eol, or end. */
static const char *next_line(const char *eol, const char *end)
{
	return eol + gp_yaml_break(eol, (size_t)(end - eol));
}

static bool has_member(const char *s, const char *end)
{
	for (; end - s >= MEMBER; s++)
		if ((*s == 'i' || *s == 'I') && !strncasecmp(s, member, MEMBER))
			return true;
	return false;
}

static bool is_name(char c)
{
	return c && strchr(name_bytes, c);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* A policy as it should be: "group:app", or with a kind behind it. */
static bool is_policy(const char *policy)
{
	size_t group = strspn(policy, name_bytes);
	const char *app = policy + group;

	if (!group || *app++ != ':')
		return false;
	const char *kind = app + strspn(app, name_bytes);

	return kind > app && gp_marker_suffix(kind) != GP_MARKER_NONE;
}

static int note_policy(void *ctx, const struct gp_marker *marker)
{
	(void)ctx;
	return is_policy(marker->policy) ? 1 : 0;
}

static bool is_marker(const char *s, const char *end)
{
	return gp_marker_each(s, (size_t)(end - s), note_policy, NULL) != 0;
}

/* Two names with a ':' and perhaps blanks between them. */
struct pair {
	const char *group, *app;
	size_t group_len, app_len;
};

/* The pair around the colon at s, within [start, end). */
static bool read_pair(struct pair *pair, const char *start, const char *s, const char *end)
{
	const char *left = s, *right = s + 1;

	while (left > start && is_blank(left[-1]))
		left--;
	while (right < end && is_blank(*right))
		right++;
	pair->group = left;
	while (pair->group > start && is_name(pair->group[-1]))
		pair->group--;
	pair->app = right;
	while (right < end && is_name(*right))
		right++;
	/* The end of a sentence. */
	while (right > pair->app && right[-1] == '.')
		right--;
	pair->group_len = (size_t)(left - pair->group);
	pair->app_len = (size_t)(right - pair->app);
	return pair->group_len && pair->app_len;
}

static int each_pair(const char *s, const char *end, gp_trace_fn *fn, void *ctx)
{
	int rc = 0;

	for (const char *at = s; !rc && (at = memchr(at, ':', (size_t)(end - at))); at++) {
		struct pair pair;

		if (read_pair(&pair, s, at, end))
			rc = fn(ctx, pair.group, pair.group_len, pair.app, pair.app_len);
	}
	return rc;
}

int gp_trace_each(const char *text, size_t len, gp_trace_fn *fn, void *ctx)
{
	const char *end = text + len;
	int rc = 0;

	if (!gp_trace_possible(text, len))
		return 0;
	for (const char *s = text, *eol; s < end && !rc; s = next_line(eol, end)) {
		eol = gp_marker_line_end(s, end);
		if (has_member(s, eol) && !is_marker(s, eol))
			rc = each_pair(s, eol, fn, ctx);
	}
	return rc;
}

struct wanted {
	const char *group, *app;
	size_t group_len, app_len;
};

static int is_wanted(void *ctx, const char *group, size_t group_len, const char *app, size_t app_len)
{
	const struct wanted *w = ctx;

	return group_len == w->group_len && app_len == w->app_len && !memcmp(group, w->group, group_len) &&
	       !memcmp(app, w->app, app_len);
}

static int note_kind(void *ctx, const struct gp_marker *marker)
{
	const struct wanted *w = ctx;

	return (int)gp_marker_kind(marker->policy, w->group, w->app);
}

/* What is wrong with a line that speaks of the app. */
static const char *wrong_with(const char *s, const char *end, enum gp_marker_kind kind)
{
	const char *close = memrchr(s, '}', (size_t)(end - s));

	if (kind != GP_MARKER_NONE) {
		s += strspn(s, " \t");
		return *s == '#' ? "the marker is on a line of its own" : "the marker is not behind a value";
	}
	for (close = close ? close + 1 : end; close < end; close++)
		if (!is_blank(*close))
			return "text follows the marker";
	return "the marker cannot be read";
}

bool gp_trace_find(const char *text, size_t len, const char *group, const char *app, size_t *line, const char **what)
{
	struct wanted wanted = {group, app, strlen(group), strlen(app)};
	const char *end = text + len;
	size_t number = 1;

	if (!gp_trace_possible(text, len))
		return false;
	for (const char *s = text, *eol; s < end; s = next_line(eol, end), number++) {
		eol = gp_marker_line_end(s, end);
		if (number < *line || !has_member(s, eol))
			continue;
		enum gp_marker_kind kind =
			(enum gp_marker_kind)gp_marker_each(s, (size_t)(eol - s), note_kind, &wanted);

		if (kind == GP_MARKER_NAME || kind == GP_MARKER_DIGEST)
			continue;
		if (kind == GP_MARKER_NONE && (is_marker(s, eol) || !each_pair(s, eol, is_wanted, &wanted)))
			continue;
		*line = number;
		*what = wrong_with(s, eol, kind);
		return true;
	}
	return false;
}
