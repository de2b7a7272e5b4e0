#include "tool/driver.h"

#include <stdlib.h>
#include <unistd.h>

#include "forge/server.h"
#include "sys/mem.h"
#include "tool/tool.h"

enum { DEFAULT_TIMEOUT_S = 30, DEFAULT_BUDGET_S = 60 };

struct context {
	const struct gp_api_driver *driver;
	struct gp_api_patience patience;
};

static void *open_repository(void *ctx, const char *url, struct gp_err *err)
{
	const struct context *c = ctx;

	return c->driver->open(url, &c->patience, getenv, err);
}

static struct gp_json *call(void *repository, const struct gp_forge_op *op, const struct gp_json *request,
			    struct gp_forge_work *work, struct gp_err *err)
{
	return gp_api_answer_request(repository, op->fn, repository, request, work, err);
}

static int read_patience(struct gp_api_patience *patience, struct gp_err *err)
{
	int timeout = DEFAULT_TIMEOUT_S, budget = DEFAULT_BUDGET_S;

	if (gp_tool_seconds("GP_TIMEOUT", &timeout, 1, err) || gp_tool_seconds("GP_RETRY_BUDGET", &budget, 0, err))
		return -1;
	*patience = (struct gp_api_patience){timeout * 1000L, budget * 1000LL};
	return 0;
}

static char *help_of(const struct gp_api_driver *driver)
{
	return gp_asprintf("usage: %s [-hqVv] [-C dir]\n"
			   "\n"
			   "%s as a forge: reads requests from standard input, one JSON object a line,\n"
			   "and answers each with a line on standard output.\n"
			   "\n"
			   "  -C, --directory dir  work in dir\n" GP_HELP_LEAST,
			   driver->name, driver->forge);
}

static void serve(struct gp_tool *tool, const struct gp_api_driver *driver)
{
	struct context context = {.driver = driver};
	const struct gp_forge_driver served = {driver->ops, &context, open_repository, call, driver->close};
	struct gp_err err = {0};

	gp_tool_check_stdin(tool, "requests");
	if (read_patience(&context.patience, &err) || gp_forge_serve(STDIN_FILENO, STDOUT_FILENO, &served, &err))
		gp_tool_complain(tool, &err);
}

int gp_driver_main(const struct gp_api_driver *driver, int argc, char **argv)
{
	char *help = help_of(driver);
	struct gp_tool tool = {.name = driver->name, .help = help, .is_driver = true};

	if (gp_tool_start(&tool, argc, argv, NULL))
		serve(&tool, driver);
	free(help);
	return gp_tool_end(&tool);
}
