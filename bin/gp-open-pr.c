/* gp-open-pr: opens the pull request of a promotion, or resets the open one of its branch; never a second. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gate/posting.h"
#include "gate/renewal.h"
#include "promotion/document.h"
#include "promotion/opening.h"
#include "sys/io.h"
#include "sys/mem.h"
#include "sys/pause.h"
#include "tool/tool.h"

static const char help[] = "usage: gp-open-pr [-hnqVv] [-C dir] [--provider name] [--remote name]\n"
			   "\n"
			   "Pushes the commit of each document to its branch and opens the pull request, or\n"
			   "resets the one that is open. An up-to-date one keeps its commit.\n"
			   "\n"
			   "  -n, --dry-run        say what would be done and do nothing\n" GP_HELP_COMMON;

struct state {
	struct gp_tool *tool;
	struct gp_base base;
	struct gp_forge *forge;
	bool dry_run;
	/* The documents that were looked at ahead, whose commits are pushed already. */
	struct gp_opening *ahead;
	size_t count;
};

static void tell(void *ctx, int level, const char *text)
{
	const struct state *s = ctx;

	gp_tool_say(s->tool, level, "%s", text);
}

/* A newer release takes the branch of one that is on its way to another environment. */
static void warn_of_loss(struct state *s, const struct gp_opening *o)
{
	const struct gp_promotion *lost = &o->claim.promotion;
	long long number = gp_json_get_int(o->pull, "number", 0);

	if (o->proposal.objection && o->meeting == GP_MEET_RESET)
		gp_tool_say(s->tool, -1, "warning: %s by #%lld", o->proposal.objection, number);
	if (!o->pull || o->meeting != GP_MEET_RESET || !strcmp(lost->env, o->proposal.promotion.env))
		return;
	gp_tool_say(s->tool, -1, "warning: #%lld no longer takes %s to %s%s", number, lost->tag, lost->env,
		    gp_posting_is_green(s->forge, gp_json_get_text(o->pull, "head"), number,
					o->proposal.config.gate_check, &(struct gp_err){0}) > 0
			    ? ", where its gate was open"
			    : "");
}

/* Everything but what the forge is asked for each one. They are about one base. */
static void prepare(struct state *s, struct gp_opening *o, size_t n)
{
	size_t open = 0;

	gp_openings_check(o, n, &s->base);
	while (open < n && !gp_opening_goes_on(&o[open]))
		open++;
	if (open == n || gp_tool_forge(s->tool, &s->forge, o[open].proposal.document, &o[open].err))
		return;
	gp_openings_meet(o, n, &s->base, s->forge);
	for (size_t i = 0; i < n; i++)
		if (gp_opening_goes_on(&o[i]))
			warn_of_loss(s, &o[i]);
	gp_openings_push(o, n, &s->base, s->forge);
}

static void forget(struct state *s)
{
	for (size_t i = 0; i < s->count; i++)
		gp_opening_free(&s->ahead[i]);
	free(s->ahead);
	s->ahead = NULL;
	s->count = 0;
}

/* Whether a document of the same branch is looked at already: a second one waits for its turn. */
static bool is_in_hand(const struct state *s, const struct gp_opening *o)
{
	for (size_t i = 0; i < s->count; i++)
		if (!strcmp(s->ahead[i].proposal.branch, o->proposal.branch))
			return true;
	return false;
}

static void look_ahead(void *ctx, struct gp_json *const documents[], size_t n)
{
	struct state *s = ctx;
	const char *base = NULL;

	forget(s);
	if (n < 2 || s->dry_run)
		return;
	s->ahead = gp_calloc(n, sizeof *s->ahead);
	for (size_t i = 0; i < n; i++) {
		struct gp_opening *o = &s->ahead[s->count];
		const char *own = gp_json_text(gp_document_get(documents[i], "repository.base"));

		gp_opening_read(o, documents[i]);
		if (gp_opening_goes_on(o) && !o->proposal.dry_run && !is_in_hand(s, o) &&
		    (!base || !strcmp(base, own)) && !gp_tool_base_of(s->tool, &s->base, documents[i], &o->err)) {
			base = own;
			s->count++;
		} else {
			gp_opening_free(o);
		}
	}
	prepare(s, s->ahead, s->count);
}

static int finish(struct state *s, struct gp_opening *o, struct gp_err *err)
{
	if (gp_opening_goes_on(o) && !gp_tool_forge(s->tool, &s->forge, o->proposal.document, &o->err))
		gp_opening_finish(o, &s->base, s->forge, tell, s);
	if (gp_opening_goes_on(o) && o->pushed && o->proposal.remakes)
		gp_gate_renew(&s->base, s->forge, o->pull, &o->proposal.commit, tell, s);
	if (o->err.code)
		*err = o->err;
	else if (o->skip)
		gp_tool_skip(s->tool, o->proposal.document, "%s", o->skip);
	return o->err.code ? -1 : 0;
}

/* One that another run was faster than looks again: what stays is for the order to say, or for who comes last. */
static int open_one(struct state *s, struct gp_opening *o, struct gp_err *err)
{
	long long until = gp_now_ms() + s->base.repository.budget_ms;
	unsigned chance = (unsigned)gp_now_ms() ^ (unsigned)getpid();
	int rc = finish(s, o, err);

	for (int attempt = 1; rc && o->lost && gp_now_ms() < until; attempt++) {
		gp_tool_say(s->tool, 0, "another run was faster on '%s': looking again", o->proposal.branch);
		gp_sleep_ms(gp_pause_ms(attempt, 0, &chance));
		*err = (struct gp_err){0};
		gp_opening_begin_again(o, &s->base);
		prepare(s, o, 1);
		rc = finish(s, o, err);
	}
	return rc;
}

static int open_pr(void *ctx, struct gp_json *document, struct gp_err *err)
{
	struct state *s = ctx;
	struct gp_opening o;
	int rc;

	for (size_t i = 0; i < s->count; i++)
		if (s->ahead[i].proposal.document == document && !s->ahead[i].later)
			return open_one(s, &s->ahead[i], err);
	if (s->dry_run)
		gp_json_set_bool(document, "dry_run", true);
	gp_opening_read(&o, document);
	if (gp_opening_goes_on(&o) && !gp_tool_base_of(s->tool, &s->base, document, &o.err))
		prepare(s, &o, 1);
	rc = open_one(s, &o, err);
	gp_opening_free(&o);
	return rc;
}

int main(int argc, char **argv)
{
	struct gp_tool tool = {.name = "gp-open-pr", .help = help, .after = "gp-read-config ... | gp-set-tag"};
	struct state s = {.tool = &tool};
	const struct gp_option options[] = {{"dry-run", 'n', GP_OPTION_FLAG, &s.dry_run}, {0}};

	if (gp_tool_start(&tool, argc, argv, options))
		gp_tool_filter_ahead(&tool, look_ahead, open_pr, &s, false);
	forget(&s);
	return gp_tool_finish(&tool, &s.base, s.forge);
}
