#include "repository-git.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exit.h"
#include "mem.h"
#include "process.h"

/* Never ask a person, who may not be there; speak English, so that messages can be told apart. */
const char *const gp_repository_git_env[] = {"GIT_TERMINAL_PROMPT=0", "LC_ALL=C", "LANGUAGE", NULL};

const char *gp_repository_git_reason(char *text)
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

int gp_repository_git(char **out, const char *const argv[], const char *what, struct gp_err *err)
{
	return gp_repository_git_with(out, argv, NULL, 0, what, err);
}

int gp_repository_git_with(char **out, const char *const argv[], const char *input, size_t len, const char *what,
			   struct gp_err *err)
{
	struct gp_output o;
	int rc = 0;

	if (gp_run(&o, argv, gp_repository_git_env, input, len, err))
		return -1;
	if (o.status) {
		bool dubious = strstr(o.err, "dubious ownership") != NULL;

		/* git's own hint is a command with the right path: pass on its cause, name the way out. */
		rc = gp_fail(err, GP_EXIT_SYSTEM, "%s: %s%s", what, gp_repository_git_reason(o.err),
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

	if (gp_repository_git(&r->url, get, "git remote", &why))
		return gp_fail(err, GP_EXIT_CONFIG,
			       "no remote '%s' in this repository (name one with --remote or GP_REMOTE)", r->remote);
	if (gp_repository_git(&r->push_url, get_push, "git remote", err))
		return -1;
	r->url = absolute(one_line(r->url), up);
	r->push_url = absolute(one_line(r->push_url), up);
	r->clean_url = gp_url_clean(r->url);
	return 0;
}

/* Whether this is a partial clone: a pack of it came with a promise (gitformat-pack(5), "*.promisor"). */
static bool has_promises(const char *objects_dir)
{
	char *path = gp_asprintf("%s/pack", objects_dir);
	DIR *dir = opendir(path);
	const struct dirent *e;
	bool found = false;

	while (dir && !found && (e = readdir(dir))) {
		size_t n = strlen(e->d_name);

		found = n > 9 && !strcmp(e->d_name + n - 9, ".promisor");
	}
	if (dir)
		closedir(dir);
	free(path);
	return found;
}

int gp_repository_open(struct gp_repository *r, const char *remote, struct gp_err *err)
{
	const char *const argv[] = {"git",        "rev-parse", "--show-object-format", "--absolute-git-dir",
				    "--git-path", "objects",   "--show-cdup",          NULL};
	char *out = NULL, *rest;
	int rc = -1;

	*r = (struct gp_repository){0};
	if (gp_repository_git(&out, argv, "cannot open the repository", err))
		goto out;
	rest = out;
	const char *format = next_line(&rest), *dir = next_line(&rest), *objects = next_line(&rest),
		   *up = next_line(&rest);

	if (strcmp(format, "sha1")) {
		gp_fail(err, GP_EXIT_CONFIG, "repository '%s' uses object format %s; gp works on sha1", dir, format);
		goto out;
	}
	r->git_dir = gp_strdup(dir);
	if (open_remote(r, remote, up, err))
		goto out;
	r->git = gp_git_open(objects, err);
	if (!r->git)
		goto out;
	if (has_promises(objects))
		gp_git_on_missing(r->git, gp_repository_fetch_blobs, r);
	rc = 0;
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

/* useConfigOnly: a name that git makes up from the machine's is nobody's; gp's own says more. */
static int one_identity(struct gp_ident *out, const char *variable, struct gp_err *err)
{
	const char *const argv[] = {"git", "-c", "user.useConfigOnly=true", "var", variable, NULL};
	const char *const own[] = {"git", "-c", "user.name=gp", "-c", "user.email=gp@localhost", "var", variable, NULL};
	struct gp_err none = {0};
	char *line = NULL;

	if (gp_repository_git(&line, argv, "git var", &none) &&
	    gp_repository_git(&line, own, "cannot tell who commits", err))
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

	if (gp_run(&o, argv, gp_repository_git_env, NULL, 0, err))
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

	return gp_repository_git(&out, argv, "no work tree", err) ? NULL : one_line(out);
}

int gp_repository_resolve(struct gp_oid *oid, const char *revision, struct gp_err *err)
{
	char *spec = gp_asprintf("%s^{commit}", revision), *out = NULL;
	const char *const argv[] = {"git", "rev-parse", "--verify", "--quiet", "--end-of-options", spec, NULL};
	struct gp_err none = {0};
	int rc = gp_repository_git(&out, argv, "git rev-parse", &none);

	if (rc || gp_oid_parse(oid, one_line(out)))
		rc = gp_fail(err, GP_EXIT_USAGE, "no such revision here: '%s'", revision);
	free(out);
	free(spec);
	return rc;
}
