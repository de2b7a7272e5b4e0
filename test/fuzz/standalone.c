/*
 * standalone.c - main for a fuzz target without a fuzzer: runs it over the
 * files given as arguments, so that any compiler replays seeds and old crashes.
 */
#include "fuzz.h"

/* Exactly as large as the file, so that a sanitizer sees a read behind its end. */
static uint8_t *read_file(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	long end;

	if (!f || fseek(f, 0, SEEK_END) || (end = ftell(f)) < 0 || fseek(f, 0, SEEK_SET))
		goto out;
	data = malloc(end ? (size_t)end : 1);
	*size = data ? fread(data, 1, (size_t)end, f) : 0;
	if (*size != (size_t)end) {
		free(data);
		data = NULL;
	}
out:
	if (f)
		fclose(f);
	return data;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		size_t size;
		uint8_t *data = read_file(argv[i], &size);

		if (!data) {
			perror(argv[i]);
			return 71;
		}
		/* Shown where a crash follows: output is not buffered. */
		fprintf(stderr, "%s\n", argv[i]);
		LLVMFuzzerTestOneInput(data, size);
		free(data);
	}
	printf("%d replayed\n", argc - 1);
	return 0;
}
