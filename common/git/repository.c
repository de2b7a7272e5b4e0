#include "git/program.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "git/url.h"
#include "sys/exit.h"
#include "sys/mem.h"
#include "sys/process.h"

/* Cuts the next line off *text. */
static char *next_line(char **text)
{
	char *line = *text;
	size_t n = strcspn(line, "\n");

	*text = line[n] ? line + n + 1 : line + n;
	line[n] = '\0';
	return line;
}

/*
 * A relative path is relative to the top of the work tree, where git changes to first; a driver stays in this
 * directory.
 */
static char *absolute(char *url, const char *up)
{
	char top[4096];
	size_t n = strcspn(url, "/:");

	if (*url == '/' || url[n] == ':' || !getcwd(top, sizeof top))
		return url;
	char *path = gp_asprintf("%s/%s%s", top, up, url), *real = gp_realpath(path);

	/* A path that does not exist stays as it is: git reports it in its own words. */
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

/* Whether this is a partial clone: it has a promisor pack (gitformat-pack(5), "*.promisor"). */
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

/* Runs both at once. Outside a repository both fail, and the first error is reported. */
static int ask_layout(char **layout, char **remotes, struct gp_err *err)
{
	const char *const rev_parse[] = {"git",        "rev-parse", "--show-object-format", "--absolute-git-dir",
					 "--git-path", "objects",   "--show-cdup",          NULL};
	const char *const remote[] = {"git", "remote", "-v", NULL};
	struct gp_running asked[2];
	struct gp_err other = {0};

	if (gp_run_start(&asked[0], rev_parse, gp_repository_local_env, err))
		return -1;
	int second = gp_run_start(&asked[1], remote, gp_repository_local_env, &other);
	int rc = gp_repository_git_end(layout, &asked[0], "cannot open the repository", err);

	if (!second)
		second = gp_repository_git_end(remotes, &asked[1], "cannot list the remotes", &other);
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
	for (size_t i = 0; i < sizeof r->asked / sizeof *r->asked; i++) {
		struct gp_output unread;

		if (r->asked[i].pid && !gp_run_end(&r->asked[i], &unread, NULL, 0, &(struct gp_err){0}))
			gp_output_free(&unread);
	}
	for (size_t i = 0; i < 2; i++)
		gp_ident_free(&r->identity[i]);
	*r = (struct gp_repository){0};
}

char *gp_repository_checked_out(struct gp_err *err)
{
	const char *const argv[] = {"git", "symbolic-ref", "--quiet", "--short", "HEAD", NULL};
	struct gp_output o;
	char *name = NULL;

	if (gp_run(&o, argv, gp_repository_local_env, NULL, 0, err))
		return NULL;
	if (!o.status)
		name = gp_strdup(gp_repository_one_line(o.out));
	gp_output_free(&o);
	return name;
}

char *gp_repository_work_tree(struct gp_err *err)
{
	const char *const argv[] = {"git", "rev-parse", "--show-toplevel", NULL};
	char *out = NULL;

	return gp_repository_git(&out, argv, "no work tree", err) ? NULL : gp_repository_one_line(out);
}

int gp_repository_resolve(struct gp_oid *oid, const char *revision, struct gp_err *err)
{
	if (!gp_oid_parse(oid, revision))
		return 0;
	char *spec = gp_asprintf("%s^{commit}", revision), *out = NULL;
	const char *const argv[] = {"git", "rev-parse", "--verify", "--quiet", "--end-of-options", spec, NULL};
	struct gp_err none = {0};
	int rc = gp_repository_git(&out, argv, "git rev-parse", &none);

	if (rc || gp_oid_parse(oid, gp_repository_one_line(out)))
		rc = gp_fail(err, GP_EXIT_USAGE, "no such revision here: '%s'", revision);
	free(out);
	free(spec);
	return rc;
}
