#include "setter/worktree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "git/objects.h"
#include "setter/nearest.h"
#include "setter/worktree-search.h"
#include "sys/exit.h"
#include "sys/io.h"
#include "sys/mem.h"
#include "sys/utf8.h"

/* A file to replace. Its directory stays open, so that nobody can swap it. */
struct pending {
	int dir;
	char *name, *temporary, *path, *old, *new;
	size_t old_len, new_len;
	struct stat was;
};

static void pending_free(struct pending *p)
{
	if (p->temporary)
		unlinkat(p->dir, p->temporary, 0);
	if (p->dir >= 0)
		close(p->dir);
	free(p->name);
	free(p->temporary);
	free(p->path);
	free(p->old);
	free(p->new);
}

struct job {
	const struct gp_setter *setter;
	struct gp_edits *edits;
	const char *dir; /* of the environment, from the top */
	struct pending *pending;
	size_t count;
};

static int fail(struct gp_err *err, const char *what, const char *path)
{
	return gp_fail(err, GP_EXIT_SYSTEM, "cannot %s '%s': %s", what, path, strerror(errno));
}

/* A file of the environment, with the directory that it is in. Returns -1 with errno. */
static int open_file(int env, const char *path, int *dir)
{
	*dir = gp_worktree_open_dir(env, path);
	return *dir < 0 ? -1 : gp_worktree_open_file(*dir, path);
}

static int set_in_file(struct job *job, int env, const char *name, struct gp_err *err)
{
	const char *slash = strrchr(name, '/');
	struct pending p = {.name = gp_strdup(slash ? slash + 1 : name), .path = gp_asprintf("%s/%s", job->dir, name)};
	int fd = open_file(env, name, &p.dir), rc;
	size_t before = job->edits->count;

	if (fd < 0)
		rc = fail(err, "open", p.path);
	else if (fstat(fd, &p.was))
		rc = fail(err, "look at", p.path);
	else if (!S_ISREG(p.was.st_mode))
		rc = gp_fail(err, GP_EXIT_INPUT, "'%s' is no file any more", p.path);
	else if (!gp_utf8_is_text(p.path))
		rc = gp_fail(err, GP_EXIT_INPUT, "the name of '%s' is not UTF-8, as a document needs it", p.path);
	else
		rc = gp_read_all(&p.old, &p.old_len, fd, GP_WORKTREE_MAX_FILE, err);
	if (!rc && gp_setter_apply(job->setter, p.old, p.old_len, &p.new, &p.new_len, job->edits, err))
		rc = gp_fail_in(err, "%s", p.path);
	for (size_t i = before; i < job->edits->count; i++)
		job->edits->item[i].path = gp_strdup(p.path);
	if (fd >= 0)
		close(fd);
	if (rc || !p.new) {
		pending_free(&p);
		return rc;
	}
	job->pending = gp_grow(job->pending, job->count, sizeof *job->pending);
	job->pending[job->count++] = p;
	return 0;
}

/* Names the markers that there are instead. */
static int no_marker(const struct job *job, int env, struct gp_err *err)
{
	struct gp_nearest *nearest = gp_nearest_new(job->setter->group, job->setter->app);
	struct gp_paths paths = {0};
	int rc = gp_worktree_search(&paths, env, NULL, err);

	for (size_t i = 0; i < paths.count && !rc; i++) {
		char *path = gp_asprintf("%s/%s", job->dir, paths.item[i]), *text;
		int dir, fd = open_file(env, paths.item[i], &dir);
		size_t len;

		if (fd < 0) {
			rc = fail(err, "open", path);
		} else if (!(rc = gp_read_all(&text, &len, fd, GP_WORKTREE_MAX_FILE, err))) {
			gp_nearest_look(nearest, path, text, len);
			free(text);
		}
		if (fd >= 0)
			close(fd);
		if (dir >= 0)
			close(dir);
		free(path);
	}
	if (!rc)
		rc = gp_nearest_fail(nearest, job->dir, err);
	gp_nearest_free(nearest);
	gp_paths_free(&paths);
	return rc;
}

/* Writes the new content beside the old file, on disk, with its mode and owner. */
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
	/* Only root may change the owner; otherwise the mode's set-id bits are dropped, as by cp -p. */
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

static int show_all(const struct job *job, gp_worktree_show_fn *show, struct gp_err *err)
{
	for (size_t i = 0; i < job->count; i++) {
		const struct pending *p = &job->pending[i];
		char *diff = gp_git_diff_text(p->path, p->old, p->old_len, p->new, p->new_len, err);
		int rc = diff ? show(diff, err) : -1;

		free(diff);
		if (rc)
			return -1;
	}
	return 0;
}

int gp_worktree_set(const char *top, const char *env, const struct gp_setter *setter, gp_worktree_show_fn *show,
		    struct gp_edits *edits, struct gp_err *err)
{
	char *dir = gp_asprintf("%s/%s", setter->group, env), *slash = gp_asprintf("%s/", dir);
	struct job job = {.setter = setter, .edits = edits, .dir = dir};
	int top_fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;
	int fd = top_fd < 0 ? -1 : gp_worktree_open_dir(top_fd, slash);
	struct gp_paths paths = {0};
	sigset_t before;

	if (fd < 0)
		rc = gp_fail(err, GP_EXIT_INPUT, "no directory '%s' in the work tree", dir);
	else if ((rc = gp_worktree_search(&paths, fd, setter, err)))
		gp_fail_in(err, "%s", dir);
	for (size_t i = 0; i < paths.count && !rc; i++)
		rc = set_in_file(&job, fd, paths.item[i], err);
	if (!rc && !edits->count)
		rc = no_marker(&job, fd, err);
	if (!rc && show)
		rc = show_all(&job, show, err);
	/* All files are replaced, or none. */
	gp_hold_signals(&before);
	if (!rc && !show)
		rc = write_all(&job, err);
	for (size_t i = 0; i < job.count; i++)
		pending_free(&job.pending[i]);
	gp_release_signals(&before);
	free(job.pending);
	gp_paths_free(&paths);
	if (fd >= 0)
		close(fd);
	if (top_fd >= 0)
		close(top_fd);
	free(slash);
	free(dir);
	return rc;
}
