#include "promotion/config-value.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "data/json.h"
#include "setter/version.h"
#include "sys/exit.h"
#include "sys/mem.h"
#include "sys/spelling.h"

/* MAX_KEYS: the most keys of one map that gp knows. MAX_TEXTS: in a list. */
enum { MAX_TEXT = 255, MAX_KEYS = 32, MAX_TEXTS = 50, MAX_NAME = 100 };

bool gp_name_valid(const char *s)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t n = strlen(s);

	return n > 0 && n <= MAX_NAME && strspn(s, set) == n && !strchr("-.", s[0]) && s[n - 1] != '.' &&
	       !strstr(s, "..") && (n < 5 || strcmp(s + n - 5, ".lock") != 0);
}

int gp_config_wrong(const struct gp_config_reader *r, const struct gp_yaml_node *node, const char *fmt, ...)
{
	const char *key = node->key ? node->key : "", *colon = node->key ? ": " : "";
	char *what;
	va_list ap;

	va_start(ap, fmt);
	what = gp_vasprintf(fmt, ap);
	va_end(ap);
	if (r->json)
		gp_fail(r->err, GP_EXIT_INPUT, "config: %s%s%s", key, colon, what);
	else
		gp_fail(r->err, GP_EXIT_CONFIG, GP_CONFIG_FILE ":%zu:%zu: %s%s%s", node->line, node->column, key, colon,
			what);
	free(what);
	return -1;
}

/* A key that is nearly a known one is a mistake (-1); another one may be of a later version, or somebody's own. */
static int take_unknown(const struct gp_config_reader *r, const struct gp_yaml_node *node,
			const struct gp_config_field *fields, size_t n)
{
	const char *known[MAX_KEYS + 1] = {0}, *meant;
	char *line;

	for (size_t i = 0; i < n && i < MAX_KEYS; i++)
		known[i] = fields[i].key;
	meant = r->json ? NULL : gp_spelling_suggest(node->key, known);
	if (meant)
		return gp_fail(r->err, GP_EXIT_CONFIG, GP_CONFIG_FILE ":%zu:%zu: unknown key '%s': did you mean '%s'?",
			       node->key_line, node->key_column, node->key, meant);
	if (r->warn) {
		line = gp_asprintf(GP_CONFIG_FILE ":%zu:%zu: unknown key '%s'", node->key_line, node->key_column,
				   node->key);
		r->warn(r->ctx, line);
		free(line);
	}
	return 0;
}

/* Reads a map by its fields; a null member counts as missing. */
int gp_config_read_map(const struct gp_config_reader *r, const struct gp_yaml_node *map,
		       const struct gp_config_field *fields, size_t n, void *to)
{
	if (map->kind != GP_YAML_MAP)
		return gp_config_wrong(r, map, "expected a map of keys and values");
	for (const struct gp_yaml_node *c = map->child; c; c = c->next) {
		size_t i = 0;

		while (i < n && strcmp(fields[i].key, c->key) != 0)
			i++;
		if (i == n ? take_unknown(r, c, fields, n)
			   : c->kind != GP_YAML_NULL && fields[i].read(r, c, (char *)to + fields[i].offset))
			return -1;
	}
	return 0;
}

const char *gp_config_text(const struct gp_config_reader *r, const struct gp_yaml_node *node)
{
	return node->kind == GP_YAML_TEXT && !(r->json && node->plain) ? node->text : NULL;
}

int gp_config_read_bool(const struct gp_config_reader *r, const struct gp_yaml_node *node, void *to)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{"true", true},   {"True", true},   {"TRUE", true}, {"yes", true}, {"Yes", true}, {"YES", true},
		{"on", true},     {"On", true},     {"ON", true},   {"y", true},   {"Y", true},   {"false", false},
		{"False", false}, {"FALSE", false}, {"no", false},  {"No", false}, {"NO", false}, {"off", false},
		{"Off", false},   {"OFF", false},   {"n", false},   {"N", false},
	};
	bool *value = to;

	for (size_t i = 0; i < sizeof words / sizeof *words && node->kind == GP_YAML_TEXT && node->plain; i++)
		if (!strcmp(node->text, words[i].word)) {
			*value = words[i].value;
			return 0;
		}
	return gp_config_wrong(r, node, "expected true or false");
}

int gp_config_read_count(const struct gp_config_reader *r, const struct gp_yaml_node *node, unsigned max, unsigned *to)
{
	unsigned value = 0;
	bool good = node->kind == GP_YAML_TEXT && node->plain && node->text[0] >= '1' && node->text[0] <= '9';

	for (const char *s = good ? node->text : ""; *s && good; s++) {
		good = *s >= '0' && *s <= '9';
		value = value * 10 + (unsigned)(*s - '0');
		good = good && value <= max;
	}
	if (good) {
		*to = value;
		return 0;
	}
	return gp_config_wrong(r, node, "expected a whole number from 1 to %u", max);
}

int gp_config_read_text(const struct gp_config_reader *r, const struct gp_yaml_node *node, void *to)
{
	const char *text = gp_config_text(r, node);
	char clean[MAX_TEXT + 8], **value = to;

	if (!text || !*text)
		return gp_config_wrong(r, node, "expected text");
	gp_clean_line(clean, sizeof clean, text);
	if (strlen(text) > MAX_TEXT || strcmp(clean, text) != 0)
		return gp_config_wrong(r, node, "expected printable text of at most %d bytes", MAX_TEXT);
	free(*value);
	*value = gp_strdup(text);
	return 0;
}

int gp_config_read_choice(const struct gp_config_reader *r, const struct gp_yaml_node *node, const char *no,
			  const char *yes, bool *to)
{
	const char *text = gp_config_text(r, node);

	if (!text || (strcmp(text, no) != 0 && strcmp(text, yes) != 0))
		return gp_config_wrong(r, node, "expected %s or %s", no, yes);
	*to = !strcmp(text, yes);
	return 0;
}

int gp_config_read_order(const struct gp_config_reader *r, const struct gp_yaml_node *node, void *to)
{
	const char *text = gp_config_text(r, node);
	enum gp_order order;
	char **value = to;

	if (!text || !gp_order_parse(&order, text))
		return gp_config_wrong(r, node, "expected semver, numeric, time or none");
	free(*value);
	*value = gp_strdup(text);
	return 0;
}

int gp_config_read_list(const struct gp_config_reader *r, const struct gp_yaml_node *list, void *to)
{
	struct gp_json **texts = to;
	unsigned count = 0;
	int rc = 0;

	gp_json_free(*texts);
	*texts = gp_json_array();
	if (list->kind != GP_YAML_LIST)
		return gp_config_wrong(r, list, "expected a list");
	for (const struct gp_yaml_node *c = list->child; c && !rc; c = c->next) {
		char *text = NULL;

		rc = ++count > MAX_TEXTS ? gp_config_wrong(r, c, "more than %d in the list", MAX_TEXTS)
					 : gp_config_read_text(r, c, &text);
		if (!rc)
			gp_json_append(*texts, gp_json_string(text));
		free(text);
	}
	return rc;
}

int gp_config_read_flag(const struct gp_config_reader *r, const struct gp_yaml_node *node, void *to)
{
	struct gp_json *const *object = to;
	bool value = false;

	if (gp_config_read_bool(r, node, &value))
		return -1;
	gp_json_set_bool(*object, node->key, value);
	return 0;
}
