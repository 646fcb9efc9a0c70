/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The terminal that the process was started from, in raw mode while a guest owns it.
 *
 * The state is the process's, not a machine's: there is one controlling terminal. Nothing here
 * touches signals until terminal_install_handlers() is called, which is the command's choice; a
 * library user who has handlers of its own calls terminal_restore() from them instead.
 */
#ifndef RVVM_HOST_TERMINAL_H
#define RVVM_HOST_TERMINAL_H

#include "base/error.h"
#include <stdbool.h>

bool terminal_is_tty(int fd);

/* Raw mode: every key reaches the guest, output goes out as it is. Undone by terminal_restore(). */
bool terminal_raw(int fd, struct error *err);

/* Any thread, any number of times, safe in a signal handler. */
void terminal_restore(void);

/* Raw mode again, if it was put aside while the process was stopped and the terminal is ours again: a
 * shell sends no SIGCONT when it moves a running process to the foreground. Not in a handler. */
void terminal_resume(void);

/*
 * Called when the process goes on in the background after it was stopped: whoever uses the terminal then
 * has to try terminal_resume() from time to time. gone runs in a signal handler; NULL: nobody.
 */
void terminal_when_background(void (*gone)(void *ctx), void *ctx);

/* Whether lines need a carriage return of their own just now. */
bool terminal_is_raw(void);

/*
 * The terminal is restored before the process dies of SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGABRT,
 * SIGSEGV, SIGBUS, SIGILL, SIGFPE (each keeps its meaning for the exit status) and at exit();
 * around SIGTSTP ... SIGCONT it is the shell's. Signals that the program ignores or handles
 * already are left alone.
 */
void terminal_install_handlers(void);

/* false: not a terminal. */
bool terminal_size(int fd, unsigned *columns, unsigned *rows);

#endif
