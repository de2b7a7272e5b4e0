/* gp-set-status: posts a commit status: the gate's verdict, or what Flux would say. */
#include <stdlib.h>
#include <string.h>

#include "gate/flux.h"
#include "gate/posting.h"
#include "promotion/base-branch.h"
#include "promotion/document.h"
#include "sys/exit.h"
#include "sys/mem.h"
#include "tool/tool.h"

static const char help[] =
	"usage: gp-set-status [-hnqVv] [-C dir] --gate[=post] [--provider name] [--remote name]\n"
	"       gp-set-status [-hnqVv] [-C dir] --state success|failure|pending [--env name]\n"
	"                     [--commit rev] [--context name] [--description text] [--url url]\n"
	"                     [--base branch] [--provider name] [--remote name]\n"
	"\n"
	"Posts the gate's verdict on the pull request of each document, or a status as Flux\n"
	"would. With both --commit and --context it needs no document.\n"
	"\n"
	"      --gate           post the verdict and keep its exit status\n"
	"      --gate=post      post the verdict and exit 0 once it is posted\n"
	"      --state state    success, failure or pending\n"
	"      --env name       environment (default: the promotion's)\n"
	"      --commit rev     commit (default: the base tip)\n"
	"      --context name   context (default: kustomization/<group>-<env>)\n"
	"      --description text\n"
	"                       description (default: in Flux's words)\n"
	"      --url url        link to details\n"
	"  -n, --dry-run        say what would be done and do nothing\n"
	"      --base branch    base branch (default: the document's, or the remote's)\n" GP_HELP_COMMON;

struct state {
	struct gp_tool *tool;
	struct gp_base base;
	struct gp_forge *forge;
	struct gp_json *known; /* statuses that were asked for ahead */
	const char *gate, *state, *env, *commit, *context, *description, *url;
	bool dry_run;
};

static int post(struct state *s, const struct gp_json *document, const struct gp_posting *p, struct gp_err *err)
{
	if (s->dry_run || gp_document_is_dry_run(document)) {
		gp_tool_say(s->tool, 0, "would post '%s' %s on %.10s", p->context, p->state, p->commit);
		return 0;
	}
	if (gp_tool_forge(s->tool, &s->forge, document, err) ||
	    gp_forge_set_status(s->forge, p->commit, p->number, p->id, p->context, p->state, p->description, p->url,
				err))
		return -1;
	gp_tool_say(s->tool, 0, "posted '%s' %s on %.10s", p->context, p->state, p->commit);
	return 0;
}

/* One document of this repository brings the driver for all. An error is reported when its document's turn comes. */
static void look_ahead(void *ctx, struct gp_json *const documents[], size_t n)
{
	struct state *s = ctx;
	bool is_open = false;

	for (size_t i = 0; i < n && !is_open; i++) {
		struct gp_err later = {0};

		is_open = !gp_tool_base_of(s->tool, &s->base, documents[i], &later) &&
			  !gp_tool_forge(s->tool, &s->forge, documents[i], &later);
	}
	gp_json_free(s->known);
	s->known = is_open ? gp_posting_look_ahead(s->forge, documents, n) : NULL;
}

static int post_verdict(struct state *s, struct gp_json *document, struct gp_err *err)
{
	struct gp_err why = {0};
	struct gp_posting p;
	int news;

	if (gp_tool_base_of(s->tool, &s->base, document, err) || gp_posting_of_verdict(&p, document, err) ||
	    gp_tool_forge(s->tool, &s->forge, document, err))
		return -1;
	news = gp_posting_is_news(&p, document, s->known, strcmp(s->gate, "post") != 0, s->forge, &why);
	if (news > 0 && !post(s, document, &p, &why))
		return 0;
	if (news == 0) {
		gp_tool_say(s->tool, 1, "'%s' is already set on %.10s; nothing posted", p.context, p.commit);
		return 0;
	}
	/* A token that may not post (a fork's job) leaves the job's own exit status. */
	if (why.code != GP_EXIT_DENIED)
		return gp_fail(err, why.code, "cannot post '%s': %s", p.context, why.message);
	gp_tool_say(s->tool, -1, "warning: cannot post '%s': %s", p.context, why.message);
	return 0;
}

static int find_commit(struct state *s, struct gp_json *document, struct gp_oid *oid, struct gp_err *err)
{
	bool is_new = !gp_json_get(document, "repository");

	if (is_new ? gp_tool_base(s->tool, &s->base, err) || gp_base_ask(&s->base, s->tool->base, err)
		   : gp_tool_base_of(s->tool, &s->base, document, err))
		return -1;
	if (is_new)
		gp_base_to_document(&s->base, document);
	if (!s->commit && gp_base_ask(&s->base, s->base.branch, err))
		return -1;
	*oid = s->base.tip;
	return s->commit ? gp_repository_resolve(oid, s->commit, err) : 0;
}

/* As Flux does: on the base's tip, in the name of the environment's Kustomization. */
static int post_status(struct state *s, struct gp_json *document, struct gp_err *err)
{
	const char *group = gp_json_text(gp_document_get(document, "promotion.group"));
	const char *env = s->env ? s->env : gp_json_text(gp_document_get(document, "promotion.env"));
	struct gp_posting p = {.state = s->state,
			       .description = s->description ? s->description : gp_flux_description(s->state),
			       .url = s->url};
	char hex[GP_OID_HEX + 1];

	if (!s->context && (!group || !env))
		return gp_fail(err, GP_EXIT_INPUT,
			       "document has no promotion to name the status after (or use --context)");
	if (find_commit(s, document, &p.head, err))
		return -1;
	char *context = s->context ? gp_strdup(s->context) : gp_asprintf("kustomization/%s-%s", group, env);

	p.commit = gp_oid_hex(hex, &p.head);
	p.context = context;
	int rc = post(s, document, &p, err);

	free(context);
	return rc;
}

static int set_status(void *ctx, struct gp_json *document, struct gp_err *err)
{
	struct state *s = ctx;

	if (s->dry_run)
		gp_json_set_bool(document, "dry_run", true);
	if (!s->gate)
		return post_status(s, document, err);
	if (gp_posting_has_verdict(document)) {
		if (post_verdict(s, document, err))
			return -1;
		if (!strcmp(s->gate, "post"))
			gp_json_remove(document, "error");
	}
	return 0;
}

static int check_options(const struct state *s, struct gp_err *err)
{
	if (!s->gate == !s->state)
		return gp_fail(err, GP_EXIT_USAGE, "either --gate or --state is needed");
	if (s->gate && (s->env || s->commit || s->context || s->description || s->url))
		return gp_fail(err, GP_EXIT_USAGE, "--gate takes what it posts from the document");
	if (s->gate && *s->gate && strcmp(s->gate, "post") != 0)
		return gp_fail(err, GP_EXIT_USAGE, "--gate or --gate=post, not --gate=%s", s->gate);
	if (s->state && !gp_flux_description(s->state))
		return gp_fail(err, GP_EXIT_USAGE, "--state is success, failure or pending, not '%s'", s->state);
	return 0;
}

int main(int argc, char **argv)
{
	struct gp_tool tool = {.name = "gp-set-status", .help = help, .after = "... | gp-check-status"};
	struct state s = {.tool = &tool};
	struct gp_err err = {0};
	const struct gp_option options[] = {
		{"gate", 0, GP_OPTION_OPTIONAL, &s.gate},
		{"state", 0, GP_OPTION_TEXT, &s.state},
		{"env", 0, GP_OPTION_TEXT, &s.env},
		{"commit", 0, GP_OPTION_TEXT, &s.commit},
		{"context", 0, GP_OPTION_TEXT, &s.context},
		{"description", 0, GP_OPTION_TEXT, &s.description},
		{"url", 0, GP_OPTION_TEXT, &s.url},
		{"dry-run", 'n', GP_OPTION_FLAG, &s.dry_run},
		{0},
	};

	if (gp_tool_start(&tool, argc, argv, options)) {
		if (check_options(&s, &err)) {
			gp_tool_fail(&tool, &err);
		} else if (s.state && s.commit && s.context) {
			struct gp_json *document = gp_json_object();

			if (set_status(&s, document, &err))
				gp_tool_fail(&tool, &err);
			else
				gp_tool_emit(&tool, document);
			gp_json_free(document);
		} else {
			gp_tool_filter_ahead(&tool, s.gate ? look_ahead : NULL, set_status, &s, s.gate != NULL);
		}
	}
	gp_json_free(s.known);
	return gp_tool_finish(&tool, &s.base, s.forge);
}
