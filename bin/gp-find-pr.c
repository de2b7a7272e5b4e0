/* gp-find-pr: starts documents about pull requests: those that were merged, or those that are open. */
#include <stdlib.h>
#include <string.h>

#include "forge/provider.h"
#include "promotion/base-branch.h"
#include "promotion/document.h"
#include "promotion/pull.h"
#include "promotion/push.h"
#include "promotion/stuck.h"
#include "sys/exit.h"
#include "tool/tool.h"

static const char help[] =
	"usage: gp-find-pr [-hqVv] [-C dir] --merged [--since rev] [--commit rev] [--stuck]\n"
	"                  [--base branch] [--provider name] [--remote name]\n"
	"       gp-find-pr [-hqVv] [-C dir] --open [--all | --branch name | --number n | --stuck]\n"
	"                  [--base branch] [--provider name] [--remote name]\n"
	"\n"
	"Starts a document for each pull request that it finds.\n"
	"\n"
	"      --merged         promotions that were merged\n"
	"      --commit rev     up to this commit (default: that of the CI job, otherwise the base tip)\n"
	"      --since rev      after this commit (default: taken from the CI event, otherwise only --commit)\n"
	"      --stuck          also, or only: open promotions that conflict with the base branch\n"
	"      --open           the open pull request of the CI job, or of the branch checked out\n"
	"      --all            all open pull requests\n"
	"      --branch name    the open pull request of a branch\n"
	"      --number n       the pull request with this number, if it is open\n" GP_HELP_BASE;

struct state {
	struct gp_tool *tool;
	struct gp_base base;
	struct gp_forge *forge;
	struct gp_json *repository; /* a document with nothing but the member `repository` */
	struct gp_ci ci;
	bool merged, open, all, stuck;
	const char *since, *commit, *branch, *number;
	size_t found;
};

static void emit(void *ctx, const struct gp_json *pull, const struct gp_promotion *promotion)
{
	struct state *s = ctx;
	struct gp_json *document = gp_pull_document(pull, s->repository);

	if (promotion)
		gp_json_set(document, "promotion", gp_promotion_to_json(promotion));
	gp_tool_emit(s->tool, document);
	gp_json_free(document);
	s->found++;
}

static void emit_skip(struct state *s, const char *reason, const char *what)
{
	gp_tool_skip(s->tool, s->repository, "%s%s", reason, what ? what : "");
	gp_tool_emit(s->tool, s->repository);
}

static void tell(void *ctx, int level, const char *text)
{
	const struct state *s = ctx;

	gp_tool_say(s->tool, level, "%s", text);
}

static int find_open(struct state *s, struct gp_err *err)
{
	struct gp_json *pulls = gp_forge_find_open(s->forge, err);

	if (!pulls)
		return -1;
	if (s->stuck)
		gp_stuck_find(&s->base, pulls, emit, tell, s);
	for (const struct gp_json *pull = gp_json_first(pulls); pull && !s->stuck; pull = gp_json_next(pull))
		if (!strcmp(gp_json_get_text(pull, "base"), s->base.branch))
			emit(s, pull, NULL);
	gp_json_free(pulls);
	return 0;
}

static int find_merged(struct state *s, struct gp_err *err)
{
	int rc = gp_push_find_merged(&s->base, s->forge, s->since || s->commit ? s->since : s->ci.since,
				     s->commit ? s->commit : s->ci.commit, emit, tell, s, err);

	if (!rc && s->stuck)
		rc = find_open(s, err);
	if (!rc && !s->found)
		emit_skip(s, "no promotion was merged", NULL);
	return rc;
}

static int find_all(struct state *s, struct gp_err *err)
{
	int rc = find_open(s, err);

	if (!rc && !s->found)
		emit_skip(s, s->stuck ? "no pull request is stuck" : "no pull request is open", NULL);
	return rc;
}

static int find_by_number(struct state *s, const char *text, struct gp_err *err)
{
	struct gp_json *pulls;
	int64_t number;
	int rc = 0;

	if (gp_pull_number(&number, text, err) || !(pulls = gp_forge_find_number(s->forge, number, err)))
		return -1;
	const struct gp_json *pull = gp_json_first(pulls);
	const char *head = gp_json_get_text(pull, "head");

	if (!pull)
		rc = gp_fail(err, GP_EXIT_REFUSED, "no pull request #%lld", (long long)number);
	else if (strcmp(gp_json_get_text(pull, "state"), "open") != 0)
		emit_skip(s, "pull request is no longer open: #", text);
	else if (!s->number && s->ci.head && strcmp(head, s->ci.head) != 0)
		rc = gp_fail(err, GP_EXIT_RETRY, "this job is for %.10s, but the head of #%lld is %.10s by now",
			     s->ci.head, (long long)number, head);
	else
		emit(s, pull, NULL);
	gp_json_free(pulls);
	return rc;
}

static int find_by_branch(struct state *s, struct gp_err *err)
{
	char *checked_out = s->branch ? NULL : gp_repository_checked_out(err);
	const char *branch = s->branch ? s->branch : checked_out;
	struct gp_json *pull = NULL;
	int rc;

	if (!branch)
		return gp_fail(err, GP_EXIT_USAGE,
			       "no branch is checked out here: which pull request? (--number, --branch or --all)");
	rc = gp_forge_find_own(s->forge, branch, &pull, err);
	if (!rc && pull)
		emit(s, pull, NULL);
	else if (!rc)
		emit_skip(s, "no open pull request of branch ", branch);
	gp_json_free(pull);
	free(checked_out);
	return rc;
}

static int check_options(const struct state *s, struct gp_err *err)
{
	int ways = (s->all ? 1 : 0) + (s->branch ? 1 : 0) + (s->number ? 1 : 0) + (s->open && s->stuck ? 1 : 0);

	if (s->merged == s->open)
		return gp_fail(err, GP_EXIT_USAGE, "either --merged or --open is needed");
	if (s->merged ? ways : s->since || s->commit)
		return gp_fail(err, GP_EXIT_USAGE,
			       "--all, --branch and --number go with --open, --since and --commit with --merged");
	if (ways > 1)
		return gp_fail(err, GP_EXIT_USAGE, "only one of --all, --branch, --number and --stuck");
	return 0;
}

static int find(struct state *s, struct gp_err *err)
{
	if (check_options(s, err) || gp_ci_read(&s->ci, getenv, err) || gp_tool_base(s->tool, &s->base, err) ||
	    gp_base_ask(&s->base, s->tool->base, err))
		return -1;
	gp_base_to_document(&s->base, s->repository);
	if (gp_tool_forge(s->tool, &s->forge, s->repository, err))
		return -1;
	return s->merged            ? find_merged(s, err)
	       : s->all || s->stuck ? find_all(s, err)
	       : !s->branch && (s->number || s->ci.number)
		       ? find_by_number(s, s->number ? s->number : s->ci.number, err)
		       : find_by_branch(s, err);
}

int main(int argc, char **argv)
{
	struct gp_tool tool = {.name = "gp-find-pr", .help = help};
	struct state s = {.tool = &tool, .repository = gp_json_object()};
	struct gp_err err = {0};
	const struct gp_option options[] = {
		{"merged", 0, GP_OPTION_FLAG, &s.merged},
		{"open", 0, GP_OPTION_FLAG, &s.open},
		{"all", 0, GP_OPTION_FLAG, &s.all},
		{"since", 0, GP_OPTION_TEXT, &s.since},
		{"commit", 0, GP_OPTION_TEXT, &s.commit},
		{"branch", 0, GP_OPTION_TEXT, &s.branch},
		{"number", 0, GP_OPTION_TEXT, &s.number},
		{"stuck", 0, GP_OPTION_FLAG, &s.stuck},
		{0},
	};

	if (gp_tool_start(&tool, argc, argv, options) && find(&s, &err))
		gp_tool_fail(&tool, &err);
	gp_ci_free(&s.ci);
	gp_json_free(s.repository);
	return gp_tool_finish(&tool, &s.base, s.forge);
}
