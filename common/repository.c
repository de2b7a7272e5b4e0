#include "repository.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "exit.h"
#include "io.h"
#include "mem.h"

enum { MAX_WORDS = 24, MAX_DEEPEN = 1 << 14 };

/* Never ask a person, who may not be there; speak English, so that messages can be told apart. */
static const char *const quiet_git[] = {"GIT_TERMINAL_PROMPT=0", "LC_ALL=C", "LANGUAGE", NULL};

/* The last line of git's stderr that says what is wrong, without its "fatal: ". Borrowed from text, which is cut up. */
static const char *git_reason(char *text)
{
	const char *best = NULL;

	for (char *save = NULL, *line = strtok_r(text, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save)) {
		if (!strncmp(line, "fatal: ", 7) || !strncmp(line, "error: ", 7))
			return line + 7;
		if (!strncmp(line, "remote: ", 8) && line[8])
			best = best ? best : line + 8;
		else if (!best && strncmp(line, "hint: ", 6) && strncmp(line, "To ", 3))
			best = line;
	}
	return best ? best : "git said nothing";
}

/*
 * Runs git. On success *out is what it printed (yours). A failing git is an
 * error of 71 that begins with what and goes on in git's words.
 */
static int git(char **out, const char *const argv[], const char *const env[], const char *what, struct gp_err *err)
{
	struct gp_output o;
	int rc = 0;

	if (gp_run(&o, argv, env ? env : quiet_git, NULL, 0, err))
		return -1;
	if (o.status) {
		bool dubious = strstr(o.err, "dubious ownership") != NULL;

		/* git's own hint is a command with the right path: pass on its cause, name the way out. */
		rc = gp_fail(err, GP_EXIT_SYSTEM, "%s: %s%s", what, git_reason(o.err),
			     dubious ? " (trust it with: git config --global --add safe.directory DIR)" : "");
	} else if (out) {
		*out = o.out;
		o.out = NULL;
	}
	gp_output_free(&o);
	return rc;
}

/* Cuts the next line off *text. */
static char *next_line(char **text)
{
	char *line = *text;
	size_t n = strcspn(line, "\n");

	*text = line[n] ? line + n + 1 : line + n;
	line[n] = '\0';
	return line;
}

char *gp_url_clean(const char *url)
{
	const char *scheme = strstr(url, "://");

	if (!scheme)
		return gp_strdup(url);
	const char *host = scheme + 3, *slash = host + strcspn(host, "/?#"), *at = NULL;

	for (const char *p = host; p < slash; p++)
		if (*p == '@')
			at = p;
	if (!at)
		return gp_strdup(url);
	if (strncmp(url, "ssh://", 6))
		return gp_asprintf("%.*s%s", (int)(host - url), url, at + 1);
	return gp_asprintf("%.*s%.*s%s", (int)(host - url), url, (int)strcspn(host, ":@"), host, at);
}

static char *one_line(char *text)
{
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/* A remote that is a relative path is relative to the work tree's top, where git goes first; a driver stays here. */
static char *absolute(char *url, const char *up)
{
	char top[4096];
	size_t n = strcspn(url, "/:");

	if (*url == '/' || url[n] == ':' || !getcwd(top, sizeof top))
		return url;
	char *path = gp_asprintf("%s/%s%s", top, up, url), *real = realpath(path, NULL);

	/* One that does not exist stays as it is: git will say so in its own words. */
	free(path);
	if (!real)
		return url;
	free(url);
	return real;
}

static int open_remote(struct gp_repository *r, const char *remote, const char *up, struct gp_err *err)
{
	r->remote = gp_strdup(remote ? remote : "origin");
	const char *const get[] = {"git", "remote", "get-url", "--", r->remote, NULL};
	const char *const get_push[] = {"git", "remote", "get-url", "--push", "--", r->remote, NULL};
	struct gp_err why = {0};

	if (git(&r->url, get, NULL, "git remote", &why))
		return gp_fail(err, GP_EXIT_CONFIG, "no remote '%s' in this repository (name one with --remote or GP_REMOTE)",
			       r->remote);
	if (git(&r->push_url, get_push, NULL, "git remote", err))
		return -1;
	r->url = absolute(one_line(r->url), up);
	r->push_url = absolute(one_line(r->push_url), up);
	r->clean_url = gp_url_clean(r->url);
	return 0;
}

int gp_repository_open(struct gp_repository *r, const char *remote, struct gp_err *err)
{
	const char *const argv[] = {"git", "rev-parse", "--show-object-format", "--absolute-git-dir", "--git-path", "objects",
				    "--show-cdup", NULL};
	char *out = NULL, *rest;
	int rc = -1;

	*r = (struct gp_repository){0};
	if (git(&out, argv, NULL, "cannot open the repository", err))
		goto out;
	rest = out;
	const char *format = next_line(&rest), *dir = next_line(&rest), *objects = next_line(&rest), *up = next_line(&rest);

	if (strcmp(format, "sha1")) {
		gp_fail(err, GP_EXIT_CONFIG, "repository '%s' uses object format %s; gp works on sha1", dir, format);
		goto out;
	}
	r->git_dir = gp_strdup(dir);
	if (open_remote(r, remote, up, err))
		goto out;
	r->git = gp_git_open(objects, err);
	rc = r->git ? 0 : -1;
out:
	free(out);
	return rc;
}

void gp_repository_free(struct gp_repository *r)
{
	gp_git_free(r->git);
	free(r->git_dir);
	free(r->remote);
	free(r->url);
	free(r->push_url);
	free(r->clean_url);
	*r = (struct gp_repository){0};
}

/* Reads "OID\tREF" lines of ls-remote for the one ref. Returns whether it is there. */
static bool find_ref(const char *listing, const char *ref, struct gp_oid *oid)
{
	size_t n = strlen(ref);

	for (const char *line = listing; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *tab = strchr(line, '\t');

		if (tab && tab - line == GP_OID_HEX && !strncmp(tab + 1, ref, n) && (tab[1 + n] == '\n' || !tab[1 + n])) {
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

int gp_repository_base(struct gp_repository *r, const char *base, char **branch, struct gp_oid *tip, struct gp_err *err)
{
	char *ref = base ? gp_asprintf("refs/heads/%s", base) : NULL, *out = NULL;
	const char *const named[] = {"git", "ls-remote", "--", r->url, ref, NULL};
	const char *const head[] = {"git", "ls-remote", "--symref", "--", r->url, "HEAD", NULL};
	int rc = -1;

	*branch = NULL;
	if (git(&out, base ? named : head, NULL, "git ls-remote", err)) {
		unreachable(r, err);
		goto out;
	}
	if (base) {
		*branch = gp_strdup(base);
	} else if (!strncmp(out, "ref: refs/heads/", 16)) {
		*branch = gp_memdup0(out + 16, strcspn(out + 16, "\t\n"));
	}
	if (find_ref(out, base ? ref : "HEAD", tip) && *branch)
		rc = 0;
	else if (base)
		gp_fail(err, GP_EXIT_REFUSED, "no branch '%s' in %s", base, r->clean_url);
	else
		gp_fail(err, GP_EXIT_REFUSED, "%s has no default branch yet: push a first commit, or name a branch with --base",
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

int gp_repository_branch(struct gp_repository *r, const char *branch, struct gp_oid *oid, struct gp_err *err)
{
	char *ref = gp_asprintf("refs/heads/%s", branch), *out = NULL;
	const char *const argv[] = {"git", "ls-remote", "--", r->push_url, ref, NULL};
	int rc = git(&out, argv, NULL, "git ls-remote", err);

	memset(oid, 0, sizeof *oid);
	if (rc)
		unreachable(r, err);
	else
		find_ref(out, ref, oid);
	free(out);
	free(ref);
	return rc;
}

/* Parallel fetches into one shallow clone undo each other: one at a time. Returns the lock's descriptor, or -1. */
static int lock_fetches(const struct gp_repository *r)
{
	int fd = open(r->git_dir, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		while (flock(fd, LOCK_EX) && errno == EINTR)
			;
	return fd;
}

/* Fetches base and n commits. deepen: how many more commits of history in a shallow clone (0: plain). */
static int fetch_once(struct gp_repository *r, const char *base, const struct gp_oid *commits, size_t n, unsigned deepen,
		      struct gp_err *err)
{
	char depth[32], hex[4][GP_OID_HEX + 1], *ref = base ? gp_asprintf("refs/heads/%s", base) : NULL;
	const char *argv[MAX_WORDS] = {"git", "-c", "protocol.version=2", "fetch", "--quiet", "--no-tags", "--refmap=",
				       "--no-write-fetch-head", "--no-auto-maintenance", "--no-recurse-submodules"};
	size_t w = 10;
	int rc;

	snprintf(depth, sizeof depth, "--deepen=%u", deepen);
	if (deepen)
		argv[w++] = depth;
	argv[w++] = "--";
	argv[w++] = r->url;
	if (ref)
		argv[w++] = ref;
	for (size_t i = 0; i < n && i < 4; i++)
		argv[w++] = gp_oid_hex(hex[i], &commits[i]);
	rc = git(NULL, argv, NULL, "git fetch", err);
	free(ref);
	return rc;
}

/* A server may not know --deepen: then once more without it. */
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

	for (unsigned deepen = 4; !found && deepen <= MAX_DEEPEN; deepen *= 2) {
		if (fetch(r, base, head, head ? 1 : 0, deepen, err))
			return -1;
		found = gp_git_read_commit(r->git, out, oid, err);
	}
	if (!found)
		gp_fail(err, GP_EXIT_SYSTEM, "history of '%s' ends before commit %s (fetch more: git fetch --unshallow)", base,
			gp_oid_hex(hex, oid));
	return found > 0 ? 0 : -1;
}

int gp_repository_push(struct gp_repository *r, const char *branch, const struct gp_oid *commit,
		       const struct gp_oid *old, struct gp_err *err)
{
	char hex[GP_OID_HEX + 1], old_hex[GP_OID_HEX + 1];
	char *refspec = gp_asprintf("%s:refs/heads/%s", gp_oid_hex(hex, commit), branch);
	char *lease = gp_asprintf("--force-with-lease=refs/heads/%s:%s", branch,
				  gp_oid_is_zero(old) ? "" : gp_oid_hex(old_hex, old));
	const char *const argv[] = {"git", "push", "--porcelain", "--no-verify", "--no-follow-tags", "--no-signed",
				    "--recurse-submodules=no", lease, "--", r->push_url, refspec, NULL};
	struct gp_output o;
	struct gp_oid now;
	int rc = gp_run(&o, argv, quiet_git, NULL, 0, err);

	if (rc || !o.status)
		goto out;
	/* Whether the lease was lost is asked of the remote, not read out of words that differ between transports. */
	rc = gp_repository_branch(r, branch, &now, err);
	if (rc)
		goto out;
	if (gp_oid_equal(&now, commit)) {
		rc = 0;
	} else if (!gp_oid_equal(&now, old)) {
		rc = gp_fail(err, GP_EXIT_RETRY, "branch '%s' was moved by somebody else just now: run again", branch);
	} else {
		const char *refused = strstr(o.out, "\n!\t");
		const char *why = refused ? strchr(refused, '[') : NULL;

		if (why)
			rc = gp_fail(err, GP_EXIT_REFUSED, "cannot push branch '%s' to %s: %.*s", branch, r->clean_url,
				     (int)strcspn(why, "\n"), why);
		else
			rc = gp_fail(err, GP_EXIT_SYSTEM, "cannot push branch '%s' to %s: %s", branch, r->clean_url,
				     git_reason(o.err));
	}
out:
	gp_output_free(&o);
	free(lease);
	free(refspec);
	return rc;
}

/* useConfigOnly: a name that git makes up from the machine's is nobody's; gp's own says more. */
static int one_identity(struct gp_ident *out, const char *variable, struct gp_err *err)
{
	const char *const argv[] = {"git", "-c", "user.useConfigOnly=true", "var", variable, NULL};
	const char *const own[] = {"git", "-c", "user.name=gp", "-c", "user.email=gp@localhost", "var", variable, NULL};
	struct gp_err none = {0};
	char *line = NULL;

	if (git(&line, argv, NULL, "git var", &none) && git(&line, own, NULL, "cannot tell who commits", err))
		return -1;
	int rc = gp_ident_parse(out, one_line(line), err);

	free(line);
	return rc;
}

int gp_repository_identity(struct gp_ident *author, struct gp_ident *committer, struct gp_err *err)
{
	*author = *committer = (struct gp_ident){0};
	if (one_identity(author, "GIT_AUTHOR_IDENT", err) || one_identity(committer, "GIT_COMMITTER_IDENT", err)) {
		gp_ident_free(author);
		return -1;
	}
	return 0;
}

char *gp_repository_checked_out(struct gp_err *err)
{
	const char *const argv[] = {"git", "symbolic-ref", "--quiet", "--short", "HEAD", NULL};
	struct gp_output o;
	char *name = NULL;

	if (gp_run(&o, argv, quiet_git, NULL, 0, err))
		return NULL;
	if (!o.status)
		name = gp_strdup(one_line(o.out));
	gp_output_free(&o);
	return name;
}

char *gp_repository_work_tree(struct gp_err *err)
{
	const char *const argv[] = {"git", "rev-parse", "--show-toplevel", NULL};
	char *out = NULL;

	return git(&out, argv, NULL, "no work tree", err) ? NULL : one_line(out);
}

int gp_repository_resolve(struct gp_oid *oid, const char *revision, struct gp_err *err)
{
	char *spec = gp_asprintf("%s^{commit}", revision), *out = NULL;
	const char *const argv[] = {"git", "rev-parse", "--verify", "--quiet", "--end-of-options", spec, NULL};
	struct gp_err none = {0};
	int rc = git(&out, argv, NULL, "git rev-parse", &none);

	if (rc || gp_oid_parse(oid, one_line(out)))
		rc = gp_fail(err, GP_EXIT_USAGE, "no such revision here: '%s'", revision);
	free(out);
	free(spec);
	return rc;
}
