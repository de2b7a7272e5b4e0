#include "data/json-scan.h"

#include <string.h>

#include "sys/exit.h"
#include "sys/mem.h"
#include "sys/utf8.h"

/* MAX_NUMBER: cJSON 1.7.15 reads no longer one (its parse_number). */
enum { MAX_DEPTH = 100, MAX_EXACT_DIGITS = 15, MAX_NUMBER = 63 };

struct scan {
	const char *text;
	size_t len, at;
	unsigned depth;
	struct gp_json_numbers *numbers;
	struct gp_err *err;
};

static int bad(struct scan *s, const char *what)
{
	return gp_fail(s->err, GP_EXIT_INPUT, "not valid JSON at byte %zu: %s", s->at + 1, what);
}

static int peek(const struct scan *s)
{
	return s->at < s->len ? (unsigned char)s->text[s->at] : -1;
}

static void skip_space(struct scan *s)
{
	while (s->at < s->len && memchr(" \t\r\n", s->text[s->at], 4))
		s->at++;
}

static int hex4(struct scan *s, unsigned *out)
{
	*out = 0;
	for (int i = 0; i < 4; i++, s->at++) {
		int c = peek(s);
		int v = c >= '0' && c <= '9'   ? c - '0'
			: c >= 'a' && c <= 'f' ? c - 'a' + 10
			: c >= 'A' && c <= 'F' ? c - 'A' + 10
					       : -1;

		if (v < 0)
			return bad(s, "\\u needs four hexadecimal digits");
		*out = *out * 16 + (unsigned)v;
	}
	return 0;
}

static int scan_escape(struct scan *s)
{
	int c = peek(s);
	unsigned high, low;

	s->at++;
	if (c != 'u')
		return c > 0 && strchr("\"\\/bfnrt", c) ? 0 : bad(s, "unknown escape in a string");
	if (hex4(s, &high))
		return -1;
	if (high == 0)
		return bad(s, "\\u0000 in a string");
	if (high >= 0xdc00 && high <= 0xdfff)
		return bad(s, "lone surrogate in a string");
	if (high < 0xd800 || high > 0xdbff)
		return 0;
	if (s->len - s->at < 6 || s->text[s->at] != '\\' || s->text[s->at + 1] != 'u')
		return bad(s, "lone surrogate in a string");
	s->at += 2;
	if (hex4(s, &low))
		return -1;
	return low >= 0xdc00 && low <= 0xdfff ? 0 : bad(s, "lone surrogate in a string");
}

static int scan_string(struct scan *s)
{
	s->at++;
	for (;;) {
		int c = peek(s);

		if (c < 0)
			return bad(s, "text ends within a string");
		if (c < 0x20)
			return bad(s, "control character in a string");
		if (c == '"') {
			s->at++;
			return 0;
		}
		if (c == '\\') {
			s->at++;
			if (scan_escape(s))
				return -1;
			continue;
		}
		size_t n = gp_utf8_length(s->text + s->at, s->len - s->at);

		if (!n)
			return bad(s, "not UTF-8");
		s->at += n;
	}
}

static size_t scan_digits(struct scan *s)
{
	size_t from = s->at;

	while (peek(s) >= '0' && peek(s) <= '9')
		s->at++;
	return s->at - from;
}

static int scan_number(struct scan *s)
{
	size_t from = s->at, whole, digits;
	bool exact = true;

	if (peek(s) == '-')
		s->at++;
	digits = s->at;
	whole = scan_digits(s);
	if (!whole || (whole > 1 && s->text[digits] == '0'))
		return bad(s, "not a number");
	if (peek(s) == '.') {
		s->at++;
		exact = false;
		if (!scan_digits(s))
			return bad(s, "not a number");
	}
	if (peek(s) == 'e' || peek(s) == 'E') {
		s->at++;
		exact = false;
		if (peek(s) == '+' || peek(s) == '-')
			s->at++;
		if (!scan_digits(s))
			return bad(s, "not a number");
	}
	if (s->at - from > MAX_NUMBER)
		return bad(s, "a number of more than 63 characters");
	bool negative_zero = s->at - from == 2 && s->text[from] == '-' && s->text[from + 1] == '0';

	struct gp_json_numbers *n = s->numbers;

	n->item = gp_grow(n->item, n->count, sizeof *n->item);
	n->item[n->count++] =
		(struct gp_json_number){from, s->at - from, exact && whole <= MAX_EXACT_DIGITS && !negative_zero};
	return 0;
}

static int scan_value(struct scan *s);

static int scan_members(struct scan *s, char close)
{
	bool object = close == '}';

	if (++s->depth > MAX_DEPTH)
		return bad(s, "nested too deeply");
	s->at++;
	skip_space(s);
	if (peek(s) == close) {
		s->at++;
		s->depth--;
		return 0;
	}
	for (;;) {
		if (object) {
			skip_space(s);
			if (peek(s) != '"')
				return bad(s, "expected a member's name in double quotes");
			if (scan_string(s))
				return -1;
			skip_space(s);
			if (peek(s) != ':')
				return bad(s, "expected ':'");
			s->at++;
		}
		if (scan_value(s))
			return -1;
		skip_space(s);
		if (peek(s) == close)
			break;
		if (peek(s) != ',')
			return bad(s, object ? "expected ',' or '}'" : "expected ',' or ']'");
		s->at++;
	}
	s->at++;
	s->depth--;
	return 0;
}

static int scan_value(struct scan *s) /* NOLINT(misc-no-recursion): bounded by MAX_DEPTH */
{
	static const char *const words[] = {"true", "false", "null"};

	skip_space(s);
	switch (peek(s)) {
	case '{':
		return scan_members(s, '}');
	case '[':
		return scan_members(s, ']');
	case '"':
		return scan_string(s);
	default:
		break;
	}
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		size_t n = strlen(words[i]);

		if (s->len - s->at >= n && !memcmp(s->text + s->at, words[i], n)) {
			s->at += n;
			return 0;
		}
	}
	if (peek(s) == '-' || (peek(s) >= '0' && peek(s) <= '9'))
		return scan_number(s);
	return bad(s, peek(s) < 0 ? "text ends too early" : "expected a value");
}

int gp_json_scan(struct gp_json_numbers *numbers, const char *text, size_t len, struct gp_err *err)
{
	struct scan s = {.text = text, .len = len, .numbers = numbers, .err = err};

	if (scan_value(&s))
		return -1;
	skip_space(&s);
	return s.at < len ? bad(&s, "text after the value") : 0;
}
