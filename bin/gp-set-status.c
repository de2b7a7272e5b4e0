/* gp-set-status: posts a commit status: the gate's verdict, or what Flux would say. */
#include <stdlib.h>
#include <string.h>

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
	struct gp_json *known; /* statuses that were asked for ahead */
	const char *gate, *state, *env, *commit, *context, *description, *url;
	bool dry_run;
};

/* One status that is to be posted. */
struct post {
	const char *commit, *context, *state, *description, *url, *id;
	int64_t number;
};

static int post(struct state *s, const struct gp_json *document, const struct post *p, struct gp_err *err)
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

/* Whether a status would say something else than the one that stands there, if any. */
static bool differs(const struct gp_json *last, const struct post *p)
{
	const char *state = gp_json_get_text(last, "state"), *description = gp_json_get_text(last, "description");

	if (state && !strcmp(state, "success") && !strcmp(p->state, "pending"))
		return false;
	return !state || strcmp(state, p->state) != 0 || !description || strcmp(description, p->description) != 0;
}

/* What is to be posted about a document's verdict; description (MAX_DESCRIPTION + 1) is filled in. */
static int read_verdict(struct post *p, struct gp_oid *head, char *description, const struct gp_json *document,
			struct gp_err *err)
{
	const struct gp_json *status = gp_json_get(document, "status"), *pull = gp_json_get(document, "pull_request");
	const char *reason = gp_json_get_text(status, "reason"), *pull_head = gp_json_get_text(pull, "head");

	*p = (struct post){
		.commit = gp_json_get_text(status, "head"),
		.context = gp_document_need_text(document, "config.gate_check", err),
		.state = gp_document_need_text(document, "status.state", err),
		.description = description,
		.url = gp_json_get_text(status, "url"),
		.number = gp_json_get_int(pull, "number", 0),
	};
	if (!p->commit)
		p->commit = gp_document_need_text(document, "pull_request.head", err);
	if (!p->context || !p->state || !p->commit)
		return -1;
	if (pull_head && !strcmp(pull_head, p->commit))
		p->id = gp_json_get_text(pull, "id");
	gp_clean_line(description, MAX_DESCRIPTION + 1, reason ? reason : p->state);
	if (gp_oid_parse(head, p->commit))
		return gp_fail(err, GP_EXIT_INPUT, "pull_request.head in the document is not a commit id: '%s'",
			       p->commit);
	return 0;
}

/*
 * A status is an event that starts jobs: it is posted where it says something new, and never takes a success back to
 * wait. What the gate saw on the head is good enough, but for a "pending": somebody's success may have come since.
 * Whether the forge has to be asked.
 */
static bool has_to_ask(const struct gp_json *document, const struct post *p)
{
	const struct gp_json *seen = gp_document_get(document, "status.standing");

	return !seen || (differs(seen, p) && !strcmp(p->state, "pending"));
}

/*
 * A forge that keeps the checks of pull requests apart may bind them to more than the head: what stands there can be of
 * what the pull request was before, and does not count any more. The job of a push sees to it; to ask for each pull
 * request of a refresh would be too much.
 */
static int is_outdated(struct state *s, const struct gp_json *document, const struct post *p, const struct gp_oid *head,
		       const struct gp_json *standing, struct gp_err *err)
{
	struct gp_json *checks;
	int news;

	if (!strcmp(s->gate, "post") || gp_json_get_int(standing, "number", 0) <= 0)
		return 0;
	if (gp_tool_forge(s->tool, &s->forge, document, err) ||
	    !(checks = gp_forge_list_checks(s->forge, head, p->number, err)))
		return -1;
	news = differs(gp_forge_standing(checks, p->commit, p->number, p->context), p);
	gp_json_free(checks);
	return news;
}

static int is_news(struct state *s, const struct gp_json *document, const struct post *p, const struct gp_oid *head,
		   struct gp_err *err)
{
	const struct gp_json *standing = gp_document_get(document, "status.standing");
	struct gp_json *asked = NULL;
	int news;

	if (has_to_ask(document, p)) {
		if (!gp_json_get(s->known, p->commit)) {
			if (gp_tool_forge(s->tool, &s->forge, document, err))
				return -1;
			asked = gp_forge_list_statuses(s->forge, head, 1, false, err);
			if (!asked)
				return -1;
		}
		standing = gp_forge_standing(asked ? asked : s->known, p->commit, p->number, p->context);
	}
	news = differs(standing, p) ? 1 : is_outdated(s, document, p, head, standing, err);
	gp_json_free(asked);
	return news;
}

/* Whether the gate has said something, and nothing went wrong on the way to it. */
static bool is_verdict(const struct gp_json *document)
{
	return !gp_document_exit(document) || gp_document_is_verdict(document);
}

/* Opens what a verdict is about. */
static int open_verdict(struct state *s, struct gp_json *document, struct gp_err *err)
{
	return gp_base_open(&s->base, s->tool->remote, s->tool->provider, getenv, err) ||
			       gp_base_check_document(&s->base, document, err)
		       ? -1
		       : 0;
}

/* Asks at once what stands on all the heads that have to be asked for. What goes wrong is told when its turn comes. */
static void ask_ahead(void *ctx, struct gp_json *const documents[], size_t n)
{
	struct state *s = ctx;
	struct gp_oid *heads = NULL, head;
	char description[MAX_DESCRIPTION + 1];
	size_t count = 0;
	struct post p;

	gp_json_free(s->known);
	s->known = NULL;
	for (size_t i = 0; i < n; i++) {
		struct gp_err later = {0};

		if (!is_verdict(documents[i]) || read_verdict(&p, &head, description, documents[i], &later) ||
		    !has_to_ask(documents[i], &p) || open_verdict(s, documents[i], &later) ||
		    gp_tool_forge(s->tool, &s->forge, documents[i], &later))
			continue;
		heads = gp_grow(heads, count, sizeof *heads);
		heads[count++] = head;
	}
	if (count) {
		struct gp_err later = {0};

		s->known = gp_forge_list_statuses(s->forge, heads, count, false, &later);
	}
	free(heads);
}

static int post_verdict(struct state *s, struct gp_json *document, struct gp_err *err)
{
	char description[MAX_DESCRIPTION + 1];
	struct gp_err why = {0};
	struct gp_oid head;
	struct post p;
	int news;

	if (read_verdict(&p, &head, description, document, err))
		return -1;
	news = is_news(s, document, &p, &head, &why);
	if (news > 0 && !post(s, document, &p, &why))
		return 0;
	if (news == 0) {
		gp_tool_say(s->tool, 1, "'%s' on %.10s says so already", p.context, p.commit);
		return 0;
	}
	/* A token that may not post (a fork's job) leaves the job's own exit status, which still says it. */
	if (why.code != GP_EXIT_DENIED)
		return gp_fail(err, why.code, "cannot post '%s': %s", p.context, why.message);
	gp_tool_say(s->tool, -1, "warning: cannot post '%s': %s", p.context, why.message);
	return 0;
}

static int gate(struct state *s, struct gp_json *document, struct gp_err *err)
{
	if (!is_verdict(document))
		return 0;
	if (open_verdict(s, document, err) || post_verdict(s, document, err))
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
	if (gp_base_open(&s->base, s->tool->remote, s->tool->provider, getenv, err))
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
			gp_tool_filter_ahead(&tool, s.gate ? ask_ahead : NULL, set_status, &s, s.gate != NULL);
		}
	}
	gp_json_free(s.known);
	gp_forge_end(s.forge);
	gp_base_free(&s.base);
	return gp_tool_end(&tool);
}
