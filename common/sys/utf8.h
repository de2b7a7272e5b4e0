/*
 * utf8.h - what is a character of UTF-8 (RFC 3629: nothing overlong, no
 * surrogates, at most U+10FFFF). Anybody may include it; it owns nothing.
 */
#ifndef GP_UTF8_H
#define GP_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The length in bytes (1 to 4) of the character at text, of which avail bytes may be read; 0 if there is none. */
size_t gp_utf8_length(const char *text, size_t avail);

/* Whether all of a string is UTF-8. */
bool gp_utf8_is_text(const char *text);

/*
 * Whether the character of len bytes at text is not to be shown as it is, because a terminal or a reader's eye takes it
 * for a command: C0 and C1 controls, DEL, line and paragraph separators, and what turns the reading direction around
 * (Bidi_Control, https://www.unicode.org/reports/tr9/).
 */
bool gp_utf8_is_command(const char *text, size_t len);

#endif
