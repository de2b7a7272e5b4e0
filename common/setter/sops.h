/*
 * sops.h - files that SOPS has encrypted in part. Their message authentication code is over all values, those in plain
 * text too, so that a changed tag would make the file one that cannot be decrypted any more.
 * https://getsops.io/docs/#message-authentication-code
 */
#ifndef GP_SOPS_H
#define GP_SOPS_H

#include <stddef.h>

#include "sys/err.h"

/*
 * Fails (65, "line L: what") where a document of the text has sops.mac, and sops.mac_only_encrypted is not true.
 * Returns 0 otherwise.
 */
int gp_sops_check(const char *text, size_t len, struct gp_err *err);

#endif
