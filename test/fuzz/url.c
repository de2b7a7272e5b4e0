/*
 * url.c - any bytes as a remote's URL: what is shown of it holds no password,
 * what is asked holds none either, and the forge is told by the host that git
 * would go to.
 */
#include <strings.h>

#include "forge/provider.h"
#include "forges/github/github.h"
#include "fuzz.h"
#include "git/repository.h"
#include "git/url.h"
#include "http/http.h"
#include "sys/exit.h"
#include "sys/mem.h"

#define SECRET "s3cret-T0KEN"

static char *no_variables(const char *name)
{
	(void)name;
	return NULL;
}

/* The authority of a URL with a scheme (RFC 3986, section 3.2), and where its host begins; NULL if there is none. */
static const char *authority(const char *url, size_t *len, const char **host)
{
	const char *start = strstr(url, "://");

	if (!start)
		return NULL;
	start += 3;
	*len = strcspn(start, "/?#");
	*host = start;
	for (size_t i = 0; i < *len; i++)
		if (start[i] == '@')
			*host = start + i + 1;
	return start;
}

static void check_clean(const char *url)
{
	char *clean = gp_url_clean(url);
	const char *host, *start;
	size_t len;

	start = authority(clean, &len, &host);
	if (start && host > start)
		FUZZ_HOLDS(!strncmp(clean, "ssh://", 6) && !memchr(start, ':', (size_t)(host - start)));
	free(clean);
}

/* Whoever writes a password into a URL never sees it again. */
static void check_secret(const char *rest)
{
	static const char *const schemes[] = {"https", "http", "ssh", "git+ssh", "HTTPS", "git"};
	size_t user = strcspn(rest, "/?#@:");

	if (strstr(rest, SECRET))
		return;
	for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
		char *url = gp_asprintf("%s://%.*s:%s@%s", schemes[i], (int)user, rest, SECRET, rest + user);
		char *clean = gp_url_clean(url);
		struct gp_err err = {0};

		FUZZ_HOLDS(!strstr(clean, SECRET));
		FUZZ_HOLDS(gp_http_check_url(url, &err) && !strstr(err.message, SECRET));
		check_clean(url);
		free(clean);
		free(url);
	}
}

static bool is_host(const char *host, size_t len, const char *name)
{
	size_t n = strcspn(host, ":") < len ? strcspn(host, ":") : len;

	return n == strlen(name) && !strncasecmp(host, name, n);
}

static void check_provider(const char *url)
{
	const char *name = gp_provider_of_url(url, no_variables), *host;
	size_t len;

	if (!name || strcmp(name, "github") != 0 || !authority(url, &len, &host))
		return;
	len -= (size_t)(host - strstr(url, "://") - 3);
	len = strcspn(host, ":") < len ? strcspn(host, ":") : len;
	FUZZ_HOLDS(is_host(host, len, "github.com") || is_host(host, len, "ssh.github.com") ||
		   (len > 8 && !strncasecmp(host + len - 8, ".ghe.com", 8)));
}

static void check_https(const char *url)
{
	char *https = gp_provider_https_url("github", url, no_variables);
	const char *host, *start;
	size_t len;

	if (!https)
		return;
	FUZZ_HOLDS(!strncmp(https, "https://", 8));
	start = authority(https, &len, &host);
	FUZZ_HOLDS(start && start == host);
	free(https);
}

/* The API that a token goes to is on the remote's own host, or on api.github.com. */
static void check_address(const char *url)
{
	static const char slug[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/";
	struct gp_github_address address;
	struct gp_err err = {0};

	if (gp_github_address_read(&address, url, no_variables, &err)) {
		FUZZ_HOLDS(err.code == GP_EXIT_INPUT || err.code == GP_EXIT_CONFIG);
		FUZZ_HOLDS(fuzz_is_printable(err.message));
	} else {
		char *lower = gp_strdup(url);

		for (char *c = lower; *c; c++)
			*c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
		FUZZ_HOLDS(strspn(address.slug, slug) == strlen(address.slug) && strchr(address.slug, '/') &&
			   strchr(address.slug, '/') == strrchr(address.slug, '/'));
		FUZZ_HOLDS(!strcmp(address.host, "github.com") || strstr(lower, address.host));
		FUZZ_HOLDS(!gp_http_check_url(address.rest, &err) && strstr(address.rest, address.host));
		free(lower);
	}
	gp_github_address_free(&address);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *url = fuzz_text(data, size);
	struct gp_err err = {0};

	check_clean(url);
	check_secret(url);
	check_provider(url);
	check_https(url);
	check_address(url);
	if (gp_http_check_url(url, &err))
		FUZZ_HOLDS(err.code == GP_EXIT_CONFIG && fuzz_is_printable(err.message));
	free(url);
	return 0;
}
