#include "sys/mem.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/exit.h"

void gp_out_of_memory(void)
{
	static const char line[] = "gp: out of memory\n";

	/* Nothing is left to build a better line with, and nobody to tell if even this fails. */
	if (write(STDERR_FILENO, line, sizeof line - 1) < 0)
		_exit(GP_EXIT_SYSTEM);
	_exit(GP_EXIT_SYSTEM);
}

void *gp_malloc(size_t size)
{
	return gp_realloc(NULL, size);
}

void *gp_realloc(void *ptr, size_t size)
{
	void *p = realloc(ptr, size ? size : 1);

	if (!p)
		gp_out_of_memory();
	return p;
}

void *gp_calloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		gp_out_of_memory();
	return p;
}

void *gp_reallocarray(void *ptr, size_t n, size_t size)
{
	if (size && n > SIZE_MAX / size)
		gp_out_of_memory();
	return gp_realloc(ptr, n * size);
}

void *gp_grow(void *ptr, size_t n, size_t size)
{
	if (n & (n - 1))
		return ptr;
	return gp_reallocarray(ptr, n ? n * 2 : 1, size);
}

char *gp_strdup(const char *s)
{
	return s ? gp_memdup0(s, strlen(s)) : NULL;
}

char *gp_memdup0(const char *s, size_t n)
{
	char *p = gp_reallocarray(NULL, n + 1, 1);

	if (n)
		memcpy(p, s, n);
	p[n] = '\0';
	return p;
}

char *gp_realpath(const char *path)
{
	char *real = realpath(path, NULL);

	if (!real && errno == ENOMEM)
		gp_out_of_memory();
	return real;
}

char *gp_vasprintf(const char *fmt, va_list ap)
{
	va_list again;

	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		gp_out_of_memory();
	char *p = gp_reallocarray(NULL, (size_t)n + 1, 1);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	return p;
}

char *gp_asprintf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *p = gp_vasprintf(fmt, ap);
	va_end(ap);
	return p;
}

FILE *gp_open_text(char **text, size_t *len)
{
	FILE *stream;

	*text = NULL;
	stream = open_memstream(text, len);
	if (!stream)
		gp_out_of_memory();
	return stream;
}

void gp_close_text(FILE *stream, char *const *text)
{
	bool failed = ferror(stream);

	/* Memory is all that such a stream can run out of; glibc's may close well and leave no text behind. */
	if (fclose(stream) || failed || !*text)
		gp_out_of_memory();
}
