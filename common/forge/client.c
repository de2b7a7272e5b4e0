#include "forge/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forge/provider.h"
#include "sys/exit.h"
#include "sys/io.h"
#include "sys/mem.h"
#include "sys/process.h"

/* How many times GP_TIMEOUT a driver may take in all, as long as it keeps sending heartbeats: an hour by default. */
enum { MAX_REPLY = 128 << 20, MAX_PATIENCE = 36 };

struct gp_forge {
	struct gp_child child;
	struct gp_lines lines;
	struct gp_json *repository;
	char *name;
	int64_t id;
	int timeout_ms;
	bool broken;
};

struct gp_forge *gp_forge_start(const char *provider, const char *dir, int timeout_ms, struct gp_err *err)
{
	struct gp_forge *forge;
	char *beside;

	if (!gp_provider_name_valid(provider)) {
		gp_fail(err, GP_EXIT_USAGE, "'%s' cannot be the name of a forge", provider);
		return NULL;
	}
	forge = gp_calloc(1, sizeof *forge);
	forge->name = gp_asprintf("gp-forge-%s", provider);
	forge->timeout_ms = timeout_ms;
	beside = dir ? gp_asprintf("%s/%s", dir, forge->name) : NULL;
	const char *const argv[] = {beside && !access(beside, X_OK) ? beside : forge->name, NULL};
	const char **hidden = gp_provider_hidden(provider);
	int rc = gp_child_start(&forge->child, argv, hidden, err);

	free(hidden);
	free(beside);
	if (rc) {
		gp_fail_in(err, "no driver for forge '%s'", provider);
		gp_forge_end(forge);
		return NULL;
	}
	forge->lines.fd = forge->child.from;
	return forge;
}

void gp_forge_about(struct gp_forge *forge, const struct gp_json *repository)
{
	gp_json_free(forge->repository);
	forge->repository = gp_json_copy(repository);
}

void gp_forge_end(struct gp_forge *forge)
{
	if (!forge)
		return;
	gp_child_end(&forge->child);
	gp_lines_free(&forge->lines);
	gp_json_free(forge->repository);
	free(forge->name);
	free(forge);
}

bool gp_forge_is_broken(const struct gp_forge *forge)
{
	return forge->broken;
}

int gp_forge_nonsense(const struct gp_forge *forge, struct gp_err *err, const char *what)
{
	return gp_fail(err, GP_EXIT_REPLY, "invalid response from %s: %s", forge->name, what);
}

static int send_request(struct gp_forge *forge, struct gp_json *req, struct gp_err *err)
{
	gp_json_set_int(req, "id", ++forge->id);
	gp_json_set(req, "repository", gp_json_copy(forge->repository));
	char *text = gp_json_print(req), *line = gp_asprintf("%s\n", text);
	int rc = gp_child_write(&forge->child, line, strlen(line), forge->timeout_ms, err);

	free(line);
	free(text);
	return rc ? gp_fail_in(err, "%s", forge->name) : 0;
}

static struct gp_json *receive(struct gp_forge *forge, struct gp_err *err)
{
	struct gp_err why = {0};
	struct gp_json *reply;
	char *line;
	size_t len;
	int rc;
	long long patience = (long long)forge->timeout_ms * MAX_PATIENCE, until = gp_now_ms() + patience;

	/* An empty line is a heartbeat: the driver is still at work. */
	do
		rc = gp_lines_next(&forge->lines, &line, &len, MAX_REPLY, forge->timeout_ms, &why);
	while (rc > 0 && !len && gp_now_ms() < until);
	if (rc > 0 && !len) {
		gp_fail(err, GP_EXIT_RETRY, "%s: still at work after %lld s", forge->name, patience / 1000);
		return NULL;
	}
	if (rc == 0) {
		gp_fail(err, GP_EXIT_SYSTEM, "%s ended without a reply", forge->name);
		return NULL;
	}
	if (rc < 0) {
		gp_fail(err, why.code == GP_EXIT_INPUT ? GP_EXIT_REPLY : why.code, "%s: %s", forge->name, why.message);
		return NULL;
	}
	reply = gp_json_parse(line, len, &why);
	if (!reply)
		gp_forge_nonsense(forge, err, why.message);
	else if (gp_json_get_int(reply, "id", -1) != forge->id)
		gp_forge_nonsense(forge, err, "it answers another request");
	else
		return reply;
	gp_json_free(reply);
	return NULL;
}

struct gp_json *gp_forge_call(struct gp_forge *forge, struct gp_json *req, struct gp_err *err)
{
	struct gp_json *reply = send_request(forge, req, err) ? NULL : receive(forge, err), *result = NULL;
	const struct gp_json *error = gp_json_get(reply, "error");

	gp_json_free(req);
	if (!reply) {
		forge->broken = true;
		return NULL;
	}
	if (error) {
		int64_t code = gp_json_get_int(error, "exit", 0);
		const char *message = gp_json_get_text(error, "message");

		/* A message of line ends alone counts as none. */
		if (message && !message[strspn(message, " \t\r\n")])
			message = NULL;
		gp_fail(err, code > 0 && code < 256 ? (int)code : GP_EXIT_REPLY, "%s",
			message ? message : "the forge gave no reason");
	} else if (!gp_json_is_object(gp_json_get(reply, "result"))) {
		gp_forge_nonsense(forge, err, "it has neither result nor error");
	} else {
		result = gp_json_take(reply, "result");
	}
	gp_json_free(reply);
	return result;
}
