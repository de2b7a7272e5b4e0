#include "data/json.h"

#include <cjson/cJSON.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/json-scan.h"
#include "sys/exit.h"
#include "sys/mem.h"
#include "sys/utf8.h"

static struct cJSON *tree(const struct gp_json *json)
{
	/* The handle is cJSON's own node behind an opaque name. */
	return (struct cJSON *)(uintptr_t)json;
}

static struct gp_json *handle(struct cJSON *node)
{
	return (struct gp_json *)node;
}

/*
 * cJSON does not look everywhere whether memory was there (a member that is replaced would lose its name), so it
 * gets none but what is. A constructor, because this is a setting of the whole process.
 */
__attribute__((constructor)) static void use_own_memory(void)
{
	cJSON_Hooks hooks = {gp_malloc, free};

	cJSON_InitHooks(&hooks);
}

static struct cJSON *need(struct cJSON *node)
{
	if (!node)
		gp_out_of_memory();
	return node;
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

/* Goes through the tree in the order of the text: checks keys, puts numbers that cJSON changed back as raw text. */
static int settle(struct cJSON *node, const char *text, const struct gp_json_number **next, struct gp_err *err)
{
	if (cJSON_IsNumber(node)) {
		const struct gp_json_number *n = (*next)++;

		if (!n->exact) {
			node->type = (node->type & ~0xff) | cJSON_Raw;
			node->valuestring = gp_memdup0(text + n->at, n->len);
		}
	}
	if (cJSON_IsObject(node) && check_keys(node, err))
		return -1;
	for (struct cJSON *c = node->child; c; c = c->next)
		if (settle(c, text, next, err))
			return -1;
	return 0;
}

struct gp_json *gp_json_parse(const char *text, size_t len, struct gp_err *err)
{
	struct gp_json_numbers numbers = {0};
	const struct gp_json_number *next;
	struct cJSON *node = NULL;

	if (gp_json_scan(&numbers, text, len, err))
		goto out;
	node = cJSON_ParseWithLength(text, len);
	if (!node) {
		gp_fail(err, GP_EXIT_BUG, "libcjson does not take JSON that is valid");
		goto out;
	}
	next = numbers.item;
	if (settle(node, text, &next, err)) {
		cJSON_Delete(node);
		node = NULL;
	}
out:
	free(numbers.item);
	return handle(node);
}

void gp_json_free(struct gp_json *json)
{
	cJSON_Delete(tree(json));
}

/* The character's number. */
static unsigned number_of(const char *text, size_t len)
{
	unsigned number = (unsigned char)text[0];

	if (len > 1)
		number &= len == 2 ? 0x1f : 0x0f;
	for (size_t i = 1; i < len; i++)
		number = number << 6 | ((unsigned char)text[i] & 0x3f);
	return number;
}

/* White space between values aside. */
static const char *find_command(const char *text, const char *end)
{
	for (size_t n; text < end; text += n) {
		n = (unsigned char)*text < 0x7f ? 1 : gp_utf8_length(text, (size_t)(end - text));
		if ((unsigned char)*text >= 0x7f && n && gp_utf8_is_command(text, n))
			return text;
		n = n ? n : 1;
	}
	return NULL;
}

/*
 * Text that may go to a terminal or a log as it is. cJSON escapes control characters only as far as JSON asks for it;
 * those that are left stand in strings, where their numbers mean the same.
 */
static char *printed(char *text)
{
	const char *from = text, *end, *at;
	char *out;
	size_t len;
	FILE *f;

	if (!text)
		gp_out_of_memory();
	end = text + strlen(text);
	at = find_command(text, end);
	if (!at)
		return text;
	f = gp_open_text(&out, &len);
	for (; at; at = find_command(from, end)) {
		size_t n = gp_utf8_length(at, (size_t)(end - at));

		fwrite(from, 1, (size_t)(at - from), f);
		fprintf(f, "\\u%04x", number_of(at, n));
		from = at + n;
	}
	fputs(from, f);
	gp_close_text(f, &out);
	free(text);
	return out;
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

bool gp_json_is_bool(const struct gp_json *json)
{
	return cJSON_IsBool(tree(json));
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

	return node && cJSON_IsNumber(node) ? (int64_t)node->valuedouble : fallback;
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
