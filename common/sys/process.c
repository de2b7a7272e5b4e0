#include "sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/exit.h"
#include "sys/io.h"
#include "sys/mem.h"
#include "sys/process-kin.h"

enum { TERM_MS = 1000 };

extern char **environ;

void gp_output_free(struct gp_output *output)
{
	free(output->out);
	free(output->err);
	*output = (struct gp_output){0};
}

/* The environment with changes applied: the array is the caller's, the strings are borrowed. */
static char **environment(const char *const changes[])
{
	size_t n = 0, m = 0, out = 0;

	while (environ[n])
		n++;
	while (changes && changes[m])
		m++;
	char **env = gp_calloc(n + m + 1, sizeof *env);

	for (size_t i = 0; i < n; i++) {
		size_t name = strcspn(environ[i], "=");
		int replaced = 0;

		for (size_t j = 0; j < m; j++)
			replaced |= strcspn(changes[j], "=") == name && !strncmp(environ[i], changes[j], name);
		if (!replaced)
			env[out++] = environ[i];
	}
	for (size_t j = 0; j < m; j++)
		if (strchr(changes[j], '='))
			env[out++] = (char *)(uintptr_t)changes[j];
	return env;
}

static int make_pipe(int fds[2])
{
	if (pipe(fds))
		return -1;
	fcntl(fds[0], F_SETFD, FD_CLOEXEC);
	fcntl(fds[1], F_SETFD, FD_CLOEXEC);
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Starts a program on these three descriptors (-1: ours stays). Returns 0 or an errno. */
static int spawn(pid_t *pid, const char *const argv[], const char *const env[], int in, int out, int error)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t defaults;
	char **environment_ = environment(env);
	const int fds[] = {in, out, error};
	int rc = 0;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	/* Without memory for one of these, the program would write to our own standard output. */
	for (int i = 0; i < 3 && !rc; i++)
		if (fds[i] >= 0)
			rc = posix_spawn_file_actions_adddup2(&actions, fds[i], i);
	if (!rc)
		rc = posix_spawnp(pid, argv[0], &actions, &attributes, (char *const *)(uintptr_t)argv, environment_);

	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	free(environment_);
	return rc;
}

static int exit_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return exit_status(status);
}

/* What remains until then, for poll(2); until 0: for ever. */
static int left_ms(long long until)
{
	long long left = until ? until - gp_now_ms() : 0;

	return !until ? -1 : left > 0 ? (int)left : 0;
}

/*
 * Feeds the input and collects both outputs at the same time, so that neither side waits for the other. Returns 0 when
 * they have come to their end, 1 when they have not until then, -1.
 */
static int converse(struct gp_bytes got[2], struct gp_running *running, const char *input, size_t len, size_t *sent,
		    long long until)
{
	int *to = &running->to, *from = running->from;

	if (*sent == len)
		close_fd(to);
	while (from[0] >= 0 || from[1] >= 0) {
		struct pollfd fds[3] = {{from[0], POLLIN, 0}, {from[1], POLLIN, 0}, {*to, POLLOUT, 0}};
		int left = left_ms(until), ready = left ? poll(fds, 3, left) : 0;

		if (ready == 0)
			return 1;
		if (ready < 0) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		if (*to >= 0 && fds[2].revents) {
			ssize_t n = write(*to, input + *sent, len - *sent);

			if (n > 0)
				*sent += (size_t)n;
			/* A program need not read all of its input: a broken pipe is its own business. */
			if (*sent == len || (n < 0 && errno != EAGAIN && errno != EINTR))
				close_fd(to);
		}
		for (int i = 0; i < 2; i++) {
			if (from[i] < 0 || !fds[i].revents)
				continue;
			ssize_t n = gp_read_some(from[i], &got[i]);

			if (n == 0 || (n < 0 && errno != EINTR))
				close_fd(&from[i]);
		}
	}
	return 0;
}

static void append(struct gp_bytes *b, const char *text)
{
	size_t n = strlen(text);

	b->data = gp_reallocarray(b->data, b->len + n + 1, 1);
	memcpy(b->data + b->len, text, n + 1);
	b->len += n;
	b->cap = b->len;
}

/* Its time is over. What it has started may still hold its pipes, and is not waited for. */
static int stop(struct gp_bytes got[2], struct gp_running *running, const char *input, size_t len, size_t *sent,
		int timeout_ms)
{
	char *said = gp_asprintf("\n%s: timed out after %d s\n", running->name, timeout_ms / 1000);
	int rc;

	gp_kin_signal(running->pid, SIGTERM);
	rc = converse(got, running, input, len, sent, gp_now_ms() + TERM_MS);
	if (rc > 0)
		gp_kin_signal(running->pid, SIGKILL);
	append(&got[1], said);
	free(said);
	return rc < 0 ? -1 : 0;
}

int gp_run_start(struct gp_running *running, const char *const argv[], const char *const env[], struct gp_err *err)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, error[2] = {-1, -1}, rc = -1, failed;

	*running = (struct gp_running){0, -1, {-1, -1}, argv[0]};
	if (make_pipe(in) || make_pipe(out) || make_pipe(error)) {
		gp_fail(err, GP_EXIT_SYSTEM, "cannot make a pipe: %s", strerror(errno));
		goto out;
	}
	failed = spawn(&running->pid, argv, env, in[0], out[1], error[1]);
	if (failed) {
		running->pid = 0;
		gp_fail(err, GP_EXIT_SYSTEM, "cannot run '%s': %s", argv[0], strerror(failed));
		goto out;
	}
	running->to = in[1];
	running->from[0] = out[0];
	running->from[1] = error[0];
	in[1] = out[0] = error[0] = -1;
	rc = 0;
out:
	for (int i = 0; i < 2; i++) {
		close_fd(&in[i]);
		close_fd(&out[i]);
		close_fd(&error[i]);
	}
	return rc;
}

static int end_within(struct gp_running *running, struct gp_output *output, const void *input, size_t len,
		      int timeout_ms, struct gp_err *err)
{
	struct gp_bytes got[2] = {{NULL, 0, 0}, {NULL, 0, 0}};
	size_t sent = 0;
	int rc;

	*output = (struct gp_output){0};
	if (!running->pid)
		return gp_fail(err, GP_EXIT_BUG, "a program that was not started is waited for");
	fcntl(running->to, F_SETFL, O_NONBLOCK);
	rc = converse(got, running, input, len, &sent, timeout_ms < 0 ? 0 : gp_now_ms() + timeout_ms);
	if (rc > 0)
		rc = stop(got, running, input, len, &sent, timeout_ms);
	if (rc)
		gp_fail(err, GP_EXIT_SYSTEM, "cannot talk to '%s': %s", running->name, strerror(errno));
	close_fd(&running->to);
	for (int i = 0; i < 2; i++)
		close_fd(&running->from[i]);
	*output = (struct gp_output){
		.status = wait_for(running->pid),
		.out = got[0].data ? got[0].data : gp_strdup(""),
		.err = got[1].data ? got[1].data : gp_strdup(""),
		.out_len = got[0].len,
		.err_len = got[1].len,
	};
	running->pid = 0;
	return rc;
}

int gp_run_end(struct gp_running *running, struct gp_output *output, const void *input, size_t len, struct gp_err *err)
{
	return end_within(running, output, input, len, -1, err);
}

int gp_run_within(struct gp_output *output, const char *const argv[], const char *const env[], const void *input,
		  size_t len, int timeout_ms, struct gp_err *err)
{
	struct gp_running running;

	*output = (struct gp_output){0};
	return gp_run_start(&running, argv, env, err) ? -1 : end_within(&running, output, input, len, timeout_ms, err);
}

int gp_run(struct gp_output *output, const char *const argv[], const char *const env[], const void *input, size_t len,
	   struct gp_err *err)
{
	return gp_run_within(output, argv, env, input, len, -1, err);
}

int gp_child_start(struct gp_child *child, const char *const argv[], const char *const env[], struct gp_err *err)
{
	int in[2] = {-1, -1}, out[2] = {-1, -1}, failed = 0;

	*child = (struct gp_child){-1, -1, -1};
	if (make_pipe(in) || make_pipe(out))
		failed = errno;
	if (!failed)
		failed = spawn(&child->pid, argv, env, in[0], out[1], -1);
	close_fd(&in[0]);
	close_fd(&out[1]);
	if (failed) {
		close_fd(&in[1]);
		close_fd(&out[0]);
		child->pid = -1;
		return gp_fail(err, failed == ENOENT ? GP_EXIT_CONFIG : GP_EXIT_SYSTEM, "cannot run '%s': %s", argv[0],
			       strerror(failed));
	}
	child->to = in[1];
	child->from = out[0];
	return 0;
}

int gp_child_write(struct gp_child *child, const char *data, size_t len, int timeout_ms, struct gp_err *err)
{
	long long until = gp_now_ms() + timeout_ms;

	fcntl(child->to, F_SETFL, O_NONBLOCK);
	while (len) {
		struct pollfd fd = {child->to, POLLOUT, 0};
		long long left = until - gp_now_ms();
		int ready = poll(&fd, 1, left > 0 ? (int)left : 0);

		if (ready == 0)
			return gp_fail(err, GP_EXIT_RETRY, "does not read its requests within %d s", timeout_ms / 1000);
		ssize_t n = ready < 0 ? -1 : write(child->to, data, len);

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return gp_fail(err, GP_EXIT_SYSTEM, "has ended: %s", strerror(errno));
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* Waits for a while. Returns whether the child has ended. */
static bool ends_within(pid_t pid, int *status, long long ms)
{
	long long until = gp_now_ms() + ms;

	for (;;) {
		pid_t got = waitpid(pid, status, WNOHANG);

		if (got == pid || (got < 0 && errno != EINTR))
			return true;
		if (gp_now_ms() >= until)
			return false;
		gp_sleep_ms(2);
	}
}

int gp_child_end(struct gp_child *child)
{
	int status = 0;

	if (child->pid <= 0)
		return -1;
	close_fd(&child->to);
	close_fd(&child->from);
	if (!ends_within(child->pid, &status, 2000)) {
		kill(child->pid, SIGTERM);
		if (!ends_within(child->pid, &status, 1000)) {
			kill(child->pid, SIGKILL);
			waitpid(child->pid, &status, 0);
		}
	}
	child->pid = -1;
	return exit_status(status);
}
