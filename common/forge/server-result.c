/* The parts of results. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "data/oid.h"
#include "forge/server.h"
#include "sys/exit.h"
#include "sys/mem.h"

struct placed {
	const struct gp_json *item;
	size_t place;
};

static int by_place(const struct placed *x, const struct placed *y)
{
	return (x->place > y->place) - (x->place < y->place);
}

static int64_t number_of(const struct placed *p)
{
	return gp_json_get_int(p->item, "number", 0);
}

static int by_number(const void *a, const void *b)
{
	const struct placed *p = a, *q = b;
	int64_t x = number_of(p), y = number_of(q);

	return x != y ? (x > y) - (x < y) : by_place(p, q);
}

/* Times of one form compare as text. */
static int by_age(const void *a, const void *b)
{
	const struct placed *p = a, *q = b;
	int newer = strcmp(gp_json_get_text(q->item, "created_at"), gp_json_get_text(p->item, "created_at"));

	return newer ? newer : by_place(p, q);
}

/* Takes list over; each_once: of those with the same number the first. */
static struct gp_json *sorted(struct gp_json *list, int order(const void *, const void *), bool each_once)
{
	size_t n = gp_json_count(list), i = 0;
	struct placed *placed = gp_calloc(n, sizeof *placed);
	struct gp_json *out = gp_json_array();

	for (const struct gp_json *item = gp_json_first(list); item; item = gp_json_next(item), i++)
		placed[i] = (struct placed){item, i};
	qsort(placed, n, sizeof *placed, order);
	for (i = 0; i < n; i++)
		if (!each_once || !i || number_of(&placed[i]) != number_of(&placed[i - 1]))
			gp_json_append(out, gp_json_copy(placed[i].item));
	free(placed);
	gp_json_free(list);
	return out;
}

struct gp_json *gp_pulls_in_order(struct gp_json *pulls)
{
	return sorted(pulls, by_number, true);
}

struct gp_json *gp_statuses_in_order(struct gp_json *statuses)
{
	return sorted(statuses, by_age, false);
}

static struct gp_json *result(const char *name, struct gp_json *value)
{
	struct gp_json *object = value ? gp_json_object() : NULL;

	if (object)
		gp_json_set(object, name, value);
	return object;
}

struct gp_json *gp_pull_result(struct gp_json *pull)
{
	return result("pull_request", pull);
}

struct gp_json *gp_opened_result(struct gp_json *pull, bool created, struct gp_json *warnings)
{
	struct gp_json *out = gp_pull_result(pull);

	if (out)
		gp_json_set_bool(out, "created", created);
	if (out && gp_json_first(warnings))
		gp_json_set(out, "warnings", warnings);
	else
		gp_json_free(warnings);
	return out;
}

void gp_warn(struct gp_json **warnings, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *text = gp_vasprintf(fmt, ap);
	va_end(ap);
	if (!*warnings)
		*warnings = gp_json_array();
	gp_json_append(*warnings, gp_json_string(text));
	free(text);
}

struct gp_json *gp_pulls_result(struct gp_json *pulls)
{
	return result("pull_requests", pulls);
}

struct gp_json *gp_status(const char *context, const char *state, const char *description, const char *url,
			  const char *at, const char *kind, const char *by)
{
	struct gp_json *status = gp_json_object();

	gp_json_set_text(status, "context", context);
	gp_json_set_text(status, "state", state);
	gp_json_set_text(status, "description", description);
	gp_json_set_text(status, "url", url);
	gp_json_set_text(status, "created_at", at);
	gp_json_set_text(status, "kind", kind);
	gp_json_set_text(status, "by", by);
	return status;
}

int gp_pull_check_bound(const struct gp_json *pull, const char *head, struct gp_err *err)
{
	long long number = gp_json_get_int(pull, "number", 0);
	const char *state = gp_json_get_text(pull, "state"), *now = gp_json_get_text(pull, "head");

	if (strcmp(state, "open") != 0)
		return gp_fail(err, GP_EXIT_REFUSED, "pull request #%lld is %s already", number, state);
	if (strcmp(now, head) != 0)
		return gp_fail(err, GP_EXIT_RETRY, "head of #%lld is now %s, not %s", number, now, head);
	return 0;
}

static bool is_commit(const char *text)
{
	struct gp_oid oid;

	return text && !gp_oid_parse(&oid, text);
}

const char *gp_pull_lacks(const struct gp_json *pull)
{
	static const char *const texts[] = {"url", "title", "description", "branch", "base", "state"};
	const struct gp_json *merge_commit = gp_json_get(pull, "merge_commit");

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (!gp_json_get_text(pull, texts[i]))
			return "a pull request without all of its members";
	if (gp_json_get_int(pull, "number", 0) <= 0)
		return "a pull request without a number";
	if (!is_commit(gp_json_get_text(pull, "head")))
		return "a pull request's head is no commit id";
	if (merge_commit && !gp_json_is_null(merge_commit) && !is_commit(gp_json_text(merge_commit)))
		return "a pull request is merged as what is no commit id";
	return NULL;
}
