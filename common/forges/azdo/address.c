/* Where a repository and its API are. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "forges/azdo/azdo.h"
#include "sys/exit.h"
#include "sys/mem.h"
#include "sys/utf8.h"

enum { MAX_STEPS = 16 };

/* A remote's URL, taken apart; strings are its own. */
struct parts {
	char *scheme, *server; /* "https", "host:port" */
	char *step[MAX_STEPS]; /* of the path, decoded */
	size_t count, mark;    /* mark: which of them is "_git" */
};

static void free_parts(struct parts *p)
{
	free(p->scheme);
	free(p->server);
	for (size_t i = 0; i < p->count; i++)
		free(p->step[i]);
}

static int hex(char c)
{
	const char *at = c ? strchr("0123456789abcdef", tolower((unsigned char)c)) : NULL;

	return at ? (int)(at - "0123456789abcdef") : -1;
}

static bool is_utf8(const char *text)
{
	for (size_t len = strlen(text), n; len; text += n, len -= n)
		if (!(n = gp_utf8_length(text, len)))
			return false;
	return true;
}

/* Decodes a name. A '%' that begins no escape stands for itself. NULL for what cannot be a name. Yours. */
static char *decoded(const char *text, size_t len)
{
	char *out = gp_calloc(len + 1, 1), *to = out;

	for (size_t i = 0; i < len; i++) {
		int high = text[i] == '%' && i + 2 < len ? hex(text[i + 1]) : -1,
		    low = high < 0 ? -1 : hex(text[i + 2]);

		if (low < 0) {
			*to++ = text[i];
			continue;
		}
		*to++ = (char)(high << 4 | low);
		i += 2;
		/* An escaped '/' or NUL would make it another path. */
		if (to[-1] == '/' || !to[-1]) {
			free(out);
			return NULL;
		}
	}
	if (is_utf8(out) && strcmp(out, ".") != 0 && strcmp(out, "..") != 0)
		return out;
	free(out);
	return NULL;
}

/* "https://[user@]host[:port]/a/b/_git/c" into p. Returns 0, or -1. */
static int take_apart(struct parts *p, const char *url)
{
	const char *host = strstr(url, "://"), *path, *at;

	if (!host || (strncasecmp(url, "https:", 6) != 0 && strncasecmp(url, "http:", 5) != 0))
		return -1;
	p->scheme = gp_memdup0(url, (size_t)(host - url));
	host += 3;
	path = host + strcspn(host, "/?#");
	while ((at = memchr(host, '@', (size_t)(path - host))))
		host = at + 1;
	if (path == host || *host == '-' || *path != '/')
		return -1;
	p->server = gp_memdup0(host, (size_t)(path - host));
	for (char *c = p->server; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	p->mark = MAX_STEPS;
	while (*(path += strspn(path, "/"))) {
		size_t len = strcspn(path, "/");

		if (strpbrk(path, "?#") || p->count == MAX_STEPS || !(p->step[p->count] = decoded(path, len)))
			return -1;
		if (!strcmp(p->step[p->count], "_git") && p->mark == MAX_STEPS)
			p->mark = p->count;
		p->count++;
		path += len;
	}
	/* Only the name comes after it, or, for a partial clone of old, a word before that. */
	if (p->mark + 3 == p->count &&
	    (!strcmp(p->step[p->count - 2], "_full") || !strcmp(p->step[p->count - 2], "_optimized"))) {
		char *name = p->step[--p->count];

		free(p->step[p->count - 1]);
		p->step[p->count - 1] = name;
	}
	return p->mark + 2 == p->count ? 0 : -1;
}

/* How many steps of the path belong to an address on the same server; -1: it is on another one. */
static int steps_of(const struct parts *p, const char *address)
{
	const char *host = address ? strstr(address, "://") : NULL, *path;
	int n = 0;

	if (!host)
		return -1;
	host += 3;
	path = host + strcspn(host, "/");
	if (strlen(p->server) != (size_t)(path - host) || strncasecmp(host, p->server, (size_t)(path - host)) != 0)
		return -1;
	while (*(path += strspn(path, "/"))) {
		size_t len = strcspn(path, "/");
		char *step = decoded(path, len);
		bool same = step && (size_t)n < p->mark && !strcasecmp(step, p->step[n]);

		free(step);
		if (!same)
			return -1;
		n++;
		path += len;
	}
	return n;
}

static bool is_old_host(const struct parts *p)
{
	static const char suffix[] = ".visualstudio.com";
	size_t n = strcspn(p->server, ":"), len = strlen(suffix);

	return n > len && !strncmp(p->server + n - len, suffix, len);
}

/* How many steps of the path belong to the collection. */
static size_t collection_steps(const struct parts *p, gp_env_fn *env)
{
	int known = steps_of(p, gp_env_value(env, "GP_API_URL"));

	if (!strcmp(p->server, "dev.azure.com") || !strcmp(p->server, "dev.azure.com:443"))
		return 1;
	/* https://ORG.visualstudio.com/[DefaultCollection/]PROJECT: the name of old means nothing there. */
	if (is_old_host(p))
		return p->mark && !strcasecmp(p->step[0], "DefaultCollection");
	if (known < 0)
		known = steps_of(p, gp_env_value(env, "SYSTEM_COLLECTIONURI"));
	if (known >= 0)
		return (size_t)known;
	/* HOST/COLLECTION, or below the directory that the server is installed in, of which there is a default. */
	if (p->mark == 2 && !strcasecmp(p->step[0], "tfs"))
		return 2;
	return p->mark > 1 ? p->mark - 1 : p->mark;
}

/* Steps from `from` up to `to`, escaped, each with a '/' before it. Yours. */
static char *joined(const struct parts *p, size_t from, size_t to)
{
	char *out = gp_strdup("");

	for (size_t i = from; i < to; i++) {
		char *step = gp_api_escape(p->step[i]), *longer = gp_asprintf("%s/%s", out, step);

		free(step);
		free(out);
		out = longer;
	}
	return out;
}

/* Whether what comes before "_git" is a collection and at most a project. */
static bool is_complete(const struct parts *p, gp_env_fn *env)
{
	size_t n = collection_steps(p, env);

	return n <= p->mark && n + 1 >= p->mark && (n || is_old_host(p));
}

static void place(struct gp_azdo_address *out, const struct parts *p, gp_env_fn *env)
{
	size_t collection = collection_steps(p, env);
	const char *own = gp_env_value(env, "GP_API_URL"), *name = p->step[p->mark + 1];
	/* PROJECT/_git/ may be missing where both names are equal. */
	const char *project = collection < p->mark ? p->step[p->mark - 1] : name;
	char *of_collection = joined(p, 0, collection), *escaped = gp_api_escape(name),
	     *escaped_project = gp_api_escape(project), *home;

	if (is_old_host(p))
		of_collection[0] = '\0';
	home = gp_asprintf("%s://%s%s", p->scheme, p->server, of_collection);
	out->host = gp_strdup(p->server);
	out->base = gp_strdup(own ? own : home);
	for (size_t n = strlen(out->base); n && out->base[n - 1] == '/'; n--)
		out->base[n - 1] = '\0';
	out->project = gp_asprintf("/%s/_apis", escaped_project);
	out->repository = gp_asprintf("/%s/_apis/git/repositories/%s", escaped_project, escaped);
	out->web = gp_asprintf("%s/%s/_git/%s", home, escaped_project, escaped);
	out->name = gp_asprintf("%s/%s", project, name);
	free(home);
	free(escaped);
	free(escaped_project);
	free(of_collection);
}

int gp_azdo_address_read(struct gp_azdo_address *out, const char *url, gp_env_fn *env, struct gp_err *err)
{
	char *https = gp_provider_https_url("azdo", url, env);
	struct parts p = {0};
	int rc = take_apart(&p, https ? https : url);

	*out = (struct gp_azdo_address){0};
	if (!rc && is_complete(&p, env))
		place(out, &p, env);
	else
		gp_fail(err, GP_EXIT_INPUT,
			"repository.url names no repository of Azure DevOps: it is "
			"https://dev.azure.com/ORG/PROJECT/_git/NAME, git@ssh.dev.azure.com:v3/ORG/PROJECT/NAME or "
			"https://HOST/COLLECTION/PROJECT/_git/NAME");
	free_parts(&p);
	free(https);
	if (!out->base)
		return -1;
	if (!gp_http_check_url(out->base, err))
		return 0;
	if (gp_env_value(env, "GP_API_URL"))
		gp_fail_in(err, "GP_API_URL");
	gp_azdo_address_free(out);
	return -1;
}

void gp_azdo_address_free(struct gp_azdo_address *address)
{
	free(address->host);
	free(address->base);
	free(address->project);
	free(address->repository);
	free(address->web);
	free(address->name);
	*address = (struct gp_azdo_address){0};
}
