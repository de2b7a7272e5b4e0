/*
 * version.h - which of two tags is the newer version. Anybody may include it; it
 * owns nothing.
 */
#ifndef GP_VERSION_H
#define GP_VERSION_H

#include <stdbool.h>

/* How an app's tags are ordered. */
enum gp_order {
	GP_ORDER_GUESSED, /* by the first of the readings below that both tags have; time then needs eight digits */
	GP_ORDER_SEMVER,  /* semantic versions, with or without "v": https://semver.org/spec/v2.0.0.html, section 11 */
	GP_ORDER_NUMERIC, /* numbers with dots between them, with or without "v": 7, 2024.10.1 */
	GP_ORDER_TIME, /* what they end in: a timestamp or a counter, as in main-0a1b2c3-1700000000 or x-20240102T030405Z */
	GP_ORDER_NONE /* not at all */
};

/* Reads "semver", "numeric", "time" or "none". */
bool gp_order_parse(enum gp_order *out, const char *text);

/* Whether tag is an older version than other. Tags that cannot be read in this way have no order. */
bool gp_version_is_older(const char *tag, const char *other, enum gp_order order);

#endif
