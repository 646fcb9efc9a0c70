/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The controlling terminal: see terminal.h.
 *
 * What handlers touch is set before `raw_wanted` becomes true and does not change while it is, and
 * tcsetattr, tcgetpgrp, sigaction, raise and kill are all safe in a handler (POSIX.1-2008).
 */
#define _GNU_SOURCE
#include "host/terminal.h"
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static int raw_fd = -1;
static struct termios before, during;
static atomic_bool raw_wanted; /* between terminal_raw and terminal_restore */
static atomic_bool raw_now;    /* false while stopped, too */
static void (*_Atomic background)(void *ctx);
static void *_Atomic background_ctx;

bool terminal_is_tty(int fd)
{
    return isatty(fd);
}

static bool in_foreground(void)
{
    return tcgetpgrp(raw_fd) == getpgrp();
}

/* From the background tcsetattr raises SIGTTOU, which would stop the process while it dies. */
static void set_quietly(const struct termios *t)
{
    sigset_t block, old;
    sigemptyset(&block);
    sigaddset(&block, SIGTTOU);
    pthread_sigmask(SIG_BLOCK, &block, &old);
    tcsetattr(raw_fd, TCSADRAIN, t);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

bool terminal_raw(int fd, struct error *err)
{
    if (atomic_load(&raw_wanted))
        return raw_fd == fd || error_set(err, "another terminal is in raw mode already");
    if (tcgetattr(fd, &before) < 0)
        return error_set(err, "cannot read the terminal's modes: %s", strerror(errno));
    during = before;
    cfmakeraw(&during);
    during.c_cc[VMIN] = 1;
    during.c_cc[VTIME] = 0;
    raw_fd = fd;
    atomic_store(&raw_now, true);
    atomic_store(&raw_wanted, true);
    if (tcsetattr(fd, TCSADRAIN, &during) < 0) {
        int e = errno;
        atomic_store(&raw_wanted, false);
        atomic_store(&raw_now, false);
        return error_set(err, "cannot set the terminal's modes: %s", strerror(e));
    }
    return true;
}

void terminal_restore(void)
{
    int saved = errno;
    if (atomic_exchange(&raw_wanted, false)) {
        if (atomic_exchange(&raw_now, false))
            set_quietly(&before);
    }
    errno = saved;
}

bool terminal_is_raw(void)
{
    return atomic_load(&raw_now);
}

static void resume(void)
{
    int saved = errno;
    if (atomic_load(&raw_wanted) && in_foreground()) {
        atomic_store(&raw_now, true);
        set_quietly(&during);
    }
    errno = saved;
}

void terminal_resume(void)
{
    if (!atomic_load(&raw_now))
        resume();
}

void terminal_when_background(void (*gone)(void *ctx), void *ctx)
{
    atomic_store(&background, NULL);
    atomic_store(&background_ctx, ctx);
    atomic_store(&background, gone);
}

bool terminal_size(int fd, unsigned *columns, unsigned *rows)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0 || !size.ws_col || !size.ws_row)
        return false;
    *columns = size.ws_col;
    *rows = size.ws_row;
    return true;
}

/*
 * Handlers.
 */

static const int fatal_signals[] = {SIGINT,  SIGTERM, SIGHUP, SIGQUIT, SIGABRT,
                                    SIGSEGV, SIGBUS,  SIGILL, SIGFPE};

/* SA_RESETHAND has put the default action back: the signal raised again ends the process with the
 * status that the parent expects, once this handler returns. */
static void on_fatal(int number)
{
    terminal_restore();
    raise(number);
}

static void on_stop(int number)
{
    (void)number;
    int saved = errno;
    if (atomic_load(&raw_wanted) && atomic_exchange(&raw_now, false))
        set_quietly(&before);
    kill(getpid(), SIGSTOP); /* on_continue goes on */
    errno = saved;
}

static void on_continue(int number)
{
    (void)number;
    void (*gone)(void *ctx) = atomic_load(&background);
    resume();
    if (gone && atomic_load(&raw_wanted) && !atomic_load(&raw_now))
        gone(atomic_load(&background_ctx));
}

static void install(int number, void (*handler)(int), int flags)
{
    struct sigaction old, new = {.sa_handler = handler, .sa_flags = flags};
    if (sigaction(number, NULL, &old) < 0)
        return;
    if ((old.sa_flags & SA_SIGINFO) || old.sa_handler != SIG_DFL)
        return;
    sigemptyset(&new.sa_mask);
    sigaction(number, &new, NULL);
}

void terminal_install_handlers(void)
{
    for (size_t i = 0; i < sizeof(fatal_signals) / sizeof(fatal_signals[0]); i++)
        install(fatal_signals[i], on_fatal, SA_RESETHAND);
    install(SIGTSTP, on_stop, SA_RESTART);
    install(SIGCONT, on_continue, SA_RESTART);
    static bool at_exit;
    if (!at_exit)
        at_exit = atexit(terminal_restore) == 0;
}
