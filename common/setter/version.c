#include "setter/version.h"

#include <string.h>

#define DIGITS "0123456789"
#define LETTERS DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-"

/* A run of characters. */
struct part {
	const char *at;
	size_t len;
};

struct version {
	struct part number[3];
	const char *rest; /* after '-': identifiers up to '+' or the end; NULL: a release */
};

static bool read_version(struct version *out, const char *tag)
{
	const char *at = tag + (*tag == 'v');

	*out = (struct version){0};
	for (size_t i = 0; i < 3; i++, at++) {
		size_t len = strspn(at, DIGITS);

		if (!len || (len > 1 && *at == '0'))
			return false;
		out->number[i] = (struct part){at, len};
		at += len;
		if (i < 2 && *at != '.')
			return false;
	}
	at--;
	if (*at == '-') {
		out->rest = at + 1;
		at += 1 + strspn(at + 1, LETTERS ".");
	}
	if (*at == '+')
		at += 1 + strspn(at + 1, LETTERS ".");
	return !*at;
}

/* Numbers of any length, without leading zeros. */
static int compare_numbers(struct part a, struct part b)
{
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return memcmp(a.at, b.at, a.len);
}

static int compare_words(struct part a, struct part b)
{
	int rc = memcmp(a.at, b.at, a.len < b.len ? a.len : b.len);

	return rc ? rc : a.len < b.len ? -1 : a.len > b.len;
}

/* Section 11.4: numbers by value, words in ASCII order, numbers before words. */
static int compare_identifiers(struct part a, struct part b)
{
	bool a_is_number = strspn(a.at, DIGITS) >= a.len, b_is_number = strspn(b.at, DIGITS) >= b.len;

	if (a_is_number != b_is_number)
		return a_is_number ? -1 : 1;
	return a_is_number ? compare_numbers(a, b) : compare_words(a, b);
}

/* What comes after '-'; a release is newer than what comes before it. */
static int compare_rests(const char *a, const char *b)
{
	if (!a || !b)
		return a ? -1 : b ? 1 : 0;
	for (;;) {
		struct part x = {a, strcspn(a, ".+")}, y = {b, strcspn(b, ".+")};
		int rc = compare_identifiers(x, y);

		if (rc)
			return rc;
		a += x.len;
		b += y.len;
		if (*a != '.' || *b != '.')
			return (*a == '.') - (*b == '.');
		a++, b++;
	}
}

bool gp_version_is_older(const char *tag, const char *other)
{
	struct version a, b;

	if (!read_version(&a, tag) || !read_version(&b, other))
		return false;
	for (size_t i = 0; i < 3; i++) {
		int rc = compare_numbers(a.number[i], b.number[i]);

		if (rc)
			return rc < 0;
	}
	return compare_rests(a.rest, b.rest) < 0;
}
