/* gp-read-config: starts a promotion, or turns a merged one into the next, and fills in the configuration. */
#include <stdlib.h>
#include <string.h>

#include "promotion/base-branch.h"
#include "promotion/document.h"
#include "promotion/promotion.h"
#include "sys/exit.h"
#include "sys/mem.h"
#include "tool/tool.h"

static const char help[] = "usage: gp-read-config [-hqVv] [-C dir] --group name --app name --tag tag [--env name]\n"
			   "                      [--base branch] [--provider name] [--remote name]\n"
			   "       gp-read-config [-hqVv] [-C dir] [--next]\n"
			   "                      [--base branch] [--provider name] [--remote name]\n"
			   "\n"
			   "Starts a document about promoting an app to a tag, or, without --group,\n"
			   "fills in the configuration of documents from standard input.\n"
			   "\n"
			   "      --group name     group of the app: the directory <group>/<env>/\n"
			   "      --app name       app, as its markers name it\n"
			   "      --tag tag        tag, digest or tag@digest to promote\n"
			   "      --env name       target environment (default: the first)\n"
			   "      --next           turn a merged promotion into the one for the next environment\n"
			   "  -C, --directory dir  work in dir\n"
			   "      --base branch    base branch (default: the remote's default branch)\n" GP_HELP_COMMON;

struct state {
	struct gp_tool *tool;
	struct gp_base base;
	struct gp_config config;
	bool next;
};

static void warn(void *ctx, const char *message)
{
	gp_tool_say(ctx, -1, "warning: " GP_CONFIG_FILE ": %s", message);
}

/* Asks for the base once; again where a document is about another branch. */
static int look(struct state *s, const char *branch, struct gp_err *err)
{
	char hex[GP_OID_HEX + 1];

	if (gp_base_open(&s->base, s->tool->remote, s->tool->provider, getenv, err))
		return -1;
	if (s->base.branch && (!branch || !strcmp(branch, s->base.branch)))
		return 0;
	gp_config_free(&s->config);
	if (gp_base_ask(&s->base, branch, err))
		return -1;
	gp_tool_say(s->tool, 1, "'%s' of %s is at %.10s", s->base.branch, s->base.repository.clean_url,
		    gp_oid_hex(hex, &s->base.tip));
	return gp_base_config(&s->base, &s->config, warn, s->tool, err);
}

static int set_environment(struct state *s, struct gp_json *document, const struct gp_promotion *p, size_t index,
			   struct gp_err *err)
{
	const struct gp_setter setter = {p->group, p->app, p->tag};
	int previous = gp_base_previous(&s->base, &s->config, index, &setter, err);
	struct gp_json *environment;

	if (previous == -2)
		return -1;
	environment = gp_document_member(document, "environment");
	gp_json_set_text(environment, "name", s->config.environments[index].name);
	gp_json_set_bool(environment, "auto", s->config.environments[index].auto_merge);
	gp_json_set_text(environment, "previous", previous < 0 ? NULL : s->config.environments[previous].name);
	return 0;
}

static void set_config(const struct state *s, struct gp_json *document)
{
	gp_json_set(document, "config", gp_config_to_json(&s->config));
}

/* The first environment behind `from` that has markers of the app and is not at the tag yet; -1: none; -2: err. */
static int find_next(struct state *s, const struct gp_promotion *p, size_t from, struct gp_err *err)
{
	const struct gp_setter setter = {p->group, p->app, p->tag};

	for (size_t i = from + 1; i < s->config.environment_count; i++) {
		const char *name = s->config.environments[i].name;
		struct gp_carry carry;

		if (gp_manifests_carry(s->base.manifests, &carry, &s->base.tree, name, &setter, err))
			return -2;
		if (carry.markers && !gp_carry_is_at(&carry))
			return (int)i;
		gp_tool_say(s->tool, 0,
			    carry.markers ? "passed over %s: %s/%s is at %s already"
					  : "passed over %s: no marker of %s/%s",
			    name, p->group, p->app, p->tag);
	}
	return -1;
}

static int next(struct state *s, struct gp_json *document, struct gp_promotion *p, struct gp_err *err)
{
	const struct gp_setter setter = {p->group, p->app, p->tag};
	int reached = gp_config_find(&s->config, p->env), target;
	struct gp_carry carry;
	char hex[GP_OID_HEX + 1];

	if (strcmp(p->type, "promote") != 0) {
		gp_tool_skip(s->tool, document, "a promotion of type '%s' goes no further", p->type);
		return 0;
	}
	if (reached < 0) {
		gp_tool_skip(s->tool, document, "environment '%s' is not in " GP_CONFIG_FILE, p->env);
		return 0;
	}
	if (gp_manifests_carry(s->base.manifests, &carry, &s->base.tree, p->env, &setter, err))
		return -1;
	if (!gp_carry_is_at(&carry)) {
		gp_tool_say(s->tool, 1, "%s/%s no longer carries %s %s", p->group, p->env, p->app, p->tag);
		gp_tool_skip(s->tool, document, "superseded by %s", carry.tag ? carry.tag : "the app's removal");
		return 0;
	}
	target = find_next(s, p, (size_t)reached, err);
	if (target == -2)
		return -1;
	if (target == -1) {
		gp_tool_say(s->tool, 1, "nothing behind %s is for %s/%s %s", p->env, p->group, p->app, p->tag);
		gp_tool_skip(s->tool, document, "no next environment");
		return 0;
	}
	struct gp_promotion moved = *p;

	moved.env = s->config.environments[target].name;
	moved.sha = gp_oid_hex(hex, &s->base.tip);
	struct gp_json *promotion = gp_promotion_to_json(&moved), *merged = gp_json_take(document, "pull_request");
	int rc = set_environment(s, document, &moved, (size_t)target, err);

	if (merged)
		gp_json_set(document, "previous_pull_request", merged);
	gp_json_set(document, "promotion", promotion);
	return rc;
}

static int unknown_environment(const struct state *s, const char *env, int code, struct gp_err *err)
{
	char *known = gp_strdup("");

	for (size_t i = 0; i < s->config.environment_count; i++) {
		char *more = gp_asprintf("%s%s%s", known, i ? ", " : "", s->config.environments[i].name);

		free(known);
		known = more;
	}
	gp_fail(err, code, "unknown environment '%s' (" GP_CONFIG_FILE " has %s)", env, known);
	free(known);
	return -1;
}

static int fill_in(void *ctx, struct gp_json *document, struct gp_err *err)
{
	struct state *s = ctx;
	const char *branch = s->tool->base ? s->tool->base : gp_json_text(gp_document_get(document, "repository.base"));
	const struct gp_json *json = gp_json_get(document, "promotion");
	struct gp_promotion p = {.type = ""};
	int index;

	if ((json || s->next) && gp_promotion_view(&p, json, err))
		return -1;
	if (look(s, branch, err))
		return -1;
	gp_base_to_document(&s->base, document);
	set_config(s, document);
	if (s->next)
		return next(s, document, &p, err);
	index = json ? gp_config_find(&s->config, p.env) : -1;
	if (index >= 0)
		return set_environment(s, document, &p, (size_t)index, err);
	/* What a pull request claims is for the gate to judge: there is just nothing to fill in. */
	gp_json_remove(document, "environment");
	return !json || gp_json_get(document, "pull_request") ? 0 : unknown_environment(s, p.env, GP_EXIT_INPUT, err);
}

static int start(struct state *s, struct gp_promotion *p, struct gp_json *document, struct gp_err *err)
{
	char hex[GP_OID_HEX + 1];
	int index = 0;

	if (look(s, s->tool->base, err))
		return -1;
	if (p->env)
		index = gp_config_find(&s->config, p->env);
	if (index < 0)
		return unknown_environment(s, p->env, GP_EXIT_CONFIG, err);
	p->env = s->config.environments[index].name;
	p->sha = gp_oid_hex(hex, &s->base.tip);
	gp_json_set(document, "promotion", gp_promotion_to_json(p));
	set_config(s, document);
	if (set_environment(s, document, p, (size_t)index, err))
		return -1;
	gp_base_to_document(&s->base, document);
	return 0;
}

static int check_names(const struct gp_promotion *p, struct gp_err *err)
{
	const struct {
		const char *option, *value;
	} names[] = {{"--group", p->group}, {"--app", p->app}, {"--env", p->env}};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (!names[i].value && i < 2)
			return gp_fail(err, GP_EXIT_USAGE, "%s is missing", names[i].option);
		if (names[i].value && !gp_name_valid(names[i].value))
			return gp_fail(err, GP_EXIT_USAGE, "%s is not a name: '%s' (letters, digits, '.', '_', '-')",
				       names[i].option, names[i].value);
	}
	if (!p->tag)
		return gp_fail(err, GP_EXIT_USAGE, "--tag is missing");
	if (!gp_tag_valid(p->tag))
		return gp_fail(err, GP_EXIT_USAGE, "--tag is not a tag, a digest or tag@digest: '%s'", p->tag);
	return 0;
}

int main(int argc, char **argv)
{
	struct gp_tool tool = {.name = "gp-read-config", .help = help};
	struct gp_promotion p = {.type = "promote", .sha = "", .feature = ""};
	struct state s = {.tool = &tool};
	struct gp_err err = {0};
	const struct gp_option options[] = {
		{"group", 0, GP_OPTION_TEXT, &p.group}, {"app", 0, GP_OPTION_TEXT, &p.app},
		{"tag", 0, GP_OPTION_TEXT, &p.tag},     {"env", 0, GP_OPTION_TEXT, &p.env},
		{"next", 0, GP_OPTION_FLAG, &s.next},   {0},
	};

	if (!gp_tool_start(&tool, argc, argv, options))
		return gp_tool_end(&tool);
	bool starts = p.group || p.app || p.tag || p.env;
	struct gp_json *document = gp_json_object();

	if (starts && s.next)
		gp_fail(&err, GP_EXIT_USAGE, "--next goes with documents from standard input, not with --group");
	else if (starts)
		check_names(&p, &err);
	if (!err.code && starts && !start(&s, &p, document, &err))
		gp_tool_emit(&tool, document);
	if (err.code)
		gp_tool_fail(&tool, &err);
	else if (!starts)
		gp_tool_filter(&tool, fill_in, &s, false);
	gp_json_free(document);
	gp_config_free(&s.config);
	gp_base_free(&s.base);
	return gp_tool_end(&tool);
}
