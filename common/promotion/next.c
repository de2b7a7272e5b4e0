#include "promotion/next.h"

#include <stdlib.h>
#include <string.h>

#include "promotion/document.h"
#include "sys/exit.h"
#include "sys/mem.h"

int gp_next_set_environment(struct gp_base *base, const struct gp_config *config, struct gp_json *document,
			    const struct gp_promotion *p, size_t index, struct gp_err *err)
{
	const struct gp_setter setter = {p->group, p->app, p->tag};
	int previous = gp_base_previous(base, config, index, &setter, err);
	struct gp_json *environment;

	if (previous == -2)
		return -1;
	environment = gp_document_member(document, "environment");
	gp_json_set_text(environment, "name", config->environments[index].name);
	gp_json_set_bool(environment, "auto", config->environments[index].auto_merge);
	gp_json_set_text(environment, "previous", previous < 0 ? NULL : config->environments[previous].name);
	return 0;
}

/* The first environment after `from` that has markers of the app and is not at the tag yet; -1: none; -2: err. */
static int find_next(struct gp_base *base, const struct gp_config *config, const struct gp_promotion *p, size_t from,
		     gp_next_note_fn *note, void *ctx, struct gp_err *err)
{
	const struct gp_setter setter = {p->group, p->app, p->tag};

	for (size_t i = from + 1; i < config->environment_count; i++) {
		const char *name = config->environments[i].name;
		struct gp_carry carry;

		if (gp_manifests_carry(base->manifests, &carry, &base->tree, name, &setter, err))
			return -2;
		if (carry.markers && !gp_carry_is_at(&carry))
			return (int)i;
		char *text = carry.markers ? gp_asprintf("passed over %s: %s/%s is at %s already", name, p->group,
							 p->app, p->tag)
					   : gp_asprintf("passed over %s: no marker of %s/%s", name, p->group, p->app);

		note(ctx, text);
		free(text);
	}
	return -1;
}

/* Makes an open promotion anew, for its own environment. Returns as gp_next. */
static int again(struct gp_base *base, const struct gp_config *config, struct gp_json *document,
		 const struct gp_promotion *p, const char *open, char **reason, struct gp_err *err)
{
	char hex[GP_OID_HEX + 1], *branch = gp_promotion_branch(p, config->per_env);
	int index = gp_config_find(config, p->env), rc = 0;
	struct gp_promotion same = *p;

	if (!open || strcmp(open, branch) != 0)
		*reason = gp_asprintf("branch '%s' is not the one of this promotion, '%s'", open ? open : "", branch);
	else if (index < 0)
		*reason = gp_asprintf("environment '%s' is not in " GP_CONFIG_FILE, p->env);
	free(branch);
	if (*reason)
		return 0;
	same.sha = gp_oid_hex(hex, &base->tip);
	struct gp_json *promotion = gp_promotion_to_json(&same);

	rc = gp_next_set_environment(base, config, document, &same, (size_t)index, err);
	gp_json_set(document, "promotion", promotion);
	return rc ? -1 : 1;
}

int gp_next(struct gp_base *base, const struct gp_config *config, struct gp_json *document,
	    const struct gp_promotion *p, char **reason, gp_next_note_fn *note, void *ctx, struct gp_err *err)
{
	const struct gp_setter setter = {p->group, p->app, p->tag};
	int reached = gp_config_find(config, p->env), target;
	struct gp_carry carry;
	char hex[GP_OID_HEX + 1];

	const struct gp_json *pull = gp_json_get(document, "pull_request");
	const char *state = gp_json_get_text(pull, "state");

	*reason = NULL;
	if (strcmp(p->type, "promote") != 0) {
		*reason = gp_asprintf("a promotion of type '%s' goes no further", p->type);
		return 0;
	}
	if (state && !strcmp(state, "open"))
		return again(base, config, document, p, gp_json_get_text(pull, "branch"), reason, err);
	if (reached < 0) {
		*reason = gp_asprintf("environment '%s' is not in " GP_CONFIG_FILE, p->env);
		return 0;
	}
	if (gp_manifests_carry(base->manifests, &carry, &base->tree, p->env, &setter, err))
		return -1;
	if (!gp_carry_is_at(&carry)) {
		*reason = gp_asprintf("superseded by %s", carry.tag ? carry.tag : "the app's removal");
		return 0;
	}
	target = find_next(base, config, p, (size_t)reached, note, ctx, err);
	if (target == -2)
		return -1;
	if (target == -1) {
		*reason = gp_strdup("no next environment");
		return 0;
	}
	struct gp_promotion moved = *p;

	moved.env = config->environments[target].name;
	moved.sha = gp_oid_hex(hex, &base->tip);
	struct gp_json *promotion = gp_promotion_to_json(&moved), *merged = gp_json_take(document, "pull_request");
	int rc = gp_next_set_environment(base, config, document, &moved, (size_t)target, err);

	if (merged)
		gp_json_set(document, "previous_pull_request", merged);
	gp_json_set(document, "promotion", promotion);
	return rc ? -1 : 1;
}
