/* The key groups: what is said of single apps. */
#include <stddef.h>
#include <stdlib.h>

#include "data/json.h"
#include "data/yaml.h"
#include "promotion/config-value.h"
#include "promotion/config.h"

enum { MAX_MEMBERS = 10000 }; /* of a map of names or labels */

static int read_app_order(const struct gp_config_reader *r, const struct gp_yaml_node *node, void *to)
{
	struct gp_json *const *app = to;
	char *text = NULL;
	int rc = gp_config_read_order(r, node, &text);

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
		{"featureOverwrite", gp_config_read_flag, 0},
		{"featureLabelSelector", read_labels, 0},
		{"order", read_app_order, 0},
	};
	struct gp_json *const *group = to, *applications = gp_json_object();

	gp_json_set(*group, node->key, applications);
	return read_named(r, node, fields, sizeof fields / sizeof *fields, applications);
}

int gp_config_read_groups(const struct gp_config_reader *r, const struct gp_yaml_node *node, void *to)
{
	static const struct gp_config_field fields[] = {{"applications", read_applications, 0}};
	struct gp_json **groups = to;

	*groups = gp_json_object();
	return read_named(r, node, fields, sizeof fields / sizeof *fields, *groups);
}
