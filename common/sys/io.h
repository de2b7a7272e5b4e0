/*
 * io.h - bytes in and out: whole files, whole writes, lines, and the clock. Any
 * module may use it. What comes out through a pointer is the caller's. No
 * function here changes the process's own environment or directory.
 */
#ifndef GP_IO_H
#define GP_IO_H

#include <signal.h>
#include <stddef.h>
#include <sys/types.h>

#include "sys/err.h"

/* Writes all len bytes, going on after EINTR and short writes. Returns 0, or -1 with errno set. */
int gp_write_all(int fd, const void *data, size_t len);

/* A buffer that grows as it is read into; start with {0}. data is yours; followed by a NUL. */
struct gp_bytes {
	char *data;
	size_t len, cap;
};
/* Reads once. Returns what read(2) does. */
ssize_t gp_read_some(int fd, struct gp_bytes *bytes);

/*
 * Reads fd to its end, but no more than max bytes (then: 65). A NUL byte that
 * is not counted follows the data. errors: 71.
 */
int gp_read_all(char **data, size_t *len, int fd, size_t max, struct gp_err *err);

/* The same for a file; one that cannot be opened or read is 71 naming it. */
int gp_read_file(char **data, size_t *len, const char *path, size_t max, struct gp_err *err);

/*
 * Reads lines from a descriptor: buffers what comes after one. Start with
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

/*
 * Between the two, a signal that asks the program to end (HUP, INT, QUIT, TERM) waits, so that nothing is left behind
 * half-written. *before is what was so until then. No program may be started meanwhile, which would inherit this.
 */
void gp_hold_signals(sigset_t *before);
void gp_release_signals(const sigset_t *before);

#endif
