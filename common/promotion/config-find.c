/* Looking an environment up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "promotion/config.h"
#include "sys/mem.h"
#include "sys/spelling.h"

int gp_config_find(const struct gp_config *config, const char *name)
{
	for (size_t i = 0; i < config->environment_count; i++)
		if (config->environments[i].name && !strcmp(config->environments[i].name, name))
			return (int)i;
	return -1;
}

int gp_config_unknown(const struct gp_config *config, const char *env, int code, struct gp_err *err)
{
	const char **names = gp_calloc(config->environment_count + 1, sizeof *names), *meant;
	char *list = NULL;
	size_t len;
	FILE *f = gp_open_text(&list, &len);

	for (size_t i = 0; i < config->environment_count; i++) {
		names[i] = config->environments[i].name;
		fprintf(f, "%s%s", i ? ", " : "", names[i]);
	}
	gp_close_text(f, &list);
	meant = gp_spelling_suggest(env, names);
	gp_fail(err, code, "unknown environment '%s'%s%s%s (" GP_CONFIG_FILE " has %s)", env,
		meant ? ": did you mean '" : "", meant ? meant : "", meant ? "'?" : "", list);
	free(list);
	free(names);
	return -1;
}
