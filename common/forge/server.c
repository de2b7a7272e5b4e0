#include "forge/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sys/exit.h"
#include "sys/io.h"
#include "sys/mem.h"

/* gp gives up ten seconds after the longest time that a request may take: send a sign of life more often. */
enum { MAX_REQUEST = 64 << 20, AT_WORK_MS = 2000 };

struct gp_forge_work {
	int out;
	long long said_ms; /* when there was something to be read of last, or to be waited for first */
};

static int cannot_write(struct gp_err *err)
{
	return gp_fail(err, GP_EXIT_SYSTEM, "cannot write a reply: %s", strerror(errno));
}

int gp_forge_at_work(struct gp_forge_work *work, struct gp_err *err)
{
	long long now = gp_now_ms();

	if (!work || now - work->said_ms < AT_WORK_MS)
		return 0;
	work->said_ms = now;
	return gp_write_all(work->out, "\n", 1) ? cannot_write(err) : 0;
}

static const struct gp_json *need(const struct gp_json *request, const char *name, struct gp_err *err)
{
	const struct gp_json *value = gp_json_get(request, name);

	if (!value || gp_json_is_null(value)) {
		gp_fail(err, GP_EXIT_INPUT, "parameter '%s' is missing", name);
		return NULL;
	}
	return value;
}

int gp_request_text(const char **out, const struct gp_json *request, const char *name, struct gp_err *err)
{
	const struct gp_json *value = need(request, name, err);

	*out = value ? gp_json_text(value) : NULL;
	if (value && !*out)
		gp_fail(err, GP_EXIT_INPUT, "parameter '%s' is not a string", name);
	return *out ? 0 : -1;
}

int gp_request_optional_text(const char **out, const struct gp_json *request, const char *name, struct gp_err *err)
{
	const struct gp_json *value = gp_json_get(request, name);

	*out = NULL;
	return value && !gp_json_is_null(value) ? gp_request_text(out, request, name, err) : 0;
}

int gp_request_name(const char **out, const struct gp_json *request, const char *name, struct gp_err *err)
{
	if (gp_request_text(out, request, name, err))
		return -1;
	return **out ? 0 : gp_fail(err, GP_EXIT_INPUT, "parameter '%s' is empty", name);
}

int gp_request_number(int64_t *out, const struct gp_json *request, const char *name, struct gp_err *err)
{
	if (!need(request, name, err))
		return -1;
	*out = gp_json_get_int(request, name, 0);
	return *out > 0 ? 0 : gp_fail(err, GP_EXIT_INPUT, "parameter '%s' is not a number from 1", name);
}

int gp_request_bool(bool *out, const struct gp_json *request, const char *name, struct gp_err *err)
{
	const struct gp_json *value = need(request, name, err);

	if (!value)
		return -1;
	*out = gp_json_get_true(request, name);
	return gp_json_is_bool(value) ? 0
				      : gp_fail(err, GP_EXIT_INPUT, "parameter '%s' is neither true nor false", name);
}

int gp_request_commit(const char **out, const struct gp_json *request, const char *name, struct gp_err *err)
{
	if (gp_request_text(out, request, name, err))
		return -1;
	if (strlen(*out) != 40 || strspn(*out, "0123456789abcdef") != 40)
		return gp_fail(err, GP_EXIT_INPUT, "parameter '%s' is not a commit id of 40 hexadecimal digits", name);
	return 0;
}

int gp_request_word(const char **out, const struct gp_json *request, const char *name, const char *const words[],
		    struct gp_err *err)
{
	if (gp_request_text(out, request, name, err))
		return -1;
	for (size_t i = 0; words[i]; i++)
		if (!strcmp(*out, words[i]))
			return 0;
	return gp_fail(err, GP_EXIT_INPUT, "parameter '%s' cannot be '%s'", name, *out);
}

/* The repository of the last request; it is kept for the next, with its connections and caches. */
struct place {
	void *repository;
	char *url;
};

static void leave(const struct gp_forge_driver *driver, struct place *place)
{
	if (place->repository)
		driver->close(place->repository);
	free(place->url);
	*place = (struct place){0};
}

static int enter(const struct gp_forge_driver *driver, struct place *place, const struct gp_json *request,
		 struct gp_err *err)
{
	const struct gp_json *repository = gp_json_get(request, "repository");
	const char *url;

	if (!gp_json_is_object(repository))
		return gp_fail(err, GP_EXIT_INPUT, "parameter 'repository' is not an object");
	if (gp_request_name(&url, repository, "url", err))
		return gp_fail_in(err, "repository");
	if (place->url && !strcmp(place->url, url))
		return 0;
	leave(driver, place);
	place->repository = driver->open(driver->ctx, url, err);
	if (!place->repository)
		return -1;
	place->url = gp_strdup(url);
	return 0;
}

static struct gp_json *call(const struct gp_forge_driver *driver, struct place *place, const struct gp_json *request,
			    struct gp_forge_work *work, struct gp_err *err)
{
	const struct gp_forge_op *op = driver->ops;
	const char *name;

	if (!gp_json_is_object(request)) {
		gp_fail(err, GP_EXIT_INPUT, "a request is a JSON object on one line");
		return NULL;
	}
	if (gp_request_text(&name, request, "op", err))
		return NULL;
	while (op->name && strcmp(op->name, name) != 0)
		op++;
	if (!op->name) {
		gp_fail(err, GP_EXIT_USAGE, "unknown op '%s'", name);
		return NULL;
	}
	if (enter(driver, place, request, err))
		return NULL;
	return driver->call ? driver->call(place->repository, op, request, work, err)
			    : op->fn(place->repository, request, err);
}

/* The reply to one line. */
static struct gp_json *answer(const struct gp_forge_driver *driver, struct place *place, const char *line, size_t len,
			      struct gp_forge_work *work, struct gp_err *err)
{
	struct gp_json *request = err->code ? NULL : gp_json_parse(line, len, err);
	struct gp_json *result = request ? call(driver, place, request, work, err) : NULL;
	struct gp_json *reply = gp_json_object(), *id = gp_json_copy(gp_json_get(request, "id"));

	gp_json_set(reply, "id", id ? id : gp_json_string(NULL));
	if (result) {
		gp_json_set(reply, "result", result);
	} else {
		struct gp_json *error = gp_json_object();

		gp_json_set_int(error, "exit", err->code ? err->code : GP_EXIT_BUG);
		gp_json_set_text(error, "message", err->code ? err->message : "the driver gave no reason");
		gp_json_set(reply, "error", error);
	}
	gp_json_free(request);
	return reply;
}

static int send_reply(int out, const struct gp_json *reply, struct gp_err *err)
{
	char *text = gp_json_print(reply), *line = gp_asprintf("%s\n", text);
	int rc = gp_write_all(out, line, strlen(line));

	free(line);
	free(text);
	return rc ? cannot_write(err) : 0;
}

int gp_forge_serve(int in, int out, const struct gp_forge_driver *driver, struct gp_err *err)
{
	struct gp_lines lines = {.fd = in};
	struct place place = {0};
	int got, rc = 0;

	do {
		struct gp_err why = {0};
		char *line = NULL;
		size_t len = 0;

		got = gp_lines_next(&lines, &line, &len, MAX_REQUEST, -1, &why);
		if (!got)
			break;
		struct gp_forge_work work = {out, gp_now_ms()};
		/* If a line is too long, its end is unknown: answer it and stop. */
		struct gp_json *reply = answer(driver, &place, line, len, &work, &why);

		rc = send_reply(out, reply, err);
		gp_json_free(reply);
		if (got < 0)
			gp_fail(err, why.code, "%s", why.message);
	} while (got > 0 && !rc);
	gp_lines_free(&lines);
	leave(driver, &place);
	return got < 0 ? -1 : rc;
}
