#include "provider.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exit.h"
#include "io.h"
#include "json.h"
#include "mem.h"

enum { MAX_EVENT = 32 << 20 };

static const struct {
	const char *host; /* beginning with '.': any host that ends in it */
	const char *name;
} hosts[] = {
	{"github.com", "github"},      {"ssh.github.com", "github"},  {"dev.azure.com", "azdo"},
	{"ssh.dev.azure.com", "azdo"}, {".visualstudio.com", "azdo"},
};

static bool host_matches(const char *host, size_t len, const char *pattern)
{
	size_t n = strlen(pattern);

	if (*pattern == '.')
		return len > n && !strncmp(host + len - n, pattern, n);
	return len == n && !strncmp(host, pattern, n);
}

/* Where the host begins: https://user@host:443/…, ssh://git@host/…, git@host:path. NULL: a path of this machine. */
static const char *host_of(const char *url, size_t *len)
{
	const char *scheme = strstr(url, "://"), *slash, *at;
	const char *host = scheme ? scheme + 3 : url;

	slash = host + strcspn(host, "/");
	if (!scheme && !memchr(url, ':', (size_t)(slash - url)))
		return NULL;
	while ((at = memchr(host, '@', (size_t)(slash - host))))
		host = at + 1;
	*len = strcspn(host, ":/");
	return host;
}

const char *gp_provider_of_url(const char *url)
{
	size_t len;
	const char *host;

	if (!strncmp(url, "file://", 7))
		return "local";
	host = host_of(url, &len);
	if (!host)
		return "local";
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
		if (host_matches(host, len, hosts[i].host))
			return hosts[i].name;
	return NULL;
}

int gp_provider_name_valid(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= 50 && s[0] != '-' && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

static const char *value(gp_env_fn *env, const char *name)
{
	const char *v = env(name);

	return v && *v ? v : NULL;
}

/* GitHub Actions: the event's payload is a file; for a pull request's run GITHUB_REF is refs/pull/N/merge.
 * https://docs.github.com/actions/reference/workflows-and-actions/variables */
static int read_github(struct gp_ci *ci, gp_env_fn *env, struct gp_err *err)
{
	const char *path = value(env, "GITHUB_EVENT_PATH"), *ref = value(env, "GITHUB_REF");
	char *text = NULL;
	size_t len;

	ci->commit = gp_strdup(value(env, "GITHUB_SHA"));
	if (ref && !strncmp(ref, "refs/pull/", 10))
		ci->number = gp_memdup0(ref + 10, strspn(ref + 10, "0123456789"));
	if (!path)
		return 0;
	if (gp_read_file(&text, &len, path, MAX_EVENT, err))
		return gp_fail_in(err, "GITHUB_EVENT_PATH");
	struct gp_json *event = gp_json_parse(text, len, err);

	free(text);
	if (!event)
		return gp_fail_in(err, "GITHUB_EVENT_PATH: '%s'", path);
	const struct gp_json *pull = gp_json_get(event, "pull_request");

	ci->since = gp_strdup(gp_json_get_text(event, "before"));
	ci->head = gp_strdup(gp_json_get_text(gp_json_get(pull, "head"), "sha"));
	if (!ci->number && gp_json_get_int(pull, "number", 0) > 0)
		ci->number = gp_asprintf("%lld", (long long)gp_json_get_int(pull, "number", 0));
	gp_json_free(event);
	return 0;
}

/* https://learn.microsoft.com/azure/devops/pipelines/build/variables */
static void read_azure(struct gp_ci *ci, gp_env_fn *env)
{
	ci->commit = gp_strdup(value(env, "BUILD_SOURCEVERSION"));
	ci->number = gp_strdup(value(env, "SYSTEM_PULLREQUEST_PULLREQUESTID"));
	ci->head = gp_strdup(value(env, "SYSTEM_PULLREQUEST_SOURCECOMMITID"));
}

int gp_ci_read(struct gp_ci *ci, gp_env_fn *env, struct gp_err *err)
{
	*ci = (struct gp_ci){0};
	if (value(env, "GITHUB_SHA") || value(env, "GITHUB_REF") || value(env, "GITHUB_EVENT_PATH"))
		return read_github(ci, env, err);
	read_azure(ci, env);
	return 0;
}

void gp_ci_free(struct gp_ci *ci)
{
	free(ci->commit);
	free(ci->since);
	free(ci->number);
	free(ci->head);
	*ci = (struct gp_ci){0};
}

/* Replaces the one character that begins an escape; messages hold no line ends (err.h). */
static char *escaped(const char *text, const char *percent)
{
	char *out = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&out, &len);

	if (!f)
		return gp_strdup("");
	for (; *text; text++) {
		if (*text == '%')
			fputs(percent, f);
		else
			fputc(*text, f);
	}
	fclose(f);
	return out;
}

char *gp_ci_annotation(gp_env_fn *env, const char *program, const char *message)
{
	bool github = value(env, "GITHUB_ACTIONS") != NULL;
	char *text, *line;

	if (!github && !value(env, "TF_BUILD"))
		return NULL;
	text = escaped(message, github ? "%25" : "%AZP25");
	line = gp_asprintf(github ? "::error title=%s::%s\n" : "##vso[task.logissue type=error]%s: %s\n", program,
			   text);
	free(text);
	return line;
}
