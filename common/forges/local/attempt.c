#include <string.h>
#include <unistd.h>

#include "forges/local/local.h"
#include "sys/exit.h"
#include "sys/io.h"

enum { SPARE_LOOKS = 5, MAX_PAUSE_MS = 250 };

static void look(struct gp_local *local, const struct gp_json *request)
{
	local->look_at_all = gp_json_get_true(request, "open") || gp_json_get_text(request, "merged_as");
	local->look_number = gp_json_get_int(request, "number", 0);
	local->look_branch = gp_json_get_text(request, "branch");
	local->spare = SPARE_LOOKS;
}

/* Answers from a fresh view. Writes nothing but objects. */
static struct gp_json *attempt(struct gp_local *local, enum gp_local_need need, gp_local_fn *fn,
			       const struct gp_json *request, struct gp_err *err)
{
	bool pulls = need != GP_LOCAL_STATUSES;

	gp_local_forget(local);
	look(local, request);
	if (gp_local_read_refs(local, pulls, err) || gp_local_read_state(local, pulls, err))
		return NULL;
	if (pulls && gp_local_settle(local, err))
		return NULL;
	return fn(local, request, err);
}

/* Whether git's error may be temporary. */
static bool may_pass(const struct gp_err *lost, const struct gp_err *before)
{
	/*
	 * A ref that moves gives a new message each time; only another's lock gives the same one until it is released.
	 */
	return strcmp(lost->message, before->message) != 0 || strstr(lost->message, "File exists");
}

static void pause_a_little(unsigned tries)
{
	/* Spread by process and time, so that those who lost together do not retry together. */
	unsigned long long spread =
		(unsigned long long)gp_now_ms() * 2654435761u + (unsigned long long)getpid() * 40503u;
	long long most = 2LL << (tries < 7 ? tries : 7);

	gp_sleep_ms(1 + (long long)((spread >> 7) % (unsigned long long)(most < MAX_PAUSE_MS ? most : MAX_PAUSE_MS)));
}

/* Whether the error is the forge's answer rather than a failed attempt. */
static bool is_verdict(const struct gp_err *err)
{
	return err->code == GP_EXIT_REFUSED || err->code == GP_EXIT_RETRY || err->code == GP_EXIT_INPUT;
}

/* Whether to give up after a lost attempt; then fills err. */
static bool gives_up(struct gp_local *local, const struct gp_err *lost, const struct gp_err *before, long long until,
		     struct gp_err *err)
{
	if (!may_pass(lost, before))
		gp_fail(err, lost->code, "%s", lost->message);
	else if (gp_now_ms() >= until)
		gp_fail(err, GP_EXIT_RETRY, "others kept changing '%s' for %lld s: %s", local->dir,
			local->options->budget_ms / 1000, lost->message);
	return err->code != 0;
}

struct gp_json *gp_local_answer(struct gp_local *local, enum gp_local_need need, gp_local_fn *fn,
				const struct gp_json *request, struct gp_err *err)
{
	long long start = gp_now_ms(), until = start + local->options->budget_ms;
	bool writes = need == GP_LOCAL_WRITE;
	const char *branch = writes ? NULL : gp_json_get_text(request, "branch");
	struct gp_err before = {0};
	struct gp_json *result;

	if (branch)
		gp_local_await_push(local, branch);
	for (unsigned tries = 0;; tries++) {
		struct gp_err lost = {0};

		if (writes)
			gp_local_lock(local, start + local->options->budget_ms / 2);
		result = attempt(local, need, fn, request, err);
		if ((!result && !is_verdict(err)) || !gp_local_has_changes(local) ||
		    (writes && !gp_local_move_refs(local, &lost)))
			break;
		gp_json_free(result);
		result = NULL;
		gp_err_clear(err);
		if (writes && gives_up(local, &lost, &before, until, err))
			break;
		if (writes)
			pause_a_little(tries);
		/* Reading needs no lock; if there is something to change, it is done again with one. */
		writes = true;
		before = lost;
	}
	if (err->code && !is_verdict(err))
		gp_local_distrust(local);
	gp_local_unlock(local);
	return result;
}
