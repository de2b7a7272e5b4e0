/*
 * process-kin.h - what another program has started. For the module process
 * alone. A program that git has started may stay when git itself is ended, and
 * wait for good for another one that has stayed.
 */
#ifndef GP_PROCESS_KIN_H
#define GP_PROCESS_KIN_H

#include <sys/types.h>

/*
 * Sends a signal to a process and to all its descendants as they are now. If there is no /proc/PID/stat (proc(5)),
 * only to the process itself.
 */
void gp_kin_signal(pid_t pid, int signal);

#endif
