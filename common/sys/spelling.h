/*
 * spelling.h - what somebody may have meant by a word that is misspelt. Anybody
 * may include it; it owns nothing.
 */
#ifndef GP_SPELLING_H
#define GP_SPELLING_H

#include <stddef.h>

/*
 * How many insertions, deletions, replacements and swaps of neighbours lead from a to b, where no part is edited twice
 * (optimal string alignment, https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance). For short strings: the time
 * is the product of their lengths.
 */
size_t gp_spelling_distance(const char *a, const char *b);

/*
 * The candidate nearest to word, the first of those as near; NULL if none is near enough to be meant: at most one edit in
 * a word of up to five characters, two in one of up to nine, three in a longer one. Borrowed from candidates, which end with NULL.
 */
const char *gp_spelling_suggest(const char *word, const char *const *candidates);

#endif
