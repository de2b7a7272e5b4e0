#include "sys/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sys/exit.h"
#include "sys/mem.h"

int gp_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

ssize_t gp_read_some(int fd, struct gp_bytes *b)
{
	if (b->cap - b->len < 4096) {
		b->cap = b->cap ? b->cap * 2 : 16384;
		b->data = gp_reallocarray(b->data, b->cap + 1, 1);
	}
	ssize_t n = read(fd, b->data + b->len, b->cap - b->len);

	if (n > 0)
		b->len += (size_t)n;
	b->data[b->len] = '\0';
	return n;
}

int gp_read_all(char **data, size_t *len, int fd, size_t max, struct gp_err *err)
{
	struct gp_bytes b = {NULL, 0, 0};

	for (;;) {
		ssize_t n = gp_read_some(fd, &b);

		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			gp_fail(err, GP_EXIT_SYSTEM, "cannot read: %s", strerror(errno));
			goto fail;
		}
		if (b.len > max) {
			gp_fail(err, GP_EXIT_INPUT, "more than %zu bytes", max);
			goto fail;
		}
	}
	*data = b.data;
	*len = b.len;
	return 0;
fail:
	free(b.data);
	return -1;
}

int gp_read_file(char **data, size_t *len, const char *path, size_t max, struct gp_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return gp_fail(err, GP_EXIT_SYSTEM, "cannot open '%s': %s", path, strerror(errno));
	int rc = gp_read_all(data, len, fd, max, err);

	close(fd);
	return rc ? gp_fail_in(err, "'%s'", path) : 0;
}

int gp_lines_next(struct gp_lines *l, char **line, size_t *line_len, size_t max, int timeout_ms, struct gp_err *err)
{
	size_t seen = 0;
	long long until = gp_now_ms() + timeout_ms;

	/* Move what is left to the front, so that the buffer grows only with the longest line. */
	if (l->start) {
		memmove(l->data, l->data + l->start, l->len - l->start);
		l->len -= l->start;
		l->start = 0;
	}
	for (;;) {
		char *end = l->len > seen ? memchr(l->data + seen, '\n', l->len - seen) : NULL;

		if (end) {
			*end = '\0';
			*line = l->data;
			*line_len = (size_t)(end - l->data);
			l->start = *line_len + 1;
			return 1;
		}
		seen = l->len;
		if (l->len > max)
			return gp_fail(err, GP_EXIT_INPUT, "a line of more than %zu bytes", max);
		struct pollfd fd = {l->fd, POLLIN, 0};
		long long left = until - gp_now_ms();
		int ready = poll(&fd, 1, timeout_ms < 0 ? -1 : left > 0 ? (int)left : 0);

		if (ready == 0)
			return gp_fail(err, GP_EXIT_RETRY, "no answer within %d s", timeout_ms / 1000);
		struct gp_bytes b = {l->data, l->len, l->len};
		ssize_t n = ready < 0 ? -1 : gp_read_some(l->fd, &b);

		l->data = b.data;
		l->len = b.len;
		if (n < 0 && errno != EINTR)
			return gp_fail(err, GP_EXIT_SYSTEM, "cannot read: %s", strerror(errno));
		if (n == 0 && !l->len)
			return 0;
		if (n == 0) {
			/* The last line may lack its line end. */
			*line = l->data;
			*line_len = l->start = l->len;
			return 1;
		}
	}
}

void gp_lines_free(struct gp_lines *l)
{
	free(l->data);
	*l = (struct gp_lines){.fd = l->fd};
}

long long gp_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void gp_sleep_ms(long long ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};

	if (ms > 0)
		nanosleep(&t, NULL);
}

void gp_hold_signals(sigset_t *before)
{
	sigset_t ending;

	sigemptyset(&ending);
	sigaddset(&ending, SIGHUP);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGQUIT);
	sigaddset(&ending, SIGTERM);
	sigprocmask(SIG_BLOCK, &ending, before);
}

void gp_release_signals(const sigset_t *before)
{
	sigprocmask(SIG_SETMASK, before, NULL);
}
