#include "tool/driver.h"

#include <stdlib.h>
#include <unistd.h>

enum { DEFAULT_TIMEOUT_S = 30, DEFAULT_BUDGET_S = 60 };

struct context {
	const struct gp_driver *driver;
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

int gp_driver_main(const struct gp_driver *driver, struct gp_tool *tool, int argc, char **argv)
{
	struct context context = {.driver = driver};
	const struct gp_forge_driver served = {driver->ops, &context, open_repository, call, driver->close};
	struct gp_err err = {0};

	if (!gp_tool_start(tool, argc, argv, NULL))
		return gp_tool_end(tool);
	gp_tool_check_stdin(tool, "requests");
	if (read_patience(&context.patience, &err) || gp_forge_serve(STDIN_FILENO, STDOUT_FILENO, &served, &err))
		gp_tool_complain(tool, &err);
	return gp_tool_end(tool);
}
