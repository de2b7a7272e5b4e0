#include "json.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "exit.h"
#include "mem.h"
#include "utf8.h"

enum { MAX_DEPTH = 100, MAX_EXACT_DIGITS = 15 };

/*
 * cJSON takes more than RFC 8259 allows and loses digits of long numbers. So
 * the text is checked here first, and the numbers that a double would change
 * are noted in their order, to be put back into cJSON's tree as they were.
 */
struct scan {
	const char *text;
	size_t len, at;
	unsigned depth;
	struct number {
		size_t at, len;
		bool exact; /* a plain integer that a double holds */
	} *numbers;
	size_t count;
	struct gp_err *err;
};

static struct cJSON *tree(const struct gp_json *json)
{
	/* The handle is cJSON's own node behind an opaque name. */
	return (struct cJSON *)(uintptr_t)json;
}

static struct gp_json *handle(struct cJSON *node)
{
	return (struct gp_json *)node;
}

static struct cJSON *need(struct cJSON *node)
{
	/* cJSON returns NULL only when out of memory here; gp_strdup's way out is the same. */
	if (!node)
		gp_reallocarray(NULL, SIZE_MAX, 2);
	return node;
}

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
		int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;

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
	bool negative_zero = s->at - from == 2 && s->text[from] == '-' && s->text[from + 1] == '0';

	s->numbers = gp_grow(s->numbers, s->count, sizeof *s->numbers);
	s->numbers[s->count++] = (struct number){from, s->at - from, exact && whole <= MAX_EXACT_DIGITS && !negative_zero};
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
				return bad(s, "a member's name in double quotes was expected");
			if (scan_string(s))
				return -1;
			skip_space(s);
			if (peek(s) != ':')
				return bad(s, "':' was expected");
			s->at++;
		}
		if (scan_value(s))
			return -1;
		skip_space(s);
		if (peek(s) == close)
			break;
		if (peek(s) != ',')
			return bad(s, object ? "',' or '}' was expected" : "',' or ']' was expected");
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
	return bad(s, peek(s) < 0 ? "text ends too early" : "a value was expected");
}

static int by_key(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int check_keys(const struct cJSON *object, struct gp_err *err)
{
	size_t n = (size_t)cJSON_GetArraySize(object), i = 0;
	const char **keys = gp_calloc(n, sizeof *keys);
	int rc = 0;

	for (const struct cJSON *c = object->child; c; c = c->next)
		keys[i++] = c->string;
	qsort(keys, n, sizeof *keys, by_key);
	for (i = 1; i < n && !rc; i++)
		if (!strcmp(keys[i - 1], keys[i]))
			rc = gp_fail(err, GP_EXIT_INPUT, "not valid JSON: duplicate key '%s'", keys[i]);
	free(keys);
	return rc;
}

/* Goes through the tree in the order of the text: checks keys, puts inexact numbers back as raw text. */
static int settle(struct cJSON *node, const struct scan *s, size_t *next, struct gp_err *err) /* NOLINT(misc-no-recursion) */
{
	if (cJSON_IsNumber(node)) {
		const struct number *n = &s->numbers[(*next)++];

		if (!n->exact) {
			node->type = (node->type & ~0xff) | cJSON_Raw;
			node->valuestring = gp_memdup0(s->text + n->at, n->len);
		}
	}
	if (cJSON_IsObject(node) && check_keys(node, err))
		return -1;
	for (struct cJSON *c = node->child; c; c = c->next)
		if (settle(c, s, next, err))
			return -1;
	return 0;
}

struct gp_json *gp_json_parse(const char *text, size_t len, struct gp_err *err)
{
	struct scan s = {.text = text, .len = len, .err = err};
	struct cJSON *node = NULL;
	size_t next = 0;

	if (scan_value(&s))
		goto out;
	skip_space(&s);
	if (s.at < len) {
		bad(&s, "text after the value");
		goto out;
	}
	node = cJSON_ParseWithLength(text, len);
	if (!node) {
		gp_fail(err, GP_EXIT_INPUT, "not valid JSON");
		goto out;
	}
	if (settle(node, &s, &next, err)) {
		cJSON_Delete(node);
		node = NULL;
	}
out:
	free(s.numbers);
	return handle(node);
}

void gp_json_free(struct gp_json *json)
{
	cJSON_Delete(tree(json));
}

static char *printed(char *text)
{
	if (!text)
		gp_reallocarray(NULL, SIZE_MAX, 2);
	return text;
}

char *gp_json_print(const struct gp_json *json)
{
	return printed(cJSON_PrintUnformatted(tree(json)));
}

char *gp_json_print_indented(const struct gp_json *json)
{
	return printed(cJSON_Print(tree(json)));
}

struct gp_json *gp_json_object(void)
{
	return handle(need(cJSON_CreateObject()));
}

struct gp_json *gp_json_array(void)
{
	return handle(need(cJSON_CreateArray()));
}

struct gp_json *gp_json_string(const char *s)
{
	return handle(need(s ? cJSON_CreateString(s) : cJSON_CreateNull()));
}

struct gp_json *gp_json_copy(const struct gp_json *json)
{
	return json ? handle(need(cJSON_Duplicate(tree(json), true))) : NULL;
}

bool gp_json_equal(const struct gp_json *a, const struct gp_json *b)
{
	return a == b || (a && b && cJSON_Compare(tree(a), tree(b), true));
}

bool gp_json_is_object(const struct gp_json *json)
{
	return cJSON_IsObject(tree(json));
}

bool gp_json_is_array(const struct gp_json *json)
{
	return cJSON_IsArray(tree(json));
}

bool gp_json_is_string(const struct gp_json *json)
{
	return cJSON_IsString(tree(json));
}

bool gp_json_is_null(const struct gp_json *json)
{
	return cJSON_IsNull(tree(json));
}

struct gp_json *gp_json_get(const struct gp_json *json, const char *key)
{
	return gp_json_is_object(json) ? handle(cJSON_GetObjectItemCaseSensitive(tree(json), key)) : NULL;
}

const char *gp_json_text(const struct gp_json *json)
{
	return cJSON_GetStringValue(tree(json));
}

const char *gp_json_get_text(const struct gp_json *json, const char *key)
{
	return gp_json_text(gp_json_get(json, key));
}

bool gp_json_get_true(const struct gp_json *json, const char *key)
{
	return cJSON_IsTrue(tree(gp_json_get(json, key)));
}

int64_t gp_json_get_int(const struct gp_json *json, const char *key, int64_t fallback)
{
	const struct cJSON *node = tree(gp_json_get(json, key));

	return cJSON_IsNumber(node) ? (int64_t)node->valuedouble : fallback;
}

struct gp_json *gp_json_first(const struct gp_json *json)
{
	return json ? handle(tree(json)->child) : NULL;
}

struct gp_json *gp_json_next(const struct gp_json *child)
{
	return handle(tree(child)->next);
}

const char *gp_json_key(const struct gp_json *child)
{
	return tree(child)->string;
}

size_t gp_json_count(const struct gp_json *json)
{
	return json ? (size_t)cJSON_GetArraySize(tree(json)) : 0;
}

void gp_json_set(struct gp_json *object, const char *key, struct gp_json *value)
{
	if (gp_json_get(object, key)) {
		if (!cJSON_ReplaceItemInObjectCaseSensitive(tree(object), key, tree(value)))
			need(NULL);
	} else if (!cJSON_AddItemToObject(tree(object), key, tree(value))) {
		need(NULL);
	}
}

void gp_json_set_text(struct gp_json *object, const char *key, const char *s)
{
	gp_json_set(object, key, gp_json_string(s));
}

void gp_json_set_bool(struct gp_json *object, const char *key, bool b)
{
	gp_json_set(object, key, handle(need(cJSON_CreateBool(b))));
}

void gp_json_set_int(struct gp_json *object, const char *key, int64_t n)
{
	gp_json_set(object, key, handle(need(cJSON_CreateNumber((double)n))));
}

void gp_json_remove(struct gp_json *object, const char *key)
{
	gp_json_free(gp_json_take(object, key));
}

struct gp_json *gp_json_take(struct gp_json *object, const char *key)
{
	return handle(cJSON_DetachItemFromObjectCaseSensitive(tree(object), key));
}

void gp_json_append(struct gp_json *array, struct gp_json *value)
{
	cJSON_AddItemToArray(tree(array), tree(value));
}
