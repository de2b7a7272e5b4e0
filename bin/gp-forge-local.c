#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "err.h"
#include "exit.h"
#include "forge-server.h"
#include "json.h"
#include "local.h"
#include "mem.h"
#include "process.h"
#include "tool.h"

static const char help[] = "usage: gp-forge-local [-hqVv] [-C dir]\n"
			   "\n"
			   "The forge that lives in a bare git repository: reads requests from standard\n"
			   "input, one JSON object a line, and answers each with a line on standard output.\n"
			   "\n"
			   "  -C, --directory dir  work in dir\n"
			   "  -q, --quiet          only errors on standard error\n"
			   "  -v, --verbose        say more\n"
			   "  -h, --help           show this help\n"
			   "  -V, --version        show the version\n";

enum { DEFAULT_BUDGET_S = 60 };

struct driver {
	struct gp_local_options options;
	struct gp_local *local; /* the repository of the last request */
	char *url;
};

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
	const char *name = getenv("GIT_COMMITTER_NAME"), *email = getenv("GIT_COMMITTER_EMAIL");
	struct gp_output o;
	int rc = 0;

	name = name ? name : "gp-forge-local";
	email = email ? email : "gp-forge-local@localhost";
	if (!getenv("GIT_COMMITTER_DATE") && is_plain(name) && is_plain(email)) {
		*committer = (struct gp_ident){gp_strdup(name), gp_strdup(email), 0, 0};
		return 0;
	}
	if (gp_run(&o, argv, NULL, NULL, 0, err))
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

/* The repository that a request names; kept open for the next one. */
static struct gp_local *open_local(struct driver *driver, const struct gp_json *request, struct gp_err *err)
{
	const char *url;

	if (gp_request_url(&url, request, err))
		return NULL;
	if (driver->url && !strcmp(driver->url, url))
		return driver->local;
	gp_local_free(driver->local);
	free(driver->url);
	driver->url = NULL;
	driver->local = gp_local_open(url, &driver->options, err);
	/* Not before somebody asks, so that an identity that git refuses is a reply. */
	if (!driver->local || (!driver->options.committer.name && read_committer(&driver->options.committer, err)))
		return NULL;
	driver->url = gp_strdup(url);
	return driver->local;
}

static struct gp_json *answer(void *driver, enum gp_local_need need, gp_local_fn *fn, const struct gp_json *request,
			      struct gp_err *err)
{
	struct gp_local *local = open_local(driver, request, err);

	return local ? gp_local_answer(local, need, fn, request, err) : NULL;
}

static struct gp_json *do_get_repository(void *driver, const struct gp_json *request, struct gp_err *err)
{
	return answer(driver, GP_LOCAL_STATUSES, gp_local_get_repository, request, err);
}

static struct gp_json *do_find_pr(void *driver, const struct gp_json *request, struct gp_err *err)
{
	return answer(driver, GP_LOCAL_READ, gp_local_find_pr, request, err);
}

static struct gp_json *do_open_pr(void *driver, const struct gp_json *request, struct gp_err *err)
{
	return answer(driver, GP_LOCAL_WRITE, gp_local_open_pr, request, err);
}

static struct gp_json *do_set_auto_merge(void *driver, const struct gp_json *request, struct gp_err *err)
{
	return answer(driver, GP_LOCAL_WRITE, gp_local_set_auto_merge, request, err);
}

static struct gp_json *do_merge_pr(void *driver, const struct gp_json *request, struct gp_err *err)
{
	return answer(driver, GP_LOCAL_WRITE, gp_local_merge_pr, request, err);
}

static struct gp_json *do_list_statuses(void *driver, const struct gp_json *request, struct gp_err *err)
{
	return answer(driver, GP_LOCAL_STATUSES, gp_local_list_statuses, request, err);
}

static struct gp_json *do_set_status(void *driver, const struct gp_json *request, struct gp_err *err)
{
	return answer(driver, GP_LOCAL_WRITE, gp_local_set_status, request, err);
}

static const struct gp_forge_op ops[] = {
	{"get-repository", do_get_repository},
	{"find-pr", do_find_pr},
	{"open-pr", do_open_pr},
	{"set-auto-merge", do_set_auto_merge},
	{"merge-pr", do_merge_pr},
	{"list-statuses", do_list_statuses},
	{"set-status", do_set_status},
	{NULL, NULL},
};

int main(int argc, char **argv)
{
	struct gp_tool tool = {.name = "gp-forge-local", .help = help, .is_driver = true};
	struct driver driver = {0};
	struct gp_err err = {0};
	int budget = DEFAULT_BUDGET_S;

	if (!gp_tool_start(&tool, argc, argv, NULL))
		return gp_tool_end(&tool);
	if (!gp_tool_seconds("GP_RETRY_BUDGET", &budget, 0, &err))
		driver.options.budget_ms = budget * 1000LL;
	if (err.code || gp_forge_serve(STDIN_FILENO, STDOUT_FILENO, ops, &driver, &err))
		gp_tool_complain(&tool, &err);
	gp_local_free(driver.local);
	free(driver.url);
	gp_ident_free(&driver.options.committer);
	return gp_tool_end(&tool);
}
