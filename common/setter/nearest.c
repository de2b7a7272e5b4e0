#include "setter/nearest.h"

#include <stdlib.h>
#include <string.h>

#include "setter/setter.h"
#include "setter/trace-search.h"
#include "setter/trace.h"
#include "sys/exit.h"
#include "sys/mem.h"
#include "sys/spelling.h"

enum { NEAREST = 3, LONGEST = 250 };

/* A marker that was seen, without its kind: "group:app". */
struct seen {
	size_t distance, line;
	char *name, *path;
};

struct gp_nearest {
	char *wanted;     /* "group:app" */
	const char *path; /* of the file that is looked through */
	const char *group, *app;
	struct gp_err trace;       /* what the first line says that speaks of the app and is no marker */
	struct seen best[NEAREST]; /* nearest first */
	size_t count;
};

struct gp_nearest *gp_nearest_new(const char *group, const char *app)
{
	struct gp_nearest *n = gp_calloc(1, sizeof *n);

	n->wanted = gp_asprintf("%s:%s", group, app);
	n->group = group;
	n->app = app;
	return n;
}

static void drop(struct seen *seen)
{
	free(seen->name);
	free(seen->path);
}

void gp_nearest_free(struct gp_nearest *n)
{
	for (size_t i = 0; i < n->count; i++)
		drop(&n->best[i]);
	free(n->wanted);
	free(n);
}

/* The place among the best for a marker at this distance; NEAREST: none. */
static size_t place(const struct gp_nearest *n, const char *name, size_t d)
{
	size_t at = n->count;

	for (size_t i = 0; i < n->count; i++)
		if (!strcmp(n->best[i].name, name))
			return NEAREST;
	while (at > 0 && n->best[at - 1].distance > d)
		at--;
	return at;
}

static int note(void *ctx, size_t line, const char *policy)
{
	struct gp_nearest *n = ctx;
	size_t group = strcspn(policy, ":"), app = policy[group] ? strcspn(policy + group + 1, ":") + 1 : 0;
	char *name = gp_memdup0(policy, group + app);
	size_t d = strlen(name) > LONGEST ? LONGEST : gp_spelling_distance(name, n->wanted), at = place(n, name, d);

	if (at == NEAREST) {
		free(name);
		return 0;
	}
	if (n->count == NEAREST)
		drop(&n->best[--n->count]);
	memmove(&n->best[at + 1], &n->best[at], (n->count++ - at) * sizeof n->best[0]);
	n->best[at] = (struct seen){d, line, name, gp_strdup(n->path)};
	return 0;
}

void gp_nearest_look(struct gp_nearest *n, const char *path, const char *text, size_t len)
{
	n->path = path;
	size_t line = 1;
	const char *what;

	gp_setter_each_marker(text, len, note, n);
	if (!n->trace.code && gp_trace_find(text, len, n->group, n->app, &line, &what))
		gp_trace_fail(path, line, what, n->group, n->app, &n->trace);
}

int gp_nearest_fail(const struct gp_nearest *n, const char *dir, struct gp_err *err)
{
	if (n->trace.code)
		return gp_fail(err, n->trace.code, "%s", n->trace.message);
	char *hint = gp_strdup(n->count ? "nearest:" : "there are no markers at all");

	for (size_t i = 0; i < n->count; i++) {
		const struct seen *s = &n->best[i];
		char *more = gp_asprintf("%s%s %s at %s:%zu", hint, i ? "," : "", s->name, s->path, s->line);

		free(hint);
		hint = more;
	}
	gp_fail(err, GP_EXIT_INPUT, "no marker {\"$imagepolicy\": \"%s\"} in the YAML files below '%s'; %s", n->wanted,
		dir, hint);
	free(hint);
	return -1;
}
