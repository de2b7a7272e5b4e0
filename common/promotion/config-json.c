/* The configuration as the document's member. */
#include "data/json.h"
#include "promotion/config.h"

static void set_copy(struct gp_json *to, const char *name, const struct gp_json *value)
{
	if (value)
		gp_json_set(to, name, gp_json_copy(value));
}

struct gp_json *gp_config_to_json(const struct gp_config *config)
{
	struct gp_json *json = gp_json_object(), *list = gp_json_array();

	gp_json_set_text(json, "prflow", config->per_env ? "per-env" : "per-app");
	for (size_t i = 0; i < config->environment_count; i++) {
		struct gp_json *e = gp_json_object();

		gp_json_set_text(e, "name", config->environments[i].name);
		gp_json_set_bool(e, "auto", config->environments[i].auto_merge);
		if (config->environments[i].status_context)
			gp_json_set_text(e, "status_context", config->environments[i].status_context);
		set_copy(e, "status_from", config->environments[i].status_from);
		set_copy(e, "without", config->environments[i].without);
		set_copy(e, "pull_request", config->environments[i].pull_request);
		gp_json_append(list, e);
	}
	gp_json_set(json, "environments", list);
	gp_json_set_int(json, "status_timeout_minutes", config->status_timeout_minutes);
	gp_json_set_text(json, "status_context", config->status_context);
	if (config->status_description)
		gp_json_set_text(json, "status_description", config->status_description);
	gp_json_set_int(json, "clusters", config->clusters);
	gp_json_set_text(json, "gate_check", config->gate_check);
	if (config->via_api)
		gp_json_set_text(json, "commit_via", "api");
	if (config->order)
		gp_json_set_text(json, "order", config->order);
	set_copy(json, "groups", config->groups);
	set_copy(json, "status_from", config->status_from);
	set_copy(json, "without", config->without);
	set_copy(json, "pull_request", config->pull_request);
	return json;
}
