/*
 * mem.h - memory that is there, or the program ends: out of memory is exit 71
 * with one line on stderr. Anybody may include it. What these functions return
 * is the caller's, to be given to free(3).
 */
#ifndef GP_MEM_H
#define GP_MEM_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

/* That end, for memory that a library could not get. */
void gp_out_of_memory(void) __attribute__((noreturn));

/* malloc(3) and realloc(3) by their own shape, for libraries that can be given memory; never NULL, also for 0. */
void *gp_malloc(size_t size);
void *gp_realloc(void *ptr, size_t size);

/* n zeroed elements of size bytes; never NULL, also for 0. */
void *gp_calloc(size_t n, size_t size);

/* ptr grown or shrunk to n elements of size bytes; never NULL, also for 0. */
void *gp_reallocarray(void *ptr, size_t n, size_t size);

/* Room for one more element in an array that holds n of them: grows by doubling, at 0 and at each power of two. */
void *gp_grow(void *ptr, size_t n, size_t size);

/* A copy of s, or NULL if s is NULL. */
char *gp_strdup(const char *s);

/* A copy of the n bytes at s followed by a NUL. */
char *gp_memdup0(const char *s, size_t n);

/* realpath(3) into new memory; NULL with errno where there is no such path, never for want of memory. */
char *gp_realpath(const char *path);

/* printf into new memory. */
char *gp_asprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *gp_vasprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

/*
 * open_memstream(3) and its fclose(3): what is written in between is *text, followed by a NUL after its *len bytes, once it
 * is closed. Yours. Nothing of it is ever missing.
 */
FILE *gp_open_text(char **text, size_t *len);
void gp_close_text(FILE *stream, char *const *text);

#endif
