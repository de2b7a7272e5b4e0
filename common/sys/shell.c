#include "sys/shell.h"

void gp_shell_quote(FILE *out, const char *text)
{
	fputc('\'', out);
	for (const char *c = text; *c; c++)
		fputs(*c == '\'' ? "'\\''" : (char[2]){*c}, out);
	fputc('\'', out);
}
