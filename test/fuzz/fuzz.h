/*
 * fuzz.h - what fuzz targets share. A target is one file of this directory with
 * LLVMFuzzerTestOneInput; it takes any bytes and calls FUZZ_HOLDS with what must
 * be true of them. With clang's -fsanitize=fuzzer it is fuzzed, with
 * standalone.c it replays files.
 */
#ifndef GP_FUZZ_H
#define GP_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An abort is what both the fuzzer and a shell take for a crash. */
#define FUZZ_HOLDS(condition)                                                                                          \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                 \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

#endif
