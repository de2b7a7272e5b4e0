#include "setter/worktree-search.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "setter/inventory.h"
#include "sys/exit.h"
#include "sys/io.h"
#include "sys/mem.h"
#include "sys/split.h"

enum {
	MAX_DEPTH = 100,
	ENOUGH_UNITS = 256, /* directories and files to share out evenly, if there are so many */
	LEAST_UNITS = 128   /* below this, another process costs more than it saves */
};

static int fail(struct gp_err *err, const char *what, const char *path)
{
	return gp_fail(err, GP_EXIT_SYSTEM, "cannot %s '%s': %s", what, *path ? path : ".", strerror(errno));
}

static void paths_add(struct gp_paths *paths, char *path)
{
	paths->item = gp_grow(paths->item, paths->count, sizeof *paths->item);
	paths->item[paths->count++] = path;
}

void gp_paths_free(struct gp_paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		free(paths->item[i]);
	free(paths->item);
	*paths = (struct gp_paths){0};
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_dir(const char *path)
{
	size_t n = strlen(path);

	return !n || path[n - 1] == '/';
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Opens the directory that a path ends in, one step at a time, so that no step can be a symbolic link. */
int gp_worktree_open_dir(int from, const char *path)
{
	int fd = from;

	for (const char *end; fd >= 0 && (end = strchr(path, '/')); path = end + 1) {
		char *step = gp_memdup0(path, (size_t)(end - path));
		int next = openat(fd, step, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		free(step);
		if (fd != from)
			close(fd);
		fd = next;
	}
	return fd == from ? openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : fd;
}

/* Opens a file in an open directory; a symbolic link is not followed, a FIFO not waited for. */
int gp_worktree_open_file(int dir, const char *path)
{
	return openat(dir, name_of(path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

enum kind { OTHER, MANIFEST, DIRECTORY };

static enum kind kind_of(int dir, const struct dirent *e)
{
	struct stat st = {0};

	if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || !strcmp(e->d_name, ".git"))
		return OTHER;
#ifdef DT_DIR
	if (e->d_type != DT_UNKNOWN)
		st.st_mode = e->d_type == DT_DIR ? S_IFDIR : e->d_type == DT_REG ? S_IFREG : S_IFLNK;
#endif
	if (!st.st_mode && fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW))
		return OTHER;
	if (S_ISDIR(st.st_mode))
		return DIRECTORY;
	return S_ISREG(st.st_mode) && gp_inventory_is_manifest(e->d_name) ? MANIFEST : OTHER;
}

/* The manifests and directories in an open directory. */
static int list(struct gp_paths *out, DIR *dir, const char *path, struct gp_err *err)
{
	const struct dirent *e;

	for (errno = 0; (e = readdir(dir)); errno = 0) {
		enum kind kind = kind_of(dirfd(dir), e);

		if (kind != OTHER)
			paths_add(out, gp_asprintf("%s%s%s", path, e->d_name, kind == DIRECTORY ? "/" : ""));
	}
	return errno ? fail(err, "list", path) : 0;
}

/* Looking for manifests that may have a marker: of the setter's app, or, without a setter, of any. */
struct search {
	int env;
	const struct gp_setter *setter;
	const struct gp_paths *units;
	struct gp_bytes text; /* of the file that is looked at */
	FILE *out;            /* the paths that were found, each with its NUL */
};

static int search_file(struct search *s, int dir, const char *path, struct gp_err *err)
{
	int fd = gp_worktree_open_file(dir, path);
	ssize_t n;

	if (fd < 0)
		return errno == ELOOP || errno == ENOENT ? 0 : fail(err, "open", path);
	s->text.len = 0;
	do
		n = gp_read_some(fd, &s->text);
	while ((n > 0 && s->text.len == s->text.cap && s->text.len <= GP_WORKTREE_MAX_FILE) ||
	       (n < 0 && errno == EINTR));
	close(fd);
	if (n < 0)
		return fail(err, "read", path);
	if (s->text.len > GP_WORKTREE_MAX_FILE)
		return gp_fail(err, GP_EXIT_INPUT, "%s: more than %d bytes", path, GP_WORKTREE_MAX_FILE);
	if (gp_setter_may_match(s->text.data, s->text.len, s->setter))
		fwrite(path, 1, strlen(path) + 1, s->out);
	return 0;
}

/* Searches an open directory. Takes fd over; a directory that has just been deleted is empty. */
static int search_dir(struct search *s, int fd, const char *path, unsigned depth,
		      struct gp_err *err) /* NOLINT(misc-no-recursion) */
{
	struct gp_paths below = {0};
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int rc;

	if (!dir) {
		rc = errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : fail(err, "list", path);
		if (fd >= 0)
			close(fd);
		return rc;
	}
	rc = depth > MAX_DEPTH ? gp_fail(err, GP_EXIT_INPUT, "'%s' is nested too deeply", path)
			       : list(&below, dir, path, err);
	for (size_t i = 0; i < below.count && !rc; i++) {
		char *name = below.item[i];

		if (!is_dir(name)) {
			rc = search_file(s, dirfd(dir), name, err);
			continue;
		}
		char *base = gp_memdup0(name + strlen(path), strlen(name) - strlen(path) - 1);
		int sub = openat(dirfd(dir), base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		free(base);
		rc = search_dir(s, sub, name, depth + 1, err);
	}
	closedir(dir);
	gp_paths_free(&below);
	return rc;
}

static unsigned depth_of(const char *path)
{
	unsigned n = 0;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

static int search_units(void *ctx, size_t from, size_t to, FILE *out, struct gp_err *err)
{
	struct search s = *(struct search *)ctx;
	int rc = 0;

	s.out = out;
	for (size_t i = from; i < to && !rc; i++) {
		const char *path = s.units->item[i];
		int fd = gp_worktree_open_dir(s.env, path);

		if (is_dir(path)) {
			rc = search_dir(&s, fd, path, depth_of(path), err);
		} else if (fd >= 0) {
			rc = search_file(&s, fd, path, err);
			close(fd);
		}
	}
	free(s.text.data);
	return rc;
}

/* Replaces each directory by its entries. Returns 1 if there were any directories, 0, -1. */
static int descend(int env, struct gp_paths *units, struct gp_err *err)
{
	struct gp_paths below = {0};
	int rc = 0;

	for (size_t i = 0; i < units->count && rc >= 0; i++) {
		char *path = units->item[i];
		int fd;
		DIR *dir;

		if (!is_dir(path)) {
			paths_add(&below, path);
			units->item[i] = NULL;
			continue;
		}
		if (depth_of(path) > MAX_DEPTH) {
			rc = gp_fail(err, GP_EXIT_INPUT, "'%s' is nested too deeply", path);
			break;
		}
		fd = gp_worktree_open_dir(env, path);
		dir = fd < 0 ? NULL : fdopendir(fd);
		rc = dir ? 1 : fail(err, "list", path);
		if (dir && list(&below, dir, path, err))
			rc = -1;
		if (dir)
			closedir(dir);
		else if (fd >= 0)
			close(fd);
	}
	gp_paths_free(units);
	*units = below;
	return rc;
}

int gp_worktree_search(struct gp_paths *out, int env, const struct gp_setter *setter, struct gp_err *err)
{
	struct gp_paths units = {0};
	struct search search = {.env = env, .setter = setter, .units = &units};
	char *found = NULL;
	size_t len = 0;
	int rc;

	paths_add(&units, gp_strdup(""));
	do
		rc = descend(env, &units, err);
	while (rc > 0 && units.count < ENOUGH_UNITS);
	if (rc >= 0)
		rc = gp_split(&found, &len, units.count, LEAST_UNITS, search_units, &search, err);
	for (const char *at = found; !rc && at < found + len; at += strlen(at) + 1)
		paths_add(out, gp_strdup(at));
	free(found);
	gp_paths_free(&units);
	if (out->count)
		qsort(out->item, out->count, sizeof *out->item, by_name);
	return rc;
}
