#include "promotion/config.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/json.h"
#include "data/yaml.h"
#include "promotion/config-value.h"
#include "sys/exit.h"
#include "sys/mem.h"

enum { MAX_MINUTES = 24 * 60, MAX_CLUSTERS = 1000, MAX_ENVIRONMENTS = 1000, MAX_FILE = 1 << 20, DEFAULT_MINUTES = 5 };

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
	return gp_config_read_choice(r, node, "per-app", "per-env", to);
}

static int read_commit_via(const struct gp_config_reader *r, const struct gp_yaml_node *node, void *to)
{
	return gp_config_read_choice(r, node, "git", "api", to);
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

static int read_environments(const struct gp_config_reader *r, const struct gp_yaml_node *list, void *to)
{
	static const struct gp_config_field fields[] = {
		{"name", read_name, offsetof(struct gp_environment, name)},
		{"env", read_name, offsetof(struct gp_environment, name)},
		{"auto", gp_config_read_bool, offsetof(struct gp_environment, auto_merge)},
		{"status_context", read_context, offsetof(struct gp_environment, status_context)},
		{"status_from", gp_config_read_list, offsetof(struct gp_environment, status_from)},
		{"without", gp_config_read_list, offsetof(struct gp_environment, without)},
		{"pull_request", gp_config_read_pull_request, offsetof(struct gp_environment, pull_request)},
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
		{"order", gp_config_read_order, offsetof(struct gp_config, order)},
		{"commit_via", read_commit_via, offsetof(struct gp_config, via_api)},
		{"groups", gp_config_read_groups, offsetof(struct gp_config, groups)},
		{"status_from", gp_config_read_list, offsetof(struct gp_config, status_from)},
		{"without", gp_config_read_list, offsetof(struct gp_config, without)},
		{"pull_request", gp_config_read_pull_request, offsetof(struct gp_config, pull_request)},
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
		rc = gp_config_check_drafts(r, root, out);
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
