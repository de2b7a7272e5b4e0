/* Texts on their way from and to a forge. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "forge/api.h"
#include "sys/mem.h"
#include "sys/utf8.h"

bool gp_api_mentions(const char *text, const char *part)
{
	for (size_t n = strlen(part); text && *text; text++)
		if (!strncasecmp(text, part, n))
			return true;
	return false;
}

void gp_api_settle(char *text)
{
	size_t n = strlen(text);

	while (n && strchr(". \r\n", text[n - 1]))
		text[--n] = '\0';
	if (n > 1 && isupper((unsigned char)text[0]) && !isupper((unsigned char)text[1]))
		text[0] = (char)tolower((unsigned char)text[0]);
}

char *gp_api_escape(const char *name)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~",
			  hex[] = "0123456789ABCDEF";
	char *out = gp_calloc(strlen(name) * 3 + 1, 1), *to = out;

	for (; *name; name++) {
		unsigned char c = (unsigned char)*name;

		if (strchr(plain, c)) {
			*to++ = (char)c;
		} else {
			*to++ = '%';
			*to++ = hex[c >> 4];
			*to++ = hex[c & 15];
		}
	}
	return out;
}

char *gp_api_shorten(const char *text, size_t max, bool utf16)
{
	size_t len = strlen(text), at = 0, cut = 0, n = 0;

	while (at < len) {
		size_t step = gp_utf8_length(text + at, len - at), units = utf16 && step == 4 ? 2 : 1;

		if (n + units > max)
			return gp_asprintf("%.*s...", (int)cut, text);
		n += units;
		at += step ? step : 1;
		if (n + 3 <= max)
			cut = at;
	}
	return gp_strdup(text);
}
