#include "gate/evidence.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gate/flux.h"
#include "sys/mem.h"

static const char separators[] = " \t\r\n.,:;!()'\"-_/";

int gp_run_find(struct gp_run *run, struct gp_base *base, struct gp_chain *chain, const char *env,
		const struct gp_setter *setter, struct gp_err *err)
{
	*run = (struct gp_run){0};
	for (size_t i = 0; i < GP_EVIDENCE_HISTORY && run->count < GP_EVIDENCE_COMMITS; i++) {
		struct gp_carry carry;
		int reached = gp_chain_reach(chain, base, i, err);

		if (reached < 0)
			goto fail;
		if (!reached)
			break;
		if (gp_manifests_carry(base->manifests, &carry, &chain->link[i].tree, env, setter, err)) {
			if (i == 0)
				goto fail;
			/* Old history may be damaged for good: end the search there. */
			gp_err_clear(err);
			break;
		}
		bool is_at = gp_carry_is_at(&carry);

		if (i == 0) {
			run->at_tip = is_at;
			run->now = gp_strdup(is_at ? setter->tag : carry.tag);
		}
		if (!is_at && run->count)
			break;
		if (is_at) {
			run->commit = gp_grow(run->commit, run->count, sizeof *run->commit);
			run->commit[run->count++] = chain->link[i].commit;
		}
	}
	return 0;
fail:
	gp_run_free(run);
	return -1;
}

void gp_run_free(struct gp_run *run)
{
	free(run->commit);
	free(run->now);
	*run = (struct gp_run){0};
}

/* Whether a text contains a word, in any case. */
static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = text; *at; at += strcspn(at, separators), at += strspn(at, separators))
		if (strcspn(at, separators) == n && !strncasecmp(at, word, n))
			return true;
	return false;
}

/* Flux's notification-controller posts every informational event as success; only "succeeded" is evidence. */
static bool is_evidence(const char *context, const char *state, const char *description)
{
	static const char done[] = "succeeded";
	/*
	 * A rollback or uninstallation by helm-controller proves nothing about this version or a newer one. Any other
	 * text that denies success is not Flux's and does not count.
	 */
	static const char *const undone[] = {"rollback", "uninstall", "not", "never", "failed"};
	size_t n = description ? strlen(description) : 0, m = sizeof done - 1;

	if (strcmp(state, "success") != 0 || !gp_context_is_flux(context))
		return true;
	while (n && strchr(" \t\r\n.", description[n - 1]))
		n--;
	for (size_t i = 0; i < sizeof undone / sizeof *undone; i++)
		if (description && has_word(description, undone[i]))
			return false;
	return n >= m && !strncmp(description + n - m, done, m) && (n == m || description[n - m - 1] == ' ');
}

static void count_one(struct gp_tally *tally, const struct gp_json *status, const char *commit)
{
	const char *state = gp_json_get_text(status, "state");
	bool success = !strcmp(state, "success"), failure = !strcmp(state, "failure");
	const struct gp_json **slot = success ? &tally->success : failure ? &tally->failure : &tally->pending;
	const char **where = success   ? &tally->success_commit
			     : failure ? &tally->failure_commit
				       : &tally->pending_commit;

	tally->contexts++;
	if (!*slot) {
		*slot = status;
		*where = commit;
	}
}

/* Contexts: borrowed strings. */
struct contexts {
	const char **item;
	size_t count;
};

static bool has(const struct contexts *c, const char *context)
{
	for (size_t i = 0; i < c->count; i++)
		if (!strcmp(c->item[i], context))
			return true;
	return false;
}

static void add(struct contexts *c, const char *context)
{
	c->item = gp_grow(c->item, c->count, sizeof *c->item);
	c->item[c->count++] = context;
}

/* One commit's statuses. seen: the contexts found on it or on a newer commit. */
static void count_commit(struct gp_tally *tally, struct contexts *seen, const struct gp_json *list,
			 gp_context_fn *matches, const void *ctx)
{
	struct contexts passed_over = {0};

	for (const struct gp_json *s = gp_json_first(list); s; s = gp_json_next(s)) {
		const char *context = gp_json_get_text(s, "context"), *state = gp_json_get_text(s, "state");
		const char *kind = gp_json_get_text(s, "kind");

		if (!context || !state || (kind && strcmp(kind, "status") != 0) || !matches(ctx, context) ||
		    has(seen, context))
			continue;
		if (!is_evidence(context, state, gp_json_get_text(s, "description"))) {
			add(&passed_over, context);
			continue;
		}
		add(seen, context);
		count_one(tally, s, gp_json_key(list));
	}
	for (size_t i = 0; i < passed_over.count; i++)
		tally->hidden |= !has(seen, passed_over.item[i]);
	free(passed_over.item);
}

/* Newest first: of each context the first status that is evidence counts. */
void gp_tally_count(struct gp_tally *tally, const struct gp_run *run, const struct gp_json *statuses,
		    gp_context_fn *matches, const void *ctx)
{
	struct contexts seen = {0};
	char hex[GP_OID_HEX + 1];

	*tally = (struct gp_tally){0};
	for (size_t i = 0; i < run->count; i++)
		count_commit(tally, &seen, gp_json_get(statuses, gp_oid_hex(hex, &run->commit[i])), matches, ctx);
	free(seen.item);
}
