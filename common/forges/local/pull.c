#include <stdlib.h>
#include <string.h>

#include "forges/local/local.h"
#include "sys/exit.h"
#include "sys/mem.h"

/* The result for one pull request; settling leaves the loop when one leaves the array. */
enum outcome { FAILED = -1, STAYS, CLOSED, MERGED };

static bool get_oid(struct gp_oid *oid, const struct gp_json *json, const char *name)
{
	return !gp_oid_parse(oid, gp_json_get_text(json, name));
}

/* Records the test merges that were renewed so far as one change. */
static int flush(struct gp_local *local, struct gp_err *err)
{
	int rc = local->refreshed ? gp_local_record(local, err, "refresh %s", local->refreshed) : 0;

	free(local->refreshed);
	local->refreshed = NULL;
	return rc;
}

static void note_refreshed(struct gp_local *local, int64_t number)
{
	char *before = local->refreshed;

	local->refreshed =
		before ? gp_asprintf("%s, #%lld", before, (long long)number) : gp_asprintf("#%lld", (long long)number);
	free(before);
}

static enum outcome close_pull(struct gp_local *local, struct gp_local_pull *pull, const struct gp_oid *merge,
			       const char *why, struct gp_err *err)
{
	int64_t number = pull->number;
	char *ref = gp_asprintf("refs/pull/%lld/merge", (long long)number);
	struct gp_json *json = flush(local, err) ? NULL : gp_local_close(local, pull, merge, err);
	static const struct gp_oid none;

	gp_local_set_ref(local, ref, &none);
	free(ref);
	if (!json)
		return FAILED;
	gp_json_free(json);
	if (gp_local_record(local, err, "%s #%lld: %s", merge ? "merged" : "close", (long long)number, why))
		return FAILED;
	return merge ? MERGED : CLOSED;
}

/* A head that base contains: a push merged it, or the branch was moved back to where base was already. */
static enum outcome close_contained(struct gp_local *local, struct gp_local_pull *pull, const struct gp_oid *head,
				    const struct gp_oid *base, struct gp_err *err)
{
	struct gp_oid before, tested, merge;
	char hex[GP_OID_HEX + 1], *ref, *why;
	int moved_back = 0;
	enum outcome outcome;

	if (get_oid(&before, pull->json, "head") && !gp_oid_equal(&before, head) &&
	    get_oid(&tested, pull->json, "tested_base"))
		moved_back = gp_git_is_ancestor(local->git, head, &tested, err);
	if (moved_back < 0 || (!moved_back && gp_local_find_merge(local, &merge, base, head, err)))
		return FAILED;
	gp_oid_hex(hex, head);
	gp_json_set_text(pull->json, "head", hex);
	ref = gp_asprintf("refs/pull/%lld/head", (long long)pull->number);
	gp_local_set_ref(local, ref, head);
	free(ref);
	why = gp_asprintf("%s %s by a push", hex,
			  moved_back ? "has nothing that the base lacks" : "came into the base");
	outcome = close_pull(local, pull, moved_back ? NULL : &merge, why, err);
	free(why);
	return outcome;
}

/* Updates a pull request whose head or base moved; test: also renews the test merge. */
static enum outcome renew(struct gp_local *local, struct gp_local_pull *pull, const struct gp_oid *head,
			  const struct gp_oid *base, bool test, struct gp_err *err)
{
	int contained = base ? gp_git_is_ancestor(local->git, head, base, err) : 0;

	if (contained < 0)
		return FAILED;
	if (!contained && !test)
		return STAYS;
	gp_local_rely(local, gp_json_get_text(pull->json, "branch"));
	gp_local_rely(local, gp_json_get_text(pull->json, "base"));
	if (contained)
		return close_contained(local, pull, head, base, err);
	if (gp_local_test_merge(local, pull, head, base, err))
		return FAILED;
	note_refreshed(local, pull->number);
	return STAYS;
}

static enum outcome try_auto_merge(struct gp_local *local, struct gp_local_pull *pull, struct gp_err *err)
{
	const char *method = gp_json_get_text(pull->json, "method");
	struct gp_json *merged;
	char *why;

	if (!gp_local_is_mergeable(local, pull, &why)) {
		free(why);
		return STAYS;
	}
	merged = flush(local, err) ? NULL : gp_local_merge(local, pull, method ? method : "merge", "auto-merge", err);
	gp_json_free(merged);
	return merged ? MERGED : FAILED;
}

/* Whether auto-merge waits for nothing but, perhaps, a clean merge. Returns 1, 0, -1. */
static int wants_merge(struct gp_local *local, const struct gp_local_pull *pull, const char *head, struct gp_err *err)
{
	char *why;

	if (!gp_json_get_true(pull->json, "auto_merge"))
		return 0;
	if (gp_local_read_config(local, err))
		return -1;
	if (!local->config.auto_merge)
		return 0;
	int green = gp_local_is_green(local, head, &why, err);

	free(why);
	return green;
}

/*
 * Whether a pull request whose base moved gets a new test merge now. With
 * hundreds open, doing all whenever base moves would cost more than anything
 * else here: those that the request is not about have to wait for their turn.
 */
static bool is_due(struct gp_local *local, const struct gp_local_pull *pull)
{
	if (local->look_number == pull->number ||
	    (local->look_branch && !strcmp(local->look_branch, gp_json_get_text(pull->json, "branch"))))
		return true;
	if (!local->spare)
		return false;
	local->spare--;
	return true;
}

static enum outcome settle(struct gp_local *local, struct gp_local_pull *pull, struct gp_err *err)
{
	const char *branch = gp_json_get_text(pull->json, "branch");
	const struct gp_local_ref *head = gp_local_branch(local, branch);
	const struct gp_local_ref *base = gp_local_branch(local, gp_json_get_text(pull->json, "base"));
	struct gp_oid known, tested;
	char hex[GP_OID_HEX + 1];
	enum outcome outcome = STAYS;

	if (!head) {
		gp_local_rely(local, branch);
		return close_pull(local, pull, NULL, "its branch is gone", err);
	}
	/* Copies, because refs may move in memory from here on. */
	const struct gp_oid at = head->new, on = base ? base->new : (struct gp_oid){{0}};
	bool head_moved = !get_oid(&known, pull->json, "head") || !gp_oid_equal(&known, &at);
	bool base_moved = get_oid(&tested, pull->json, "tested_base") ? !gp_oid_equal(&tested, &on) : base != NULL;
	int wants = wants_merge(local, pull, gp_oid_hex(hex, &at), err);

	if (wants < 0)
		return FAILED;
	if (head_moved || base_moved) {
		bool test = head_moved || wants || is_due(local, pull);

		if (test || local->look_at_all)
			outcome = renew(local, pull, &at, base ? &on : NULL, test, err);
	}
	return outcome == STAYS && wants ? try_auto_merge(local, pull, err) : outcome;
}

/* For a reader who may not write: the branches as they are now. */
static void look_only(struct gp_local *local)
{
	char hex[GP_OID_HEX + 1];

	for (size_t i = 0; i < local->pull_count; i++) {
		struct gp_json *json = local->pulls[i].json;
		const struct gp_local_ref *head = gp_local_branch(local, gp_json_get_text(json, "branch"));

		gp_json_set_text(json, "state", head ? "open" : "closed");
		if (head)
			gp_json_set_text(json, "head", gp_oid_hex(hex, &head->new));
	}
}

int gp_local_settle(struct gp_local *local, struct gp_err *err)
{
	bool again;

	if (local->read_only) {
		look_only(local);
		return 0;
	}
	do {
		again = false;
		for (size_t i = 0; i < local->pull_count;) {
			enum outcome outcome = settle(local, &local->pulls[i], err);

			if (outcome == FAILED)
				return -1;
			/* A merge moves base under those that came before. */
			again |= outcome == MERGED;
			i += outcome == STAYS;
		}
	} while (again);
	return flush(local, err);
}
