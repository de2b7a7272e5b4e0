/* The addresses of a repository's APIs. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "forges/github/github.h"
#include "sys/exit.h"
#include "sys/mem.h"

static char *lower(const char *s, size_t n)
{
	char *copy = gp_memdup0(s, n);

	for (char *c = copy; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy;
}

/* "owner/name" out of a path: any '/' before it, ".git" and '/' behind it go. NULL if it is something else. */
static char *slug_of(const char *path)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t owner, name, end;

	path += strspn(path, "/");
	owner = strspn(path, allowed);
	if (!owner || path[owner] != '/' || path[0] == '.')
		return NULL;
	name = strspn(path + owner + 1, allowed);
	end = owner + 1 + name;
	if (path[end + strspn(path + end, "/")])
		return NULL;
	if (name >= 4 && !strncmp(path + end - 4, ".git", 4))
		name -= 4;
	if (!name || (path[owner + 1] == '.' && strspn(path + owner + 1, ".") >= name))
		return NULL;
	return gp_memdup0(path, owner + 1 + name);
}

/* Takes a remote's URL apart; https://[user@]host[:port]/o/r, ssh://[user@]host[:port]/o/r, [user@]host:o/r. */
static int split(struct gp_github_address *out, const char *url, bool *plain)
{
	const char *scheme = strstr(url, "://"), *host = scheme ? scheme + 3 : url, *end, *path;
	bool http = !strncasecmp(url, "https://", 8) || !strncasecmp(url, "http://", 7);
	size_t len = strcspn(host, scheme ? "/?#" : ":/");

	*plain = !strncasecmp(url, "http://", 7);
	if (scheme && !http && strncasecmp(url, "ssh://", 6) != 0 && strncasecmp(url, "git+ssh://", 10) != 0)
		return -1;
	end = host + len;
	if (*end != (scheme ? '/' : ':'))
		return -1;
	path = end + 1;
	for (const char *at; (at = memchr(host, '@', (size_t)(end - host)));)
		host = at + 1;
	/* The port of ssh says nothing of where the API is. */
	if (!http && memchr(host, ':', (size_t)(end - host)))
		end = memchr(host, ':', (size_t)(end - host));
	if (end == host || host[0] == '-')
		return -1;
	out->host = lower(host, (size_t)(end - host));
	out->slug = slug_of(path);
	/* SSH over the port of HTTPS: https://docs.github.com/authentication/troubleshooting-ssh */
	if (!strcmp(out->host, "ssh.github.com") || !strcmp(out->host, "www.github.com")) {
		free(out->host);
		out->host = gp_strdup("github.com");
	}
	return out->slug ? 0 : -1;
}

/* Whether this CI job, and so its variables, belongs to this host. */
static bool is_own_server(const struct gp_github_address *address, gp_env_fn *env)
{
	const char *server = gp_env_value(env, "GITHUB_SERVER_URL"), *host = server ? strstr(server, "://") : NULL;
	size_t n = strlen(address->host);

	return host && !strncasecmp(host + 3, address->host, n) && (!host[3 + n] || !strcmp(host + 3 + n, "/"));
}

static char *without_slash(const char *url)
{
	size_t n = strlen(url);

	while (n && url[n - 1] == '/')
		n--;
	return gp_memdup0(url, n);
}

/* https://docs.github.com/enterprise-server/graphql/guides/forming-calls-with-graphql: …/api/v3 has …/api/graphql. */
static char *graphql_beside(const char *rest)
{
	size_t n = strlen(rest);
	bool server = n > 7 && !strcmp(rest + n - 7, "/api/v3");

	return gp_asprintf("%.*s/graphql", (int)(server ? n - 3 : n), rest);
}

static void place(struct gp_github_address *out, bool plain, gp_env_fn *env)
{
	const char *own = gp_env_value(env, "GP_API_URL"), *job = gp_env_value(env, "GITHUB_API_URL"),
		   *job_graphql = gp_env_value(env, "GITHUB_GRAPHQL_URL");
	size_t n = strlen(out->host);

	if (own) {
		out->rest = without_slash(own);
	} else if (job && is_own_server(out, env)) {
		out->rest = without_slash(job);
		if (job_graphql)
			out->graphql = without_slash(job_graphql);
	} else if (!strcmp(out->host, "github.com") || (n > 8 && !strcmp(out->host + n - 8, ".ghe.com"))) {
		/* https://docs.github.com/enterprise-cloud@latest/admin/data-residency: api.SUBDOMAIN.ghe.com */
		out->rest = gp_asprintf("https://api.%s", out->host);
	} else {
		out->rest = gp_asprintf("%s://%s/api/v3", plain ? "http" : "https", out->host);
	}
	if (!out->graphql)
		out->graphql = graphql_beside(out->rest);
}

int gp_github_address_read(struct gp_github_address *out, const char *url, gp_env_fn *env, struct gp_err *err)
{
	bool plain;

	*out = (struct gp_github_address){0};
	if (split(out, url, &plain))
		return gp_fail(err, GP_EXIT_INPUT,
			       "repository.url names no repository of GitHub: it is https://HOST/OWNER/NAME, "
			       "git@HOST:OWNER/NAME or ssh://git@HOST/OWNER/NAME");
	place(out, plain, env);
	if (gp_http_check_url(out->rest, err) || gp_http_check_url(out->graphql, err))
		return gp_env_value(env, "GP_API_URL") ? gp_fail_in(err, "GP_API_URL") : -1;
	return 0;
}

void gp_github_address_free(struct gp_github_address *address)
{
	free(address->host);
	free(address->slug);
	free(address->rest);
	free(address->graphql);
	*address = (struct gp_github_address){0};
}
