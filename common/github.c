#include "github.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exit.h"
#include "io.h"
#include "mem.h"

enum { FIRST_PAUSE_MS = 500, LONGEST_PAUSE_MS = 15000, LEAST_TIMEOUT_MS = 1000 };

struct gp_github *gp_github_open(const char *url, const struct gp_github_patience *patience, gp_env_fn *env,
				 struct gp_err *err)
{
	struct gp_github *g = gp_calloc(1, sizeof *g);
	/* git's own variable for its own traffic holds for ours; OpenSSL's is the one that is known best. */
	const char *ca = env("GIT_SSL_CAINFO");

	if (!ca || !*ca)
		ca = env("SSL_CERT_FILE");
	g->patience = *patience;
	if (!gp_github_address_read(&g->address, url, env, err)) {
		g->token = gp_github_token(&g->address, url, env, err);
		g->http = g->token ? gp_http_new(ca && *ca ? ca : NULL, err) : NULL;
	}
	if (!g->http) {
		gp_github_free(g);
		return NULL;
	}
	g->authorization = gp_asprintf("Authorization: Bearer %s", g->token);
	return g;
}

void gp_github_free(struct gp_github *g)
{
	if (!g)
		return;
	gp_github_forget(g);
	gp_json_free(g->polled);
	gp_github_address_free(&g->address);
	gp_http_free(g->http);
	free(g->token);
	free(g->authorization);
	free(g);
}

void gp_github_begin(struct gp_github *g)
{
	g->until = gp_now_ms() + g->patience.budget_ms;
	g->deadline = g->until + g->patience.timeout_ms;
}

void gp_github_redact(const struct gp_github *g, struct gp_err *err)
{
	size_t n = strlen(g->token);

	for (char *at; n && (at = strstr(err->message, g->token));) {
		/* A token is longer than the word that takes its place, or what is left of it stays hidden. */
		memset(at, '*', n < 3 ? n : 3);
		if (n > 3)
			memmove(at + 3, at + n, strlen(at + n) + 1);
	}
}

void gp_github_answer_free(struct gp_github_answer *answer)
{
	gp_json_free(answer->json);
	gp_http_reply_free(&answer->raw);
	*answer = (struct gp_github_answer){0};
}

int gp_github_pause(const struct gp_github *g, int attempt, long long least_ms, long long *wait_ms)
{
	long long pause = FIRST_PAUSE_MS;

	for (int i = 1; i < attempt && pause < LONGEST_PAUSE_MS; i++)
		pause *= 2;
	if (pause > LONGEST_PAUSE_MS)
		pause = LONGEST_PAUSE_MS;
	/* Up to half of it is chance, so that many that failed together do not come back together. */
	pause = pause / 2 + rand() % (pause / 2 + 1);
	if (pause < least_ms)
		pause = least_ms + rand() % (pause + 1);
	if (wait_ms)
		*wait_ms = pause;
	if (gp_now_ms() + pause > g->until)
		return -1;
	gp_sleep_ms(pause);
	return 0;
}

/* One attempt. What comes back is JSON, or nothing. */
static int attempt(struct gp_github *g, const struct gp_github_call *call, const char *url, const char *body,
		   struct gp_github_answer *answer, struct gp_err *err)
{
	char *match = call->etag ? gp_asprintf("If-None-Match: %s", call->etag) : NULL;
	const char *const headers[] = {g->authorization,
				       "Accept: application/vnd.github+json",
				       "X-GitHub-Api-Version: 2022-11-28",
				       body ? "Content-Type: application/json" : "Accept-Charset: utf-8",
				       match,
				       NULL};
	long long left = g->deadline - gp_now_ms();
	struct gp_http_request request = {call->method, url, headers, body, g->patience.timeout_ms};
	struct gp_err why = {0};
	int rc;

	/* Whoever asked has given up by then. */
	if (left <= 0) {
		free(match);
		return gp_fail(err, GP_EXIT_RETRY, "%s: it takes longer than there is time", g->address.host);
	}
	if (left < request.timeout_ms)
		request.timeout_ms = left > LEAST_TIMEOUT_MS ? (long)left : LEAST_TIMEOUT_MS;
	rc = gp_http_ask(g->http, &request, &answer->raw, &why);
	free(match);
	if (rc)
		return gp_fail(err, why.code, "%s: %s", g->address.host, why.message);
	answer->status = answer->raw.status;
	answer->json = answer->raw.len ? gp_json_parse(answer->raw.body, answer->raw.len, &why) : NULL;
	/* An error's page may come from a proxy, in HTML; what is said to be done has to make sense. */
	if (!answer->json && why.code && answer->status < 300) {
		char *what = gp_asprintf("status %ld with what is %s", answer->status, why.message);

		gp_github_nonsense(g, what, err);
		free(what);
		return -1;
	}
	return 0;
}

/* Whether another attempt may help, and after how long at least. */
static bool may_pass(const struct gp_github_call *call, const struct gp_github_answer *answer, int n,
		     const struct gp_err *why, long long *least_ms)
{
	bool safe = call->repeat == GP_GITHUB_ALWAYS;
	long long limit;

	*least_ms = 0;
	if (why->code)
		return why->code == GP_EXIT_RETRY && (safe || answer->raw.unsent);
	limit = gp_github_limit_ms(&answer->raw, answer->json, n);
	if (limit >= 0) {
		*least_ms = limit;
		return true;
	}
	return answer->status >= 500 && safe;
}

/* The last attempt has failed, and there is no time for another. */
static int give_up(const struct gp_github *g, const struct gp_github_answer *answer, const struct gp_err *why,
		   long long wait_ms, struct gp_err *err)
{
	char *words;

	if (why->code)
		return gp_fail(err, why->code, "%s", why->message);
	words = gp_github_words(answer->json);
	if (answer->status >= 500)
		gp_fail(err, GP_EXIT_RETRY, "%s keeps failing: status %ld%s%s", g->address.host, answer->status,
			words ? ": " : "", words ? words : "");
	else
		gp_fail(err, GP_EXIT_RETRY, "%s asks for patience: %s; try again in %lld s", g->address.host,
			words ? words : "rate limit exceeded", (wait_ms + 999) / 1000);
	free(words);
	return -1;
}

/* Whether an attempt that has failed may have done something. */
static bool is_unclear(const struct gp_github_answer *answer, const struct gp_err *why)
{
	return why->code ? !answer->raw.unsent : answer->status >= 500;
}

static int send_body(struct gp_github *g, const struct gp_github_call *call, const char *url, const char *body,
		     struct gp_github_answer *answer, struct gp_err *err)
{
	bool repeated = false;

	for (int n = 1;; n++) {
		struct gp_err why = {0};
		long long least_ms, wait_ms = 0;

		attempt(g, call, url, body, answer, &why);
		answer->repeated = repeated;
		bool again = may_pass(call, answer, n, &why, &least_ms);

		if (!again && !why.code && answer->status < 500)
			return 0;
		if (is_unclear(answer, &why))
			repeated = answer->repeated = true;
		if (!again || gp_github_pause(g, n, least_ms, &wait_ms))
			return give_up(g, answer, &why, wait_ms, err);
		gp_github_answer_free(answer);
	}
}

int gp_github_send(struct gp_github *g, const struct gp_github_call *call, struct gp_github_answer *answer,
		   struct gp_err *err)
{
	char *url = *call->url == '/' ? gp_asprintf("%s%s", g->address.rest, call->url) : gp_strdup(call->url);
	char *body = call->body ? gp_json_print(call->body) : NULL;
	int rc;

	*answer = (struct gp_github_answer){0};
	rc = send_body(g, call, url, body, answer, err);
	if (!rc && answer->status == 401)
		rc = gp_fail(err, GP_EXIT_DENIED,
			     "bad credentials: %s does not accept the token, which may have expired", g->address.host);
	free(url);
	free(body);
	return rc;
}
