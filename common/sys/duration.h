/*
 * duration.h - durations as people write them. Anybody may include it; it
 * owns nothing.
 */
#ifndef GP_DURATION_H
#define GP_DURATION_H

/*
 * Reads "90s", "5m", "2h" or plain "90" (seconds), at most a day. Returns
 * milliseconds, or -1 if text is none.
 */
long long gp_duration_ms(const char *text);

#endif
