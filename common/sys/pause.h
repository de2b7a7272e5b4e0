/*
 * pause.h - how long to wait before something is tried again.
 */
#ifndef GP_PAUSE_H
#define GP_PAUSE_H

/*
 * Milliseconds to wait after attempt number `attempt` (from 1): half a second, then twice as long each time, up to 15
 * seconds, of which up to half is random, so that programs that failed together do not come back together; and at least
 * least_ms. chance: for rand_r(3), the caller's own.
 */
long long gp_pause_ms(int attempt, long long least_ms, unsigned *chance);

#endif
