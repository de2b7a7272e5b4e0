#include "git/url.h"

#include <string.h>

#include "sys/mem.h"

/* Where the host begins in what follows "://", of which len bytes are the URL's. */
static const char *behind_credentials(const char *user, size_t len)
{
	size_t authority = strcspn(user, "/?#"), host;

	if (authority > len)
		authority = len;
	host = authority;
	while (host && user[host - 1] != '@')
		host--;
	if (host)
		return user + host;
	/* Where a password has a '/' in it, its beginning stands for a port, and it works nowhere; it is secret all the same. */
	const char *port = memchr(user, ':', authority);

	if (*user == '[' || !port || port + 1 + strspn(port + 1, "0123456789") == user + authority)
		return user;
	for (host = len; host && user[host - 1] != '@';)
		host--;
	return user + host;
}

void gp_url_hide_credentials(char *text)
{
	for (char *at = text; (at = strstr(at, "://"));) {
		at += 3;
		const char *host = behind_credentials(at, strcspn(at, " \t\r\n'\""));

		memmove(at, host, strlen(host) + 1);
	}
}

char *gp_url_clean(const char *url)
{
	const char *scheme = strstr(url, "://");

	if (!scheme)
		return gp_strdup(url);
	const char *user = scheme + 3, *host = behind_credentials(user, strlen(user));

	if (host == user)
		return gp_strdup(url);
	if (strncmp(url, "ssh://", 6))
		return gp_asprintf("%.*s%s", (int)(user - url), url, host);
	return gp_asprintf("%.*s%.*s%s", (int)(user - url), url, (int)strcspn(user, ":@"), user, host - 1);
}
