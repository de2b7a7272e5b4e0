/*
 * mem.h - memory that is there, or the program ends: out of memory is exit 71
 * with one line on stderr. Anybody may include it. What these functions return
 * is the caller's, to be given to free(3).
 */
#ifndef GP_MEM_H
#define GP_MEM_H

#include <stdarg.h>
#include <stddef.h>

/* n zeroed elements of size bytes; never NULL, also for 0. */
void *gp_calloc(size_t n, size_t size);

/* ptr grown or shrunk to n elements of size bytes; never NULL, also for 0. */
void *gp_reallocarray(void *ptr, size_t n, size_t size);

/* Room for one more element in an array that holds n of them: grows by doubling, at 0 and at each power of two. */
void *gp_grow(void *ptr, size_t n, size_t size);

/* A copy of s, or NULL where s is NULL. */
char *gp_strdup(const char *s);

/* A copy of the n bytes at s with a NUL behind them. */
char *gp_memdup0(const char *s, size_t n);

/* printf into new memory. */
char *gp_asprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *gp_vasprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

#endif
