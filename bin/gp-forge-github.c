/* gp-forge-github: the forge at github.com and GitHub Enterprise Server. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "err.h"
#include "forge-server.h"
#include "github.h"
#include "json.h"
#include "mem.h"
#include "tool.h"

static const char help[] = "usage: gp-forge-github [-hqVv] [-C dir]\n"
			   "\n"
			   "GitHub as a forge: reads requests from standard input, one JSON object a line,\n"
			   "and answers each with a line on standard output.\n"
			   "\n"
			   "  -C, --directory dir  work in dir\n"
			   "  -q, --quiet          only errors on standard error\n"
			   "  -v, --verbose        say more\n"
			   "  -h, --help           show this help\n"
			   "  -V, --version        show the version\n";

enum { DEFAULT_TIMEOUT_S = 30, DEFAULT_BUDGET_S = 60 };

struct driver {
	struct gp_github_patience patience;
	struct gp_github *github; /* the repository of the last request */
	char *url;
};

/* The repository that a request names; kept for the next one, with its connections. */
static struct gp_github *open_github(struct driver *driver, const struct gp_json *request, struct gp_err *err)
{
	const char *url;

	if (gp_request_url(&url, request, err))
		return NULL;
	if (driver->url && !strcmp(driver->url, url))
		return driver->github;
	gp_github_free(driver->github);
	free(driver->url);
	driver->url = NULL;
	driver->github = gp_github_open(url, &driver->patience, getenv, err);
	if (driver->github)
		driver->url = gp_strdup(url);
	return driver->github;
}

static struct gp_json *answer(struct driver *driver, gp_github_fn *fn, const struct gp_json *request,
			      struct gp_err *err)
{
	struct gp_github *github = open_github(driver, request, err);
	struct gp_json *result;

	if (!github)
		return NULL;
	gp_github_begin(github);
	result = fn(github, request, err);
	gp_github_redact(github, err);
	return result;
}

static struct gp_json *do_get_repository(void *driver, const struct gp_json *request, struct gp_err *err)
{
	return answer(driver, gp_github_get_repository, request, err);
}

static struct gp_json *do_find_pr(void *driver, const struct gp_json *request, struct gp_err *err)
{
	return answer(driver, gp_github_find_pr, request, err);
}

static struct gp_json *do_open_pr(void *driver, const struct gp_json *request, struct gp_err *err)
{
	return answer(driver, gp_github_open_pr, request, err);
}

static struct gp_json *do_set_auto_merge(void *driver, const struct gp_json *request, struct gp_err *err)
{
	return answer(driver, gp_github_set_auto_merge, request, err);
}

static struct gp_json *do_merge_pr(void *driver, const struct gp_json *request, struct gp_err *err)
{
	return answer(driver, gp_github_merge_pr, request, err);
}

static struct gp_json *do_list_statuses(void *driver, const struct gp_json *request, struct gp_err *err)
{
	return answer(driver, gp_github_list_statuses, request, err);
}

static struct gp_json *do_set_status(void *driver, const struct gp_json *request, struct gp_err *err)
{
	return answer(driver, gp_github_set_status, request, err);
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

static int read_patience(struct gp_github_patience *patience, struct gp_err *err)
{
	int timeout = DEFAULT_TIMEOUT_S, budget = DEFAULT_BUDGET_S;

	if (gp_tool_seconds("GP_TIMEOUT", &timeout, 1, err) || gp_tool_seconds("GP_RETRY_BUDGET", &budget, 0, err))
		return -1;
	patience->timeout_ms = timeout * 1000L;
	patience->budget_ms = budget * 1000LL;
	return 0;
}

int main(int argc, char **argv)
{
	struct gp_tool tool = {.name = "gp-forge-github", .help = help, .is_driver = true};
	struct driver driver = {0};
	struct gp_err err = {0};

	if (!gp_tool_start(&tool, argc, argv, NULL))
		return gp_tool_end(&tool);
	/* Chance for pauses alone: drivers that were started together are to differ. */
	srand((unsigned)time(NULL) ^ (unsigned)getpid());
	if (read_patience(&driver.patience, &err) || gp_forge_serve(STDIN_FILENO, STDOUT_FILENO, ops, &driver, &err))
		gp_tool_complain(&tool, &err);
	gp_github_free(driver.github);
	free(driver.url);
	return gp_tool_end(&tool);
}
