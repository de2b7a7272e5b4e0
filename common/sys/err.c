#include "sys/err.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys/mem.h"
#include "sys/utf8.h"

void gp_clean_line(char *dst, size_t cap, const char *src)
{
	const unsigned char *s = (const unsigned char *)src, *end = s + strlen(src);
	size_t n = 0;

	while (*s == '\n' || *s == '\r' || *s == ' ' || *s == '\t')
		s++;
	while (*s) {
		bool ends_line = *s == '\n' || *s == '\r';

		while (ends_line && (*s == '\n' || *s == '\r' || *s == ' ' || *s == '\t'))
			s++;
		if (!*s)
			break;
		size_t len = gp_utf8_length((const char *)s, (size_t)(end - s));
		size_t width = ends_line ? 2 : len ? len : 1;

		/* Dots and the NUL always have room: a line end becomes two characters. */
		if (n + width + 4 > cap) {
			memcpy(dst + n, "...", 3);
			n += 3;
			break;
		}
		if (ends_line) {
			dst[n++] = ';';
			dst[n++] = ' ';
			continue;
		}
		if (*s == '\t') {
			dst[n++] = ' ';
		} else if (!len || gp_utf8_is_command((const char *)s, len)) {
			dst[n++] = '?';
		} else {
			memcpy(dst + n, s, len);
			n += len;
		}
		s += len ? len : 1;
	}
	dst[n] = '\0';
}

char *gp_clean_text(const char *src)
{
	const char *end = src + strlen(src);
	char *out, *to;

	out = to = gp_calloc(strlen(src) + 1, 1);
	for (size_t len; src < end; src += len ? len : 1) {
		bool is_line_end = *src == '\n' || (*src == '\r' && src[1] == '\n');

		len = gp_utf8_length(src, (size_t)(end - src));
		if (!len || (!is_line_end && *src != '\t' && gp_utf8_is_command(src, len))) {
			*to++ = '?';
		} else {
			memcpy(to, src, len);
			to += len;
		}
	}
	return out;
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
