/* gp-set-status: posts a commit status: the gate's verdict, or what Flux would say. */
#include <stdlib.h>
#include <string.h>

#include "base.h"
#include "document.h"
#include "exit.h"
#include "mem.h"
#include "tool.h"

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
	"      --gate=post      post the verdict; that it could be posted is all that counts\n"
	"      --state state    success, failure or pending\n"
	"      --env name       environment (default: the promotion's)\n"
	"      --commit rev     commit (default: the base tip)\n"
	"      --context name   context (default: kustomization/<group>-<env>)\n"
	"      --description text\n"
	"                       description (default: in Flux's words)\n"
	"      --url url        where more is to be read\n"
	"  -n, --dry-run        say what would be done and do nothing\n"
	"  -C, --directory dir  work in dir\n"
	"      --base branch    base branch (default: the document's, or the remote's)\n" GP_HELP_COMMON;

enum { MAX_DESCRIPTION = 140 };

struct state {
	struct gp_tool *tool;
	struct gp_base base;
	struct gp_forge *forge;
	const char *gate, *state, *env, *commit, *context, *description, *url;
	bool dry_run;
};

/* One status that is to be posted. */
struct post {
	const char *commit, *context, *state, *description, *url;
	int64_t number;
};

static int post(struct state *s, const struct gp_json *document, const struct post *p, struct gp_err *err)
{
	if (s->dry_run || gp_document_is_dry_run(document)) {
		gp_tool_say(s->tool, 0, "would post '%s' %s on %.10s", p->context, p->state, p->commit);
		return 0;
	}
	if (gp_tool_forge(s->tool, &s->forge, document, err) ||
	    gp_forge_set_status(s->forge, p->commit, p->number, p->context, p->state, p->description, p->url, err))
		return -1;
	gp_tool_say(s->tool, 0, "posted '%s' %s on %.10s", p->context, p->state, p->commit);
	return 0;
}

/* The newest status of the gate's own check on a head; NULL: none yet. Borrowed from statuses. */
static const struct gp_json *standing(const struct gp_json *statuses, const struct post *p)
{
	for (const struct gp_json *s = gp_json_first(gp_json_get(statuses, p->commit)); s; s = gp_json_next(s)) {
		const char *context = gp_json_get_text(s, "context");

		if (context && !strcmp(context, p->context))
			return s;
	}
	return NULL;
}

/* A status is an event that starts jobs: it is posted where it says something new, and never takes a success back to wait. */
static int is_news(struct state *s, const struct gp_json *document, const struct post *p, struct gp_err *err)
{
	struct gp_oid head;
	struct gp_json *statuses;
	int news = 1;

	if (gp_oid_parse(&head, p->commit))
		return gp_fail(err, GP_EXIT_INPUT, "pull_request.head in the document is not a commit id: '%s'",
			       p->commit);
	if (gp_tool_forge(s->tool, &s->forge, document, err))
		return -1;
	statuses = gp_forge_list_statuses(s->forge, &head, 1, err);
	if (!statuses)
		return -1;
	const struct gp_json *last = standing(statuses, p);

	if (last) {
		const char *state = gp_json_get_text(last, "state"),
			   *description = gp_json_get_text(last, "description");

		news = !state || strcmp(state, p->state) != 0 || !description ||
		       strcmp(description, p->description) != 0;
		if (state && !strcmp(state, "success") && !strcmp(p->state, "pending"))
			news = 0;
	}
	gp_json_free(statuses);
	return news;
}

/* Whether the document's error is the gate's verdict, and not something that went wrong on the way to it. */
static bool is_verdict(const struct gp_json *document)
{
	const struct gp_json *error = gp_json_get(document, "error");
	const char *program = gp_json_get_text(error, "program");
	int code = gp_document_exit(document);

	return !code || (program && !strcmp(program, "gp-check-status") && gp_json_get(document, "status") &&
			 (code == GP_EXIT_CLOSED || code == GP_EXIT_RETRY));
}

static int post_verdict(struct state *s, struct gp_json *document, struct gp_err *err)
{
	const struct gp_json *status = gp_json_get(document, "status");
	const char *reason = gp_json_get_text(status, "reason"), *head = gp_json_get_text(status, "head");
	const char *check = gp_document_need_text(document, "config.gate_check", err);
	const char *state = gp_document_need_text(document, "status.state", err);
	char description[MAX_DESCRIPTION + 1];
	struct post p = {.context = check,
			 .state = state,
			 .description = description,
			 .url = gp_json_get_text(status, "url")};
	struct gp_err why = {0};
	int news;

	p.commit = head ? head : gp_document_need_text(document, "pull_request.head", err);
	p.number = gp_json_get_int(gp_json_get(document, "pull_request"), "number", 0);
	if (!check || !state || !p.commit)
		return -1;
	gp_clean_line(description, sizeof description, reason ? reason : state);
	news = is_news(s, document, &p, &why);
	if (news > 0 && !post(s, document, &p, &why))
		return 0;
	if (news == 0) {
		gp_tool_say(s->tool, 1, "'%s' on %.10s says so already", check, p.commit);
		return 0;
	}
	/* A token that may not post (a fork's job) leaves the job's own exit status, which still says it. */
	if (why.code != GP_EXIT_DENIED)
		return gp_fail(err, why.code, "cannot post '%s': %s", check, why.message);
	gp_tool_say(s->tool, -1, "warning: cannot post '%s': %s", check, why.message);
	return 0;
}

static int gate(struct state *s, struct gp_json *document, struct gp_err *err)
{
	if (!is_verdict(document))
		return 0;
	if (gp_base_open(&s->base, s->tool->remote, s->tool->provider, err) ||
	    gp_base_check_document(&s->base, document, err) || post_verdict(s, document, err))
		return -1;
	if (!strcmp(s->gate, "post"))
		gp_json_remove(document, "error");
	return 0;
}

static const char *words(const char *state)
{
	return !strcmp(state, "success")   ? "reconciliation succeeded"
	       : !strcmp(state, "failure") ? "health check failed"
					   : "progressing";
}

/* As Flux would: on the base's tip, under the name of the environment's Kustomization. */
static int post_status(struct state *s, struct gp_json *document, struct gp_err *err)
{
	const char *group = gp_json_text(gp_document_get(document, "promotion.group"));
	const char *env = s->env ? s->env : gp_json_text(gp_document_get(document, "promotion.env"));
	struct post p = {.state = s->state,
			 .description = s->description ? s->description : words(s->state),
			 .url = s->url};
	char hex[GP_OID_HEX + 1], *context = NULL;
	struct gp_oid oid;
	int rc = -1;

	if (!s->context && (!group || !env))
		return gp_fail(err, GP_EXIT_INPUT,
			       "document has no promotion to name the status after (or use --context)");
	if (gp_base_open(&s->base, s->tool->remote, s->tool->provider, err))
		return -1;
	if (gp_json_get(document, "repository") ? gp_base_check_document(&s->base, document, err)
						: gp_base_ask(&s->base, s->tool->base, err))
		return -1;
	if (s->commit && gp_oid_parse(&oid, s->commit) && gp_repository_resolve(&oid, s->commit, err))
		return -1;
	if (!s->commit) {
		if (gp_base_ask(&s->base, s->base.branch, err))
			return -1;
		oid = s->base.tip;
	}
	if (!gp_json_get(document, "repository"))
		gp_base_to_document(&s->base, document);
	context = s->context ? gp_strdup(s->context) : gp_asprintf("kustomization/%s-%s", group, env);
	p.commit = gp_oid_hex(hex, &oid);
	p.context = context;
	rc = post(s, document, &p, err);
	free(context);
	return rc;
}

static int set_status(void *ctx, struct gp_json *document, struct gp_err *err)
{
	struct state *s = ctx;

	if (s->dry_run)
		gp_json_set_bool(document, "dry_run", true);
	return s->gate ? gate(s, document, err) : post_status(s, document, err);
}

static int check_options(const struct state *s, struct gp_err *err)
{
	if (!s->gate == !s->state)
		return gp_fail(err, GP_EXIT_USAGE, "either --gate or --state is needed");
	if (s->gate && (s->env || s->commit || s->context || s->description || s->url))
		return gp_fail(err, GP_EXIT_USAGE, "--gate takes what it posts from the document");
	if (s->gate && *s->gate && strcmp(s->gate, "post") != 0)
		return gp_fail(err, GP_EXIT_USAGE, "--gate or --gate=post, not --gate=%s", s->gate);
	if (s->state && strcmp(s->state, "success") != 0 && strcmp(s->state, "failure") != 0 &&
	    strcmp(s->state, "pending") != 0)
		return gp_fail(err, GP_EXIT_USAGE, "--state is success, failure or pending, not '%s'", s->state);
	return 0;
}

int main(int argc, char **argv)
{
	struct gp_tool tool = {.name = "gp-set-status", .help = help};
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
			gp_tool_filter(&tool, set_status, &s, s.gate != NULL);
		}
	}
	gp_forge_end(s.forge);
	gp_base_free(&s.base);
	return gp_tool_end(&tool);
}
