/*
 * shell.h - text for a POSIX shell to read back. Anybody may include it.
 */
#ifndef GP_SHELL_H
#define GP_SHELL_H

#include <stdio.h>

/* Writes text as one word in single quotes, in which sh takes every character as it is. */
void gp_shell_quote(FILE *out, const char *text);

#endif
