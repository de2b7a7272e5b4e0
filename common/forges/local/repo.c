#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "forges/local/local.h"
#include "git/repository.h"
#include "git/tree.h"
#include "sys/exit.h"
#include "sys/io.h"
#include "sys/mem.h"
#include "sys/process.h"

enum { MAX_ARGS = 24, LOCK_POLL_MS = 20, STALE_S = 5 };

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef0123456789ABCDEF", *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) % 16 : -1;
}

/* As git reads a file:// URL: "%41" is "A"; a '%' before anything else stays as it is. */
static char *url_decode(const char *s)
{
	char *out = gp_calloc(strlen(s) + 1, 1), *to = out;

	while (*s) {
		int high = *s == '%' ? hex_digit(s[1]) : -1, low = high < 0 ? -1 : hex_digit(s[2]);

		if (low < 0 || high + low == 0) {
			*to++ = *s++;
		} else {
			*to++ = (char)(high * 16 + low);
			s += 3;
		}
	}
	return out;
}

static char *url_encode(const char *path)
{
	char *out = gp_calloc(3 * strlen(path) + 8, 1), *to = out + 7;

	memcpy(out, "file://", 7);
	for (; *path; path++)
		if (*path > ' ' && *path < 0x7f && !strchr("%#?\"<>\\^`{|}", *path))
			*to++ = *path;
		else
			to += sprintf(to, "%%%02X", (unsigned)(unsigned char)*path);
	return out;
}

static char *path_of_url(const char *url, struct gp_err *err)
{
	size_t scheme = strspn(url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");
	char *path, *with_host;

	if (!scheme || strncmp(url + scheme, "://", 3))
		return gp_strdup(url);
	if (strncmp(url, "file://", 7)) {
		gp_fail(err, GP_EXIT_INPUT, "gp-forge-local takes a path or a file:// URL, not '%.*s://...'",
			(int)scheme, url);
		return NULL;
	}
	path = url_decode(url + 7);
	if (*path == '/')
		return path;
	/* git reads a host as a directory, too. */
	with_host = gp_asprintf("//%s", path);
	free(path);
	return with_host;
}

static bool is_git_dir(const char *dir)
{
	static const char *const parts[] = {"HEAD", "objects", "refs"};
	bool all = true;

	for (size_t i = 0; i < 3 && all; i++) {
		char *path = gp_asprintf("%s/%s", dir, parts[i]);
		struct stat st;

		all = !lstat(path, &st) && (i == 0 || !S_ISREG(st.st_mode));
		free(path);
	}
	return all;
}

/* The git directory that git itself would serve for this path. */
static char *find_git_dir(const char *path, struct gp_err *err)
{
	static const char *const suffixes[] = {"/.git", "", ".git/.git", ".git"};
	struct stat st;

	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		char *dir = gp_asprintf("%s%s", path, suffixes[i]);
		char *real = is_git_dir(dir) ? gp_realpath(dir) : NULL;

		free(dir);
		if (real)
			return real;
	}
	if (stat(path, &st))
		gp_fail(err, GP_EXIT_REFUSED, "no repository at '%s': %s", path, strerror(errno));
	else
		gp_fail(err, GP_EXIT_REFUSED, "'%s' is not a git repository", path);
	return NULL;
}

struct gp_local *gp_local_open(const char *url, const struct gp_local_options *options, struct gp_err *err)
{
	struct gp_local *local = gp_calloc(1, sizeof *local);
	char *path = path_of_url(url, err), *objects = NULL;

	local->options = options;
	local->lock = -1;
	local->dir = path ? find_git_dir(path, err) : NULL;
	free(path);
	if (!local->dir)
		goto fail;
	local->url = url_encode(local->dir);
	local->read_only = access(local->dir, W_OK) != 0;
	objects = gp_asprintf("%s/objects", local->dir);
	local->git = gp_git_open(objects);
	free(objects);
	return local;
fail:
	gp_local_free(local);
	return NULL;
}

static void free_config(struct gp_local_config *config)
{
	for (size_t i = 0; i < config->required_count; i++)
		free(config->required[i]);
	free(config->required);
	*config = (struct gp_local_config){0};
}

void gp_local_forget(struct gp_local *local)
{
	for (size_t i = 0; i < local->ref_count; i++) {
		free(local->refs[i].name);
		free(local->refs[i].work_tree);
	}
	free(local->refs);
	local->refs = NULL;
	local->ref_count = local->sorted_refs = 0;
	for (size_t i = 0; i < local->pending_count; i++)
		free((char *)(uintptr_t)local->pending[i].path);
	free(local->pending);
	local->pending = NULL;
	local->pending_count = 0;
	free(local->refreshed);
	local->refreshed = NULL;
	free_config(&local->config);
}

void gp_local_free(void *repository)
{
	struct gp_local *local = repository;

	if (!local)
		return;
	gp_local_unlock(local);
	gp_local_forget(local);
	for (size_t i = 0; i < local->pull_count; i++)
		gp_json_free(local->pulls[i].json);
	free(local->pulls);
	gp_git_free(local->git);
	free(local->url);
	free(local->dir);
	free(local);
}

/* git's own words without its "fatal: "; where it does not trust the directory, also the way out. */
static int git_failed(const struct gp_local *local, const char *command, const struct gp_output *o, struct gp_err *err)
{
	const char *text = o->err;

	while (!strncmp(text, "fatal: ", 7) || !strncmp(text, "error: ", 7))
		text += 7;
	if (strstr(text, "dubious ownership"))
		return gp_fail(err, GP_EXIT_SYSTEM,
			       "git %s: detected dubious ownership in repository at '%s' (it belongs to somebody else; "
			       "to trust it: git config --global --add safe.directory '%s')",
			       command, local->dir, local->dir);
	return gp_fail(err, GP_EXIT_SYSTEM, "git %s in '%s': %s", command, local->dir,
		       *text ? text : "failed without a word");
}

int gp_local_git(const struct gp_local *local, char **out, size_t *len, int ok, const char *const args[],
		 const void *input, size_t input_len, struct gp_err *err)
{
	/* Discovery from inside the directory, not --git-dir, because only that asks whether its owner is trusted. */
	const char *argv[MAX_ARGS] = {"git", "-C", local->dir, "-c", "safe.bareRepository=all"};
	static const char *const env[] = {"LC_ALL=C",
					  "LANGUAGE",
					  "GIT_DIR",
					  "GIT_WORK_TREE",
					  "GIT_INDEX_FILE",
					  "GIT_COMMON_DIR",
					  "GIT_OBJECT_DIRECTORY",
					  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
					  "GIT_NAMESPACE",
					  "GIT_PREFIX",
					  NULL};
	struct gp_output o;

	for (size_t i = 0; args[i]; i++)
		argv[5 + i] = args[i];
	if (gp_run(&o, argv, env, input, input_len, err))
		return -1;
	int status = o.status;

	if (status > ok) {
		status = git_failed(local, args[0], &o, err);
	} else if (out) {
		*out = o.out;
		o.out = NULL;
		if (len)
			*len = o.out_len;
	}
	gp_output_free(&o);
	return status;
}

/* Reads a boolean as git does; value NULL: the key stands alone. */
static int parse_bool(bool *out, const char *key, const char *value, struct gp_err *err)
{
	static const char *const yes[] = {"true", "yes", "on"}, *const no[] = {"false", "no", "off", ""};
	*out = true;
	if (!value)
		return 0;
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		if (!strcasecmp(value, yes[i]))
			return 0;
	*out = false;
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		if (!strcasecmp(value, no[i]))
			return 0;
	if (*value && value[strspn(value, "0123456789")] == '\0') {
		*out = value[strspn(value, "0")] != '\0';
		return 0;
	}
	return gp_fail(err, GP_EXIT_CONFIG, "%s is neither true nor false: '%s'", key, value);
}

/* An empty value of a list empties it, as elsewhere in git's configuration. */
static int take_setting(struct gp_local_config *c, const char *key, const char *value, struct gp_err *err)
{
	if (!strcmp(key, "gp.automerge"))
		return parse_bool(&c->auto_merge, "gp.autoMerge", value, err);
	if (!strcmp(key, "gp.requiredstatus")) {
		if (!value || !*value) {
			while (c->required_count)
				free(c->required[--c->required_count]);
			return 0;
		}
		c->required = gp_reallocarray(c->required, c->required_count + 1, sizeof *c->required);
		c->required[c->required_count++] = gp_strdup(value);
		return 0;
	}
	c->hides_state |= value && !strcmp(value, "refs/gp");
	c->hides_pulls |= value && !strcmp(value, "refs/pull");
	return 0;
}

int gp_local_read_config(struct gp_local *local, struct gp_err *err)
{
	static const char *const args[] = {"config", "--null", "--get-regexp",
					   "^(gp\\.(requiredstatus|automerge)|receive\\.hiderefs)$", NULL};
	struct gp_local_config *c = &local->config;
	char *out = NULL;
	size_t len = 0;
	bool listed = false;
	int rc = 0;

	if (c->is_read)
		return 0;
	/* It exits with 1 if nothing is set. */
	if (gp_local_git(local, &out, &len, 1, args, NULL, 0, err) < 0)
		return -1;
	free_config(c);
	c->auto_merge = true;
	for (char *p = out; p < out + len && !rc;) {
		char *next = p + strlen(p) + 1, *value = strchr(p, '\n');

		if (value)
			*value++ = '\0';
		listed |= !strcmp(p, "gp.requiredstatus");
		rc = take_setting(c, p, value, err);
		p = next;
	}
	free(out);
	if (!listed) {
		c->required = gp_calloc(1, sizeof *c->required);
		c->required[c->required_count++] = gp_strdup("gp/gate");
	}
	c->is_read = !rc;
	return rc;
}

int gp_local_hide_refs(struct gp_local *local, struct gp_err *err)
{
	const char *args[] = {"config", "--add", "receive.hideRefs", "refs/gp", NULL};

	if (gp_local_read_config(local, err))
		return -1;
	if (!local->config.hides_state && gp_local_git(local, NULL, NULL, 0, args, NULL, 0, err) < 0)
		return -1;
	args[3] = "refs/pull";
	if (!local->config.hides_pulls && gp_local_git(local, NULL, NULL, 0, args, NULL, 0, err) < 0)
		return -1;
	local->config.hides_state = local->config.hides_pulls = true;
	return 0;
}

void gp_local_lock(struct gp_local *local, long long until)
{
	char *path = gp_asprintf("%s/gp-forge.lock", local->dir);
	/* git, run while the lock is held, inherits it: if this process is killed, nothing overtakes git. */
	int fd = local->lock < 0 ? open(path, O_RDONLY | O_CREAT, 0666) : -1;

	free(path);
	if (fd < 0)
		return;
	/* Polled, because the holder may be stopped for good. */
	for (long long pause = 1; flock(fd, LOCK_EX | LOCK_NB); pause += pause < LOCK_POLL_MS) {
		if ((errno != EWOULDBLOCK && errno != EINTR) || gp_now_ms() >= until) {
			close(fd);
			return;
		}
		gp_sleep_ms(pause);
	}
	local->lock = fd;
}

void gp_local_unlock(struct gp_local *local)
{
	if (local->lock >= 0)
		close(local->lock);
	local->lock = -1;
}

bool gp_local_break_lock(const struct gp_local *local, const char *name)
{
	char *path = gp_asprintf("%s/%s.lock", local->dir, name);
	struct stat st;
	bool is_there = !lstat(path, &st);

	if (is_there && llabs((long long)time(NULL) - (long long)st.st_mtime) >= STALE_S) {
		unlink(path);
		is_there = false;
	}
	free(path);
	return is_there;
}

void gp_local_await_push(const struct gp_local *local, const char *branch)
{
	char *name = gp_asprintf("refs/heads/%s", branch);
	long long until = gp_now_ms() + (STALE_S + 1) * 1000LL;

	while (gp_branch_valid(branch) && gp_local_break_lock(local, name) && gp_now_ms() < until)
		gp_sleep_ms(LOCK_POLL_MS);
	free(name);
}
