/*
 * exit.h - the exit statuses of every gp program, also `error.exit` in a
 * document and in a forge's reply. Anybody may include it; it owns nothing.
 * The numbers are those of sysexits(3) where one fits.
 */
#ifndef GP_EXIT_H
#define GP_EXIT_H

enum gp_exit {
	GP_EXIT_OK = 0,       /* done, or skipped */
	GP_EXIT_CLOSED = 1,   /* the gate is closed */
	GP_EXIT_USAGE = 64,   /* wrong options or arguments */
	GP_EXIT_INPUT = 65,   /* bad document or manifest */
	GP_EXIT_REFUSED = 69, /* the forge refused: 404, 409, 422 */
	GP_EXIT_BUG = 70,     /* a bug in gp */
	GP_EXIT_SYSTEM = 71,  /* I/O, memory, git */
	GP_EXIT_RETRY = 75,   /* try again: timeout, 429, 5xx, lost race, undecided */
	GP_EXIT_REPLY = 76,   /* the forge's reply is invalid */
	GP_EXIT_DENIED = 77,  /* not allowed: 401, 403 */
	GP_EXIT_CONFIG = 78   /* bad configuration */
};

#endif
