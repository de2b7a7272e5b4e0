#include "promotion/config.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/json.h"
#include "data/yaml.h"
#include "sys/exit.h"
#include "sys/mem.h"
#include "sys/spelling.h"

enum {
	MAX_NAME = 100,
	MAX_TEXT = 255,
	MAX_MINUTES = 24 * 60,
	MAX_CLUSTERS = 1000,
	MAX_ENVIRONMENTS = 1000,
	MAX_MEMBERS = 10000, /* of a map of names or labels */
	MAX_FILE = 1 << 20,
	DEFAULT_MINUTES = 5
};

/*
 * One reader for the file and the document's member: the member is turned into the tree that YAML gives. This struct
 * holds what differs.
 */
/* The most keys of one map that gp knows. */
enum { MAX_KEYS = 32 };

struct reader {
	gp_config_warn_fn *warn;
	void *ctx;
	struct gp_err *err;
	bool json; /* JSON: a plain value is no text, and there are no lines */
};

/* A key of a map: how to read its value, and where to put it. */
typedef int field_fn(const struct reader *r, const struct gp_yaml_node *node, void *to);
struct field {
	const char *key;
	field_fn *read;
	size_t offset;
};

static int wrong(const struct reader *r, const struct gp_yaml_node *node, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static int wrong(const struct reader *r, const struct gp_yaml_node *node, const char *fmt, ...)
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
static int take_unknown(const struct reader *r, const struct gp_yaml_node *node, const struct field *fields, size_t n)
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
static int read_map(const struct reader *r, const struct gp_yaml_node *map, const struct field *fields, size_t n,
		    void *to)
{
	if (map->kind != GP_YAML_MAP)
		return wrong(r, map, "expected a map of keys and values");
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

static const char *text_of(const struct reader *r, const struct gp_yaml_node *node)
{
	return node->kind == GP_YAML_TEXT && !(r->json && node->plain) ? node->text : NULL;
}

static int read_bool(const struct reader *r, const struct gp_yaml_node *node, void *to)
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
	return wrong(r, node, "expected true or false");
}

static int read_count(const struct reader *r, const struct gp_yaml_node *node, unsigned max, unsigned *to)
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
	return wrong(r, node, "expected a whole number from 1 to %u", max);
}

static int read_minutes(const struct reader *r, const struct gp_yaml_node *node, void *to)
{
	return read_count(r, node, MAX_MINUTES, to);
}

static int read_clusters(const struct reader *r, const struct gp_yaml_node *node, void *to)
{
	return read_count(r, node, MAX_CLUSTERS, to);
}

static int read_prflow(const struct reader *r, const struct gp_yaml_node *node, void *to)
{
	const char *text = text_of(r, node);
	bool *per_env = to;

	if (!text || (strcmp(text, "per-app") != 0 && strcmp(text, "per-env") != 0))
		return wrong(r, node, "expected per-app or per-env");
	*per_env = !strcmp(text, "per-env");
	return 0;
}

static int read_text(const struct reader *r, const struct gp_yaml_node *node, void *to)
{
	const char *text = text_of(r, node);
	char clean[MAX_TEXT + 8], **value = to;

	if (!text || !*text)
		return wrong(r, node, "expected text");
	gp_clean_line(clean, sizeof clean, text);
	if (strlen(text) > MAX_TEXT || strcmp(clean, text) != 0)
		return wrong(r, node, "expected printable text of at most %d bytes", MAX_TEXT);
	free(*value);
	*value = gp_strdup(text);
	return 0;
}

static int read_context(const struct reader *r, const struct gp_yaml_node *node, void *to)
{
	static const char *const places[] = {"{group}", "{env}"};
	char **value = to;

	if (read_text(r, node, to))
		return -1;
	for (const char *s = strchr(*value, '{'); s; s = strchr(s + 1, '{')) {
		bool known = false;

		for (size_t i = 0; i < sizeof places / sizeof *places; i++)
			known = known || !strncmp(s, places[i], strlen(places[i]));
		if (!known)
			return wrong(r, node, "only {group} and {env} may stand in braces");
	}
	return 0;
}

static int read_name(const struct reader *r, const struct gp_yaml_node *node, void *to)
{
	const char *text = text_of(r, node);
	char **name = to;

	if (!text || !gp_name_valid(text))
		return wrong(r, node, "expected a name of letters, digits, '.', '_' and '-'");
	if (*name && strcmp(*name, text) != 0)
		return wrong(r, node, "name and env mean the same here, but '%s' is not '%s'", *name, text);
	free(*name);
	*name = gp_strdup(text);
	return 0;
}

static int read_environments(const struct reader *r, const struct gp_yaml_node *list, void *to)
{
	static const struct field fields[] = {
		{"name", read_name, offsetof(struct gp_environment, name)},
		{"env", read_name, offsetof(struct gp_environment, name)},
		{"auto", read_bool, offsetof(struct gp_environment, auto_merge)},
		{"status_context", read_context, offsetof(struct gp_environment, status_context)},
	};
	struct gp_config *config = to;

	if (list->kind != GP_YAML_LIST || !list->child)
		return wrong(r, list, "expected a list of at least one environment");
	for (const struct gp_yaml_node *c = list->child; c; c = c->next) {
		struct gp_environment *e;

		if (config->environment_count == MAX_ENVIRONMENTS)
			return wrong(r, c, "more than %d environments", MAX_ENVIRONMENTS);
		config->environments =
			gp_grow(config->environments, config->environment_count, sizeof *config->environments);
		e = &config->environments[config->environment_count++];
		*e = (struct gp_environment){0};
		if (read_map(r, c, fields, sizeof fields / sizeof *fields, e))
			return -1;
		if (!e->name)
			return wrong(r, c, "an environment without a name");
		if (gp_config_find(config, e->name) != (int)config->environment_count - 1)
			return wrong(r, c, "a second environment '%s'", e->name);
	}
	return 0;
}

static int read_overwrite(const struct reader *r, const struct gp_yaml_node *node, void *to)
{
	struct gp_json *const *app = to;
	bool value = false;

	if (read_bool(r, node, &value))
		return -1;
	gp_json_set_bool(*app, node->key, value);
	return 0;
}

static int read_labels(const struct reader *r, const struct gp_yaml_node *node, void *to)
{
	struct gp_json *const *app = to, *labels = gp_json_object();
	unsigned count = 0;

	gp_json_set(*app, node->key, labels);
	if (node->kind != GP_YAML_MAP)
		return wrong(r, node, "expected a map of labels");
	for (const struct gp_yaml_node *c = node->child; c; c = c->next) {
		if (++count > MAX_MEMBERS)
			return wrong(r, c, "more than %d labels", MAX_MEMBERS);
		if (!text_of(r, c))
			return wrong(r, c, "expected text");
		gp_json_set_text(labels, c->key, c->text);
	}
	return 0;
}

/* Reads a map of names to maps of the fields, as JSON; null: as if empty. */
static int read_named(const struct reader *r, const struct gp_yaml_node *map, const struct field *fields, size_t n,
		      struct gp_json *to)
{
	unsigned count = 0;

	if (map->kind != GP_YAML_MAP)
		return wrong(r, map, "expected a map of names");
	for (const struct gp_yaml_node *c = map->child; c; c = c->next) {
		struct gp_json *member;

		if (++count > MAX_MEMBERS)
			return wrong(r, c, "more than %d names", MAX_MEMBERS);
		member = gp_json_object();
		gp_json_set(to, c->key, member);
		if (!gp_name_valid(c->key))
			return wrong(r, c, "expected a name of letters, digits, '.', '_' and '-'");
		if (c->kind != GP_YAML_NULL && read_map(r, c, fields, n, &member))
			return -1;
	}
	return 0;
}

static int read_applications(const struct reader *r, const struct gp_yaml_node *node, void *to)
{
	static const struct field fields[] = {
		{"featureOverwrite", read_overwrite, 0},
		{"featureLabelSelector", read_labels, 0},
	};
	struct gp_json *const *group = to, *applications = gp_json_object();

	gp_json_set(*group, node->key, applications);
	return read_named(r, node, fields, sizeof fields / sizeof *fields, applications);
}

static int read_groups(const struct reader *r, const struct gp_yaml_node *node, void *to)
{
	static const struct field fields[] = {{"applications", read_applications, 0}};
	struct gp_json **groups = to;

	*groups = gp_json_object();
	return read_named(r, node, fields, sizeof fields / sizeof *fields, *groups);
}

static int read_config(const struct reader *r, const struct gp_yaml_node *root, struct gp_config *out)
{
	static const struct field fields[] = {
		{"prflow", read_prflow, offsetof(struct gp_config, per_env)},
		{"environments", read_environments, 0},
		{"status_timeout_minutes", read_minutes, offsetof(struct gp_config, status_timeout_minutes)},
		{"status_context", read_context, offsetof(struct gp_config, status_context)},
		{"status_description", read_text, offsetof(struct gp_config, status_description)},
		{"clusters", read_clusters, offsetof(struct gp_config, clusters)},
		{"gate_check", read_text, offsetof(struct gp_config, gate_check)},
		{"groups", read_groups, offsetof(struct gp_config, groups)},
	};
	int rc;

	*out = (struct gp_config){
		.status_timeout_minutes = DEFAULT_MINUTES,
		.clusters = 1,
		.gate_check = gp_strdup(GP_GATE_CHECK),
	};
	rc = root->kind == GP_YAML_NULL ? 0 : read_map(r, root, fields, sizeof fields / sizeof *fields, out);
	if (!rc && !out->environment_count)
		rc = wrong(r, root, "no environments: expected at least one");
	if (rc)
		gp_config_free(out);
	return rc;
}

/* Turns "line L, column C: what" into the file's "gitops-promotion.yaml:L:C: what". */
static int syntax(const struct gp_err *cause, struct gp_err *err)
{
	size_t line, column;
	int at = 0;

	if (sscanf(cause->message, "line %zu, column %zu: %n", &line, &column, &at) != 2 || !at)
		return gp_fail(err, GP_EXIT_CONFIG, GP_CONFIG_FILE ": %s", cause->message);
	return gp_fail(err, GP_EXIT_CONFIG, GP_CONFIG_FILE ":%zu:%zu: %s", line, column, cause->message + at);
}

int gp_config_parse(struct gp_config *out, const char *text, size_t len, gp_config_warn_fn *warn, void *ctx,
		    struct gp_err *err)
{
	const struct reader r = {.warn = warn, .ctx = ctx, .err = err};
	struct gp_err cause = {0};
	struct gp_yaml_node *root;
	int rc;

	*out = (struct gp_config){0};
	if (len > MAX_FILE)
		return gp_fail(err, GP_EXIT_CONFIG, GP_CONFIG_FILE ": more than %d MiB", MAX_FILE >> 20);
	root = gp_yaml_load(text, len, &cause);
	if (!root)
		return syntax(&cause, err);
	rc = read_config(&r, root, out);
	gp_yaml_free(root);
	return rc;
}

void gp_config_free(struct gp_config *config)
{
	for (size_t i = 0; i < config->environment_count; i++) {
		free(config->environments[i].name);
		free(config->environments[i].status_context);
	}
	free(config->environments);
	free(config->status_context);
	free(config->status_description);
	free(config->gate_check);
	gp_json_free(config->groups);
	*config = (struct gp_config){0};
}

/*
 * The same tree that YAML would give; what is neither text nor a collection
 * stands as it is written in JSON, which is at most 100 levels deep.
 */
static struct gp_yaml_node *tree(const struct gp_json *json)
{
	struct gp_yaml_node *node = gp_calloc(1, sizeof *node), **end = &node->child;

	node->kind = GP_YAML_TEXT;
	if (gp_json_is_object(json))
		node->kind = GP_YAML_MAP;
	else if (gp_json_is_array(json))
		node->kind = GP_YAML_LIST;
	else if (gp_json_is_null(json))
		node->kind = GP_YAML_NULL;
	if (node->kind == GP_YAML_TEXT) {
		node->plain = !gp_json_is_string(json);
		node->text = node->plain ? gp_json_print(json) : gp_strdup(gp_json_text(json));
	}
	for (const struct gp_json *c = gp_json_first(json); c; c = gp_json_next(c)) {
		*end = tree(c);
		(*end)->key = gp_strdup(node->kind == GP_YAML_MAP ? gp_json_key(c) : NULL);
		end = &(*end)->next;
	}
	return node;
}

int gp_config_from_json(struct gp_config *out, const struct gp_json *json, struct gp_err *err)
{
	const struct reader r = {.err = err, .json = true};
	struct gp_yaml_node *root;
	int rc;

	*out = (struct gp_config){0};
	if (!json)
		return gp_fail(err, GP_EXIT_INPUT, "no config in the document");
	root = tree(json);
	rc = read_config(&r, root, out);
	gp_yaml_free(root);
	return rc;
}

bool gp_name_valid(const char *s)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t n = strlen(s);

	return n > 0 && n <= MAX_NAME && strspn(s, set) == n && !strchr("-.", s[0]) && s[n - 1] != '.' &&
	       !strstr(s, "..") && (n < 5 || strcmp(s + n - 5, ".lock") != 0);
}
