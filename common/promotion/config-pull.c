/* What pull requests are to be: the key pull_request, for all environments or for one. */
#include <stddef.h>

#include "data/json.h"
#include "data/yaml.h"
#include "promotion/config-value.h"
#include "promotion/config.h"

/* A list of texts, as a member of an object. */
static int read_texts(const struct gp_config_reader *r, const struct gp_yaml_node *list, void *to)
{
	struct gp_json *const *object = to, *texts = NULL;
	int rc = gp_config_read_list(r, list, &texts);

	gp_json_set(*object, list->key, texts);
	return rc;
}

int gp_config_read_pull_request(const struct gp_config_reader *r, const struct gp_yaml_node *map, void *to)
{
	static const struct gp_config_field fields[] = {
		{"labels", read_texts, 0},
		{"reviewers", read_texts, 0},
		{"draft", gp_config_read_flag, 0},
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
int gp_config_check_drafts(const struct gp_config_reader *r, const struct gp_yaml_node *root,
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
