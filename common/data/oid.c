#include "data/oid.h"

#include <string.h>

int gp_oid_parse(struct gp_oid *oid, const char *hex)
{
	memset(oid, 0, sizeof *oid);
	if (!hex || strlen(hex) != GP_OID_HEX || strspn(hex, "0123456789abcdef") != GP_OID_HEX)
		return -1;
	for (size_t i = 0; i < GP_OID_SIZE; i++) {
		unsigned v = 0;

		for (size_t j = 0; j < 2; j++) {
			char c = hex[2 * i + j];

			v = v * 16 + (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
		}
		oid->id[i] = (unsigned char)v;
	}
	return 0;
}

char *gp_oid_hex(char hex[GP_OID_HEX + 1], const struct gp_oid *oid)
{
	for (size_t i = 0; i < GP_OID_SIZE; i++) {
		hex[2 * i] = "0123456789abcdef"[oid->id[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[oid->id[i] & 15];
	}
	hex[GP_OID_HEX] = '\0';
	return hex;
}

bool gp_oid_equal(const struct gp_oid *a, const struct gp_oid *b)
{
	return !memcmp(a, b, sizeof *a);
}

bool gp_oid_is_zero(const struct gp_oid *oid)
{
	static const struct gp_oid zero;

	return gp_oid_equal(oid, &zero);
}
