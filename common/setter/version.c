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

/* Returns 1 if tag is older, 0 if not, -1 where the tags cannot be read in this way. */
static int by_semver(const char *tag, const char *other)
{
	struct version a, b;

	if (!read_version(&a, tag) || !read_version(&b, other))
		return -1;
	for (size_t i = 0; i < 3; i++) {
		int rc = compare_numbers(a.number[i], b.number[i]);

		if (rc)
			return rc < 0;
	}
	return compare_rests(a.rest, b.rest) < 0;
}

/* The number at *s, without leading zeros; *s is behind it. */
static struct part take_number(const char **s)
{
	struct part number;

	*s += strspn(*s, "0");
	number = (struct part){*s, strspn(*s, DIGITS)};
	*s += number.len;
	return number;
}

static bool is_numeric(const char *s)
{
	for (;; s++) {
		size_t n = strspn(s, DIGITS);

		if (!n)
			return false;
		s += n;
		if (!*s)
			return true;
		if (*s != '.')
			return false;
	}
}

/* Missing numbers count as 0. */
static int by_numbers(const char *tag, const char *other)
{
	tag += *tag == 'v';
	other += *other == 'v';
	if (!is_numeric(tag) || !is_numeric(other))
		return -1;
	while (*tag || *other) {
		int rc = compare_numbers(take_number(&tag), take_number(&other));

		if (rc)
			return rc < 0;
		tag += *tag == '.';
		other += *other == '.';
	}
	return 0;
}

/* The digits that a text of this length ends in. */
static size_t digits_before(const char *s, size_t n)
{
	size_t digits = 0;

	while (digits < n && strchr(DIGITS, s[n - 1 - digits]))
		digits++;
	return digits;
}

/* The timestamp or counter that a tag ends in: a date of eight digits before it, or none. */
struct stamp {
	struct part date, number;
	size_t digits;
};

static bool read_stamp(struct stamp *out, const char *tag)
{
	size_t n = strlen(tag);

	n -= n && tag[n - 1] == 'Z';
	size_t digits = digits_before(tag, n);
	const char *number = tag + n - digits;
	bool has_date = (digits == 4 || digits == 6) && number - tag > 8 && strchr("T-_.", number[-1]) &&
			digits_before(tag, (size_t)(number - tag) - 1) == 8;
	const char *date = number - 9;

	*out = (struct stamp){.digits = digits + (has_date ? 8 : 0)};
	if (!digits)
		return false;
	if (has_date)
		out->date = take_number(&date);
	out->number = take_number(&number);
	return true;
}

static int by_time(const char *tag, const char *other, size_t least)
{
	struct stamp a, b;
	int rc;

	if (!read_stamp(&a, tag) || !read_stamp(&b, other) || a.digits < least || b.digits < least ||
	    !a.date.len != !b.date.len)
		return -1;
	rc = a.date.len ? compare_numbers(a.date, b.date) : 0;
	return rc ? rc < 0 : compare_numbers(a.number, b.number) < 0;
}

bool gp_order_parse(enum gp_order *out, const char *text)
{
	static const struct {
		const char *name;
		enum gp_order order;
	} orders[] = {{"semver", GP_ORDER_SEMVER},
		      {"numeric", GP_ORDER_NUMERIC},
		      {"time", GP_ORDER_TIME},
		      {"none", GP_ORDER_NONE}};

	for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
		if (!strcmp(text, orders[i].name)) {
			*out = orders[i].order;
			return true;
		}
	return false;
}

bool gp_version_is_older(const char *tag, const char *other, enum gp_order order)
{
	int older = -1;

	if (order == GP_ORDER_SEMVER || order == GP_ORDER_GUESSED)
		older = by_semver(tag, other);
	if (older < 0 && (order == GP_ORDER_NUMERIC || order == GP_ORDER_GUESSED))
		older = by_numbers(tag, other);
	if (older < 0 && (order == GP_ORDER_TIME || order == GP_ORDER_GUESSED))
		older = by_time(tag, other, order == GP_ORDER_GUESSED ? 8 : 1);
	return older > 0;
}
