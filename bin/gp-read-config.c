/* gp-read-config: starts a promotion, or turns a merged one into the next, and fills in the configuration. */
#include <stdlib.h>
#include <string.h>

#include "promotion/base-branch.h"
#include "promotion/document.h"
#include "promotion/group.h"
#include "promotion/next.h"
#include "promotion/promotion.h"
#include "sys/exit.h"
#include "sys/mem.h"
#include "tool/tool.h"

static const char help[] = "usage: gp-read-config [-hqVv] [-C dir] [--group name] --app name --tag tag [--env name]\n"
			   "                      [--base branch] [--provider name] [--remote name]\n"
			   "       gp-read-config [-hqVv] [-C dir] [--next]\n"
			   "                      [--base branch] [--provider name] [--remote name]\n"
			   "\n"
			   "Starts a document about promoting an app to a tag, or, without --app,\n"
			   "fills in the configuration of documents from standard input.\n"
			   "\n"
			   "      --group name     group of the app: the directory <group>/<env>/ (default: the one\n"
			   "                       that has a marker of the app)\n"
			   "      --app name       app, as its markers name it\n"
			   "      --tag tag        tag, digest or tag@digest to promote\n"
			   "      --env name       target environment (default: the first)\n"
			   "      --next           turn a merged promotion into the one for the next environment, and\n"
			   "                       make an open one anew\n" GP_HELP_BASE;

struct state {
	struct gp_tool *tool;
	struct gp_base base;
	struct gp_config config;
	char *group; /* found */
	bool next;
};

static void warn(void *ctx, const char *message)
{
	gp_tool_say(ctx, -1, "warning: %s", message);
}

/* Asks for the base once; again where a document is about another branch. */
static int look(struct state *s, const char *branch, struct gp_err *err)
{
	char hex[GP_OID_HEX + 1];

	if (gp_tool_base(s->tool, &s->base, err))
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

static void set_config(const struct state *s, struct gp_json *document)
{
	gp_json_set(document, "config", gp_config_to_json(&s->config));
}

static void note(void *ctx, const char *text)
{
	gp_tool_say(ctx, 0, "%s", text);
}

static int next(struct state *s, struct gp_json *document, const struct gp_promotion *p, struct gp_err *err)
{
	char *reason;
	int rc = gp_next(&s->base, &s->config, document, p, &reason, note, s->tool, err);

	if (!rc)
		gp_tool_skip(s->tool, document, "%s", reason);
	free(reason);
	return rc < 0 ? -1 : 0;
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
	if (index >= 0) {
		if (!gp_next_set_environment(&s->base, &s->config, document, &p, (size_t)index, err))
			return 0;
		if (err->code != GP_EXIT_INPUT || !gp_json_get(document, "pull_request"))
			return -1;
		gp_err_clear(err);
	}
	/* What a pull request claims, and where it would have to wait, is for the gate to judge. */
	gp_json_remove(document, "environment");
	return !json || gp_json_get(document, "pull_request")
		       ? 0
		       : gp_config_unknown(&s->config, p.env, GP_EXIT_INPUT, err);
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
		return gp_config_unknown(&s->config, p->env, GP_EXIT_CONFIG, err);
	p->env = s->config.environments[index].name;
	if (!p->group && gp_group_find(&s->base, p->env, p->app, &s->group, err))
		return -1;
	p->group = p->group ? p->group : s->group;
	p->sha = gp_oid_hex(hex, &s->base.tip);
	gp_json_set(document, "promotion", gp_promotion_to_json(p));
	set_config(s, document);
	if (gp_next_set_environment(&s->base, &s->config, document, p, (size_t)index, err))
		return -1;
	gp_base_to_document(&s->base, document);
	return 0;
}

static int check_names(const struct gp_promotion *p, struct gp_err *err)
{
	const struct {
		const char *option, *value;
	} names[] = {{"--group", p->group}, {"--app", p->app}, {"--env", p->env}};

	if (!p->app || !p->tag)
		return gp_fail(err, GP_EXIT_USAGE, "missing option%s: %s%s%s (try gp-read-config --help)",
			       p->app || p->tag ? "" : "s", p->app ? "" : "--app", p->app || p->tag ? "" : ", ",
			       p->tag ? "" : "--tag");
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (names[i].value && !gp_name_valid(names[i].value))
			return gp_fail(err, GP_EXIT_USAGE, "%s is not a name: '%s' (letters, digits, '.', '_', '-')",
				       names[i].option, names[i].value);
	}
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
	free(s.group);
	gp_config_free(&s.config);
	gp_base_free(&s.base);
	return gp_tool_end(&tool);
}
