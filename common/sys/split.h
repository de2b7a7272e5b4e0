/*
 * split.h - one list of like tasks, done on several processors. By processes and not by threads, because libgit2
 * takes locks for each object that it reads: two threads were slower than one, two processes took half the time.
 */
#ifndef GP_SPLIT_H
#define GP_SPLIT_H

#include <stddef.h>
#include <stdio.h>

#include "sys/err.h"

/*
 * Does the tasks [from, to) and writes what came of them to out. Called in a copy of this process: nothing that it
 * changes is seen outside, and it must leave the outside as it is.
 */
typedef int gp_split_fn(void *ctx, size_t from, size_t to, FILE *out, struct gp_err *err);

/*
 * Does n tasks, in as many parts as pay where a part is worth it from `least` tasks on, and hands out what all parts
 * wrote, one after the other, in the tasks' order. What a part could not do (no process available, an error) is done
 * once more in this process, so that the error is the one that a single process would have met. errors: fn's. Yours.
 */
int gp_split(char **out, size_t *len, size_t n, size_t least, gp_split_fn *fn, void *ctx, struct gp_err *err);

#endif
