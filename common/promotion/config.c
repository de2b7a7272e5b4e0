#include "promotion/config.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/json.h"
#include "data/yaml.h"
#include "promotion/config-value.h"
#include "setter/version.h"
#include "sys/exit.h"
#include "sys/mem.h"

enum {
	MAX_NAME = 100,
	MAX_MINUTES = 24 * 60,
	MAX_CLUSTERS = 1000,
	MAX_ENVIRONMENTS = 1000,
	MAX_MEMBERS = 10000, /* of a map of names or labels */
	MAX_TEXTS = 50,      /* of a list of labels or reviewers */
	MAX_FILE = 1 << 20,
	DEFAULT_MINUTES = 5
};

static int read_minutes(const struct gp_config_reader *r, const struct gp_yaml_node *node, void *to)
{
	return gp_config_read_count(r, node, MAX_MINUTES, to);
}

static int read_clusters(const struct gp_config_reader *r, const struct gp_yaml_node *node, void *to)
{
	return gp_config_read_count(r, node, MAX_CLUSTERS, to);
}

static int read_prflow(const struct gp_config_reader *r, const struct gp_yaml_node *node, void *to)
{
	const char *text = gp_config_text(r, node);
	bool *per_env = to;

	if (!text || (strcmp(text, "per-app") != 0 && strcmp(text, "per-env") != 0))
		return gp_config_wrong(r, node, "expected per-app or per-env");
	*per_env = !strcmp(text, "per-env");
	return 0;
}

static int read_commit_via(const struct gp_config_reader *r, const struct gp_yaml_node *node, void *to)
{
	const char *text = gp_config_text(r, node);
	bool *via_api = to;

	if (!text || (strcmp(text, "git") != 0 && strcmp(text, "api") != 0))
		return gp_config_wrong(r, node, "expected git or api");
	*via_api = !strcmp(text, "api");
	return 0;
}

static int read_context(const struct gp_config_reader *r, const struct gp_yaml_node *node, void *to)
{
	static const char *const places[] = {"{group}", "{env}"};
	char **value = to;

	if (gp_config_read_text(r, node, to))
		return -1;
	for (const char *s = strchr(*value, '{'); s; s = strchr(s + 1, '{')) {
		bool known = false;

		for (size_t i = 0; i < sizeof places / sizeof *places; i++)
			known = known || !strncmp(s, places[i], strlen(places[i]));
		if (!known)
			return gp_config_wrong(r, node, "only {group} and {env} may stand in braces");
	}
	return 0;
}

static int read_name(const struct gp_config_reader *r, const struct gp_yaml_node *node, void *to)
{
	const char *text = gp_config_text(r, node);
	char **name = to;

	if (!text || !gp_name_valid(text))
		return gp_config_wrong(r, node, "expected a name of letters, digits, '.', '_' and '-'");
	if (*name && strcmp(*name, text) != 0)
		return gp_config_wrong(r, node, "name and env mean the same here, but '%s' is not '%s'", *name, text);
	free(*name);
	*name = gp_strdup(text);
	return 0;
}

static int read_list(const struct gp_config_reader *r, const struct gp_yaml_node *list, void *to)
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

/* A list of texts, as a member of an object. */
static int read_texts(const struct gp_config_reader *r, const struct gp_yaml_node *list, void *to)
{
	struct gp_json *const *object = to, *texts = NULL;
	int rc = read_list(r, list, &texts);

	gp_json_set(*object, list->key, texts);
	return rc;
}

static int read_flag(const struct gp_config_reader *r, const struct gp_yaml_node *node, void *to)
{
	struct gp_json *const *object = to;
	bool value = false;

	if (gp_config_read_bool(r, node, &value))
		return -1;
	gp_json_set_bool(*object, node->key, value);
	return 0;
}

static int read_pull_request(const struct gp_config_reader *r, const struct gp_yaml_node *map, void *to)
{
	static const struct gp_config_field fields[] = {
		{"labels", read_texts, 0},
		{"reviewers", read_texts, 0},
		{"draft", read_flag, 0},
	};
	struct gp_json **object = to;

	gp_json_free(*object);
	*object = gp_json_object();
	return gp_config_read_map(r, map, fields, sizeof fields / sizeof *fields, object);
}

struct gp_json *gp_config_pull_request(const struct gp_config *config, size_t environment)
{
	struct gp_json *out = config->pull_request ? gp_json_copy(config->pull_request) : gp_json_object();

	for (const struct gp_json *own = gp_json_first(config->environments[environment].pull_request); own;
	     own = gp_json_next(own))
		gp_json_set(out, gp_json_key(own), gp_json_copy(own));
	return out;
}

/* Nothing merges a draft: one that is to merge by itself never would. */
static int check_drafts(const struct gp_config_reader *r, const struct gp_yaml_node *root,
			const struct gp_config *config)
{
	for (size_t i = 0; i < config->environment_count; i++) {
		struct gp_json *pull = gp_config_pull_request(config, i);
		bool draft = gp_json_get_true(pull, "draft");

		gp_json_free(pull);
		if (draft && config->environments[i].auto_merge)
			return gp_config_wrong(
				r, root, "pull requests of environment '%s' are drafts, which auto: true cannot merge",
				config->environments[i].name);
	}
	return 0;
}

static int read_environments(const struct gp_config_reader *r, const struct gp_yaml_node *list, void *to)
{
	static const struct gp_config_field fields[] = {
		{"name", read_name, offsetof(struct gp_environment, name)},
		{"env", read_name, offsetof(struct gp_environment, name)},
		{"auto", gp_config_read_bool, offsetof(struct gp_environment, auto_merge)},
		{"status_context", read_context, offsetof(struct gp_environment, status_context)},
		{"status_from", read_list, offsetof(struct gp_environment, status_from)},
		{"without", read_list, offsetof(struct gp_environment, without)},
		{"pull_request", read_pull_request, offsetof(struct gp_environment, pull_request)},
	};
	struct gp_config *config = to;

	if (list->kind != GP_YAML_LIST || !list->child)
		return gp_config_wrong(r, list, "expected a list of at least one environment");
	for (const struct gp_yaml_node *c = list->child; c; c = c->next) {
		struct gp_environment *e;

		if (config->environment_count == MAX_ENVIRONMENTS)
			return gp_config_wrong(r, c, "more than %d environments", MAX_ENVIRONMENTS);
		config->environments =
			gp_grow(config->environments, config->environment_count, sizeof *config->environments);
		e = &config->environments[config->environment_count++];
		*e = (struct gp_environment){0};
		if (gp_config_read_map(r, c, fields, sizeof fields / sizeof *fields, e))
			return -1;
		if (!e->name)
			return gp_config_wrong(r, c, "an environment without a name");
		if (gp_config_find(config, e->name) != (int)config->environment_count - 1)
			return gp_config_wrong(r, c, "a second environment '%s'", e->name);
	}
	return 0;
}

/* Reads the word for how tags are ordered. */
static int read_order(const struct gp_config_reader *r, const struct gp_yaml_node *node, void *to)
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

static int read_app_order(const struct gp_config_reader *r, const struct gp_yaml_node *node, void *to)
{
	struct gp_json *const *app = to;
	char *text = NULL;
	int rc = read_order(r, node, &text);

	if (!rc)
		gp_json_set_text(*app, node->key, text);
	free(text);
	return rc;
}

static int read_labels(const struct gp_config_reader *r, const struct gp_yaml_node *node, void *to)
{
	struct gp_json *const *app = to, *labels = gp_json_object();
	unsigned count = 0;

	gp_json_set(*app, node->key, labels);
	if (node->kind != GP_YAML_MAP)
		return gp_config_wrong(r, node, "expected a map of labels");
	for (const struct gp_yaml_node *c = node->child; c; c = c->next) {
		if (++count > MAX_MEMBERS)
			return gp_config_wrong(r, c, "more than %d labels", MAX_MEMBERS);
		if (!gp_config_text(r, c))
			return gp_config_wrong(r, c, "expected text");
		gp_json_set_text(labels, c->key, c->text);
	}
	return 0;
}

/* Reads a map of names to maps of the fields, as JSON; null: as if empty. */
static int read_named(const struct gp_config_reader *r, const struct gp_yaml_node *map,
		      const struct gp_config_field *fields, size_t n, struct gp_json *to)
{
	unsigned count = 0;

	if (map->kind != GP_YAML_MAP)
		return gp_config_wrong(r, map, "expected a map of names");
	for (const struct gp_yaml_node *c = map->child; c; c = c->next) {
		struct gp_json *member;

		if (++count > MAX_MEMBERS)
			return gp_config_wrong(r, c, "more than %d names", MAX_MEMBERS);
		member = gp_json_object();
		gp_json_set(to, c->key, member);
		if (!gp_name_valid(c->key))
			return gp_config_wrong(r, c, "expected a name of letters, digits, '.', '_' and '-'");
		if (c->kind != GP_YAML_NULL && gp_config_read_map(r, c, fields, n, &member))
			return -1;
	}
	return 0;
}

static int read_applications(const struct gp_config_reader *r, const struct gp_yaml_node *node, void *to)
{
	static const struct gp_config_field fields[] = {
		{"featureOverwrite", read_flag, 0},
		{"featureLabelSelector", read_labels, 0},
		{"order", read_app_order, 0},
	};
	struct gp_json *const *group = to, *applications = gp_json_object();

	gp_json_set(*group, node->key, applications);
	return read_named(r, node, fields, sizeof fields / sizeof *fields, applications);
}

static int read_groups(const struct gp_config_reader *r, const struct gp_yaml_node *node, void *to)
{
	static const struct gp_config_field fields[] = {{"applications", read_applications, 0}};
	struct gp_json **groups = to;

	*groups = gp_json_object();
	return read_named(r, node, fields, sizeof fields / sizeof *fields, *groups);
}

static int read_config(const struct gp_config_reader *r, const struct gp_yaml_node *root, struct gp_config *out)
{
	static const struct gp_config_field fields[] = {
		{"prflow", read_prflow, offsetof(struct gp_config, per_env)},
		{"environments", read_environments, 0},
		{"status_timeout_minutes", read_minutes, offsetof(struct gp_config, status_timeout_minutes)},
		{"status_context", read_context, offsetof(struct gp_config, status_context)},
		{"status_description", gp_config_read_text, offsetof(struct gp_config, status_description)},
		{"clusters", read_clusters, offsetof(struct gp_config, clusters)},
		{"gate_check", gp_config_read_text, offsetof(struct gp_config, gate_check)},
		{"order", read_order, offsetof(struct gp_config, order)},
		{"commit_via", read_commit_via, offsetof(struct gp_config, via_api)},
		{"groups", read_groups, offsetof(struct gp_config, groups)},
		{"status_from", read_list, offsetof(struct gp_config, status_from)},
		{"without", read_list, offsetof(struct gp_config, without)},
		{"pull_request", read_pull_request, offsetof(struct gp_config, pull_request)},
	};
	int rc;

	*out = (struct gp_config){
		.status_timeout_minutes = DEFAULT_MINUTES,
		.clusters = 1,
		.gate_check = gp_strdup(GP_GATE_CHECK),
	};
	rc = root->kind == GP_YAML_NULL ? 0 : gp_config_read_map(r, root, fields, sizeof fields / sizeof *fields, out);
	if (!rc && !out->environment_count)
		rc = gp_config_wrong(r, root, "no environments: expected at least one");
	if (!rc)
		rc = check_drafts(r, root, out);
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
	const struct gp_config_reader r = {.warn = warn, .ctx = ctx, .err = err};
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
		gp_json_free(config->environments[i].status_from);
		gp_json_free(config->environments[i].without);
		gp_json_free(config->environments[i].pull_request);
	}
	free(config->environments);
	free(config->status_context);
	free(config->status_description);
	free(config->gate_check);
	free(config->order);
	gp_json_free(config->groups);
	gp_json_free(config->status_from);
	gp_json_free(config->without);
	gp_json_free(config->pull_request);
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
	const struct gp_config_reader r = {.err = err, .json = true};
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
