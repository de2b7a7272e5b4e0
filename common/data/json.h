/*
 * json.h - JSON values, read strictly and written exactly. The only way to
 * cJSON, which nothing else includes. A value that a function returns with
 * "yours" in its description is freed with gp_json_free; anything reached
 * from inside a value is borrowed and lives as long as that value.
 */
#ifndef GP_JSON_H
#define GP_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sys/err.h"

struct gp_json;

/*
 * Parses len bytes that must hold exactly one JSON value (RFC 8259), white
 * space around it aside. Errors (65), with the offset: syntax, trailing text,
 * duplicate keys, control characters, invalid UTF-8, \u0000, lone surrogates,
 * more than 100 levels, numbers of more than 63 characters. Numbers that a double cannot hold exactly stay as they
 * were written. Yours; NULL on error.
 */
struct gp_json *gp_json_parse(const char *text, size_t len, struct gp_err *err);
void gp_json_free(struct gp_json *json);

/*
 * The value as text, on one line, or indented; no character of it is a command to a terminal (utf8.h). Yours, for
 * free(3).
 */
char *gp_json_print(const struct gp_json *json);
char *gp_json_print_indented(const struct gp_json *json);

/* New values; yours. A NULL string makes null. */
struct gp_json *gp_json_object(void);
struct gp_json *gp_json_array(void);
struct gp_json *gp_json_string(const char *s);
struct gp_json *gp_json_copy(const struct gp_json *json);

bool gp_json_is_object(const struct gp_json *json);
bool gp_json_is_array(const struct gp_json *json);
bool gp_json_is_string(const struct gp_json *json);
bool gp_json_is_bool(const struct gp_json *json);
bool gp_json_is_null(const struct gp_json *json);

/* The member of an object, keys compared exactly; NULL if there is none, or json is NULL or no object. */
struct gp_json *gp_json_get(const struct gp_json *json, const char *key);

/* What a string value, or an object's string member, holds; NULL for anything else. */
const char *gp_json_text(const struct gp_json *json);
const char *gp_json_get_text(const struct gp_json *json, const char *key);

/* Whether the member is true; false for anything else. */
bool gp_json_get_true(const struct gp_json *json, const char *key);

/* The member as an integer of at most 2^53; otherwise fallback. */
int64_t gp_json_get_int(const struct gp_json *json, const char *key, int64_t fallback);

/* Children of an array or object in order: first child, the one after it (NULL at the end), its key, how many. */
struct gp_json *gp_json_first(const struct gp_json *json);
struct gp_json *gp_json_next(const struct gp_json *child);
const char *gp_json_key(const struct gp_json *child);
size_t gp_json_count(const struct gp_json *json);

/* Sets a member: in place where the key is there, else at the end. Takes value over; a NULL string makes null. */
void gp_json_set(struct gp_json *object, const char *key, struct gp_json *value);
void gp_json_set_text(struct gp_json *object, const char *key, const char *s);
void gp_json_set_bool(struct gp_json *object, const char *key, bool b);
void gp_json_set_int(struct gp_json *object, const char *key, int64_t n);

/* Removes a member, if there. gp_json_take also hands it out: yours, or NULL. */
void gp_json_remove(struct gp_json *object, const char *key);
struct gp_json *gp_json_take(struct gp_json *object, const char *key);

/* Appends to an array and takes value over. */
void gp_json_append(struct gp_json *array, struct gp_json *value);

#endif
