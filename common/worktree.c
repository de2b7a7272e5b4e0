#include "worktree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exit.h"
#include "git.h"
#include "io.h"
#include "manifests.h"
#include "mem.h"
#include "nearest.h"

enum { MAX_FILE = 256 << 20, MAX_DEPTH = 100 };

/* A file that is to be replaced: its directory stays open, so that nothing can be slipped in between. */
struct pending {
	int dir;
	char *name, *temporary, *path, *old, *new;
	size_t old_len, new_len;
	struct stat was;
};

struct job {
	const struct gp_setter *setter;
	struct gp_edits *edits;
	struct gp_nearest *nearest;
	struct pending *pending;
	size_t count;
};

static int fail(struct gp_err *err, const char *what, const char *path)
{
	return gp_fail(err, GP_EXIT_SYSTEM, "cannot %s '%s': %s", what, path, strerror(errno));
}

static int set_in_file(struct job *job, int dir, const char *name, const char *path, struct gp_err *err)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), rc = -1;
	size_t before = job->edits->count;
	struct pending p = {.dir = -1};

	if (fd < 0)
		return errno == ELOOP ? 0 : fail(err, "open", path);
	if (fstat(fd, &p.was)) {
		fail(err, "look at", path);
		goto out;
	}
	rc = 0;
	if (!S_ISREG(p.was.st_mode))
		goto out;
	rc = gp_read_all(&p.old, &p.old_len, fd, MAX_FILE, err);
	if (!rc)
		rc = gp_setter_apply(job->setter, p.old, p.old_len, &p.new, &p.new_len, job->edits, err);
	if (rc)
		gp_fail_in(err, "%s", path);
	else
		gp_nearest_look(job->nearest, path, p.old, p.old_len);
	for (size_t i = before; i < job->edits->count; i++)
		job->edits->item[i].path = gp_strdup(path);
	if (!rc && p.new) {
		p.dir = dup(dir);
		p.name = gp_strdup(name);
		p.path = gp_strdup(path);
		job->pending = gp_grow(job->pending, job->count, sizeof *job->pending);
		job->pending[job->count++] = p;
		p.old = NULL;
	}
out:
	free(p.old);
	close(fd);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a directory, sorted, so that what is said has one order. Takes fd over. */
static int list(int fd, char ***names, size_t *count, const char *path, struct gp_err *err)
{
	DIR *dir = fdopendir(fd);
	const struct dirent *e;

	*names = NULL;
	*count = 0;
	if (!dir) {
		fail(err, "list", path);
		close(fd);
		return -1;
	}
	for (errno = 0; (e = readdir(dir)); errno = 0) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || !strcmp(e->d_name, ".git"))
			continue;
		*names = gp_grow(*names, *count, sizeof **names);
		(*names)[(*count)++] = gp_strdup(e->d_name);
	}
	int rc = errno ? fail(err, "list", path) : 0;

	closedir(dir);
	if (*count)
		qsort(*names, *count, sizeof **names, by_name);
	return rc;
}

static int set_in_dir(struct job *job, int dir, const char *path, unsigned depth,
		      struct gp_err *err) /* NOLINT(misc-no-recursion) */
{
	char **names;
	size_t count;
	int rc = depth > MAX_DEPTH ? gp_fail(err, GP_EXIT_INPUT, "'%s' is nested too deeply", path) : 0;

	if (rc || list(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), &names, &count, path, err))
		return -1;
	for (size_t i = 0; i < count; i++) {
		char *below = gp_asprintf("%s/%s", path, names[i]);
		int sub = rc ? -1 : openat(dir, names[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

		if (sub >= 0) {
			rc = set_in_dir(job, sub, below, depth + 1, err);
			close(sub);
		} else if (!rc && gp_manifests_is_name(names[i])) {
			rc = set_in_file(job, dir, names[i], below, err);
		}
		free(below);
		free(names[i]);
	}
	free(names);
	return rc;
}

/* The new content beside the old file, on disk, with its mode and owner. */
static int prepare(struct pending *p, struct gp_err *err)
{
	int fd = -1;

	for (unsigned i = 0; fd < 0 && i < 100; i++) {
		free(p->temporary);
		p->temporary = gp_asprintf(".%s.gp-%ld-%u", p->name, (long)getpid(), i);
		fd = openat(p->dir, p->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	if (fd < 0) {
		free(p->temporary);
		p->temporary = NULL;
		return fail(err, "write beside", p->path);
	}
	/* The owner may only be changed by root; where it cannot, the mode's set-id bits go, as with cp -p. */
	mode_t mode = p->was.st_mode & 07777;

	if (fchown(fd, p->was.st_uid, p->was.st_gid))
		mode &= 0777;
	if (gp_write_all(fd, p->new, p->new_len) || fchmod(fd, mode) || fsync(fd)) {
		fail(err, "write", p->path);
		close(fd);
		return -1;
	}
	return close(fd) ? fail(err, "write", p->path) : 0;
}

static int write_all(struct job *job, struct gp_err *err)
{
	for (size_t i = 0; i < job->count; i++)
		if (prepare(&job->pending[i], err))
			return -1;
	for (size_t i = 0; i < job->count; i++) {
		struct pending *p = &job->pending[i];

		if (renameat(p->dir, p->temporary, p->dir, p->name))
			return fail(err, "replace", p->path);
		free(p->temporary);
		p->temporary = NULL;
		fsync(p->dir);
	}
	return 0;
}

static int show_all(const struct job *job, int fd, struct gp_err *err)
{
	for (size_t i = 0; i < job->count; i++) {
		const struct pending *p = &job->pending[i];
		char *diff = gp_git_diff_text(p->path, p->old, p->old_len, p->new, p->new_len, err);
		int rc = diff && gp_write_all(fd, diff, strlen(diff)) ? fail(err, "write a diff of", p->path) : 0;

		free(diff);
		if (!diff || rc)
			return -1;
	}
	return 0;
}

static void job_free(struct job *job)
{
	for (size_t i = 0; i < job->count; i++) {
		struct pending *p = &job->pending[i];

		if (p->temporary)
			unlinkat(p->dir, p->temporary, 0);
		close(p->dir);
		free(p->name);
		free(p->temporary);
		free(p->path);
		free(p->old);
		free(p->new);
	}
	free(job->pending);
	gp_nearest_free(job->nearest);
}

/* Opens top/group/env one step at a time, so that none of them can be a symbolic link. */
static int open_env(const char *top, const char *group, const char *env)
{
	const char *const steps[] = {group, env};
	int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < 2 && fd >= 0; i++) {
		int next = openat(fd, steps[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		close(fd);
		fd = next;
	}
	return fd;
}

int gp_worktree_set(const char *top, const char *env, const struct gp_setter *setter, int diff_fd,
		    struct gp_edits *edits, struct gp_err *err)
{
	struct job job = {.setter = setter, .edits = edits, .nearest = gp_nearest_new(setter->group, setter->app)};
	int dir = open_env(top, setter->group, env), rc;
	char *path = gp_asprintf("%s/%s", setter->group, env);

	if (dir < 0)
		rc = gp_fail(err, GP_EXIT_INPUT, "no directory '%s' in the work tree", path);
	else
		rc = set_in_dir(&job, dir, path, 0, err);
	if (!rc && !edits->count)
		rc = gp_nearest_fail(job.nearest, path, err);
	if (!rc)
		rc = diff_fd < 0 ? write_all(&job, err) : show_all(&job, diff_fd, err);
	job_free(&job);
	if (dir >= 0)
		close(dir);
	free(path);
	return rc;
}
