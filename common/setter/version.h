/*
 * version.h - which of two tags is the newer version. Anybody may include it; it
 * owns nothing.
 */
#ifndef GP_VERSION_H
#define GP_VERSION_H

#include <stdbool.h>

/*
 * Whether tag is an older version than other. Only if both are semantic versions, with or without a "v" before them:
 * other tags have no order (https://semver.org/spec/v2.0.0.html, section 11).
 */
bool gp_version_is_older(const char *tag, const char *other);

#endif
