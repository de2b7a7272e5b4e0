#include "marker.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "mem.h"
#include "yaml.h"

#define MEMBER "$imagepolicy"

bool gp_marker_possible(const char *text, size_t len, const char *group, const char *app)
{
	char *start;
	bool found;

	/* Only \u can spell a letter, a '$' or a ':' otherwise in JSON. */
	if (memmem(text, len, "\\u", 2))
		return true;
	if (!app)
		return memmem(text, len, MEMBER, strlen(MEMBER));
	/* The app's name is the rarer text: what has it is worth a closer look. */
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
		s = marker->policy ? NULL : memchr(s + 1, '#', (size_t)(end - s - 1));
		if (marker->policy)
			rc = fn(ctx, marker);
		gp_json_free(json);
	}
	return rc;
}

int gp_marker_each(const char *text, size_t len, gp_marker_fn *fn, void *ctx)
{
	struct gp_marker marker = {.line = 1};
	const char *end = text + len, *s = text, *hash;
	int rc = 0;

	while (!rc && (hash = memchr(s, '#', (size_t)(end - s)))) {
		while (s < hash) {
			size_t n = gp_yaml_break(s, (size_t)(end - s));

			s += n ? n : 1;
			if (n) {
				marker.line++;
				marker.line_start = (size_t)(s - text);
			}
		}
		while (s < end && !gp_yaml_break(s, (size_t)(end - s)))
			s++;
		marker.hash = (size_t)(hash - text);
		rc = read_line(text, s, &marker, fn, ctx);
	}
	return rc;
}

enum gp_marker_kind gp_marker_kind(const char *policy, const char *group, const char *app)
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
	size_t g = strlen(group), a = strlen(app);

	if (strncmp(policy, group, g) != 0 || policy[g] != ':' || strncmp(policy + g + 1, app, a) != 0)
		return GP_MARKER_NONE;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (!strcmp(policy + g + 1 + a, kinds[i].suffix))
			return kinds[i].kind;
	return GP_MARKER_NONE;
}
