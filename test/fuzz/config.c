/*
 * config.c - any bytes as gitops-promotion.yaml: refused with 78 and the file's
 * name, or the same configuration when it has been through a document.
 */
#include "promotion/config.h"

#include "data/json.h"
#include "fuzz.h"
#include "sys/exit.h"

static void check_warning(void *ctx, const char *message)
{
	size_t *warnings = ctx;

	FUZZ_HOLDS(!strncmp(message, GP_CONFIG_FILE ":", sizeof GP_CONFIG_FILE));
	++*warnings;
}

static void check(const struct gp_config *config)
{
	struct gp_json *json = gp_config_to_json(config), *json_again;
	struct gp_config again;
	struct gp_err err = {0};
	char *text = gp_json_print(json), *text_again;

	FUZZ_HOLDS(config->environment_count > 0 && config->clusters > 0 && config->status_timeout_minutes > 0);
	for (size_t i = 0; i < config->environment_count; i++) {
		FUZZ_HOLDS(gp_name_valid(config->environments[i].name));
		FUZZ_HOLDS(gp_config_find(config, config->environments[i].name) == (int)i);
	}
	FUZZ_HOLDS(fuzz_is_printable(config->gate_check));
	FUZZ_HOLDS(!config->status_context || fuzz_is_printable(config->status_context));
	FUZZ_HOLDS(!gp_config_from_json(&again, json, &err));
	json_again = gp_config_to_json(&again);
	text_again = gp_json_print(json_again);
	FUZZ_HOLDS(!strcmp(text, text_again));
	free(text_again);
	free(text);
	gp_json_free(json_again);
	gp_json_free(json);
	gp_config_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gp_config config;
	struct gp_err err = {0};
	size_t warnings = 0;

	if (gp_config_parse(&config, (const char *)data, size, check_warning, &warnings, &err)) {
		FUZZ_HOLDS(err.code == GP_EXIT_CONFIG && !strncmp(err.message, GP_CONFIG_FILE ":", 22));
		FUZZ_HOLDS(fuzz_is_printable(err.message));
		FUZZ_HOLDS(!config.environments && !config.groups && !config.gate_check);
		return 0;
	}
	check(&config);
	gp_config_free(&config);
	return 0;
}
