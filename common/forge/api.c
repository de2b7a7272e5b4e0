#include "forge/api.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sys/exit.h"
#include "sys/io.h"
#include "sys/mem.h"
#include "sys/pause.h"

enum { LEAST_TIMEOUT_MS = 1000, LONGEST_WAIT_S = 86400, MAX_HEADERS = 8, MAX_RECEIVED = 512 << 20 };

static void forget(struct gp_api *api)
{
	for (size_t i = 0; i < api->cache_count; i++) {
		free(api->cache[i].url);
		free(api->cache[i].etag);
		free(api->cache[i].next);
		gp_json_free(api->cache[i].json);
	}
	free(api->cache);
}

void gp_api_close(struct gp_api *api)
{
	forget(api);
	gp_http_free(api->http);
	free(api->token);
	free(api->authorization);
	*api = (struct gp_api){0};
}

int gp_api_open(struct gp_api *api, const struct gp_api_forge *forge, const char *host, const char *base,
		const char *url, const struct gp_api_patience *patience, gp_env_fn *env, struct gp_err *err)
{
	/* git's variable applies to gp's own requests too; OpenSSL's is the best-known one. */
	const char *ca = env("GIT_SSL_CAINFO");
	struct gp_token token;

	if (!ca || !*ca)
		ca = env("SSL_CERT_FILE");
	*api = (struct gp_api){.forge = forge, .host = host, .base = base, .patience = *patience};
	/* Randomness for pauses only: drivers that start together must differ. */
	api->chance = (unsigned)time(NULL) ^ (unsigned)getpid();
	if (gp_provider_token(&token, forge->provider, url, env, err))
		return -1;
	if (!token.text) {
		char *names = gp_provider_token_names(forge->provider);

		gp_fail(err, GP_EXIT_DENIED, "no token for '%s': set %s, or GP_TOKEN_FILE to a file that has it", host,
			names);
		free(names);
		return -1;
	}
	api->authorization = gp_provider_api_header(forge->provider, &token);
	api->token = token.text;
	api->http = gp_http_new(ca && *ca ? ca : NULL, err);
	if (api->http)
		return 0;
	gp_api_close(api);
	return -1;
}

static void redact(struct gp_err *err, const char *secret)
{
	size_t n = strlen(secret);

	for (char *at; n && (at = strstr(err->message, secret));) {
		/* A token is longer than its replacement; if not, the rest of it stays hidden. */
		memset(at, '*', n < 3 ? n : 3);
		if (n > 3)
			memmove(at + 3, at + n, strlen(at + n) + 1);
	}
}

/* The time limits of the next request. */
static void allow_time(struct gp_api *api)
{
	api->until = gp_now_ms() + api->patience.budget_ms;
	api->deadline = api->until + api->patience.timeout_ms;
}

struct gp_json *gp_api_answer_request(struct gp_api *api, gp_forge_op_fn *fn, void *repository,
				      const struct gp_json *request, struct gp_forge_work *work, struct gp_err *err)
{
	struct gp_json *result;

	allow_time(api);
	api->wait_until = api->until;
	api->received = 0;
	api->work = work;
	result = fn(repository, request, err);
	api->work = NULL;
	redact(err, api->token);
	/* As it stands in the header, it may be encoded. */
	redact(err, strrchr(api->authorization, ' ') + 1);
	return result;
}

void gp_api_answer_free(struct gp_api_answer *answer)
{
	gp_json_free(answer->json);
	gp_http_reply_free(&answer->raw);
	*answer = (struct gp_api_answer){0};
}

int gp_api_nonsense(const struct gp_api *api, const char *what, struct gp_err *err)
{
	return gp_fail(err, GP_EXIT_REPLY, "invalid response from %s: %s", api->host, what);
}

static int pause_before(struct gp_api *api, int attempt, long long least_ms, long long until, long long *wait_ms)
{
	long long pause = gp_pause_ms(attempt, least_ms, &api->chance);

	if (wait_ms)
		*wait_ms = pause;
	if (gp_now_ms() + pause > until)
		return -1;
	gp_sleep_ms(pause);
	return 0;
}

int gp_api_pause(struct gp_api *api, int attempt, long long least_ms, long long *wait_ms)
{
	return pause_before(api, attempt, least_ms, api->wait_until, wait_ms);
}

long long gp_api_clock(const struct gp_http_reply *raw)
{
	/* The forge's clock, not ours: they may differ. */
	long long now = gp_http_date(gp_http_header(raw, "date"));

	return now < 0 ? (long long)time(NULL) : now;
}

/* Seconds or a date: https://datatracker.ietf.org/doc/html/rfc9110#section-10.2.3 */
long long gp_api_retry_after_ms(const struct gp_http_reply *raw)
{
	const char *text = gp_http_header(raw, "retry-after");
	long long wait, now = gp_api_clock(raw);

	if (!text || !*text)
		return -1;
	if (isdigit((unsigned char)*text)) {
		wait = strtoll(text, NULL, 10);
	} else {
		wait = gp_http_date(text);
		if (wait < 0)
			return -1;
		wait = wait > now ? wait - now : 0;
	}
	return wait < LONGEST_WAIT_S ? wait * 1000 : LONGEST_WAIT_S * 1000LL;
}

static int ask_for_patience(const struct gp_api *api, const char *words, long long wait_ms, struct gp_err *err)
{
	return gp_fail(err, GP_EXIT_RETRY, "rate limited by %s: %s; try again in %lld s", api->host,
		       words ? words : "rate limit exceeded", (wait_ms + 999) / 1000);
}

/* The forge answered, and asked for a delay before the next request. */
static int keep_away(struct gp_api *api, struct gp_err *err)
{
	long long wait = api->not_before - gp_now_ms();

	if (wait <= 0)
		return 0;
	if (api->not_before > api->until)
		return ask_for_patience(api, NULL, wait, err);
	gp_sleep_ms(wait);
	return 0;
}

static void list_headers(const struct gp_api *api, const char **headers, const char *match, bool has_body)
{
	size_t n = 0;

	headers[n++] = api->authorization;
	if (has_body)
		headers[n++] = "Content-Type: application/json";
	if (match)
		headers[n++] = match;
	for (const char *const *own = api->forge->headers; *own && n < MAX_HEADERS; own++)
		headers[n++] = *own;
	headers[n] = NULL;
}

/* A body is JSON, or there is none. */
static int read_answer(const struct gp_api *api, struct gp_api_answer *answer, struct gp_err *err)
{
	struct gp_err why = {0};

	answer->status = answer->raw.status;
	if (answer->status == 401)
		return gp_fail(err, GP_EXIT_DENIED,
			       "bad credentials: %s does not accept the token, which may have expired", api->host);
	if (api->forge->is_sign_in && api->forge->is_sign_in(&answer->raw))
		return gp_fail(
			err, GP_EXIT_DENIED,
			"bad credentials: %s answers with its sign-in page (status %ld): the token is wrong, has expired, or is for another server",
			api->host, answer->status);
	answer->json = answer->raw.len ? gp_json_parse(answer->raw.body, answer->raw.len, &why) : NULL;
	/* An error page may be a proxy's HTML; a success must be valid JSON. */
	if (!answer->json && why.code && answer->status < 300) {
		char *what = gp_asprintf("status %ld with what is %s", answer->status, why.message);

		gp_api_nonsense(api, what, err);
		free(what);
		return -1;
	}
	return 0;
}

/* One attempt. */
static int attempt(struct gp_api *api, const struct gp_api_call *call, const char *url, const char *body,
		   struct gp_api_answer *answer, struct gp_err *err)
{
	char *match = call->etag ? gp_asprintf("If-None-Match: %s", call->etag) : NULL;
	const char *headers[MAX_HEADERS + 1];
	struct gp_http_request request = {call->method, url, headers, body, api->patience.timeout_ms};
	struct gp_err why = {0};
	long long left = api->deadline - gp_now_ms();
	int rc = -1;

	list_headers(api, headers, match, body != NULL);
	/* gp has given up by then. */
	if (left <= 0) {
		gp_fail(err, GP_EXIT_RETRY, "%s: it takes longer than there is time", api->host);
		goto out;
	}
	if (left < request.timeout_ms)
		request.timeout_ms = left > LEAST_TIMEOUT_MS ? (long)left : LEAST_TIMEOUT_MS;
	if (gp_http_ask(api->http, &request, &answer->raw, &why))
		gp_fail(err, why.code, "%s: %s", api->host, why.message);
	else
		rc = read_answer(api, answer, err);
out:
	free(match);
	return rc;
}

/* Whether another attempt may help, and after how long at least. */
static bool may_pass(const struct gp_api *api, const struct gp_api_call *call, const struct gp_api_answer *answer,
		     int n, const struct gp_err *why, long long *least_ms)
{
	bool safe = call->repeat == GP_API_ALWAYS;
	long long limit;

	*least_ms = 0;
	if (why->code)
		return why->code == GP_EXIT_RETRY && (safe || answer->raw.unsent);
	limit = answer->status >= 500 ? gp_api_retry_after_ms(&answer->raw) : api->forge->limit_ms(answer, n);
	if (limit >= 0) {
		*least_ms = limit;
		return true;
	}
	return answer->status >= 500 && safe;
}

/* The last attempt failed, and there is no time for another. */
static int give_up(const struct gp_api *api, const struct gp_api_answer *answer, const struct gp_err *why,
		   long long wait_ms, struct gp_err *err)
{
	char *words;

	if (why->code)
		return gp_fail(err, why->code, "%s", why->message);
	words = api->forge->words(answer->json);
	if (answer->status >= 500)
		gp_fail(err, GP_EXIT_RETRY, "%s keeps failing: status %ld%s%s", api->host, answer->status,
			words ? ": " : "", words ? words : "");
	else
		ask_for_patience(api, words, wait_ms, err);
	free(words);
	return -1;
}

/* Whether a failed attempt may have had an effect. */
static bool is_unclear(const struct gp_api_answer *answer, const struct gp_err *why)
{
	return why->code ? why->code != GP_EXIT_DENIED && !answer->raw.unsent : answer->status >= 500;
}

/* It is done, but the forge may ask for a delay before the next request. */
static void note_wait(struct gp_api *api, const struct gp_api_answer *answer)
{
	long long wait = gp_api_retry_after_ms(&answer->raw);

	api->not_before = wait > 0 ? gp_now_ms() + wait : 0;
}

static int send_body(struct gp_api *api, const struct gp_api_call *call, const char *url, const char *body,
		     struct gp_api_answer *answer, struct gp_err *err)
{
	bool repeated = false;

	if (keep_away(api, err))
		return -1;
	for (int n = 1;; n++) {
		struct gp_err why = {0};
		long long least_ms, wait_ms = 0;

		attempt(api, call, url, body, answer, &why);
		answer->repeated = repeated || answer->raw.resent;
		bool again = may_pass(api, call, answer, n, &why, &least_ms);

		if (!again && !why.code && answer->status < 500) {
			note_wait(api, answer);
			allow_time(api);
			return gp_forge_at_work(api->work, err);
		}
		if (is_unclear(answer, &why))
			repeated = answer->repeated = true;
		if (!again || pause_before(api, n, least_ms, api->until, &wait_ms))
			return give_up(api, answer, &why, wait_ms, err);
		gp_api_answer_free(answer);
	}
}

int gp_api_send(struct gp_api *api, const struct gp_api_call *call, struct gp_api_answer *answer, struct gp_err *err)
{
	char *url = *call->url == '/' ? gp_asprintf("%s%s", api->base, call->url) : gp_strdup(call->url);
	char *body = call->body ? gp_json_print(call->body) : NULL;
	int rc;

	*answer = (struct gp_api_answer){0};
	rc = send_body(api, call, url, body, answer, err);
	api->received += answer->raw.len;
	if (!rc && answer->status == 304 && !call->etag)
		rc = gp_api_nonsense(api, "\"not modified\", which was not asked for", err);
	if (!rc && api->received > MAX_RECEIVED)
		rc = gp_api_nonsense(api, "more than 512 MiB for one question", err);
	free(url);
	free(body);
	return rc;
}
