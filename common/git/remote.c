#include "git/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "sys/exit.h"
#include "sys/mem.h"
#include "sys/process.h"

/* A fetch that brings objects and nothing else: no ref, tag, FETCH_HEAD or housekeeping; any id may be asked for. */
#define FETCH_WORDS                                                                                                    \
	"git", "-c", "protocol.version=2", "fetch", "--quiet", "--no-tags", "--refmap=", "--no-write-fetch-head",      \
		"--no-auto-maintenance", "--no-recurse-submodules"

enum { MAX_WORDS = 24, FIRST_DEEPEN = 4, MAX_DEEPEN = 1 << 14, MAX_FETCHES = 13 };

bool gp_branch_valid(const char *name)
{
	const char *end;

	if (*name == '-' || strstr(name, "..") || strstr(name, "@{") || strpbrk(name, " ~^:?*[\\\177"))
		return false;
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c < ' ')
			return false;
	for (;; name = end + 1) {
		size_t n = strcspn(name, "/");

		end = name + n;
		if (!n || *name == '.' || end[-1] == '.' || (n >= 5 && !strncmp(end - 5, ".lock", 5)))
			return false;
		if (!*end)
			return true;
	}
}

/* Reads "OID\tREF" lines of ls-remote for the one ref. Returns whether it is there. */
static bool find_ref(const char *listing, const char *ref, struct gp_oid *oid)
{
	size_t n = strlen(ref);

	for (const char *line = listing; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *tab = strchr(line, '\t');

		if (tab && tab - line == GP_OID_HEX && !strncmp(tab + 1, ref, n) &&
		    (tab[1 + n] == '\n' || !tab[1 + n])) {
			char *hex = gp_memdup0(line, GP_OID_HEX);
			int bad = gp_oid_parse(oid, hex);

			free(hex);
			return !bad;
		}
	}
	return false;
}

static int unreachable(const struct gp_repository *r, struct gp_err *err)
{
	return gp_fail_in(err, "cannot reach remote '%s' (%s)", r->remote, r->clean_url);
}

void gp_branches_add(struct gp_branches *b, const char *name)
{
	b->name = gp_grow(b->name, b->count, sizeof *b->name);
	b->tip = gp_grow(b->tip, b->count, sizeof *b->tip);
	b->tip[b->count] = (struct gp_oid){{0}};
	b->name[b->count++] = name;
}

void gp_branches_free(struct gp_branches *b)
{
	free(b->name);
	free(b->tip);
	*b = (struct gp_branches){0};
}

/* git ls-remote of one ref (may be NULL) and of branches, whose tips it fills in. *out is yours. */
static int list(struct gp_repository *r, const char *url, const char *ref, struct gp_branches *branches, char **out,
		struct gp_err *err)
{
	size_t n = branches ? branches->count : 0, words = 0;
	const char **argv = gp_calloc(n + 8, sizeof *argv);
	char **refs = gp_calloc(n, sizeof *refs);

	argv[words++] = "git";
	argv[words++] = "ls-remote";
	if (ref && !strcmp(ref, "HEAD"))
		argv[words++] = "--symref";
	argv[words++] = "--";
	argv[words++] = url;
	if (ref)
		argv[words++] = ref;
	for (size_t i = 0; i < n; i++)
		argv[words++] = refs[i] = gp_asprintf("refs/heads/%s", branches->name[i]);
	int rc = gp_repository_ask(r, out, argv, NULL, 0, "git ls-remote", err);

	for (size_t i = 0; i < n; i++) {
		if (!rc && !find_ref(*out, refs[i], &branches->tip[i]))
			branches->tip[i] = (struct gp_oid){{0}};
		free(refs[i]);
	}
	free(refs);
	free(argv);
	return rc ? unreachable(r, err) : 0;
}

int gp_repository_base(struct gp_repository *r, const char *base, char **branch, struct gp_oid *tip,
		       struct gp_branches *also, struct gp_err *err)
{
	char *ref = base ? gp_asprintf("refs/heads/%s", base) : NULL, *out = NULL;
	int rc = -1;

	*branch = NULL;
	if (base && !gp_branch_valid(base)) {
		gp_fail(err, GP_EXIT_USAGE, "'%s' cannot be the name of a branch", base);
		goto out;
	}
	if (list(r, r->url, base ? ref : "HEAD", also, &out, err))
		goto out;
	if (base) {
		*branch = gp_strdup(base);
	} else if (!strncmp(out, "ref: refs/heads/", 16)) {
		*branch = gp_memdup0(out + 16, strcspn(out + 16, "\t\n"));
	}
	if (find_ref(out, base ? ref : "HEAD", tip) && *branch && gp_branch_valid(*branch))
		rc = 0;
	else if (base)
		gp_fail(err, GP_EXIT_REFUSED, "no branch '%s' in %s", base, r->clean_url);
	else
		gp_fail(err, GP_EXIT_REFUSED,
			"%s has no default branch yet: push a first commit, or name a branch with --base",
			r->clean_url);
	if (rc) {
		free(*branch);
		*branch = NULL;
	}
out:
	free(out);
	free(ref);
	return rc;
}

int gp_repository_branches(struct gp_repository *r, struct gp_branches *branches, struct gp_err *err)
{
	char *out = NULL;
	int rc = list(r, r->push_url, NULL, branches, &out, err);

	free(out);
	return rc;
}

int gp_repository_branch(struct gp_repository *r, const char *branch, struct gp_oid *oid, struct gp_err *err)
{
	struct gp_branches one = {0};

	gp_branches_add(&one, branch);
	int rc = gp_repository_branches(r, &one, err);

	*oid = one.tip[0];
	gp_branches_free(&one);
	return rc;
}

/*
 * Parallel fetches into one shallow clone undo each other, so only one runs at a time. Returns the lock's descriptor,
 * or -1.
 */
static int lock_fetches(const struct gp_repository *r)
{
	int fd = open(r->git_dir, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		while (flock(fd, LOCK_EX) && errno == EINTR)
			;
	return fd;
}

/* The ids as lines, for --stdin: there may be too many for a command line. Yours. */
static char *lines_of(const struct gp_oid *oids, size_t n)
{
	char *lines = gp_calloc(n * (GP_OID_HEX + 1) + 1, 1);

	for (size_t i = 0; i < n; i++) {
		gp_oid_hex(lines + i * (GP_OID_HEX + 1), &oids[i]);
		lines[(i + 1) * (GP_OID_HEX + 1) - 1] = '\n';
	}
	return lines;
}

/* Fetches base and n commits. deepen: how many more commits of history in a shallow clone (0: plain). */
static int fetch_once(struct gp_repository *r, const char *base, const struct gp_oid *commits, size_t n,
		      unsigned deepen, struct gp_err *err)
{
	char depth[32], *ref = base ? gp_asprintf("refs/heads/%s", base) : NULL, *lines = lines_of(commits, n);
	const char *argv[MAX_WORDS] = {FETCH_WORDS};
	size_t w = 0;
	int rc;

	snprintf(depth, sizeof depth, "--deepen=%u", deepen);
	while (argv[w])
		w++;
	if (deepen)
		argv[w++] = depth;
	argv[w++] = "--stdin";
	argv[w++] = "--";
	argv[w++] = r->url;
	if (ref)
		argv[w++] = ref;
	rc = gp_repository_ask(r, NULL, argv, lines, strlen(lines), "git fetch", err);
	free(lines);
	free(ref);
	return rc;
}

/* A server may not support --deepen: try again without it. */
static int fetch(struct gp_repository *r, const char *base, const struct gp_oid *commits, size_t n, unsigned deepen,
		 struct gp_err *err)
{
	struct gp_err first = {0};
	int lock = lock_fetches(r), rc = fetch_once(r, base, commits, n, deepen, &first);

	if (rc && deepen && (strstr(first.message, "deepen") || strstr(first.message, "shallow")))
		rc = fetch_once(r, base, commits, n, 0, err);
	else if (rc)
		gp_fail(err, first.code, "%s", first.message);
	if (lock >= 0)
		close(lock);
	return rc ? unreachable(r, err) : 0;
}

int gp_repository_fetch_blobs(void *ctx, const struct gp_oid *oids, size_t n, struct gp_err *err)
{
	struct gp_repository *r = ctx;
	const char *const argv[] = {FETCH_WORDS, "--filter=blob:none", "--stdin", "--", r->remote, NULL};
	char *ids = lines_of(oids, n);
	int lock = lock_fetches(r), rc;

	rc = gp_repository_ask(r, NULL, argv, ids, strlen(ids), "git fetch", err);
	if (lock >= 0)
		close(lock);
	free(ids);
	return rc ? unreachable(r, err) : 0;
}

int gp_repository_need(struct gp_repository *r, const char *base, const struct gp_oid *commits, size_t n,
		       struct gp_err *err)
{
	char hex[GP_OID_HEX + 1];
	size_t missing = 0;

	for (size_t i = 0; i < n; i++)
		missing += !gp_git_has(r->git, &commits[i]);
	if (!missing)
		return 0;
	if (fetch(r, base, commits, n, 2, err))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (!gp_git_has(r->git, &commits[i]))
			return gp_fail(err, GP_EXIT_REFUSED, "%s does not hand out commit %s", r->clean_url,
				       gp_oid_hex(hex, &commits[i]));
	return 0;
}

int gp_repository_read(struct gp_repository *r, const char *base, const struct gp_oid *head, struct gp_commit *out,
		       const struct gp_oid *oid, struct gp_err *err)
{
	char hex[GP_OID_HEX + 1];
	int found = gp_git_read_commit(r->git, out, oid, err);

	for (int n = 0; !found && n < MAX_FETCHES; n++) {
		r->deepened = !r->deepened ? FIRST_DEEPEN : r->deepened < MAX_DEEPEN ? r->deepened * 2 : MAX_DEEPEN;
		if (fetch(r, base, head, head ? 1 : 0, r->deepened, err))
			return -1;
		found = gp_git_read_commit(r->git, out, oid, err);
	}
	if (!found)
		gp_fail(err, GP_EXIT_SYSTEM,
			"history of '%s' ends before commit %s (fetch more: git fetch --unshallow)", base,
			gp_oid_hex(hex, oid));
	return found > 0 ? 0 : -1;
}
