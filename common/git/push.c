#include <stdlib.h>
#include <string.h>

#include "forge/provider.h"
#include "git/program.h"
#include "sys/exit.h"
#include "sys/io.h"
#include "sys/mem.h"
#include "sys/process.h"

enum { MAX_LEVELS = 8 };

/*
 * A branch that keeps this one from being made: git keeps them as files, so there cannot be both "promote" and
 * "promote/apps-web". *name is yours, or NULL.
 */
static void find_in_the_way(struct gp_repository *r, const char *branch, char **name)
{
	char *below = gp_asprintf("refs/heads/%s/*", branch), *out = NULL;
	const char *argv[MAX_LEVELS + 6] = {"git", "ls-remote", "--", r->push_url, below};
	char *levels[MAX_LEVELS] = {NULL};
	size_t words = 5, n = 0;

	for (const char *slash = strchr(branch, '/'); slash && n < MAX_LEVELS; slash = strchr(slash + 1, '/')) {
		levels[n] = gp_asprintf("refs/heads/%.*s", (int)(slash - branch), branch);
		argv[words++] = levels[n++];
	}
	if (!gp_repository_ask(r, &out, argv, NULL, 0, "git ls-remote", &(struct gp_err){0})) {
		const char *ref = strstr(out, "\trefs/heads/");

		*name = ref ? gp_memdup0(ref + 12, strcspn(ref + 12, "\n")) : NULL;
	}
	for (size_t i = 0; i < n; i++)
		free(levels[i]);
	free(out);
	free(below);
}

/* The server's own words: what hooks and the forge reported ("remote: …"), and why the ref was rejected. */
static int refused(struct gp_repository *r, const char *branch, struct gp_output *o, struct gp_err *err)
{
	const char *line = strstr(o->out, "\n!\t"), *why = line ? strchr(line, '[') : NULL;
	char *said = gp_strdup("");

	if (!why) {
		free(said);
		bool denied = gp_repository_is_denied(o->err);
		int code = denied                                         ? GP_EXIT_DENIED
			   : gp_repository_may_pass(o) >= GP_PASSING_SOON ? GP_EXIT_RETRY
									  : GP_EXIT_SYSTEM;

		return gp_fail(err, code, "cannot push branch '%s' to %s: %s%s", branch, r->clean_url,
			       gp_repository_git_reason(o->err), denied ? " (may the token write contents?)" : "");
	}
	char *other = NULL;

	if (strstr(why, "lock ref") || strstr(why, "update ref") || strstr(why, "conflict") ||
	    strstr(o->err, "cannot lock ref"))
		find_in_the_way(r, branch, &other);
	if (other) {
		gp_fail(err, GP_EXIT_REFUSED,
			"branch '%s' cannot be made while there is a branch '%s': rename or delete that", branch,
			other);
		free(other);
		free(said);
		return -1;
	}
	for (const char *at = o->err; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		int len = (int)strcspn(at, "\n");

		if (len <= 8 || strncmp(at, "remote: ", 8) != 0 || strspn(at + 8, " \r") == (size_t)(len - 8))
			continue;
		char *more = gp_asprintf("%s: %.*s", said, len - 8, at + 8);

		free(said);
		said = more;
	}
	const struct gp_provider_advice *advice = gp_provider_advise(why);

	advice = advice ? advice : gp_provider_advise(said);
	gp_fail(err, advice ? advice->exit : GP_EXIT_REFUSED, "cannot push branch '%s' to %s: %.*s%s%s%s", branch,
		r->clean_url, (int)strcspn(why, "\n"), why, said, advice ? "; " : "", advice ? advice->todo : "");
	free(said);
	return -1;
}

int gp_branch_moved(const char *branch, struct gp_err *err)
{
	return gp_fail(err, GP_EXIT_RETRY, "branch '%s' changed during the push (another run?): run again", branch);
}

/* The mark of look_again: refused, with the words still to be found. */
static bool is_refused(const struct gp_push *p)
{
	return p->err.code == GP_EXIT_REFUSED && !*p->err.message;
}

/* Asks the remote which branches have moved: the words for a lost lease differ between transports. */
static void look_again(struct gp_repository *r, struct gp_push *pushes, size_t n)
{
	struct gp_branches now = {0};
	struct gp_err err = {0};

	for (size_t i = 0; i < n; i++)
		gp_branches_add(&now, pushes[i].branch);
	int rc = gp_repository_branches(r, &now, &err);

	for (size_t i = 0; i < n; i++) {
		struct gp_push *p = &pushes[i];

		if (rc)
			p->err = err;
		else if (gp_oid_equal(&now.tip[i], &p->commit))
			p->err = (struct gp_err){0};
		else if (!gp_oid_equal(&now.tip[i], &p->old))
			p->moved = gp_branch_moved(p->branch, &p->err) < 0;
		else
			p->err.code = GP_EXIT_REFUSED;
	}
	gp_branches_free(&now);
}

static int push(struct gp_repository *r, struct gp_output *o, const struct gp_push *pushes, size_t n,
		struct gp_err *err)
{
	static const char *const words[] = {"git",
					    "push",
					    "--porcelain",
					    "--no-verify",
					    "--no-follow-tags",
					    "--no-signed",
					    "--recurse-submodules=no"};
	enum { WORDS = sizeof words / sizeof *words };
	const char **argv = gp_calloc(WORDS + 2 * n + 3, sizeof *argv);
	char **own = gp_calloc(2 * n, sizeof *own);

	memcpy(argv, words, sizeof words);
	argv[WORDS + n] = "--";
	argv[WORDS + n + 1] = r->push_url;
	for (size_t i = 0; i < n; i++) {
		const struct gp_push *p = &pushes[i];
		char hex[GP_OID_HEX + 1];

		argv[WORDS + i] = own[i] = gp_asprintf("--force-with-lease=refs/heads/%s:%s", p->branch,
						       gp_oid_is_zero(&p->old) ? "" : gp_oid_hex(hex, &p->old));
		argv[WORDS + n + 2 + i] = own[n + i] =
			gp_asprintf("%s:refs/heads/%s", gp_oid_hex(hex, &p->commit), p->branch);
	}
	int rc = gp_repository_talk(r, o, argv, NULL, 0, err);

	for (size_t i = 0; i < 2 * n; i++)
		free(own[i]);
	free(own);
	free(argv);
	return rc;
}

/*
 * The same, and each push has its error, but for those that the server refused: their words are in *o, which is yours.
 * One that failed by what may pass is looked at, and repeated if nothing has come of it.
 */
static void push_and_look(struct gp_repository *r, struct gp_output *o, struct gp_push *pushes, size_t n)
{
	long long until = gp_now_ms() + r->budget_ms;
	struct gp_push *left = gp_calloc(n, sizeof *left);
	size_t *place = gp_calloc(n, sizeof *place), count = n;

	for (size_t i = 0; i < n; i++)
		place[i] = i;
	*o = (struct gp_output){0};
	for (int attempt = 1; count; attempt++) {
		struct gp_err err = {0};

		for (size_t i = 0; i < count; i++)
			left[i] = pushes[place[i]];
		gp_output_free(o);
		int rc = push(r, o, left, count, &err);

		if (!rc && o->status)
			look_again(r, left, count);
		size_t kept = 0;

		for (size_t i = 0; i < count; i++) {
			pushes[place[i]].err = rc ? err : left[i].err;
			pushes[place[i]].moved = left[i].moved;
			if (!rc && is_refused(&left[i]))
				place[kept++] = place[i];
		}
		count = kept;
		if (rc || !count || !gp_repository_tries_again(r, o, attempt, until))
			break;
		for (size_t i = 0; i < count; i++)
			pushes[place[i]].err = (struct gp_err){0};
	}
	free(place);
	free(left);
}

void gp_repository_push(struct gp_repository *r, struct gp_push *pushes, size_t n)
{
	struct gp_output all, own;

	if (!n)
		return;
	push_and_look(r, &all, pushes, n);
	for (size_t i = 0; i < n; i++) {
		if (!is_refused(&pushes[i]))
			continue;
		pushes[i].err = (struct gp_err){0};
		if (n == 1) {
			refused(r, pushes[i].branch, &all, &pushes[i].err);
			continue;
		}
		/* A server may refuse all of a push for the sake of one branch: each gets a push, and words, of its own. */
		push_and_look(r, &own, &pushes[i], 1);
		if (is_refused(&pushes[i])) {
			pushes[i].err = (struct gp_err){0};
			refused(r, pushes[i].branch, &own, &pushes[i].err);
		}
		gp_output_free(&own);
	}
	gp_output_free(&all);
}
