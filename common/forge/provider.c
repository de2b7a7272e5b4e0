/* Remotes: which forge they are at, and their URL over HTTPS. */
#include "forge/provider.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "forge/provider-row.h"
#include "sys/mem.h"

static const struct place {
	const char *host; /* beginning with '.': any host that ends in it */
	const char *name;
	const char *main; /* the server that this host is another name of; NULL: none */
} places[] = {
	{"github.com", "github", NULL},
	/* https://docs.github.com/authentication/troubleshooting-ssh/using-ssh-over-the-https-port */
	{"ssh.github.com", "github", "github.com"},
	{".ghe.com", "github", NULL},
	{"dev.azure.com", "azdo", NULL},
	{"ssh.dev.azure.com", "azdo", "dev.azure.com"},
	/* https://learn.microsoft.com/azure/devops/extend/develop/work-with-urls: one service, two ways to write it */
	{".visualstudio.com", "azdo", "dev.azure.com"},
};

const struct gp_provider_row *gp_provider_find(const char *name)
{
	for (const struct gp_provider_row *forge = gp_provider_rows; forge->name; forge++)
		if (!strcmp(forge->name, name))
			return forge;
	return NULL;
}

const char *gp_env_value(gp_env_fn *env, const char *name)
{
	const char *v = env(name);

	return v && *v ? v : NULL;
}

static const struct place *place_of(const char *host, size_t len)
{
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		const char *pattern = places[i].host;
		size_t n = strlen(pattern);

		if (*pattern == '.' ? len > n && !strncasecmp(host + len - n, pattern, n)
				    : len == n && !strncasecmp(host, pattern, n))
			return &places[i];
	}
	return NULL;
}

/* Where the host begins: https://user@host:443/…, ssh://git@host/…, git@host:path. NULL: a path of this machine. */
static const char *host_of(const char *url, size_t *len)
{
	const char *scheme = strstr(url, "://"), *slash, *at;
	const char *host = scheme ? scheme + 3 : url;

	/* Where git and libcurl end the host (RFC 3986, section 3.2): "https://a?@b/" is host a. */
	slash = host + strcspn(host, scheme ? "/?#" : "/");
	if (!scheme && !memchr(url, ':', (size_t)(slash - url)))
		return NULL;
	while ((at = memchr(host, '@', (size_t)(slash - host))))
		host = at + 1;
	*len = strcspn(host, ":/");
	if (*len > (size_t)(slash - host))
		*len = (size_t)(slash - host);
	return host;
}

/* The server behind a host. */
static const char *server_of(const char *host, size_t *len)
{
	const struct place *place = place_of(host, *len);

	if (place && place->main) {
		*len = strlen(place->main);
		return place->main;
	}
	/* The same for a server on premises. */
	if (*len > 4 && !strncasecmp(host, "ssh.", 4)) {
		*len -= 4;
		host += 4;
	}
	return host;
}

bool gp_provider_is_server(const struct gp_provider_row *forge, const char *url, gp_env_fn *env)
{
	const char *job = forge->server ? gp_env_value(env, forge->server) : NULL;
	size_t n, len;
	const char *host = host_of(url, &len), *server = job ? host_of(job, &n) : NULL;

	if (!host || !server)
		return false;
	host = server_of(host, &len);
	server = server_of(server, &n);
	return n == len && !strncasecmp(server, host, len);
}

const char *gp_provider_of_url(const char *url, gp_env_fn *env)
{
	size_t len;
	const char *host = strncmp(url, "file://", 7) ? host_of(url, &len) : NULL;
	const struct place *place = host ? place_of(host, len) : NULL;

	if (!host)
		return "local";
	if (place)
		return place->name;
	for (const struct gp_provider_row *forge = gp_provider_rows; forge->name; forge++)
		if (gp_provider_is_server(forge, url, env))
			return forge->name;
	return NULL;
}

/* https://HOST/PATH: for a forge whose repositories have the same path over SSH and HTTPS. */
static char *same_path(struct gp_ssh_remote r, const char *server)
{
	(void)server;
	return gp_asprintf("https://%.*s/%s", (int)r.host_len, r.host, r.path);
}

/* The last directory of a URL's path, without any '/' around it. */
static const char *last_part(const char *url, size_t *len)
{
	size_t end = strlen(url);

	while (end && url[end - 1] == '/')
		end--;
	for (*len = 0; end && url[end - 1] != '/'; end--)
		++*len;
	return url + end;
}

/* A server on premises: its collections may be below a directory that SSH does not have. */
static char *own_server(struct gp_ssh_remote r, const char *server)
{
	size_t len, root;
	const char *collection, *path;

	if (!server)
		return same_path(r, NULL);
	root = (size_t)(strstr(server, "://") + 3 - server);
	root += strcspn(server + root, "/");
	path = server + root + strspn(server + root, "/");
	collection = last_part(server, &len);
	if (strncasecmp(r.path, path, strlen(path)) != 0 && !strncasecmp(r.path, collection, len) && r.path[len] == '/')
		return gp_asprintf("%.*s%s", (int)(collection - server), server, r.path);
	return gp_asprintf("%.*s/%s", (int)root, server, r.path);
}

/*
 * v3/ORG/PROJECT/REPO, and PROJECT/_ssh/REPO as it was before.
 * https://learn.microsoft.com/azure/devops/repos/git/use-ssh-keys-to-authenticate, and what its own command line makes
 * of a remote: https://github.com/Azure/azure-devops-cli-extension (dev/common/vsts_git_url_info.py)
 */
static char *azdo_https(struct gp_ssh_remote r, const char *server)
{
	const char *org, *project, *repository;
	const struct place *place = place_of(r.host, r.host_len);
	bool old = place && *place->host == '.';
	char *url, *at;

	if (place && !strncmp(r.path, "v3/", 3)) {
		org = r.path + 3;
		project = strchr(org, '/');
		repository = project ? strchr(project + 1, '/') : NULL;
		if (!repository)
			return NULL;
		return gp_asprintf("https://%s%.*s%s/%.*s/_git/%s", old ? "" : "dev.azure.com/", (int)(project - org),
				   org, old ? ".visualstudio.com" : "", (int)(repository - project - 1), project + 1,
				   repository + 1);
	}
	if (old && !strncasecmp(r.host, "vs-ssh.", 7))
		url = r.user_len ? gp_asprintf("https://%.*s.visualstudio.com/%s", (int)r.user_len, r.user, r.path)
				 : NULL;
	else
		url = place ? same_path(r, NULL) : own_server(r, server);
	/* A part of its own: a project may be called my_ssh. */
	at = url ? strstr(url, "/_ssh/") : NULL;
	if (at)
		memcpy(at, "/_git/", 6);
	return url;
}

const struct gp_provider_row gp_provider_rows[] = {
	/* https://docs.github.com/rest/overview/authenticating-to-the-rest-api (git over HTTPS: any user name) */
	{"github", NULL, {"GITHUB_TOKEN", "GH_TOKEN"}, "GITHUB_SERVER_URL", "x-access-token", NULL, false, same_path},
	/* https://learn.microsoft.com/azure/devops/organizations/accounts/use-personal-access-tokens-to-authenticate
	 * https://learn.microsoft.com/azure/devops/pipelines/build/variables#systemaccesstoken */
	{"azdo",
	 "SYSTEM_ACCESSTOKEN",
	 {"AZURE_DEVOPS_EXT_PAT", NULL},
	 "SYSTEM_COLLECTIONURI",
	 "",
	 "",
	 true,
	 azdo_https},
	{0},
};

char *gp_provider_https_url(const char *provider, const char *url, gp_env_fn *env)
{
	const struct gp_provider_row *forge = gp_provider_find(provider);
	const char *scheme = strstr(url, "://"), *server;
	struct gp_ssh_remote r = {0};

	/* [user@]host:path, ssh://… and, as git still takes it, git+ssh://… */
	if (!forge || (scheme && strncasecmp(url, "ssh:", 4) != 0 && strncasecmp(url, "git+ssh:", 8) != 0))
		return NULL;
	r.host = host_of(url, &r.host_len);
	if (!r.host)
		return NULL;
	r.user = scheme ? scheme + 3 : url;
	r.user_len = r.host > r.user ? (size_t)(r.host - r.user - 1) : 0;
	r.path = r.host + r.host_len;
	if (*r.path == ':')
		r.path += scheme ? strcspn(r.path, "/") : 1;
	r.path += *r.path == '/';
	/* The path is read before the host is replaced. */
	if (forge->https_url == same_path)
		r.host = server_of(r.host, &r.host_len);
	server = gp_provider_is_server(forge, url, env) ? gp_env_value(env, forge->server) : NULL;
	return forge->https_url(r, server);
}

int gp_provider_name_valid(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= 50 && s[0] != '-' && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}
