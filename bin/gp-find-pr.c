/* gp-find-pr: starts documents about pull requests: those that were merged, or those that are open. */
#include <stdlib.h>
#include <string.h>

#include "data/oidmap.h"
#include "forge/provider.h"
#include "promotion/base-branch.h"
#include "promotion/document.h"
#include "promotion/promotion.h"
#include "sys/exit.h"
#include "sys/mem.h"
#include "tool/tool.h"

static const char help[] =
	"usage: gp-find-pr [-hqVv] [-C dir] --merged [--since rev] [--commit rev]\n"
	"                  [--base branch] [--provider name] [--remote name]\n"
	"       gp-find-pr [-hqVv] [-C dir] --open [--all | --branch name | --number n]\n"
	"                  [--base branch] [--provider name] [--remote name]\n"
	"\n"
	"Starts a document for each pull request that it finds.\n"
	"\n"
	"      --merged         promotions that were merged\n"
	"      --commit rev     up to this commit (default: the CI job's, else the base tip)\n"
	"      --since rev      behind this commit (default: as the CI event says, else only --commit)\n"
	"      --open           the open pull request of the CI job, or of the branch checked out\n"
	"      --all            all open pull requests\n"
	"      --branch name    the open pull request of a branch\n"
	"      --number n       the pull request with this number, if it is open\n"
	"  -C, --directory dir  work in dir\n"
	"      --base branch    base branch (default: the remote's default branch)\n" GP_HELP_COMMON;

/* How many commits of a push are looked at, and how many behind those are followed to see what they follow from. */
enum { MAX_PUSH = 1000, MAX_HISTORY = 100 * MAX_PUSH };

struct state {
	struct gp_tool *tool;
	struct gp_base base;
	struct gp_forge *forge;
	struct gp_json *repository; /* a document with nothing but the member `repository` */
	struct gp_ci ci;
	bool merged, open, all;
	const char *since, *commit, *branch, *number;
	size_t found;
};

/* The document about a pull request: what it is in full, and what its description says is promoted. */
static struct gp_json *document_of(const struct state *s, const struct gp_json *pull)
{
	struct gp_json *document = gp_json_object();
	struct gp_promotion p;
	struct gp_err ignored = {0};
	struct gp_json *metadata = gp_promotion_in_description(gp_json_get_text(pull, "description"), &ignored);

	/* Broken metadata is none here; the gate says what is wrong with it. */
	if (metadata && !gp_promotion_view(&p, metadata, &ignored))
		gp_json_set(document, "promotion", gp_promotion_to_json(&p));
	gp_json_set(document, "pull_request", gp_json_copy(pull));
	gp_json_set(document, "repository", gp_json_copy(gp_json_get(s->repository, "repository")));
	gp_json_free(metadata);
	return document;
}

static void emit(struct state *s, const struct gp_json *pull)
{
	struct gp_json *document = document_of(s, pull);

	gp_tool_emit(s->tool, document);
	gp_json_free(document);
	s->found++;
}

static void emit_skip(struct state *s, const char *reason)
{
	gp_tool_skip(s->tool, s->repository, "%s", reason);
	gp_tool_emit(s->tool, s->repository);
}

/* A revision of the command line or of CI: a full id is taken as it is, for it need not be here yet. */
static int revision(struct gp_oid *oid, const char *text, struct gp_err *err)
{
	return gp_oid_parse(oid, text) ? gp_repository_resolve(oid, text, err) : 0;
}

static int emit_merged_as(struct state *s, const struct gp_oid *commit, struct gp_err *err)
{
	char hex[GP_OID_HEX + 1];
	struct gp_json *pulls = gp_forge_find_merged_as(s->forge, gp_oid_hex(hex, commit), err);

	if (!pulls)
		return -1;
	for (const struct gp_json *pull = gp_json_first(pulls); pull; pull = gp_json_next(pull)) {
		struct gp_json *document = document_of(s, pull);
		long long number = gp_json_get_int(pull, "number", 0);

		if (strcmp(gp_json_get_text(pull, "state"), "merged") != 0) {
			gp_tool_say(s->tool, 0, "passed over #%lld: it is %s", number, gp_json_get_text(pull, "state"));
		} else if (gp_json_get_true(pull, "fork")) {
			gp_tool_say(s->tool, 0, "passed over #%lld: it came from a fork", number);
		} else if (strcmp(gp_json_get_text(pull, "base"), s->base.branch) != 0) {
			gp_tool_say(s->tool, 0, "passed over #%lld: it was merged into '%s'", number,
				    gp_json_get_text(pull, "base"));
		} else if (!gp_json_get(document, "promotion")) {
			gp_tool_say(s->tool, 0, "passed over #%lld: it is no promotion", number);
		} else {
			gp_tool_emit(s->tool, document);
			s->found++;
		}
		gp_json_free(document);
	}
	gp_json_free(pulls);
	return 0;
}

/* The first parent of a commit, as far as history is here. Returns 1; 0 at its end, or (*here false) where it is cut; -1. */
static int step_back(struct state *s, struct gp_oid *at, bool *here, struct gp_err *err)
{
	struct gp_commit c;
	int rc = gp_git_read_commit(s->base.repository.git, &c, at, err);

	*here = rc > 0;
	if (rc <= 0)
		return rc;
	rc = c.parent_count > 0;
	if (rc)
		*at = c.parents[0];
	gp_commit_free(&c);
	return rc;
}

/* Whether since has forked off the n commits: history that was thrown away begins where the new one does. 1, 0, -1. */
static int has_forked(struct state *s, const struct gp_oid *since, const struct gp_oid *commits, size_t n,
		      struct gp_err *err)
{
	struct gp_err unheard = {0};
	struct gp_oid at = *since;
	struct gp_oidmap known = {0};
	bool here = true;
	int rc = 1;

	for (size_t i = 0; i < n; i++)
		gp_oidmap_set(&known, &commits[i], s);
	/* What is an ancestor, the remote has. */
	if (gp_repository_need(&s->base.repository, s->base.branch, since, 1, &unheard))
		goto out;
	for (size_t i = 0; i < MAX_PUSH && !gp_oidmap_get(&known, &at) && rc > 0; i++)
		rc = step_back(s, &at, &here, err);
	if (rc >= 0)
		rc = gp_oidmap_get(&known, &at) != NULL;
out:
	gp_oidmap_clear(&known, NULL);
	return rc;
}

/*
 * Whether since is no ancestor of n commits that go on behind them, at `at`. Where history is cut off before that shows,
 * it counts as one unless the contrary is plain. Returns 1, 0, -1.
 */
static int is_elsewhere(struct state *s, const struct gp_oid *since, struct gp_oid at, const struct gp_oid *commits,
			size_t n, struct gp_err *err)
{
	bool here = true;
	int rc = 1;

	for (size_t i = 0; i < MAX_HISTORY && rc > 0 && !gp_oid_equal(&at, since); i++)
		rc = step_back(s, &at, &here, err);
	if (rc < 0 || gp_oid_equal(&at, since))
		return rc < 0 ? -1 : 0;
	return here && !rc ? 1 : has_forked(s, since, commits, n, err);
}

/* What to do where since was not met: *count commits are there, and (more) what is at `at` goes on behind them. */
static int judge_since(struct state *s, const struct gp_oid *since, const struct gp_oid *at, bool more,
		       const struct gp_oid *commits, size_t *count, struct gp_err *err)
{
	int elsewhere = more ? is_elsewhere(s, since, *at, commits, *count, err) : 1;
	char hex[GP_OID_HEX + 1];

	if (elsewhere < 0)
		return -1;
	if (!elsewhere) {
		gp_tool_say(
			s->tool, -1,
			"warning: %.10s is more than %zu commits back; looking at the newest %zu alone, older ones are left out",
			gp_oid_hex(hex, since), *count, *count);
		return 0;
	}
	/* A forced push: what came before is no part of this history. */
	gp_tool_say(s->tool, -1,
		    "warning: the push does not follow from what was there before; looking at its last commit alone");
	*count = 1;
	return 0;
}

/* The first-parent commits behind since (zero: only the commit itself) up to commit, newest first. */
static int commits_of_push(struct state *s, const struct gp_oid *since, const struct gp_oid *commit,
			   struct gp_oid **out, size_t *count, struct gp_err *err)
{
	struct gp_oid at = *commit;
	bool more = true;

	*out = NULL;
	for (*count = 0; more && *count < MAX_PUSH && !gp_oid_equal(&at, since);) {
		struct gp_commit c;

		*out = gp_grow(*out, *count, sizeof **out);
		(*out)[(*count)++] = at;
		if (gp_oid_is_zero(since))
			return 0;
		if (gp_repository_read(&s->base.repository, s->base.branch, commit, &c, &at, err))
			return -1;
		more = c.parent_count > 0;
		if (more)
			at = c.parents[0];
		gp_commit_free(&c);
	}
	return gp_oid_equal(&at, since) ? 0 : judge_since(s, since, &at, more, *out, count, err);
}

static int find_merged(struct state *s, struct gp_err *err)
{
	const char *until = s->commit ? s->commit : s->ci.commit, *from = s->since    ? s->since
									  : s->commit ? NULL
										      : s->ci.since;
	struct gp_oid commit = s->base.tip, since = {{0}}, *commits = NULL;
	size_t count = 0;
	int rc = -1;

	if (until && revision(&commit, until, err))
		return -1;
	if (from && revision(&since, from, err))
		return -1;
	if (!commits_of_push(s, &since, &commit, &commits, &count, err)) {
		rc = 0;
		/* Oldest first, as they were merged. */
		while (count-- > 0 && !rc)
			rc = emit_merged_as(s, &commits[count], err);
	}
	free(commits);
	if (!rc && !s->found)
		emit_skip(s, "no promotion was merged");
	return rc;
}

static int parse_number(int64_t *out, const char *text, struct gp_err *err)
{
	size_t n = strspn(text, "0123456789");

	*out = n && n < 16 && !text[n] ? strtoll(text, NULL, 10) : 0;
	return *out > 0 ? 0 : gp_fail(err, GP_EXIT_USAGE, "not the number of a pull request: '%s'", text);
}

static int find_by_number(struct state *s, const char *text, struct gp_err *err)
{
	struct gp_json *pulls;
	const struct gp_json *pull;
	int64_t number;
	int rc = 0;

	if (parse_number(&number, text, err))
		return -1;
	pulls = gp_forge_find_number(s->forge, number, err);
	if (!pulls)
		return -1;
	pull = gp_json_first(pulls);
	char *reason = NULL;

	if (!pull)
		reason = gp_asprintf("no pull request #%lld", (long long)number);
	else if (strcmp(gp_json_get_text(pull, "state"), "open") != 0)
		reason = gp_asprintf("pull request #%lld is %s", (long long)number, gp_json_get_text(pull, "state"));
	else if (!s->number && s->ci.head && strcmp(gp_json_get_text(pull, "head"), s->ci.head) != 0)
		rc = gp_fail(err, GP_EXIT_RETRY, "this job is for %.10s, but the head of #%lld is %.10s by now",
			     s->ci.head, (long long)number, gp_json_get_text(pull, "head"));
	else
		emit(s, pull);
	if (reason)
		emit_skip(s, reason);
	free(reason);
	gp_json_free(pulls);
	return rc;
}

static int find_by_branch(struct state *s, const char *branch, struct gp_err *err)
{
	struct gp_json *pulls = gp_forge_find_branch(s->forge, branch, err);
	char *reason;

	if (!pulls)
		return -1;
	for (const struct gp_json *pull = gp_json_first(pulls); pull; pull = gp_json_next(pull))
		if (!gp_json_get_true(pull, "fork"))
			emit(s, pull);
	gp_json_free(pulls);
	if (!s->found) {
		reason = gp_asprintf("no open pull request of branch '%s'", branch);
		emit_skip(s, reason);
		free(reason);
	}
	return 0;
}

static int find_all(struct state *s, struct gp_err *err)
{
	struct gp_json *pulls = gp_forge_find_open(s->forge, err);

	if (!pulls)
		return -1;
	for (const struct gp_json *pull = gp_json_first(pulls); pull; pull = gp_json_next(pull))
		if (!strcmp(gp_json_get_text(pull, "base"), s->base.branch))
			emit(s, pull);
	gp_json_free(pulls);
	if (!s->found)
		emit_skip(s, "no pull request is open");
	return 0;
}

static int find_open(struct state *s, struct gp_err *err)
{
	char *branch;
	int rc;

	if (s->all)
		return find_all(s, err);
	if (s->branch)
		return find_by_branch(s, s->branch, err);
	if (s->number || s->ci.number)
		return find_by_number(s, s->number ? s->number : s->ci.number, err);
	branch = gp_repository_checked_out(err);
	if (!branch)
		return gp_fail(err, GP_EXIT_USAGE,
			       "no branch is checked out here: which pull request? (--number, --branch or --all)");
	rc = find_by_branch(s, branch, err);
	free(branch);
	return rc;
}

static int check_options(const struct state *s, struct gp_err *err)
{
	int ways = (s->all ? 1 : 0) + (s->branch ? 1 : 0) + (s->number ? 1 : 0);
	int64_t ignored;

	if (s->merged == s->open)
		return gp_fail(err, GP_EXIT_USAGE, "either --merged or --open is needed");
	if (s->merged && ways)
		return gp_fail(err, GP_EXIT_USAGE, "--all, --branch and --number go with --open");
	if (s->open && (s->since || s->commit))
		return gp_fail(err, GP_EXIT_USAGE, "--since and --commit go with --merged");
	if (ways > 1)
		return gp_fail(err, GP_EXIT_USAGE, "only one of --all, --branch and --number");
	return s->number ? parse_number(&ignored, s->number, err) : 0;
}

static int find(struct state *s, struct gp_err *err)
{
	if (check_options(s, err) || gp_ci_read(&s->ci, getenv, err) ||
	    gp_base_open(&s->base, s->tool->remote, s->tool->provider, getenv, err) ||
	    gp_base_ask(&s->base, s->tool->base, err))
		return -1;
	gp_base_to_document(&s->base, s->repository);
	if (gp_tool_forge(s->tool, &s->forge, s->repository, err))
		return -1;
	return s->merged ? find_merged(s, err) : find_open(s, err);
}

int main(int argc, char **argv)
{
	struct gp_tool tool = {.name = "gp-find-pr", .help = help};
	struct state s = {.tool = &tool, .repository = gp_json_object()};
	struct gp_err err = {0};
	const struct gp_option options[] = {
		{"merged", 0, GP_OPTION_FLAG, &s.merged}, {"open", 0, GP_OPTION_FLAG, &s.open},
		{"all", 0, GP_OPTION_FLAG, &s.all},       {"since", 0, GP_OPTION_TEXT, &s.since},
		{"commit", 0, GP_OPTION_TEXT, &s.commit}, {"branch", 0, GP_OPTION_TEXT, &s.branch},
		{"number", 0, GP_OPTION_TEXT, &s.number}, {0},
	};

	if (gp_tool_start(&tool, argc, argv, options) && find(&s, &err))
		gp_tool_fail(&tool, &err);
	gp_forge_end(s.forge);
	gp_base_free(&s.base);
	gp_ci_free(&s.ci);
	gp_json_free(s.repository);
	return gp_tool_end(&tool);
}
