/*
 * err.h - how a function says what went wrong. Every function that can fail
 * takes a `struct gp_err *` last and returns -1 (or NULL) after filling it
 * once: the first error wins. Anybody may include it; an error owns no memory.
 */
#ifndef GP_ERR_H
#define GP_ERR_H

#include <stdarg.h>
#include <stddef.h>

struct gp_err {
	int code;           /* an enum gp_exit; 0: no error yet */
	char message[2048]; /* one line: lower case, no full stop, no control characters, valid UTF-8 */
};

/*
 * Fills err with an exit status and a message, unless it holds one already.
 * Control characters from outside become '?', bytes that are no UTF-8 become
 * '?', line ends become "; " or a blank; an overlong message is cut and ends
 * in "...". Returns -1, so that `return gp_fail(…)` reads well.
 */
int gp_fail(struct gp_err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int gp_vfail(struct gp_err *err, int code, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));

/* Puts "what: " before the message of an error that is already there. Returns -1. */
int gp_fail_in(struct gp_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#ifdef __clang_analyzer__
/* The analyzer does not look into another file to see that these always return -1. */
#define gp_fail(...) (gp_fail(__VA_ARGS__), -1)
#define gp_fail_in(...) (gp_fail_in(__VA_ARGS__), -1)
#endif

/* Forgets the error. */
void gp_err_clear(struct gp_err *err);

/*
 * Copies at most cap - 1 bytes of src to dst as one clean line (see gp_fail)
 * and ends it with NUL. Used for all text that goes to a terminal or a log.
 */
void gp_clean_line(char *dst, size_t cap, const char *src);

/* The same for a text of several lines, such as a diff: line ends and tabs stay. Yours. */
char *gp_clean_text(const char *src);

#endif
