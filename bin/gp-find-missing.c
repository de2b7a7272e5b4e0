/* gp-find-missing: starts documents about what the base branch says is still to be promoted. */
#include <stdlib.h>

#include "promotion/base-branch.h"
#include "promotion/document.h"
#include "promotion/missing.h"
#include "promotion/stuck.h"
#include "tool/tool.h"

static const char help[] = "usage: gp-find-missing [-hqVv] [-C dir] [--base branch] [--provider name] [--remote name]\n"
			   "\n"
			   "Starts a document for each app and environment whose version the next environment\n"
			   "lacks and no pull request brings, and for each open promotion that is stuck.\n"
			   "\n" GP_HELP_BASE;

struct state {
	struct gp_tool *tool;
	struct gp_base base;
	struct gp_config config;
	struct gp_forge *forge;
	struct gp_json *repository; /* a document with nothing but the member `repository` */
	size_t found;
};

static void tell(void *ctx, int level, const char *text)
{
	const struct state *s = ctx;

	gp_tool_say(s->tool, level, "%s", text);
}

static void warn(void *ctx, const char *message)
{
	gp_tool_say(ctx, -1, "warning: %s", message);
}

/* Takes document over. */
static void emit(struct state *s, struct gp_json *document, const struct gp_promotion *promotion)
{
	gp_json_set(document, "promotion", gp_promotion_to_json(promotion));
	gp_json_set(document, "repository", gp_json_copy(gp_json_get(s->repository, "repository")));
	gp_tool_emit(s->tool, document);
	gp_json_free(document);
	s->found++;
}

static void emit_stuck(void *ctx, const struct gp_json *pull, const struct gp_promotion *promotion)
{
	struct state *s = ctx;

	emit(s, gp_pull_document(pull, s->repository), promotion);
}

static void emit_missing(void *ctx, const struct gp_promotion *reached)
{
	struct gp_json *document = gp_json_object();

	gp_json_set_bool(document, "missing", true);
	emit(ctx, document, reached);
}

static int find(struct state *s, struct gp_err *err)
{
	struct gp_json *open = NULL;
	int rc = -1;

	if (gp_tool_base(s->tool, &s->base, err) || gp_base_ask(&s->base, s->tool->base, err) ||
	    gp_base_config(&s->base, &s->config, warn, s->tool, err))
		return -1;
	gp_base_to_document(&s->base, s->repository);
	if (!gp_tool_forge(s->tool, &s->forge, s->repository, err))
		open = gp_forge_find_open(s->forge, err);
	if (open) {
		gp_stuck_find(&s->base, open, emit_stuck, tell, s);
		rc = gp_missing_find(&s->base, &s->config, s->forge, open, emit_missing, tell, s, err);
	}
	gp_json_free(open);
	if (!rc && !s->found) {
		gp_tool_skip(s->tool, s->repository, "nothing is missing");
		gp_tool_emit(s->tool, s->repository);
	}
	return rc;
}

int main(int argc, char **argv)
{
	struct gp_tool tool = {.name = "gp-find-missing", .help = help};
	struct state s = {.tool = &tool, .repository = gp_json_object()};
	struct gp_err err = {0};
	const struct gp_option options[] = {{0}};

	if (gp_tool_start(&tool, argc, argv, options) && find(&s, &err))
		gp_tool_fail(&tool, &err);
	gp_json_free(s.repository);
	gp_config_free(&s.config);
	return gp_tool_finish(&tool, &s.base, s.forge);
}
