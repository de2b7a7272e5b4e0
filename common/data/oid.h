/*
 * oid.h - ids of git's objects. Anybody may include it; an id owns nothing.
 */
#ifndef GP_OID_H
#define GP_OID_H

#include <stdbool.h>

enum { GP_OID_SIZE = 20, GP_OID_HEX = 40 };

/* An object id. All zeroes: none. */
struct gp_oid {
	unsigned char id[GP_OID_SIZE];
};

/* Reads exactly 40 hexadecimal digits. Returns 0, or -1 if hex is NULL or anything else. */
int gp_oid_parse(struct gp_oid *oid, const char *hex);
/* Writes 40 digits and a NUL to hex and returns it. */
char *gp_oid_hex(char hex[GP_OID_HEX + 1], const struct gp_oid *oid);
bool gp_oid_equal(const struct gp_oid *a, const struct gp_oid *b);
bool gp_oid_is_zero(const struct gp_oid *oid);

#endif
