#include "sys/pause.h"

#include <stdlib.h>

enum { FIRST_MS = 500, LONGEST_MS = 15000 };

long long gp_pause_ms(int attempt, long long least_ms, unsigned *chance)
{
	long long pause = FIRST_MS;

	for (int i = 1; i < attempt && pause < LONGEST_MS; i++)
		pause *= 2;
	if (pause > LONGEST_MS)
		pause = LONGEST_MS;
	pause = pause / 2 + rand_r(chance) % (pause / 2 + 1);
	if (pause < least_ms)
		pause = least_ms + rand_r(chance) % (pause + 1);
	return pause;
}
