#include "mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exit.h"

static _Noreturn void out_of_memory(void)
{
	static const char line[] = "gp: out of memory\n";

	/* Nothing is left to build a better line with, and nobody to tell if even this fails. */
	if (write(STDERR_FILENO, line, sizeof line - 1) < 0)
		_exit(GP_EXIT_SYSTEM);
	_exit(GP_EXIT_SYSTEM);
}

void *gp_calloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *gp_reallocarray(void *ptr, size_t n, size_t size)
{
	if (size && n > SIZE_MAX / size)
		out_of_memory();
	void *p = realloc(ptr, n && size ? n * size : 1);

	if (!p)
		out_of_memory();
	return p;
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

char *gp_vasprintf(const char *fmt, va_list ap)
{
	va_list again;

	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (n < 0)
		out_of_memory();
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
