/* gp-check-status: the gate: has the previous environment reconciled this app at this tag? */
#include <stdlib.h>
#include <string.h>

#include "gate/ahead.h"
#include "gate/gate.h"
#include "gate/posting.h"
#include "promotion/base-branch.h"
#include "promotion/document.h"
#include "sys/duration.h"
#include "sys/exit.h"
#include "sys/io.h"
#include "sys/mem.h"
#include "tool/tool.h"

static const char help[] =
	"usage: gp-check-status [-hqVv] [-C dir] [--wait [duration]] [--provider name] [--remote name]\n"
	"\n"
	"Judges the pull request of each document: exit status 0 if the gate is open,\n"
	"1 if it is closed, 75 if there is no verdict yet.\n"
	"\n"
	"      --wait duration  wait for a verdict: 90s, 5m, 1h (default: status_timeout_minutes)\n" GP_HELP_COMMON;

enum { FIRST_PAUSE_MS = 1000, LONGEST_PAUSE_MS = 30000 };

struct state {
	struct gp_tool *tool;
	struct gp_base base;
	struct gp_forge *forge;
	const char *wait;      /* NULL: do not; "": as the configuration says */
	struct gp_json *known; /* statuses that were asked for ahead, for several documents at once */
};

static int verdict_error(const struct gp_verdict *v, long long number, struct gp_err *err)
{
	switch (v->state) {
	case GP_GATE_OPEN:
		return 0;
	case GP_GATE_CLOSED:
		return gp_fail(err, GP_EXIT_CLOSED, "gate of #%lld is closed: %s", number, v->reason);
	default:
		return gp_fail(err, GP_EXIT_RETRY, "gate of #%lld is pending: %s", number, v->reason);
	}
}

/* How long to wait at most, in milliseconds. */
static long long patience(const struct state *s, const struct gp_config *config)
{
	if (!s->wait)
		return 0;
	return *s->wait ? gp_duration_ms(s->wait) : (long long)config->status_timeout_minutes * 60000;
}

/* Grows, with jitter, so that jobs that began together do not ask together. */
static long long next_pause(long long pause, long long left)
{
	long long jitter = rand() % (pause / 4 + 1);

	pause += jitter;
	return pause < left ? pause : left;
}

/* Asks for the base again: if it has moved, its history and configuration are new. */
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
		gp_tool_say(s->tool, 0, "waiting for the gate of #%lld: %s (up to %lld s more)", number, v->reason,
			    (left + 999) / 1000);
		gp_verdict_free(v);
		/* Statuses that were asked for ahead are old from now on. */
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

/* Opens the repository that a document is about, and reads the configuration at its tip. */
static int open_document(struct state *s, struct gp_judged *pull, struct gp_config *config, struct gp_json *document,
			 struct gp_err *err)
{
	if (read_pull(pull, document, err) || gp_tool_base_of(s->tool, &s->base, document, err))
		return -1;
	/* A document may be old: the gate is judged at the present tip, which is asked for once in a stream. */
	if ((gp_oid_is_zero(&s->base.tip) && gp_base_ask(&s->base, s->base.branch, err)) ||
	    gp_base_config(&s->base, config, NULL, NULL, err))
		return -1;
	return gp_tool_forge(s->tool, &s->forge, document, err);
}

/* Looks at all these documents at once. An error is reported when its document's turn comes. */
static void look_ahead(void *ctx, struct gp_json *const documents[], size_t n)
{
	struct state *s = ctx;
	struct gp_ahead *ahead = gp_calloc(n, sizeof *ahead);
	size_t count = 0;

	gp_json_free(s->known);
	s->known = NULL;
	for (size_t i = 0; i < n; i++) {
		struct gp_err later = {0};

		if (open_document(s, &ahead[count].pull, &ahead[count].config, documents[i], &later))
			gp_config_free(&ahead[count].config);
		else
			count++;
	}
	if (count)
		s->known = gp_gate_look_ahead(&s->base, s->forge, ahead, count);
	for (size_t i = 0; i < count; i++)
		gp_config_free(&ahead[i].config);
	free(ahead);
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
	gp_posting_put_verdict(document, &verdict, gp_json_text(gp_document_get(document, "pull_request.head")),
			       s->known, config.gate_check);
	rc = verdict_error(&verdict, number, err);
	if (!rc)
		gp_tool_say(s->tool, 0, "gate of #%lld is open: %s", number, verdict.reason);
out:
	gp_verdict_free(&verdict);
	gp_config_free(&config);
	return rc;
}

int main(int argc, char **argv)
{
	struct gp_tool tool = {.name = "gp-check-status", .help = help, .after = "gp-find-pr --open | gp-read-config"};
	struct state s = {.tool = &tool};
	struct gp_err err = {0};
	const struct gp_option options[] = {{"wait", 0, GP_OPTION_DURATION, &s.wait}, {0}};

	if (gp_tool_start(&tool, argc, argv, options)) {
		srand((unsigned)gp_now_ms());
		if (s.wait && *s.wait && gp_duration_ms(s.wait) < 0) {
			gp_fail(&err, GP_EXIT_USAGE, "--wait takes a duration such as 90s, 5m or 1h, not '%s'", s.wait);
			gp_tool_fail(&tool, &err);
		} else {
			gp_tool_filter_ahead(&tool, look_ahead, check_status, &s, false);
		}
	}
	gp_json_free(s.known);
	return gp_tool_finish(&tool, &s.base, s.forge);
}
