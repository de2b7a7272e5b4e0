/* gp-check-status: the gate: has the previous environment reconciled this app at this tag? */
#include <stdlib.h>
#include <string.h>

#include "gate/gate.h"
#include "promotion/base-branch.h"
#include "promotion/document.h"
#include "sys/duration.h"
#include "sys/exit.h"
#include "sys/io.h"
#include "sys/mem.h"
#include "tool/tool.h"

static const char help[] =
	"usage: gp-check-status [-hqVv] [-C dir] [--wait[=duration]] [--provider name] [--remote name]\n"
	"\n"
	"Judges the pull request of each document: exit status 0 where the gate is open,\n"
	"1 where it is closed, 75 where nothing can be said yet.\n"
	"\n"
	"      --wait           wait for a verdict, as long as status_timeout_minutes says\n"
	"      --wait=duration  wait this long: 90s, 5m, 1h\n"
	"  -C, --directory dir  work in dir\n" GP_HELP_COMMON;

enum { FIRST_PAUSE_MS = 1000, LONGEST_PAUSE_MS = 30000 };

static const char *const state_names[] =
	{[GP_GATE_OPEN] = "success", [GP_GATE_CLOSED] = "failure", [GP_GATE_UNDECIDED] = "pending"};

struct state {
	struct gp_tool *tool;
	struct gp_base base;
	struct gp_forge *forge;
	const char *wait;      /* NULL: do not; "": as the configuration says */
	struct gp_json *known; /* statuses that were asked for ahead, for several documents at once */
};

/* What stands on the head as the gate's check, where it was asked for just now: whoever posts need not ask again. */
static void put_standing(struct gp_json *status, const struct gp_json *known, const char *head, long long number,
			 const char *check)
{
	const struct gp_json *s = gp_forge_standing(known, head, number, check);
	struct gp_json *standing;

	if (!gp_json_get(known, head))
		return;
	standing = s ? gp_json_object() : gp_json_string(NULL);
	if (s) {
		gp_json_set_text(standing, "state", gp_json_get_text(s, "state"));
		gp_json_set_text(standing, "description", gp_json_get_text(s, "description"));
		if (gp_json_get_int(s, "number", 0))
			gp_json_set_int(standing, "number", gp_json_get_int(s, "number", 0));
	}
	gp_json_set(status, "standing", standing);
}

static void put_verdict(struct gp_json *document, const struct gp_verdict *v, const char *head,
			const struct gp_json *known, const char *check)
{
	struct gp_json *status = gp_json_object();

	gp_json_set_text(status, "state", state_names[v->state]);
	gp_json_set_text(status, "env", v->env);
	gp_json_set_text(status, "reason", v->reason);
	gp_json_set_text(status, "head", head);
	gp_json_set_text(status, "sha", v->commit);
	gp_json_set_text(status, "context", v->context);
	gp_json_set_text(status, "description", v->description);
	gp_json_set_text(status, "url", v->url);
	put_standing(status, known, head, gp_json_get_int(gp_json_get(document, "pull_request"), "number", 0), check);
	gp_json_set(document, "status", status);
}

static int verdict_error(const struct gp_verdict *v, long long number, struct gp_err *err)
{
	switch (v->state) {
	case GP_GATE_OPEN:
		return 0;
	case GP_GATE_CLOSED:
		return gp_fail(err, GP_EXIT_CLOSED, "gate closed for #%lld: %s", number, v->reason);
	default:
		return gp_fail(err, GP_EXIT_RETRY, "gate undecided for #%lld: %s", number, v->reason);
	}
}

/* How long to wait at most, in milliseconds. */
static long long patience(const struct state *s, const struct gp_config *config)
{
	if (!s->wait)
		return 0;
	return *s->wait ? gp_duration_ms(s->wait) : (long long)config->status_timeout_minutes * 60000;
}

/* Grows, and differs a little from job to job, so that many that began together do not ask together. */
static long long next_pause(long long pause, long long left)
{
	long long jitter = rand() % (pause / 4 + 1);

	pause += jitter;
	return pause < left ? pause : left;
}

static void say_waiting(const struct state *s, const struct gp_verdict *v, long long number, long long left)
{
	gp_tool_say(s->tool, 0, "gate of #%lld waits: %s (up to %lld s more)", number, v->reason, (left + 999) / 1000);
}

/* The base may have moved: its tip, and with it the history and the configuration, are looked at anew. */
static int look_again(struct state *s, struct gp_config *config, struct gp_err *err)
{
	struct gp_oid before = s->base.tip;

	if (gp_base_ask(&s->base, s->base.branch, err))
		return -1;
	if (gp_oid_equal(&before, &s->base.tip))
		return 0;
	gp_config_free(config);
	return gp_base_config(&s->base, config, NULL, NULL, err);
}

static int judge(struct state *s, struct gp_config *config, const struct gp_judged *pull, long long number,
		 struct gp_verdict *v, struct gp_err *err)
{
	long long until = gp_now_ms() + patience(s, config), pause = FIRST_PAUSE_MS, left;

	for (;;) {
		if (gp_gate_judge(v, &s->base, config, s->forge, s->known, pull, err))
			return -1;
		left = until - gp_now_ms();
		if (v->state != GP_GATE_UNDECIDED || left <= 0)
			return 0;
		say_waiting(s, v, number, left);
		gp_verdict_free(v);
		/* From here on all that is known gets old. */
		gp_json_free(s->known);
		s->known = NULL;
		gp_sleep_ms(next_pause(pause, left));
		pause = pause * 3 / 2 < LONGEST_PAUSE_MS ? pause * 3 / 2 : LONGEST_PAUSE_MS;
		if (look_again(s, config, err))
			return -1;
	}
}

static int read_pull(struct gp_judged *out, const struct gp_json *document, struct gp_err *err)
{
	const char *description = gp_json_text(gp_document_get(document, "pull_request.description"));
	const char *head = gp_document_need_text(document, "pull_request.head", err);

	out->branch = gp_document_need_text(document, "pull_request.branch", err);
	out->description = description ? description : "";
	if (err->code)
		return -1;
	if (gp_oid_parse(&out->head, head))
		return gp_fail(err, GP_EXIT_INPUT, "pull_request.head in the document is not a commit id: '%s'", head);
	return 0;
}

/* Opens what a document is about, and reads its configuration. */
static int open_document(struct state *s, struct gp_judged *pull, struct gp_config *config, struct gp_json *document,
			 struct gp_err *err)
{
	if (read_pull(pull, document, err) || gp_base_open(&s->base, s->tool->remote, s->tool->provider, getenv, err) ||
	    gp_base_check_document(&s->base, document, err))
		return -1;
	/* A document may be old, and what its tip said then must not open the gate now; one look serves a whole stream. */
	if ((gp_oid_is_zero(&s->base.tip) && gp_base_ask(&s->base, s->base.branch, err)) ||
	    gp_base_config(&s->base, config, NULL, NULL, err))
		return -1;
	return gp_tool_forge(s->tool, &s->forge, document, err);
}

/* Brings the heads of all these documents at once: a shallow clone has none of them. */
static void fetch_ahead(struct state *s, struct gp_json *const documents[], size_t n)
{
	struct gp_oid *heads = gp_calloc(n, sizeof *heads);
	struct gp_err later = {0};
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		struct gp_config config = {0};
		struct gp_judged pull;

		later = (struct gp_err){0};
		if (!open_document(s, &pull, &config, documents[i], &later))
			heads[count++] = pull.head;
		gp_config_free(&config);
	}
	later = (struct gp_err){0};
	if (count > 1)
		gp_repository_need(&s->base.repository, s->base.branch, heads, count, &later);
	free(heads);
}

/* Asks for the statuses of all these documents' commits at once. What goes wrong here is told when its turn comes. */
static void ask_ahead(void *ctx, struct gp_json *const documents[], size_t n)
{
	struct state *s = ctx;
	struct gp_oid *commits = NULL;
	size_t count = 0;

	gp_json_free(s->known);
	s->known = NULL;
	fetch_ahead(s, documents, n);
	for (size_t i = 0; i < n; i++) {
		struct gp_err later = {0};
		struct gp_config config = {0};
		struct gp_judged pull;

		if (!open_document(s, &pull, &config, documents[i], &later) &&
		    !gp_gate_commits(&commits, &count, &s->base, &config, &pull, &later)) {
			commits = gp_grow(commits, count, sizeof *commits);
			commits[count++] = pull.head;
		}
		gp_config_free(&config);
	}
	if (count) {
		struct gp_err later = {0};

		s->known = gp_forge_list_statuses(s->forge, commits, count, false, &later);
	}
	free(commits);
}

static int check_status(void *ctx, struct gp_json *document, struct gp_err *err)
{
	struct state *s = ctx;
	struct gp_config config = {0};
	struct gp_verdict verdict = {0};
	struct gp_judged pull;
	long long number = gp_json_get_int(gp_json_get(document, "pull_request"), "number", 0);
	int rc = -1;

	gp_json_remove(document, "status");
	if (open_document(s, &pull, &config, document, err))
		goto out;
	if (judge(s, &config, &pull, number, &verdict, err))
		goto out;
	gp_base_to_document(&s->base, document);
	gp_json_set(document, "config", gp_config_to_json(&config));
	put_verdict(document, &verdict, gp_json_text(gp_document_get(document, "pull_request.head")), s->known,
		    config.gate_check);
	rc = verdict_error(&verdict, number, err);
	if (!rc)
		gp_tool_say(s->tool, 0, "gate open for #%lld: %s", number, verdict.reason);
out:
	gp_verdict_free(&verdict);
	gp_config_free(&config);
	return rc;
}

int main(int argc, char **argv)
{
	struct gp_tool tool = {.name = "gp-check-status", .help = help};
	struct state s = {.tool = &tool};
	struct gp_err err = {0};
	const struct gp_option options[] = {{"wait", 0, GP_OPTION_DURATION, &s.wait}, {0}};

	if (gp_tool_start(&tool, argc, argv, options)) {
		srand((unsigned)gp_now_ms());
		if (s.wait && *s.wait && gp_duration_ms(s.wait) < 0) {
			gp_fail(&err, GP_EXIT_USAGE, "--wait takes a duration such as 90s, 5m or 1h, not '%s'", s.wait);
			gp_tool_fail(&tool, &err);
		} else {
			gp_tool_filter_ahead(&tool, ask_ahead, check_status, &s, false);
		}
	}
	gp_json_free(s.known);
	gp_forge_end(s.forge);
	gp_base_free(&s.base);
	return gp_tool_end(&tool);
}
