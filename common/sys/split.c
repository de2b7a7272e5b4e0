#include "sys/split.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/io.h"
#include "sys/mem.h"

/* More would mostly wait for each other's memory; and a container often may use less than the machine shows. */
enum { MAX_PARTS = 4 };

struct part {
	size_t from, to;
	pid_t pid;
	int fd; /* what its process writes: how many bytes will come, then the bytes */
};

static size_t parts_for(size_t n, size_t least)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t parts = least ? n / least : n;

	if (cpus < 1)
		cpus = 1;
	if (parts > (size_t)cpus)
		parts = (size_t)cpus;
	return parts > MAX_PARTS ? MAX_PARTS : parts < 1 ? 1 : parts;
}

static int do_part(struct gp_bytes *got, const struct part *part, gp_split_fn *fn, void *ctx, struct gp_err *err)
{
	FILE *f = gp_open_text(&got->data, &got->len);
	int rc = fn(ctx, part->from, part->to, f, err);

	gp_close_text(f, &got->data);
	return rc;
}

static void start(struct part *part, gp_split_fn *fn, void *ctx)
{
	struct gp_bytes got = {0};
	struct gp_err err = {0};
	int fds[2];

	if (pipe(fds))
		return;
	fcntl(fds[0], F_SETFD, FD_CLOEXEC);
	fcntl(fds[1], F_SETFD, FD_CLOEXEC);
	part->pid = fork();
	if (part->pid == 0) {
		close(fds[0]);
		_exit(do_part(&got, part, fn, ctx, &err) || gp_write_all(fds[1], &got.len, sizeof got.len) ||
		      gp_write_all(fds[1], got.data, got.len));
	}
	close(fds[1]);
	if (part->pid < 0)
		close(fds[0]);
	else
		part->fd = fds[0];
}

/* Returns whether everything came. */
static bool collect(struct gp_bytes *got, const struct part *part)
{
	size_t len = 0, at = sizeof len;
	ssize_t n;

	do
		n = gp_read_some(part->fd, got);
	while (n > 0 || (n < 0 && errno == EINTR));
	close(part->fd);
	while (waitpid(part->pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (got->len < at)
		return false;
	memcpy(&len, got->data, sizeof len);
	return got->len - at == len;
}

static void append(char **out, size_t *len, const char *data, size_t n)
{
	*out = gp_reallocarray(*out, *len + n + 1, 1);
	memcpy(*out + *len, data, n);
	*len += n;
	(*out)[*len] = '\0';
}

int gp_split(char **out, size_t *len, size_t n, size_t least, gp_split_fn *fn, void *ctx, struct gp_err *err)
{
	size_t count = parts_for(n, least);
	struct part part[MAX_PARTS];
	int rc = 0;

	*out = gp_calloc(1, 1);
	*len = 0;
	for (size_t i = 0; i < count; i++) {
		part[i] = (struct part){n * i / count, n * (i + 1) / count, -1, -1};
		if (i > 0)
			start(&part[i], fn, ctx);
	}
	for (size_t i = 0; i < count; i++) {
		struct gp_bytes got = {0}, again = {0};

		if (part[i].fd >= 0 && collect(&got, &part[i])) {
			if (!rc)
				append(out, len, got.data + sizeof *len, got.len - sizeof *len);
		} else if (!rc) {
			rc = do_part(&again, &part[i], fn, ctx, err);
			append(out, len, again.data, again.len);
		}
		free(got.data);
		free(again.data);
	}
	return rc;
}
