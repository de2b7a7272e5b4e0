/*
 * replies.c - any bytes as what a forge's driver writes: each operation ends
 * with an error, or with a result in which all is as gp-forge(7) promises.
 * The source is included, because a forge is otherwise always a program of its own.
 */
#include "forge/client.c" /* NOLINT(bugprone-suspicious-include) */

#include <fcntl.h>

#include "fuzz.h"
#include "protocol.h"

#define HEAD "0123456789012345678901234567890123456789"

static struct gp_forge *connect_to(FILE *in, int out)
{
	struct gp_forge *forge = gp_calloc(1, sizeof *forge);
	struct gp_json *repository = gp_json_object();

	lseek(fileno(in), 0, SEEK_SET);
	forge->child = (struct gp_child){-1, out, fileno(in)};
	forge->lines.fd = fileno(in);
	forge->name = gp_strdup("gp-forge-fuzz");
	forge->timeout_ms = 1000;
	gp_json_set_text(repository, "url", "https://example.com/a/b");
	gp_forge_about(forge, repository);
	gp_json_free(repository);
	return forge;
}

static void expect_pulls(struct gp_json *pulls, const struct gp_err *err)
{
	if (!pulls)
		protocol_check_error(err);
	FUZZ_HOLDS(!pulls || (gp_json_is_array(pulls) && !err->code));
	for (const struct gp_json *p = gp_json_first(pulls); p; p = gp_json_next(p))
		protocol_check_pull(p);
	gp_json_free(pulls);
}

static void expect_single(struct gp_json *pull, const struct gp_err *err)
{
	if (!pull)
		protocol_check_error(err);
	else
		protocol_check_pull(pull);
	FUZZ_HOLDS(!pull || !err->code);
	gp_json_free(pull);
}

static void expect_statuses(struct gp_json *statuses, const char *commit, const struct gp_err *err)
{
	if (!statuses) {
		protocol_check_error(err);
		return;
	}
	FUZZ_HOLDS(!err->code);
	protocol_check_statuses(gp_json_get(statuses, commit));
	gp_json_free(statuses);
}

static void ask(struct gp_forge *forge, int op)
{
	const struct gp_forge_wanted wanted = {"b", "t", "d", NULL};
	struct gp_json *warnings = NULL;
	struct gp_err err = {0};
	struct gp_oid oid;
	bool flag = false;

	FUZZ_HOLDS(!gp_oid_parse(&oid, HEAD));
	switch (op) {
	case 0:
		expect_pulls(gp_forge_find_open(forge, &err), &err);
		break;
	case 1:
		expect_single(gp_forge_open_pr(forge, &wanted, &flag, &warnings, &err), &err);
		for (const struct gp_json *w = gp_json_first(warnings); w; w = gp_json_next(w))
			gp_json_text(w);
		gp_json_free(warnings);
		break;
	case 2:
		expect_single(gp_forge_set_auto_merge(forge, 1, NULL, true, "merge", HEAD, &flag, &err), &err);
		break;
	case 3:
		expect_single(gp_forge_merge(forge, 1, "merge", HEAD, &err), &err);
		break;
	case 4:
		expect_statuses(gp_forge_list_statuses(forge, &oid, 1, false, &err), HEAD, &err);
		break;
	default:
		if (gp_forge_set_status(forge, HEAD, 1, NULL, "c", "success", NULL, NULL, &err))
			protocol_check_error(&err);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *in = fuzz_file(data, size);
	int out = open("/dev/null", O_WRONLY);

	for (int op = 0; op < 6; op++) {
		struct gp_forge *forge = connect_to(in, out);

		/* Several replies one after the other, to several requests; a forge that is broken is asked no more. */
		for (int i = 0; i < 3 && !gp_forge_is_broken(forge); i++)
			ask(forge, op);
		gp_forge_end(forge);
	}
	close(out);
	fclose(in);
	return 0;
}
