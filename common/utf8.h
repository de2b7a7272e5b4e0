/*
 * utf8.h - what is a character of UTF-8 (RFC 3629: nothing overlong, no
 * surrogates, at most U+10FFFF). Anybody may include it; it owns nothing.
 */
#ifndef GP_UTF8_H
#define GP_UTF8_H

#include <stddef.h>

/* The length in bytes (1 to 4) of the character at text, of which avail bytes may be read; 0 where there is none. */
size_t gp_utf8_length(const char *text, size_t avail);

#endif
