#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/json.h"
#include "forge/provider.h"
#include "forge/server.h"
#include "forges/local/local.h"
#include "sys/err.h"
#include "sys/exit.h"
#include "sys/mem.h"
#include "sys/process.h"
#include "tool/tool.h"

static const char help[] = "usage: gp-forge-local [-hqVv] [-C dir]\n"
			   "\n"
			   "The forge that lives in a bare git repository: reads requests from standard\n"
			   "input, one JSON object a line, and answers each with a line on standard output.\n"
			   "\n"
			   "  -C, --directory dir  work in dir\n" GP_HELP_LEAST;

enum { DEFAULT_BUDGET_S = 60 };

/* Whether git would take a name from the environment as it stands. */
static bool is_plain(const char *s)
{
	size_t n = strlen(s);

	return n && isalnum((unsigned char)s[0]) && isalnum((unsigned char)s[n - 1]) && !s[strcspn(s, "<>\n")];
}

/* The forge's own name, unless the environment says otherwise; git knows what that may say, but costs a process. */
static int read_committer(struct gp_ident *committer, struct gp_err *err)
{
	static const char *const argv[] = {"git",
					   "-c",
					   "user.name=gp-forge-local",
					   "-c",
					   "user.email=gp-forge-local@localhost",
					   "var",
					   "GIT_COMMITTER_IDENT",
					   NULL};
	static const char *const without_tokens[] = {GP_PROVIDER_TOKENS, NULL};
	const char *name = getenv("GIT_COMMITTER_NAME"), *email = getenv("GIT_COMMITTER_EMAIL");
	struct gp_output o;
	int rc = 0;

	name = name ? name : "gp-forge-local";
	email = email ? email : "gp-forge-local@localhost";
	if (!getenv("GIT_COMMITTER_DATE") && is_plain(name) && is_plain(email)) {
		*committer = (struct gp_ident){gp_strdup(name), gp_strdup(email), 0, 0};
		return 0;
	}
	if (gp_run(&o, argv, without_tokens, NULL, 0, err))
		return -1;
	o.out[strcspn(o.out, "\n")] = '\0';
	if (o.status)
		rc = gp_fail(err, GP_EXIT_CONFIG, "git var GIT_COMMITTER_IDENT: %s", o.err);
	else
		rc = gp_ident_parse(committer, o.out, err);
	/* A time that nobody has set goes on. */
	if (!rc && !getenv("GIT_COMMITTER_DATE"))
		committer->time = 0;
	gp_output_free(&o);
	return rc;
}

static void *open_local(void *ctx, const char *url, struct gp_err *err)
{
	struct gp_local_options *options = ctx;
	struct gp_local *local = gp_local_open(url, options, err);

	/* Not before somebody asks, so that an identity that git refuses is a reply. */
	if (!local || options->committer.name || !read_committer(&options->committer, err))
		return local;
	gp_local_free(local);
	return NULL;
}

static struct gp_json *call(void *repository, const struct gp_forge_op *op, const struct gp_json *request,
			    struct gp_forge_work *work, struct gp_err *err)
{
	(void)work;
	return gp_local_answer(repository, (enum gp_local_need)op->need, op->fn, request, err);
}

static const struct gp_forge_op ops[] = {
	{"get-repository", gp_local_get_repository, GP_LOCAL_STATUSES},
	{"find-pr", gp_local_find_pr, GP_LOCAL_READ},
	{"open-pr", gp_local_open_pr, GP_LOCAL_WRITE},
	{"set-auto-merge", gp_local_set_auto_merge, GP_LOCAL_WRITE},
	{"merge-pr", gp_local_merge_pr, GP_LOCAL_WRITE},
	{"list-statuses", gp_local_list_statuses, GP_LOCAL_STATUSES},
	{"set-status", gp_local_set_status, GP_LOCAL_WRITE},
	{0},
};

int main(int argc, char **argv)
{
	struct gp_tool tool = {.name = "gp-forge-local", .help = help, .is_driver = true};
	struct gp_local_options options = {0};
	const struct gp_forge_driver driver = {ops, &options, open_local, call, gp_local_free};
	struct gp_err err = {0};
	int budget = DEFAULT_BUDGET_S;

	if (!gp_tool_start(&tool, argc, argv, NULL))
		return gp_tool_end(&tool);
	if (!gp_tool_seconds("GP_RETRY_BUDGET", &budget, 0, &err))
		options.budget_ms = budget * 1000LL;
	if (err.code || gp_forge_serve(STDIN_FILENO, STDOUT_FILENO, &driver, &err))
		gp_tool_complain(&tool, &err);
	gp_ident_free(&options.committer);
	return gp_tool_end(&tool);
}
