/*
 * base64.h - bytes as text. https://datatracker.ietf.org/doc/html/rfc4648#section-4
 */
#ifndef GP_BASE64_H
#define GP_BASE64_H

#include <stddef.h>

/* The bytes in base64, with padding, without line breaks. Yours. */
char *gp_base64(const void *data, size_t len);

#endif
