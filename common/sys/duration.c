#include "sys/duration.h"

#include <stdlib.h>
#include <string.h>

enum { DAY_S = 86400 };

long long gp_duration_ms(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	long long seconds = digits && digits < 7 ? strtoll(text, NULL, 10) : -1;
	const char *unit = text + digits;

	if (!strcmp(unit, "h"))
		seconds *= 3600;
	else if (!strcmp(unit, "m"))
		seconds *= 60;
	else if (*unit && strcmp(unit, "s") != 0)
		return -1;
	return seconds < 0 || seconds > DAY_S ? -1 : seconds * 1000;
}
