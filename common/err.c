#include "err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "utf8.h"

/* C1 controls and the characters that turn the reading direction around can fake a line just as ESC can. */
static int is_deceptive(const unsigned char *s, size_t n)
{
	if (n == 2)
		return s[0] == 0xc2 && s[1] < 0xa0;
	if (n != 3 || s[0] != 0xe2)
		return 0;
	return (s[1] == 0x80 && ((s[2] >= 0xa8 && s[2] <= 0xae) || s[2] == 0x8e || s[2] == 0x8f)) ||
	       (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9);
}

void gp_clean_line(char *dst, size_t cap, const char *src)
{
	const unsigned char *s = (const unsigned char *)src, *end = s + strlen(src);
	size_t n = 0;

	while (*s == '\n' || *s == '\r' || *s == ' ' || *s == '\t')
		s++;
	while (*s) {
		size_t len = gp_utf8_length((const char *)s, (size_t)(end - s));

		if (n + (len ? len : 1) + 4 > cap) {
			memcpy(dst + n, "...", 3);
			n += 3;
			break;
		}
		if (*s == '\n' || *s == '\r') {
			while (*s == '\n' || *s == '\r' || *s == ' ' || *s == '\t')
				s++;
			if (*s && n + 2 < cap) {
				dst[n++] = ';';
				dst[n++] = ' ';
			}
		} else if (*s == '\t') {
			dst[n++] = ' ';
			s++;
		} else if (!len || *s < 0x20 || *s == 0x7f || is_deceptive(s, len)) {
			dst[n++] = '?';
			s += len ? len : 1;
		} else {
			memcpy(dst + n, s, len);
			n += len;
			s += len;
		}
	}
	dst[n] = '\0';
}

int gp_vfail(struct gp_err *err, int code, const char *fmt, va_list ap)
{
	if (err->code)
		return -1;
	char *text = gp_vasprintf(fmt, ap);

	err->code = code;
	gp_clean_line(err->message, sizeof err->message, text);
	free(text);
	return -1;
}

int(gp_fail)(struct gp_err *err, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	gp_vfail(err, code, fmt, ap);
	va_end(ap);
	return -1;
}

int(gp_fail_in)(struct gp_err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *what = gp_vasprintf(fmt, ap);
	va_end(ap);
	char *text = gp_asprintf("%s: %s", what, err->message);

	gp_clean_line(err->message, sizeof err->message, text);
	free(text);
	free(what);
	return -1;
}

void gp_err_clear(struct gp_err *err)
{
	err->code = 0;
	err->message[0] = '\0';
}
