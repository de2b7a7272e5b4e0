/*
 * libgit2's memory. An allocation that fails ends the program: libgit2 would crash, because it allocates its error as
 * well.
 */
#include <git2.h>
#include <git2/sys/alloc.h>
#include <stdlib.h>

#include "git/memory.h"
#include "sys/mem.h"

static void *take(size_t n, const char *file, int line)
{
	(void)file, (void)line;
	return gp_malloc(n);
}

static void *grow(void *ptr, size_t n, const char *file, int line)
{
	(void)file, (void)line;
	return gp_realloc(ptr, n);
}

/* https://github.com/libgit2/libgit2/blob/v1.7.0/include/git2/sys/alloc.h has three functions, those before it nine. */
#if LIBGIT2_VER_MAJOR == 1 && LIBGIT2_VER_MINOR < 7
static void *take_zeroed(size_t n, size_t size, const char *file, int line)
{
	(void)file, (void)line;
	return gp_calloc(n, size);
}

static void *take_array(size_t n, size_t size, const char *file, int line)
{
	(void)file, (void)line;
	return gp_reallocarray(NULL, n, size);
}

static void *grow_array(void *ptr, size_t n, size_t size, const char *file, int line)
{
	(void)file, (void)line;
	return gp_reallocarray(ptr, n, size);
}

static char *copy(const char *s, const char *file, int line)
{
	(void)file, (void)line;
	return gp_strdup(s);
}

static char *copy_bytes(const char *s, size_t n, const char *file, int line)
{
	(void)file, (void)line;
	return gp_memdup0(s, n);
}

static char *copy_at_most(const char *s, size_t n, const char *file, int line)
{
	size_t len = 0;

	(void)file, (void)line;
	while (len < n && s[len])
		len++;
	return gp_memdup0(s, len);
}
#endif

void gp_git_use_memory(void)
{
	git_allocator allocator =
	{.gmalloc = take,
	 .grealloc = grow,
	 .gfree = free,
#if LIBGIT2_VER_MAJOR == 1 && LIBGIT2_VER_MINOR < 7
	 .gcalloc = take_zeroed,
	 .gmallocarray = take_array,
	 .greallocarray = grow_array,
	 .gstrdup = copy,
	 .gsubstrdup = copy_bytes,
	 .gstrndup = copy_at_most,
#endif
	};

	git_libgit2_opts(GIT_OPT_SET_ALLOCATOR, &allocator);
}
