#include "setter/image.h"

#include <string.h>

#include "sys/mem.h"

enum { MAX_TAG = 128, MIN_ENCODED = 32 };

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z');
}

static bool is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

static bool is_tag(const char *s, size_t n)
{
	if (!n || n > MAX_TAG || !(is_alnum(s[0]) || s[0] == '_'))
		return false;
	for (size_t i = 1; i < n; i++)
		if (!is_alnum(s[i]) && !is_one_of(s[i], "_.-"))
			return false;
	return true;
}

/* A chart's version with build metadata: a tag, then '+' and what semver.org has behind it. */
static bool is_build(const char *s, size_t n)
{
	const char *plus = memchr(s, '+', n);
	size_t tag = plus ? (size_t)(plus - s) : 0;

	if (!plus || n > MAX_TAG || tag + 1 == n || !is_tag(s, tag))
		return false;
	for (size_t i = tag + 1; i < n; i++)
		if (!is_alnum(s[i]) && !is_one_of(s[i], ".-"))
			return false;
	return true;
}

/* algorithm: lower-case words joined by one of "+._-" */
static bool is_algorithm(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_lower(s[i]) && !is_digit(s[i]) &&
		    !(is_one_of(s[i], "+._-") && i && i + 1 < n && !is_one_of(s[i - 1], "+._-")))
			return false;
	return n > 0;
}

static bool is_digest(const char *s, size_t n)
{
	static const struct {
		const char *prefix;
		size_t hex;
	} known[] = {{"sha256:", 64}, {"sha384:", 96}, {"sha512:", 128}};
	const char *colon = memchr(s, ':', n);
	size_t name = colon ? (size_t)(colon - s) : 0, len = colon ? n - name - 1 : 0, hex = 0;

	if (!colon || !is_algorithm(s, name))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_alnum(colon[1 + i]) && !is_one_of(colon[1 + i], "=_-"))
			return false;
		hex += is_digit(colon[1 + i]) || (colon[1 + i] >= 'a' && colon[1 + i] <= 'f');
	}
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strncmp(s, known[i].prefix, name + 1))
			return len == known[i].hex && hex == len;
	return len >= MIN_ENCODED;
}

bool gp_version_parse(struct gp_version *version, const char *s)
{
	size_t n = strlen(s);
	const char *at = memchr(s, '@', n);

	*version = (struct gp_version){.tag = s, .digest = at ? at + 1 : s};
	if (at) {
		version->tag_len = (size_t)(at - s);
		version->digest_len = n - version->tag_len - 1;
		return is_tag(s, version->tag_len) && is_digest(at + 1, version->digest_len);
	}
	if (is_digest(s, n)) {
		version->digest_len = n;
		return true;
	}
	version->tag_len = n;
	return is_tag(s, n) || is_build(s, n);
}

bool gp_version_is_build(const struct gp_version *version)
{
	return version->tag_len && memchr(version->tag, '+', version->tag_len);
}

/* path-component: words of [a-z0-9] joined by '.', '_', "__" or any number of '-' */
static bool is_path_component(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && (is_lower(s[i]) || is_digit(s[i]))) {
		while (i < n && (is_lower(s[i]) || is_digit(s[i])))
			i++;
		if (i == n)
			return true;
		if (s[i] == '-')
			while (i < n && s[i] == '-')
				i++;
		else if (s[i] == '_' && i + 1 < n && s[i + 1] == '_')
			i += 2;
		else if (s[i] == '.' || s[i] == '_')
			i++;
		else
			return false;
	}
	return false;
}

/* The length of a host at s: an IPv6 address in brackets, or labels of letters, digits and inner '-' joined by '.'. */
static size_t host_length(const char *s, size_t n)
{
	size_t i = 0;

	if (n && s[0] == '[') {
		for (i = 1; i < n && (is_alnum(s[i]) || s[i] == ':'); i++)
			;
		return i > 1 && i < n && s[i] == ']' ? i + 1 : 0;
	}
	for (; i < n && (is_alnum(s[i]) || is_one_of(s[i], ".-")); i++)
		if (s[i] == '.' ? !i || i + 1 == n || !is_alnum(s[i - 1]) || !is_alnum(s[i + 1]) : s[i] == '-' && !i)
			return 0;
	return i && is_alnum(s[i - 1]) ? i : 0;
}

static bool is_host(const char *s, size_t n)
{
	size_t i = host_length(s, n);

	if (!i || i == n)
		return i > 0;
	if (s[i++] != ':' || i == n)
		return false;
	for (; i < n; i++)
		if (!is_digit(s[i]))
			return false;
	return true;
}

static bool is_repository(const char *s, size_t n)
{
	const char *slash = memchr(s, '/', n);
	bool first = true;

	while (slash) {
		size_t part = (size_t)(slash - s);

		if (!is_path_component(s, part) && !(first && is_host(s, part)))
			return false;
		first = false;
		n -= part + 1;
		s = slash + 1;
		slash = memchr(s, '/', n);
	}
	return is_path_component(s, n);
}

bool gp_image_parse(const char *s, size_t *repository_len, struct gp_version *version)
{
	const char *at = strchr(s, '@'), *end = at ? at : s + strlen(s), *tag = end;

	while (tag > s && !is_one_of(tag[-1], ":/"))
		tag--;
	if (tag == s || tag[-1] != ':')
		tag = NULL;
	*repository_len = (size_t)((tag ? tag - 1 : end) - s);
	*version = (struct gp_version){
		.tag = tag ? tag : "",
		.tag_len = tag ? (size_t)(end - tag) : 0,
		.digest = at ? at + 1 : "",
		.digest_len = at ? strlen(at + 1) : 0,
	};
	return is_repository(s, *repository_len) && (!tag || is_tag(tag, version->tag_len)) &&
	       (!at || is_digest(version->digest, version->digest_len));
}

char *gp_image_at(const char *repository, size_t repository_len, const struct gp_version *version)
{
	return gp_asprintf("%.*s%s%.*s%s%.*s", (int)repository_len, repository, version->tag_len ? ":" : "",
			   (int)version->tag_len, version->tag, version->digest_len ? "@" : "",
			   (int)version->digest_len, version->digest);
}
