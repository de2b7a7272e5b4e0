#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "git/program.h"
#include "sys/io.h"
#include "sys/mem.h"
#include "sys/process.h"

enum { DEFAULT_BUDGET_S = 60 };

/*
 * Configuration for git through its environment: GIT_CONFIG_COUNT pairs, after those that are set already
 * (git-config(1)).
 */
struct pairs {
	char **env;
	size_t count, first, n;
};

static void add(struct pairs *p, char *text)
{
	p->env = gp_grow(p->env, p->count, sizeof *p->env);
	p->env[p->count++] = text;
}

static void set(struct pairs *p, char *key, const char *value)
{
	add(p, gp_asprintf("GIT_CONFIG_KEY_%zu=%s", p->first + p->n, key));
	add(p, gp_asprintf("GIT_CONFIG_VALUE_%zu=%s", p->first + p->n, value));
	p->n++;
	free(key);
}

static bool is_loopback(const char *host)
{
	static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		size_t n = strlen(names[i]);

		if (!strncmp(host, names[i], n) && (!host[n] || host[n] == ':' || host[n] == '/'))
			return true;
	}
	return false;
}

/* Whether the token may be sent there: over HTTPS or within this machine, unless the URL has a password. */
static bool may_have_token(const char *url)
{
	size_t scheme = !strncmp(url, "https://", 8) ? 8 : !strncmp(url, "http://", 7) ? 7 : 0;

	if (!scheme)
		return false;
	const char *user = url + scheme, *end = user + strcspn(user, "/"),
		   *at = memchr(user, '@', (size_t)(end - user));
	const char *host = at ? at + 1 : user;

	if (at && (memchr(user, ':', (size_t)(at - user)) || memchr(host, '@', (size_t)(end - host))))
		return false;
	return scheme == 8 || is_loopback(host);
}

/*
 * The empty value clears what others have set, such as the header that actions/checkout leaves in the local
 * configuration: two of them are an error to a server. Only the whole URL, as git has it, is as specific as theirs. If
 * a server redirects git, git sends the header to the new place too: so redirects are off.
 */
static void set_header(struct pairs *p, const char *url, const char *header)
{
	if (!header || !may_have_token(url))
		return;
	set(p, gp_asprintf("http.%s.extraheader", url), "");
	set(p, gp_asprintf("http.%s.extraheader", url), header);
	set(p, gp_asprintf("http.%s.followRedirects", url), "false");
}

static void build_env(struct gp_repository *r, bool over_https, const char *count)
{
	struct pairs p = {.first = count ? strtoul(count, NULL, 10) : 0};

	for (size_t i = 0; gp_repository_git_env[i]; i++)
		add(&p, gp_strdup(gp_repository_git_env[i]));
	if (over_https) {
		set(&p, gp_asprintf("url.%s.insteadOf", r->https_url), r->url);
		if (strcmp(r->url, r->push_url) != 0)
			set(&p, gp_asprintf("url.%s.insteadOf", r->https_url), r->push_url);
		set_header(&p, r->https_url, r->header);
	} else {
		set_header(&p, r->url, r->header);
		if (strcmp(r->url, r->push_url) != 0)
			set_header(&p, r->push_url, r->header);
	}
	add(&p, gp_asprintf("GIT_CONFIG_COUNT=%zu", p.first + p.n));
	/* Nothing else tells what Retry-After says. Git hides credentials there, and gp shows none of it. */
	if (r->traces) {
		add(&p, gp_strdup("GIT_TRACE_CURL=1"));
		add(&p, gp_strdup("GIT_TRACE_CURL_NO_DATA=1"));
		add(&p, gp_strdup("GIT_TRACE_BARE"));
	}
	if (r->ca_file)
		add(&p, gp_asprintf("GIT_SSL_CAINFO=%s", r->ca_file));
	/*
	 * Gives up a server that stays silent this long; git has no other limit (http.lowSpeedTime in git-config(1)).
	 */
	if (r->timeout) {
		add(&p, gp_strdup("GIT_HTTP_LOW_SPEED_LIMIT=1"));
		add(&p, gp_asprintf("GIT_HTTP_LOW_SPEED_TIME=%s", r->timeout));
	}
	add(&p, NULL);
	for (size_t i = 0; r->env && r->env[i]; i++)
		free(r->env[i]);
	free(r->env);
	r->env = p.env;
}

void gp_repository_authorize(struct gp_repository *r, char *header, char *https_url, char *(*env)(const char *name))
{
	const char *seconds = env("GP_TIMEOUT"), *budget = env("GP_RETRY_BUDGET");

	r->header = header;
	r->https_url = https_url;
	r->config_count = gp_strdup(env("GIT_CONFIG_COUNT"));
	/* git with GnuTLS, as on Debian, reads only its own variable. */
	r->timeout = env("GIT_HTTP_LOW_SPEED_TIME") ? NULL : gp_strdup(seconds && *seconds ? seconds : "30");
	r->budget_ms = (budget && *budget ? strtol(budget, NULL, 10) : DEFAULT_BUDGET_S) * 1000LL;
	r->traces = !env("GIT_TRACE_CURL");
	r->ca_file = env("GIT_SSL_CAINFO") ? NULL : gp_strdup(env("SSL_CERT_FILE"));
	build_env(r, false, r->config_count);
}

/* True if SSH access failed and an HTTPS URL is known. */
static bool is_locked_out(const struct gp_repository *r, const struct gp_output *o)
{
	static const char *const words[] = {"Permission denied", "Host key verification failed",
					    "Could not resolve hostname", "Connection refused", "cannot run ssh",
					    /* A server that accepts everybody, only to say this: */
					    "Public key authentication failed"};

	if (!o->status || !r->https_url)
		return false;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strstr(o->err, words[i]))
			return true;
	return false;
}

/*
 * If the reply to a push is cut off, git and its helper wait for each other for ever; fetches have been seen to do the
 * same (https://github.com/git/git/pull/1608). Ten times the limit for a silent server is time enough for any of them.
 */
static int longest_ms(const struct gp_repository *r)
{
	long seconds = r->timeout ? strtol(r->timeout, NULL, 10) : 0;

	return seconds > 0 && seconds < 100000 ? (int)seconds * 10000 : -1;
}

static int run(struct gp_repository *r, struct gp_output *output, const char *const argv[], const char *input,
	       size_t len, struct gp_err *err)
{
	const char *const *env = r->env ? (const char *const *)r->env : gp_repository_git_env;
	int rc = gp_run_within(output, argv, env, input, len, longest_ms(r), err);

	r->retry_after_ms = rc || !r->traces ? 0 : gp_repository_take_trace(output->err);
	return rc;
}

int gp_repository_talk(struct gp_repository *r, struct gp_output *output, const char *const argv[], const char *input,
		       size_t len, struct gp_err *err)
{
	if (run(r, output, argv, input, len, err))
		return -1;
	if (!is_locked_out(r, output))
		return 0;
	gp_output_free(output);
	build_env(r, true, r->config_count);
	free(r->https_url);
	r->https_url = NULL;
	return run(r, output, argv, input, len, err);
}

int gp_repository_ask(struct gp_repository *r, char **out, const char *const argv[], const char *input, size_t len,
		      const char *what, struct gp_err *err)
{
	long long until = gp_now_ms() + r->budget_ms;
	struct gp_output o;

	for (int attempt = 1;; attempt++) {
		if (gp_repository_talk(r, &o, argv, input, len, err))
			return -1;
		if (!gp_repository_tries_again(r, &o, attempt, until))
			return gp_repository_judge(&o, out, what, err);
		gp_output_free(&o);
	}
}
