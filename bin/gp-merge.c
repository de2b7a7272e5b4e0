/* gp-merge: merges a pull request, or lets the forge do so once its checks are green. */
#include <stdlib.h>
#include <string.h>

#include "gate/posting.h"
#include "promotion/base-branch.h"
#include "promotion/document.h"
#include "promotion/pull.h"
#include "promotion/superseded.h"
#include "sys/exit.h"
#include "tool/tool.h"

static const char help[] = "usage: gp-merge [-hnqVv] [-C dir] [--auto] [--method merge|rebase|squash]\n"
			   "                [--provider name] [--remote name] [[--number] n]\n"
			   "\n"
			   "Merges the pull request of each document now; with --auto, switches auto-merge on\n"
			   "if the environment has auto: true, and off if not.\n"
			   "\n"
			   "      --number n       the open pull request with this number, in place of documents\n"
			   "      --auto           let the forge merge once its required checks are green\n"
			   "      --method how     merge (default), rebase or squash\n"
			   "  -n, --dry-run        say what would be done and do nothing\n" GP_HELP_COMMON;

struct state {
	struct gp_tool *tool;
	struct gp_base base;
	struct gp_forge *forge;
	bool automatic, dry_run;
	const char *method, *number;
};

/* Takes the forge's answer into the document. */
static void update(struct gp_json *document, struct gp_json *answer)
{
	static const char *const members[] = {"state", "auto_merge", "merge_commit"};
	struct gp_json *pull = gp_document_member(document, "pull_request");

	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (gp_json_get(answer, members[i]))
			gp_json_set(pull, members[i], gp_json_copy(gp_json_get(answer, members[i])));
	gp_json_set_bool(pull, "merged", !strcmp(gp_json_get_text(answer, "state"), "merged"));
	gp_json_free(answer);
}

static int merge_now(struct state *s, struct gp_json *document, const struct gp_pull *pull, struct gp_err *err)
{
	struct gp_json *answer = gp_forge_merge(s->forge, pull->number, s->method, pull->head, err);

	if (!answer)
		return -1;
	update(document, answer);
	gp_tool_say(s->tool, 0, "merged #%lld", (long long)pull->number);
	return 0;
}

/* The forge would wait for nothing. Merges if that is right: in the first environment, or if the gate is open. */
static int merge_unguarded(struct state *s, struct gp_json *document, const struct gp_pull *pull, struct gp_err *err)
{
	const struct gp_json *previous = gp_document_get(document, "environment.previous");
	const char *check = gp_document_need_text(document, "config.gate_check", err);
	int green = 1;

	if (!check)
		return -1;
	if (!gp_json_is_null(previous))
		green = gp_posting_is_green(s->forge, pull->head, pull->number, check, err);
	if (green < 0)
		return -1;
	if (!green)
		return gp_fail(
			err, GP_EXIT_REFUSED,
			"pull request #%lld is not merged: check '%s' is not required on '%s', so nothing would wait for %s",
			(long long)pull->number, check, s->base.branch, gp_json_text(previous));
	return merge_now(s, document, pull, err);
}

/* Another run may have been faster: then the pull request is that one's to switch. */
static int yield(struct state *s, struct gp_json *document, const struct gp_pull *pull, struct gp_err *err)
{
	struct gp_err ignored = {0};
	char *reason = gp_superseded(&s->base, s->forge, document, pull, &ignored);

	if (!reason)
		return -1;
	gp_err_clear(err);
	gp_tool_skip(s->tool, document, "%s", reason);
	free(reason);
	return 0;
}

static int merge_later(struct state *s, struct gp_json *document, const struct gp_pull *pull, bool on,
		       struct gp_err *err)
{
	bool clean;
	struct gp_json *answer;

	if (!on && !pull->auto_merge) {
		gp_tool_say(s->tool, 0, "#%lld waits for manual merge", (long long)pull->number);
		return 0;
	}
	answer = gp_forge_set_auto_merge(s->forge, pull->number, pull->id, on, s->method, pull->head, &clean, err);
	if (!answer)
		return err->code == GP_EXIT_RETRY ? yield(s, document, pull, err) : -1;
	update(document, answer);
	if (on && clean)
		return merge_unguarded(s, document, pull, err);
	if (gp_json_get_true(gp_json_get(document, "pull_request"), "merged"))
		gp_tool_say(s->tool, 0, "#%lld is merged", (long long)pull->number);
	else
		gp_tool_say(s->tool, 0,
			    on ? "#%lld merges by itself once its checks are green" : "#%lld waits for manual merge",
			    (long long)pull->number);
	return 0;
}

static int check_environment(const struct gp_json *document, struct gp_err *err)
{
	const struct gp_json *environment = gp_json_get(document, "environment");
	const struct gp_json *previous = gp_json_get(environment, "previous");

	if (!environment)
		return gp_fail(err, GP_EXIT_INPUT,
			       "document has no environment: run gp-read-config earlier in the pipe");
	/* A missing answer must not read as "no previous environment", which opens the way. */
	if (!gp_json_is_null(previous) && !gp_json_is_string(previous))
		return gp_fail(err, GP_EXIT_INPUT, "environment.previous in the document is neither a name nor null");
	return 0;
}

static int merge(void *ctx, struct gp_json *document, struct gp_err *err)
{
	struct state *s = ctx;
	struct gp_pull pull;
	bool on = gp_json_get_true(gp_json_get(document, "environment"), "auto");

	if (s->automatic && check_environment(document, err))
		return -1;
	if (s->dry_run)
		gp_json_set_bool(document, "dry_run", true);
	if (gp_document_is_dry_run(document)) {
		gp_tool_say(s->tool, 0,
			    !s->automatic ? "would merge it now"
			    : on          ? "would let it merge by itself once its checks are green"
					  : "would leave it for manual merge");
		return 0;
	}
	if (gp_pull_of(&pull, document, err) || gp_tool_base_of(s->tool, &s->base, document, err))
		return -1;
	if (pull.state && !strcmp(pull.state, "merged")) {
		gp_tool_say(s->tool, 0, "#%lld is merged already", (long long)pull.number);
		return 0;
	}
	if (gp_tool_forge(s->tool, &s->forge, document, err))
		return -1;
	return s->automatic ? merge_later(s, document, &pull, on, err) : merge_now(s, document, &pull, err);
}

int main(int argc, char **argv)
{
	struct gp_tool tool = {.name = "gp-merge", .help = help, .after = "gp-find-pr --open"};
	struct state s = {.tool = &tool, .method = "merge"};
	struct gp_err err = {0};
	const struct gp_option options[] = {{"auto", 0, GP_OPTION_FLAG, &s.automatic},
					    {"dry-run", 'n', GP_OPTION_FLAG, &s.dry_run},
					    {"method", 0, GP_OPTION_TEXT, &s.method},
					    {"number", 0, GP_OPTION_TEXT | GP_OPTION_BARE, &s.number},
					    {0}};

	if (gp_tool_start(&tool, argc, argv, options)) {
		int64_t ignored;
		const char *const find[] = {"gp-find-pr", "--open", "--number", s.number, NULL};

		if (strcmp(s.method, "merge") != 0 && strcmp(s.method, "squash") != 0 &&
		    strcmp(s.method, "rebase") != 0) {
			gp_fail(&err, GP_EXIT_USAGE, "--method is merge, rebase or squash, not '%s'", s.method);
			gp_tool_fail(&tool, &err);
		} else if (!s.number ||
			   (!gp_pull_number(&ignored, s.number, &err) && !gp_tool_feed(&tool, find, &err))) {
			gp_tool_filter(&tool, merge, &s, false);
		} else {
			gp_tool_fail(&tool, &err);
		}
	}
	return gp_tool_finish(&tool, &s.base, s.forge);
}
