/*
 * io.h - bytes in and out: whole files, whole writes, other programs. Any
 * module may use it. What comes out through a pointer is the caller's. No
 * function here changes the process's own environment or directory.
 */
#ifndef GP_IO_H
#define GP_IO_H

#include <stddef.h>
#include <sys/types.h>

#include "err.h"

/* Writes all len bytes, going on after EINTR and short writes. Returns 0, or -1 with errno set. */
int gp_write_all(int fd, const void *data, size_t len);

/*
 * Reads fd to its end, but no more than max bytes (then: 65). A NUL byte that
 * is not counted stands behind the data. errors: 71.
 */
int gp_read_all(char **data, size_t *len, int fd, size_t max, struct gp_err *err);

/* The same for a file; one that cannot be opened or read is 71 naming it. */
int gp_read_file(char **data, size_t *len, const char *path, size_t max, struct gp_err *err);

/* What a finished program left behind. */
struct gp_output {
	int status;      /* its exit status; 128 + n when signal n ended it */
	char *out, *err; /* what it wrote; each ends in a NUL byte that is not counted */
	size_t out_len, err_len;
};
void gp_output_free(struct gp_output *output);

/*
 * Runs argv[0] (found in PATH), feeds it len bytes of input (NULL: an empty
 * stdin), waits for it and collects what it wrote. env: additional NAME=VALUE
 * strings up to a NULL, or NULL; NAME alone takes NAME away. The program gets
 * the default for SIGPIPE. A status other than 0 is no error here; a program
 * that cannot be started is (71).
 */
int gp_run(struct gp_output *output, const char *const argv[], const char *const env[], const void *input, size_t len,
	   struct gp_err *err);

/* A program that runs beside this one, with a pipe to its stdin and one from its stdout. */
struct gp_child {
	pid_t pid;
	int to, from; /* -1 when closed */
};

/* Starts argv[0] with its stderr left as ours. 71 where that fails; a program that does not exist is 78. */
int gp_child_start(struct gp_child *child, const char *const argv[], const char *const env[], struct gp_err *err);

/* Writes to its stdin, waiting at most timeout_ms for it to read on. errors: 75 where it does not, 71. */
int gp_child_write(struct gp_child *child, const char *data, size_t len, int timeout_ms, struct gp_err *err);

/*
 * Closes both pipes and waits; a child that does not end within two seconds is
 * told to (SIGTERM), then made to (SIGKILL). Returns its exit status as in
 * gp_output; -1 where there is no child.
 */
int gp_child_end(struct gp_child *child);

/*
 * Reads lines from a descriptor: buffers what comes behind one. Start with
 * {.fd = fd}; gp_lines_free leaves fd open.
 */
struct gp_lines {
	int fd;
	char *data;
	size_t len, start;
};
/*
 * The next line without its '\n' (borrowed until the next call), at most max
 * bytes, waiting at most timeout_ms (-1: for ever). Returns 1; 0 at the end;
 * -1 with err: 75 timeout, 65 too long, 71 otherwise.
 */
int gp_lines_next(struct gp_lines *lines, char **line, size_t *line_len, size_t max, int timeout_ms,
		  struct gp_err *err);
void gp_lines_free(struct gp_lines *lines);

/* Milliseconds on a clock that never jumps; only differences mean anything. */
long long gp_now_ms(void);

/* Sleeps; a signal may end it early. */
void gp_sleep_ms(long long ms);

#endif
