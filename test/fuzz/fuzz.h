/*
 * fuzz.h - what fuzz targets share. A target is one file of this directory with
 * LLVMFuzzerTestOneInput; it takes any bytes and calls FUZZ_HOLDS with what must
 * be true of them. With clang's -fsanitize=fuzzer it is fuzzed, with
 * standalone.c it replays files.
 */
#ifndef GP_FUZZ_H
#define GP_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An abort is what both the fuzzer and a shell take for a crash. */
#define FUZZ_HOLDS(condition)                                                                                          \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                 \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

/* The bytes up to the first NUL as a string; free(3) it. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	size_t len = size && memchr(data, '\0', size) ? strlen((const char *)data) : size;
	char *text = malloc(len + 1);

	FUZZ_HOLDS(text);
	if (len)
		memcpy(text, data, len);
	text[len] = '\0';
	return text;
}

/* The same, and moves behind the NUL, so that one input is several strings. */
static inline char *fuzz_next_text(const uint8_t **data, size_t *size)
{
	char *text = fuzz_text(*data, *size);
	size_t used = strlen(text) + (strlen(text) < *size);

	*data += used;
	*size -= used;
	return text;
}

/* An open file without a name; in memory, where that is available: a disk would take most of the time. fclose(3) it. */
static inline FILE *fuzz_temporary(void)
{
#ifdef MFD_CLOEXEC
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	return fd < 0 ? tmpfile() : fdopen(fd, "w+b");
#else
	return tmpfile();
#endif
}

/* An open file of these bytes, to be read from its beginning. fclose(3) it. */
static inline FILE *fuzz_file(const void *data, size_t size)
{
	FILE *f = fuzz_temporary();

	FUZZ_HOLDS(f && fwrite(data, 1, size, f) == size && !fflush(f) && !lseek(fileno(f), 0, SEEK_SET));
	return f;
}

/* All that was written to an open file, with a NUL behind it; free(3) it. */
static inline char *fuzz_contents(FILE *f, size_t *len)
{
	off_t end = lseek(fileno(f), 0, SEEK_END);
	char *text = malloc((size_t)end + 1);

	FUZZ_HOLDS(end >= 0 && text && pread(fileno(f), text, (size_t)end, 0) == end);
	text[end] = '\0';
	*len = (size_t)end;
	return text;
}

/* Whether a text holds nothing that a terminal, or a person's eye, could take for something else than text. */
static inline bool fuzz_is_printable(const char *text)
{
	for (const unsigned char *s = (const unsigned char *)text; *s; s++) {
		if (*s < 0x20 || *s == 0x7f || (s[0] == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0))
			return false;
		if (s[0] == 0xd8 && s[1] == 0x9c)
			return false;
		if (s[0] == 0xe2 && s[1] == 0x80 && ((s[2] >= 0xa8 && s[2] <= 0xae) || s[2] == 0x8e || s[2] == 0x8f))
			return false;
		if (s[0] == 0xe2 && s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9)
			return false;
	}
	return true;
}

#endif
