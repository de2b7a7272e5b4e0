#include "provider.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "exit.h"
#include "io.h"
#include "json.h"
#include "mem.h"

enum { MAX_EVENT = 32 << 20, MAX_TOKEN = 64 << 10 };

static const struct {
	const char *host; /* beginning with '.': any host that ends in it */
	const char *name;
} hosts[] = {
	{"github.com", "github"},      {"ssh.github.com", "github"},  {"dev.azure.com", "azdo"},
	{"ssh.dev.azure.com", "azdo"}, {".visualstudio.com", "azdo"}, {".ghe.com", "github"},
};

static const struct forge {
	const char *name;
	const char *token[3]; /* the variables that may hold its token, if GP_TOKEN does not */
	const char *user;     /* the user name that goes with a token to its git server */
	const char *server;   /* the variable by which its own CI says where the server is, for one on premises */
	bool same_path;       /* whether repositories have the same path over SSH and over HTTPS */
} forges[] = {
	{"github", {"GITHUB_TOKEN", "GH_TOKEN", NULL}, "x-access-token", "GITHUB_SERVER_URL", true},
	{"azdo", {"SYSTEM_ACCESSTOKEN", "AZURE_DEVOPS_EXT_PAT", NULL}, "", NULL, false},
};

static const struct forge *forge_of(const char *name)
{
	for (size_t i = 0; i < sizeof forges / sizeof *forges; i++)
		if (!strcmp(forges[i].name, name))
			return &forges[i];
	return NULL;
}

static const char *value(gp_env_fn *env, const char *name)
{
	const char *v = env(name);

	return v && *v ? v : NULL;
}

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

/* Whether a server's URL, of the forge's own CI, is on this host. */
static bool is_server(const struct forge *forge, const char *host, size_t len, gp_env_fn *env)
{
	const char *url = forge->server ? value(env, forge->server) : NULL, *server;
	size_t n;

	server = url ? host_of(url, &n) : NULL;
	/* ssh.github.com is github.com on another port. */
	if (len > 4 && !strncasecmp(host, "ssh.", 4)) {
		host += 4;
		len -= 4;
	}
	return server && n == len && !strncasecmp(server, host, len);
}

const char *gp_provider_of_url(const char *url, gp_env_fn *env)
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
	for (size_t i = 0; i < sizeof forges / sizeof *forges; i++)
		if (is_server(&forges[i], host, len, env))
			return forges[i].name;
	return NULL;
}

/* What one of the forge's own variables holds, if it may go to the remote's server. */
static const char *own_token(const struct forge *forge, const char *url, gp_env_fn *env)
{
	const char *token = NULL, *host;
	size_t len;

	if (!forge)
		return NULL;
	host = host_of(url, &len);
	if (forge->server && value(env, forge->server) && !(host && is_server(forge, host, len, env)))
		return NULL;
	for (const char *const *v = forge->token; !token && *v; v++)
		token = value(env, *v);
	return token;
}

static char *token_in_file(const char *path, struct gp_err *err)
{
	struct gp_err why = {0};
	char *text;
	size_t len;

	if (gp_read_file(&text, &len, path, MAX_TOKEN, &why)) {
		gp_fail(err, GP_EXIT_CONFIG, "GP_TOKEN_FILE: %s", why.message);
		return NULL;
	}
	text[strcspn(text, "\r\n")] = '\0';
	return text;
}

char *gp_provider_token(const char *provider, const char *url, gp_env_fn *env, struct gp_err *err)
{
	const char *text = value(env, "GP_TOKEN"), *path = value(env, "GP_TOKEN_FILE");
	char *token;

	text = text ? text : own_token(forge_of(provider), url, env);
	token = text || !path ? gp_strdup(text) : token_in_file(path, err);
	for (const char *c = token; c && *c; c++)
		if (*c <= ' ' || *c > '~') {
			gp_fail(err, GP_EXIT_CONFIG, "the token for %s has a blank or another character that none has",
				provider);
			break;
		}
	if (token && !err->code && *token)
		return token;
	free(token);
	return NULL;
}

/* https://datatracker.ietf.org/doc/html/rfc4648#section-4 */
static char *base64(const char *text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *s = (const unsigned char *)text;
	size_t len = strlen(text), n = 0;
	char *out = gp_calloc((len + 2) / 3 * 4 + 1, 1);

	for (size_t i = 0; i < len; i += 3) {
		unsigned bits = (unsigned)s[i] << 16 | (i + 1 < len ? (unsigned)s[i + 1] << 8 : 0) |
				(i + 2 < len ? s[i + 2] : 0);

		out[n++] = digits[bits >> 18];
		out[n++] = digits[bits >> 12 & 63];
		out[n++] = i + 1 < len ? digits[bits >> 6 & 63] : '=';
		out[n++] = i + 2 < len ? digits[bits & 63] : '=';
	}
	return out;
}

char *gp_provider_git_header(const char *provider, const char *token)
{
	const struct forge *forge = forge_of(provider);

	if (!forge)
		return NULL;
	char *pair = gp_asprintf("%s:%s", forge->user, token), *code = base64(pair);
	char *header = gp_asprintf("Authorization: Basic %s", code);

	free(code);
	free(pair);
	return header;
}

char *gp_provider_https_url(const char *provider, const char *url)
{
	const struct forge *forge = forge_of(provider);
	size_t len;
	const char *host, *path;

	if (!forge || !forge->same_path || !strncmp(url, "http", 4) || !strncmp(url, "file:", 5))
		return NULL;
	host = host_of(url, &len);
	if (!host)
		return NULL;
	path = host + len;
	if (*path == ':')
		path += strstr(url, "://") ? strcspn(path, "/") : 1;
	path += *path == '/';
	/* ssh.github.com is github.com on port 443. */
	if (len > 4 && !strncmp(host, "ssh.", 4)) {
		host += 4;
		len -= 4;
	}
	return gp_asprintf("https://%.*s/%s", (int)len, host, path);
}

int gp_provider_name_valid(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= 50 && s[0] != '-' && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
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

/* How CI systems take what they are to show. A new one is a row here and a function above. */
static const struct ci {
	const char *job;                        /* a variable that every job of it has */
	const char *command;                    /* what begins a command to it, anywhere in a line */
	const char *error, *colon, *percent;    /* an error: before the program, before the message, for a '%' in it */
	const char *summary_file, *output_file; /* the variables that name them */
} systems[] = {
	/* https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands; what its runner makes of a line:
	 * https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs */
	{"GITHUB_ACTIONS", "##[", "::error title=", "::", "%25", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"},
	/* https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands */
	{"TF_BUILD", "##vso[", "##vso[task.logissue type=error]", ": ", "%AZP25", NULL, NULL},
};

static const struct ci *system_of(gp_env_fn *env)
{
	for (size_t i = 0; i < sizeof systems / sizeof *systems; i++)
		if (value(env, systems[i].job))
			return &systems[i];
	return NULL;
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
	const struct ci *ci = system_of(env);
	char *text, *line;

	if (!ci)
		return NULL;
	text = escaped(message, ci->percent);
	line = gp_asprintf("%s%s%s%s\n", ci->error, program, ci->colon, text);
	free(text);
	return line;
}

char *gp_ci_disarm(gp_env_fn *env, const char *text, const char *sign)
{
	const struct ci *ci = system_of(env);
	char *out = NULL;
	size_t len = 0;
	FILE *f = ci && strstr(text, ci->command) ? open_memstream(&out, &len) : NULL;

	if (!f)
		return gp_strdup(text);
	for (; *text; text++) {
		if (!strncmp(text, ci->command, strlen(ci->command)))
			fputs(sign, f);
		else
			fputc(*text, f);
	}
	fclose(f);
	return out;
}

const char *gp_ci_summary_file(gp_env_fn *env)
{
	const struct ci *ci = system_of(env);

	return ci && ci->summary_file ? value(env, ci->summary_file) : NULL;
}

/* NAME=VALUE ends with the line, whatever else is in it, a "<<" too. */
char *gp_ci_output(gp_env_fn *env, const char *name, const char *text, const char **file)
{
	const struct ci *ci = system_of(env);

	*file = ci && ci->output_file ? value(env, ci->output_file) : NULL;
	return *file && !strpbrk(text, "\r\n") ? gp_asprintf("%s=%s\n", name, text) : NULL;
}
