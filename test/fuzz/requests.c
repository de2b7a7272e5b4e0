/*
 * requests.c - any bytes as what is asked of a forge's driver: one reply for
 * each line, a JSON object on one line, with an id and either a result or an
 * error; and parameters that are what forge/server.h says of them.
 */
#include "forge/server.h"
#include "fuzz.h"
#include "sys/exit.h"
#include "sys/mem.h"

static bool is_commit(const char *text)
{
	return text && strlen(text) == 40 && strspn(text, "0123456789abcdef") == 40;
}

static bool is_method(const char *text)
{
	return text && (!strcmp(text, "merge") || !strcmp(text, "squash") || !strcmp(text, "rebase"));
}

/* What an operation answers that could read its parameters. */
static struct gp_json *answer(int failed, const struct gp_err *err)
{
	FUZZ_HOLDS(failed ? err->code == GP_EXIT_INPUT && fuzz_is_printable(err->message) : !err->code);
	return failed ? NULL : gp_json_object();
}

static struct gp_json *find_pr(void *repository, const struct gp_json *request, struct gp_err *err)
{
	struct gp_find find;
	int failed = gp_request_find(&find, request, err);

	(void)repository;
	FUZZ_HOLDS(failed || find.way != GP_FIND_NUMBER || find.number > 0);
	FUZZ_HOLDS(failed || find.way != GP_FIND_BRANCH || (*find.branch && *find.base));
	FUZZ_HOLDS(failed || find.way != GP_FIND_MERGED_AS || is_commit(find.commit));
	return answer(failed, err);
}

static struct gp_json *open_pr(void *repository, const struct gp_json *request, struct gp_err *err)
{
	struct gp_wanted wanted;
	int failed = gp_request_wanted(&wanted, request, err);

	(void)repository;
	FUZZ_HOLDS(failed || (*wanted.branch && *wanted.base && wanted.title && wanted.description));
	return answer(failed, err);
}

static struct gp_json *set_auto_merge(void *repository, const struct gp_json *request, struct gp_err *err)
{
	struct gp_merge merge;
	int failed = gp_request_auto_merge(&merge, request, err);

	(void)repository;
	FUZZ_HOLDS(failed || merge.number > 0);
	FUZZ_HOLDS(failed || !merge.enable || (is_method(merge.method) && is_commit(merge.head)));
	return answer(failed, err);
}

static struct gp_json *merge_pr(void *repository, const struct gp_json *request, struct gp_err *err)
{
	struct gp_merge merge;
	int failed = gp_request_merge(&merge, request, err);

	(void)repository;
	FUZZ_HOLDS(failed || (merge.number > 0 && is_method(merge.method) && is_commit(merge.head)));
	return answer(failed, err);
}

static struct gp_json *list_statuses(void *repository, const struct gp_json *request, struct gp_err *err)
{
	const struct gp_json *commits = NULL;
	bool all;
	int failed = gp_request_commits(&commits, &all, request, err);

	(void)repository;
	for (const struct gp_json *c = failed ? NULL : gp_json_first(commits); c; c = gp_json_next(c))
		FUZZ_HOLDS(is_commit(gp_json_text(c)));
	return answer(failed, err);
}

static struct gp_json *set_status(void *repository, const struct gp_json *request, struct gp_err *err)
{
	struct gp_post post;
	int failed = gp_request_post(&post, request, err);

	(void)repository;
	FUZZ_HOLDS(failed || (is_commit(post.commit) && *post.context && post.state && post.number >= 0));
	return answer(failed, err);
}

static struct gp_json *silent(void *repository, const struct gp_json *request, struct gp_err *err)
{
	(void)repository, (void)request, (void)err;
	return NULL;
}

/* A repository is its URL; one that begins with '!' cannot be opened. */
static void *open_repository(void *ctx, const char *url, struct gp_err *err)
{
	(void)ctx;
	FUZZ_HOLDS(*url);
	if (*url == '!') {
		gp_fail(err, GP_EXIT_CONFIG, "not '%s'", url);
		return NULL;
	}
	return gp_strdup(url);
}

static void check_reply(const char *line, size_t len)
{
	struct gp_err err = {0};
	struct gp_json *reply = gp_json_parse(line, len, &err);
	const struct gp_json *result = gp_json_get(reply, "result"), *error = gp_json_get(reply, "error");

	FUZZ_HOLDS(reply && gp_json_get(reply, "id") && !result == !!error);
	FUZZ_HOLDS(!result || gp_json_is_object(result));
	FUZZ_HOLDS(!error || (gp_json_get_int(error, "exit", 0) > 0 && gp_json_get_text(error, "message")));
	gp_json_free(reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct gp_forge_op ops[] = {
		{"find-pr", find_pr, 0},
		{"open-pr", open_pr, 0},
		{"set-auto-merge", set_auto_merge, 0},
		{"merge-pr", merge_pr, 0},
		{"list-statuses", list_statuses, 0},
		{"set-status", set_status, 0},
		{"silent", silent, 0},
		{NULL, NULL, 0},
	};
	static const struct gp_forge_driver driver = {.ops = ops, .open = open_repository, .close = free};
	FILE *in = fuzz_file(data, size), *out = fuzz_temporary();
	size_t lines = 0, replies = 0, len;
	struct gp_err err = {0};

	FUZZ_HOLDS(out);
	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n' || i + 1 == size;
	FUZZ_HOLDS(!gp_forge_serve(fileno(in), fileno(out), &driver, &err));

	char *text = fuzz_contents(out, &len), *end;

	for (char *line = text; line < text + len; line = end + 1, replies++) {
		end = memchr(line, '\n', (size_t)(text + len - line));
		FUZZ_HOLDS(end);
		check_reply(line, (size_t)(end - line));
	}
	FUZZ_HOLDS(replies == lines);
	free(text);
	fclose(out);
	fclose(in);
	return 0;
}
