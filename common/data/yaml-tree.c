/* YAML as a small tree, for configuration. */
#include <stdlib.h>
#include <string.h>

#include "data/yaml.h"
#include "sys/exit.h"
#include "sys/mem.h"

/* The collections that are open while a tree is built, each with its newest child. */
struct build {
	struct gp_yaml_node *root;
	struct {
		struct gp_yaml_node *node, *last;
	} open[GP_YAML_MAX_DEPTH];
	size_t depth, documents;
	char *key;
	size_t key_line, key_column;
};

static bool is_null(const struct gp_yaml_event *e)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (!strcmp(e->value, words[i]))
			return e->style == GP_YAML_PLAIN && !e->tag;
	return false;
}

static int bad(struct gp_err *err, const struct gp_yaml_event *e, const char *what)
{
	return gp_fail(err, GP_EXIT_INPUT, "line %zu, column %zu: %s", e->line, e->column, what);
}

static bool before(const struct gp_yaml_node *a, const struct gp_yaml_node *b)
{
	return a->key_line < b->key_line || (a->key_line == b->key_line && a->key_column < b->key_column);
}

static int take_key(struct build *b, const struct gp_yaml_event *e, struct gp_err *err)
{
	if (e->type != GP_YAML_SCALAR)
		return bad(err, e, "a key must be plain text");
	b->key = gp_strdup(e->value);
	b->key_line = e->line;
	b->key_column = e->column;
	return 0;
}

static int by_key(const void *a, const void *b)
{
	const struct gp_yaml_node *x = *(const struct gp_yaml_node *const *)a,
				  *y = *(const struct gp_yaml_node *const *)b;
	int order = strcmp(x->key, y->key);

	return order ? order : before(y, x) - before(x, y);
}

/* Sorted, because a map may have very many keys. Names the first that is there already. */
static int check_keys(const struct gp_yaml_node *map, struct gp_err *err)
{
	const struct gp_yaml_node **keys = NULL, *twice = NULL;
	size_t n = 0;

	for (const struct gp_yaml_node *c = map->child; c; c = c->next) {
		keys = gp_grow(keys, n, sizeof *keys);
		keys[n++] = c;
	}
	if (n)
		qsort(keys, n, sizeof *keys, by_key);
	for (size_t i = 1; i < n; i++)
		if (!strcmp(keys[i - 1]->key, keys[i]->key) && (!twice || before(keys[i], twice)))
			twice = keys[i];
	free(keys);
	return twice ? gp_fail(err, GP_EXIT_INPUT, "line %zu, column %zu: duplicate key '%s'", twice->key_line,
			       twice->key_column, twice->key)
		     : 0;
}

static void add_node(struct build *b, const struct gp_yaml_event *e)
{
	struct gp_yaml_node *node = gp_calloc(1, sizeof *node);

	if (e->type == GP_YAML_MAPPING_START)
		node->kind = GP_YAML_MAP;
	else if (e->type == GP_YAML_SEQUENCE_START)
		node->kind = GP_YAML_LIST;
	else
		node->kind = is_null(e) ? GP_YAML_NULL : GP_YAML_TEXT;
	node->line = e->line;
	node->column = e->column;
	if (b->key) {
		node->key = b->key;
		node->key_line = b->key_line;
		node->key_column = b->key_column;
		b->key = NULL;
	}
	if (node->kind == GP_YAML_TEXT) {
		node->text = gp_strdup(e->value);
		node->plain = e->style == GP_YAML_PLAIN && !e->tag;
	}
	if (!b->depth)
		b->root = node;
	else if (b->open[b->depth - 1].last)
		b->open[b->depth - 1].last->next = node;
	else
		b->open[b->depth - 1].node->child = node;
	if (b->depth)
		b->open[b->depth - 1].last = node;
	if (e->type != GP_YAML_SCALAR) {
		b->open[b->depth].node = node;
		b->open[b->depth++].last = NULL;
	}
}

static int build_event(void *ctx, const struct gp_yaml_event *e, struct gp_err *err)
{
	struct build *b = ctx;

	switch (e->type) {
	case GP_YAML_DOCUMENT_START:
		return b->documents++ ? bad(err, e, "a second document") : 0;
	case GP_YAML_DOCUMENT_END:
		return 0;
	case GP_YAML_MAPPING_END:
		return check_keys(b->open[--b->depth].node, err);
	case GP_YAML_SEQUENCE_END:
		b->depth--;
		return 0;
	case GP_YAML_ALIAS:
		return bad(err, e, "aliases are not understood here");
	default:
		break;
	}
	if (e->type == GP_YAML_SCALAR && strlen(e->value) != e->value_len)
		return bad(err, e, "a NUL character");
	if (e->is_key)
		return take_key(b, e, err);
	add_node(b, e);
	return 0;
}

struct gp_yaml_node *gp_yaml_load(const char *text, size_t len, struct gp_err *err)
{
	struct build *b = gp_calloc(1, sizeof *b);
	struct gp_yaml_node *root;

	if (gp_yaml_parse(text, len, build_event, b, err)) {
		gp_yaml_free(b->root);
		b->root = NULL;
	} else if (!b->root) {
		b->root = gp_calloc(1, sizeof *b->root);
		b->root->line = b->root->column = 1;
	}
	root = b->root;
	free(b->key);
	free(b);
	return root;
}

void gp_yaml_free(struct gp_yaml_node *node)
{
	while (node) {
		struct gp_yaml_node *next = node->next;

		gp_yaml_free(node->child);
		free(node->key);
		free(node->text);
		free(node);
		node = next;
	}
}
