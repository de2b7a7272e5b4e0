#include "sys/spelling.h"

#include <stdlib.h>
#include <string.h>

#include "sys/mem.h"

enum { LONGEST = 64 };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t gp_spelling_distance(const char *a, const char *b)
{
	size_t n = strlen(b), *rows = gp_calloc(3 * (n + 1), sizeof *rows);
	size_t *last = rows, *row = rows + n + 1, *before = rows + 2 * (n + 1);

	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t *spare = before;

		before = last, last = row, row = spare;
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			row[j] = least(last[j - 1] + (a[i - 1] != b[j - 1]), least(last[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	size_t distance = row[n];

	free(rows);
	return distance;
}

const char *gp_spelling_suggest(const char *word, const char *const *candidates)
{
	size_t len = strlen(word), best = len <= 5 ? 2 : len <= 9 ? 3 : 4;
	const char *found = NULL;

	if (len > LONGEST)
		return NULL;
	for (; *candidates; candidates++) {
		size_t d = strlen(*candidates) > LONGEST ? best : gp_spelling_distance(word, *candidates);

		if (d && d < best) {
			best = d;
			found = *candidates;
		}
	}
	return found;
}
