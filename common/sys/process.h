/*
 * process.h - other programs: run to their end, or kept beside this one. Any
 * module may use it. Changes neither this process's environment nor its
 * directory.
 */
#ifndef GP_PROCESS_H
#define GP_PROCESS_H

#include <stddef.h>
#include <sys/types.h>

#include "sys/err.h"

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

/*
 * The same for at most timeout_ms (-1: for ever). A program that is still there is asked to end (SIGTERM), then killed
 * (SIGKILL); what it wrote to stderr then ends in a line with "timed out".
 */
int gp_run_within(struct gp_output *output, const char *const argv[], const char *const env[], const void *input,
		  size_t len, int timeout_ms, struct gp_err *err);

/* The same in two steps, so that several programs run at a time: one that was started has to be ended. */
struct gp_running {
	pid_t pid; /* 0: none was started */
	int to, from[2];
	const char *name; /* argv[0], borrowed */
};
int gp_run_start(struct gp_running *running, const char *const argv[], const char *const env[], struct gp_err *err);
/* Waits; one that was not started is an error 70. */
int gp_run_end(struct gp_running *running, struct gp_output *output, const void *input, size_t len, struct gp_err *err);

/* A program that runs beside this one, with a pipe to its stdin and one from its stdout. */
struct gp_child {
	pid_t pid;
	int to, from; /* -1 when closed */
};

/* Starts argv[0] with its stderr left as ours. 71 if that fails; a program that does not exist is 78. */
int gp_child_start(struct gp_child *child, const char *const argv[], const char *const env[], struct gp_err *err);

/* Writes to its stdin, waiting at most timeout_ms for it to read on. errors: 75 if it does not, 71. */
int gp_child_write(struct gp_child *child, const char *data, size_t len, int timeout_ms, struct gp_err *err);

/*
 * Closes both pipes and waits; a child that does not end within two seconds is
 * told to (SIGTERM), then killed (SIGKILL). Returns its exit status as in
 * gp_output; -1 if there is no child.
 */
int gp_child_end(struct gp_child *child);

#endif
