/*
 * failing-malloc.c - memory that runs out, for LD_PRELOAD and glibc: in the program that FAIL_PROGRAM names, the
 * allocation of number FAIL_AT (from 1) fails, and with FAIL_ON all that follow it, too. At its end the program writes
 * to the file FAIL_COUNT how many there were. What OpenSSL allocates to initialise itself does not count.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The C library's own, by the names under which it exports them to those who take its place. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t nmemb, size_t size);
void *__libc_realloc(void *ptr, size_t size);

/*
 * In OpenSSL 3.5 (Debian 13) a lock that cannot be allocated in OPENSSL_init_crypto(3) is reported with ERR_new(3), which
 * calls OPENSSL_init_crypto: it waits for itself. So it is called here first. Weak: not every program has OpenSSL.
 */
__attribute__((weak)) int OPENSSL_init_ssl(uint64_t options, const void *settings);
__attribute__((weak)) unsigned long ERR_peek_error(void);

static bool is_counting, goes_on;
static unsigned long fail_at;
static atomic_ulong count;

__attribute__((constructor)) static void begin(void)
{
	const char *program = getenv("FAIL_PROGRAM"), *at = getenv("FAIL_AT");

	if (OPENSSL_init_ssl && ERR_peek_error) {
		OPENSSL_init_ssl(0, NULL);
		/* This thread's own errors. */
		ERR_peek_error();
	}
	is_counting = program && !strcmp(program, program_invocation_short_name);
	goes_on = getenv("FAIL_ON") != NULL;
	fail_at = at ? strtoul(at, NULL, 10) : 0;
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("FAIL_COUNT");
	int fd = is_counting && path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;

	is_counting = false;
	if (fd >= 0) {
		dprintf(fd, "%lu\n", (unsigned long)count);
		close(fd);
	}
}

static bool fails(void)
{
	unsigned long n;

	if (!is_counting)
		return false;
	n = ++count;
	if (!fail_at || (goes_on ? n < fail_at : n != fail_at))
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t nmemb, size_t size)
{
	return fails() ? NULL : __libc_calloc(nmemb, size);
}

void *realloc(void *ptr, size_t size)
{
	return fails() ? NULL : __libc_realloc(ptr, size);
}
