/*
 * http-replies.h - for targets that play a forge's API: the input's first line
 * is a request as gp-forge(7) has it, what follows are the answers to the
 * driver's HTTP requests, one after the other, each up to a NUL: a line with the
 * status, lines with headers, an empty line, the body. No network is touched;
 * http.c is included, so that its one function that asks can be replaced.
 */
#ifndef GP_FUZZ_HTTP_REPLIES_H
#define GP_FUZZ_HTTP_REPLIES_H

/* Comes before anything that includes http.h. */
#define gp_http_ask http_ask_for_real
#include "http/http.c" /* NOLINT(bugprone-suspicious-include) */
#undef gp_http_ask

#include "forge/api.h"
#include "fuzz.h"
#include "protocol.h"

#define TOKEN "s3cret-T0KEN-of-the-forge"

/* What is left of the input. A target is one thread that runs one input at a time. */
static const char *left, *left_end;

/* Whatever has been answered before, the token goes to the API alone, and only as a header. */
static void check_request(const struct gp_http_request *request)
{
	size_t tokens = 0;

	FUZZ_HOLDS(!strncmp(request->url, "http://127.0.0.1:1/", 19) && fuzz_is_printable(request->url));
	FUZZ_HOLDS(!strstr(request->url, TOKEN) && !strchr(request->url, ' '));
	FUZZ_HOLDS(!request->body || !strstr(request->body, TOKEN));
	for (const char *const *h = request->headers; *h; h++) {
		FUZZ_HOLDS(fuzz_is_printable(*h));
		tokens += !strncmp(*h, "Authorization: ", 15);
	}
	FUZZ_HOLDS(tokens == 1);
}

/* What http.h declares, by its right name. */
int gp_http_ask(struct gp_http *http, const struct gp_http_request *request, struct gp_http_reply *reply,
		struct gp_err *err);

static char *next_line(void)
{
	const char *end = memchr(left, '\n', (size_t)(left_end - left));
	char *line;

	if (!end)
		end = left_end;
	line = gp_memdup0(left, (size_t)(end - left));
	left = end < left_end ? end + 1 : end;
	return line;
}

int gp_http_ask(struct gp_http *http, const struct gp_http_request *request, struct gp_http_reply *reply,
		struct gp_err *err)
{
	const char *end;
	char *line;

	(void)http;
	check_request(request);
	*reply = (struct gp_http_reply){0};
	if (left == left_end)
		return gp_fail(err, GP_EXIT_RETRY, "no answer");
	line = next_line();
	reply->status = strtol(line, NULL, 10);
	for (free(line); *(line = next_line());) {
		/* libcurl passes no header on that has a control character. */
		if (!fuzz_is_printable(line)) {
			free(line);
			continue;
		}
		reply->headers = gp_grow(reply->headers, reply->header_count, sizeof *reply->headers);
		reply->headers[reply->header_count++] = line;
	}
	free(line);
	end = left < left_end ? memchr(left, '\0', (size_t)(left_end - left)) : NULL;
	if (!end)
		end = left_end;
	reply->len = (size_t)(end - left);
	reply->body = reply->len ? gp_memdup0(left, reply->len) : NULL;
	left = end < left_end ? end + 1 : end;
	return 0;
}

static void check_result(const char *op, const struct gp_json *request, const struct gp_json *result)
{
	const struct gp_json *pulls = gp_json_get(result, "pull_requests");

	FUZZ_HOLDS(gp_json_is_object(result));
	if (!strcmp(op, "find-pr"))
		FUZZ_HOLDS(gp_json_is_array(pulls));
	else if (!strcmp(op, "open-pr") || !strcmp(op, "set-auto-merge") || !strcmp(op, "merge-pr"))
		protocol_check_pull(gp_json_get(result, "pull_request"));
	else if (!strcmp(op, "set-status"))
		protocol_check_status(gp_json_get(result, "status"));
	for (const struct gp_json *p = gp_json_first(pulls); p; p = gp_json_next(p))
		protocol_check_pull(p);
	if (!strcmp(op, "list-statuses"))
		for (const struct gp_json *c = gp_json_first(gp_json_get(request, "commits")); c; c = gp_json_next(c))
			protocol_check_statuses(gp_json_get(gp_json_get(result, "statuses"), gp_json_text(c)));
}

static char *variables(const char *name)
{
	static char token[] = TOKEN;

	return strcmp(name, "GP_TOKEN") ? NULL : token;
}

/* One operation on the repository at url; its API is at http://127.0.0.1:1. */
static void http_play(const uint8_t *data, size_t size, const struct gp_api_driver *driver, const char *url)
{
	const struct gp_forge_op *ops = driver->ops;
	const struct gp_api_patience patience = {1000, 0};
	struct gp_err err = {0}, ignored = {0};
	struct gp_json *request, *result;
	struct gp_api *api;
	const char *op;
	char *line;

	left = (const char *)data;
	left_end = left + size;
	if (!size || memmem(data, size, TOKEN, strlen(TOKEN)))
		return;
	line = next_line();
	request = gp_json_parse(line, strlen(line), &ignored);
	free(line);
	op = gp_json_get_text(request, "op");
	while (op && ops->name && strcmp(ops->name, op) != 0)
		ops++;
	api = op && ops->name ? driver->open(url, &patience, variables, &err) : NULL;
	FUZZ_HOLDS(!err.code);
	/* Twice, for what is remembered from one request to the next. */
	for (int i = 0; api && i < 2; i++, err = (struct gp_err){0}) {
		result = gp_api_answer_request(api, ops->fn, api, request, NULL, &err);
		FUZZ_HOLDS(!result == !!err.code && !strstr(err.message, TOKEN));
		if (result)
			check_result(op, request, result);
		else
			protocol_check_error(&err);
		gp_json_free(result);
	}
	if (api)
		driver->close(api);
	gp_json_free(request);
}

#endif
