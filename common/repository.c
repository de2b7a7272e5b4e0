#include "repository-git.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exit.h"
#include "mem.h"
#include "process.h"
#include "provider.h"

/* Never ask a person, who may not be there; speak English, so that messages can be told apart. */
#define GIT_ENV "GIT_TERMINAL_PROMPT=0", "LC_ALL=C", "LANGUAGE"

const char *const gp_repository_git_env[] = {GIT_ENV, NULL};

/* For a git that does not leave this machine. One that does may have credential helpers that need a token. */
static const char *const local_env[] = {GIT_ENV, GP_PROVIDER_TOKENS, NULL};

/* Where the host begins in what follows "://", of which len bytes are the URL's. */
static const char *behind_credentials(const char *user, size_t len)
{
	size_t authority = strcspn(user, "/?#"), host;

	if (authority > len)
		authority = len;
	host = authority;
	while (host && user[host - 1] != '@')
		host--;
	if (host)
		return user + host;
	/* Where a password has a '/' in it, its beginning stands for a port, and it works nowhere; it is secret all the same. */
	const char *port = memchr(user, ':', authority);

	if (*user == '[' || !port || port + 1 + strspn(port + 1, "0123456789") == user + authority)
		return user;
	for (host = len; host && user[host - 1] != '@';)
		host--;
	return user + host;
}

/* Takes the credentials out of URLs in git's words: git itself leaves some of an odd one. */
static void hide_credentials(char *text)
{
	for (char *at = text; (at = strstr(at, "://"));) {
		at += 3;
		const char *host = behind_credentials(at, strcspn(at, " \t\r\n'\""));

		memmove(at, host, strlen(host) + 1);
	}
}

const char *gp_repository_git_reason(char *text)
{
	const char *best = NULL;

	hide_credentials(text);
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

bool gp_repository_is_denied(const char *text)
{
	static const char *const words[] = {"could not read Username", "could not read Password",
					    "Authentication failed", "The requested URL returned error: 403"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strstr(text, words[i]))
			return true;
	return false;
}

bool gp_repository_is_late(const char *text)
{
	return strstr(text, "Operation too slow") || strstr(text, "timed out");
}

int gp_repository_judge(struct gp_output *o, char **out, const char *what, struct gp_err *err)
{
	bool failed = o->status != 0;
	int code = GP_EXIT_SYSTEM;
	const char *hint = "";

	if (gp_repository_is_denied(o->err)) {
		code = GP_EXIT_DENIED;
		hint = " (is the token right, and may it do this?)";
	} else if (strstr(o->err, "The requested URL returned error: 30")) {
		hint = " (it has moved: give the remote its new URL)";
	} else if (gp_repository_is_late(o->err)) {
		code = GP_EXIT_RETRY;
	} else if (strstr(o->err, "dubious ownership")) {
		/* git's own hint is a command with the right path: pass on its cause, name the way out. */
		hint = " (trust it with: git config --global --add safe.directory DIR)";
	}
	if (failed)
		gp_fail(err, code, "%s: %s%s", what, gp_repository_git_reason(o->err), hint);
	if (!failed && out) {
		*out = o->out;
		o->out = NULL;
	}
	gp_output_free(o);
	return failed ? -1 : 0;
}

int gp_repository_git(char **out, const char *const argv[], const char *what, struct gp_err *err)
{
	return gp_repository_git_with(out, argv, NULL, 0, what, err);
}

int gp_repository_git_with(char **out, const char *const argv[], const char *input, size_t len, const char *what,
			   struct gp_err *err)
{
	struct gp_output o;

	if (gp_run(&o, argv, local_env, input, len, err))
		return -1;
	return gp_repository_judge(&o, out, what, err);
}

/* The second half of a git that was started with gp_run_start. */
static int end_git(char **out, struct gp_running *running, const char *what, struct gp_err *err)
{
	struct gp_output o;

	if (gp_run_end(running, &o, NULL, 0, err))
		return -1;
	return gp_repository_judge(&o, out, what, err);
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
	const char *user = scheme + 3, *host = behind_credentials(user, strlen(user));

	if (host == user)
		return gp_strdup(url);
	if (strncmp(url, "ssh://", 6))
		return gp_asprintf("%.*s%s", (int)(user - url), url, host);
	return gp_asprintf("%.*s%.*s%s", (int)(user - url), url, (int)strcspn(user, ":@"), user, host - 1);
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
	char *path = gp_asprintf("%s/%s%s", top, up, url), *real = gp_realpath(path);

	/* One that does not exist stays as it is: git will say so in its own words. */
	free(path);
	if (!real)
		return url;
	free(url);
	return real;
}

/* The first URL of a remote in what `git remote -v` says: "NAME\tURL (KIND)", and maybe a filter behind. Yours, or NULL. */
static char *find_url(const char *list, const char *name, const char *kind, const char *up)
{
	char *end = gp_asprintf(" (%s)", kind);
	size_t n = strlen(name);

	for (const char *line = list; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		char *text = gp_memdup0(line, strcspn(line, "\n")), *found = NULL, *url;

		if (strncmp(text, name, n) != 0 || text[n] != '\t') {
			free(text);
			continue;
		}
		for (char *at = text; (at = strstr(at, end)); at++)
			found = at;
		url = found ? gp_memdup0(text + n + 1, (size_t)(found - text) - n - 1) : NULL;
		free(text);
		if (url) {
			free(end);
			return absolute(url, up);
		}
	}
	free(end);
	return NULL;
}

/* Whether this is a partial clone: a pack of it came with a promise (gitformat-pack(5), "*.promisor"). */
static bool has_promises(const char *objects_dir)
{
	char *path = gp_asprintf("%s/pack", objects_dir);
	DIR *dir = opendir(path);
	const struct dirent *e;
	bool found = false;

	if (!dir && errno == ENOMEM)
		gp_out_of_memory();
	while (dir && !found && (e = readdir(dir))) {
		size_t n = strlen(e->d_name);

		found = n > 9 && !strcmp(e->d_name + n - 9, ".promisor");
	}
	if (dir)
		closedir(dir);
	free(path);
	return found;
}

/* Reads what rev-parse said: the object format, the git directory, the objects' directory, the way up to the top. */
static int read_layout(struct gp_repository *r, char *out, char **objects, struct gp_err *err)
{
	const char *format = next_line(&out), *dir = next_line(&out), *path = next_line(&out), *up = next_line(&out);

	if (strcmp(format, "sha1"))
		return gp_fail(err, GP_EXIT_CONFIG, "repository '%s' uses object format %s; gp works on sha1", dir,
			       format);
	r->git_dir = gp_strdup(dir);
	r->up = gp_strdup(up);
	*objects = gp_strdup(path);
	return 0;
}

/* Both at once; where there is no repository, both say so, and the first is believed. */
static int ask_layout(char **layout, char **remotes, struct gp_err *err)
{
	const char *const rev_parse[] = {"git",        "rev-parse", "--show-object-format", "--absolute-git-dir",
					 "--git-path", "objects",   "--show-cdup",          NULL};
	const char *const remote[] = {"git", "remote", "-v", NULL};
	struct gp_running asked[2];
	struct gp_err other = {0};

	if (gp_run_start(&asked[0], rev_parse, local_env, err))
		return -1;
	int second = gp_run_start(&asked[1], remote, local_env, &other);
	int rc = end_git(layout, &asked[0], "cannot open the repository", err);

	if (!second)
		second = end_git(remotes, &asked[1], "cannot list the remotes", &other);
	if (!rc && second)
		rc = gp_fail(err, other.code, "%s", other.message);
	return rc;
}

int gp_repository_open(struct gp_repository *r, const char *remote, struct gp_err *err)
{
	char *layout = NULL, *remotes = NULL, *objects = NULL;

	*r = (struct gp_repository){.remote = gp_strdup(remote ? remote : "origin")};
	int rc = ask_layout(&layout, &remotes, err);

	if (!rc)
		rc = read_layout(r, layout, &objects, err);
	if (!rc) {
		r->url = find_url(remotes, r->remote, "fetch", r->up);
		r->push_url = find_url(remotes, r->remote, "push", r->up);
	}
	if (!rc && (!r->url || !r->push_url))
		rc = gp_fail(err, GP_EXIT_CONFIG,
			     "no remote '%s' in this repository (name one with --remote or GP_REMOTE)", r->remote);
	if (!rc) {
		r->clean_url = gp_url_clean(r->url);
		r->git = gp_git_open(objects);
		if (has_promises(objects))
			gp_git_on_missing(r->git, gp_repository_fetch_blobs, r);
	}
	free(objects);
	free(remotes);
	free(layout);
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
	free(r->up);
	for (size_t i = 0; r->env && r->env[i]; i++)
		free(r->env[i]);
	free(r->env);
	free(r->header);
	free(r->config_count);
	free(r->ca_file);
	free(r->timeout);
	free(r->https_url);
	for (size_t i = 0; i < 2; i++) {
		struct gp_output unread;

		if (r->asked[i].pid && !gp_run_end(&r->asked[i], &unread, NULL, 0, &(struct gp_err){0}))
			gp_output_free(&unread);
		gp_ident_free(&r->identity[i]);
	}
	*r = (struct gp_repository){0};
}

static const char *const identity_variable[] = {"GIT_AUTHOR_IDENT", "GIT_COMMITTER_IDENT"};

/* useConfigOnly: a name that git makes up from the machine's is nobody's; gp's own says more. */
void gp_repository_ask_identity(struct gp_repository *r)
{
	struct gp_err later = {0};

	for (size_t i = 0; i < 2; i++) {
		const char *const argv[] = {"git", "-c", "user.useConfigOnly=true", "var", identity_variable[i], NULL};

		if (!r->identity[i].name && !r->asked[i].pid)
			gp_run_start(&r->asked[i], argv, local_env, &later);
	}
}

static int read_identity(struct gp_repository *r, size_t i, struct gp_err *err)
{
	const char *const own[] =
		{"git", "-c", "user.name=gp", "-c", "user.email=gp@localhost", "var", identity_variable[i], NULL};
	struct gp_err none = {0};
	char *line = NULL;

	if (end_git(&line, &r->asked[i], "git var", &none) &&
	    gp_repository_git(&line, own, "cannot tell who commits", err))
		return -1;
	int rc = gp_ident_parse(&r->identity[i], one_line(line), err);

	free(line);
	return rc;
}

int gp_repository_identity(struct gp_repository *r, const struct gp_ident **author, const struct gp_ident **committer,
			   struct gp_err *err)
{
	gp_repository_ask_identity(r);
	for (size_t i = 0; i < 2; i++)
		if (!r->identity[i].name && read_identity(r, i, err))
			return -1;
	*author = &r->identity[0];
	*committer = &r->identity[1];
	return 0;
}

char *gp_repository_checked_out(struct gp_err *err)
{
	const char *const argv[] = {"git", "symbolic-ref", "--quiet", "--short", "HEAD", NULL};
	struct gp_output o;
	char *name = NULL;

	if (gp_run(&o, argv, local_env, NULL, 0, err))
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
