/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The console that the process was started from: see terminal.h. Keys and output are made to be those of a
 * terminal, escape sequences and all, in UTF-8 (Windows 10 1607). A process is not stopped on this system.
 */
#include "host/terminal.h"

#include "host/win32/standard.h"
#include <stdatomic.h>
#include <stdlib.h>

/* Names that headers may be too old for. */
#ifndef ENABLE_VIRTUAL_TERMINAL_INPUT
#define ENABLE_VIRTUAL_TERMINAL_INPUT 0x200
#endif
#ifndef ENABLE_VIRTUAL_TERMINAL_PROCESSING
#define ENABLE_VIRTUAL_TERMINAL_PROCESSING 4
#define DISABLE_NEWLINE_AUTO_RETURN 8
#endif

#define CTRL_C 3

/* Set before `raw` becomes true, and not while it is. */
static DWORD input_before, output_before;
static UINT code_page_before;
static bool output_is_console;
static atomic_bool raw;

bool terminal_is_tty(int fd)
{
    DWORD mode;
    HANDLE handle = standard_handle(fd);
    return handle && GetConsoleMode(handle, &mode);
}

static void make_output_raw(void)
{
    HANDLE out = standard_handle(STANDARD_OUTPUT);
    output_is_console = GetConsoleMode(out, &output_before);
    if (!output_is_console)
        return;
    DWORD mode = output_before | ENABLE_PROCESSED_OUTPUT | ENABLE_VIRTUAL_TERMINAL_PROCESSING;
    if (!SetConsoleMode(out, mode | DISABLE_NEWLINE_AUTO_RETURN))
        SetConsoleMode(out, mode);
    code_page_before = GetConsoleOutputCP();
    SetConsoleOutputCP(CP_UTF8);
}

bool terminal_raw(int fd, struct error *err)
{
    HANDLE in = standard_handle(fd);
    if (atomic_load(&raw))
        return true;
    if (!GetConsoleMode(in, &input_before))
        return error_set(err, "cannot read the console's modes: %s",
                         system_message(GetLastError()).text);
    const DWORD cooked = ENABLE_LINE_INPUT | ENABLE_ECHO_INPUT | ENABLE_PROCESSED_INPUT |
                         ENABLE_QUICK_EDIT_MODE | ENABLE_MOUSE_INPUT | ENABLE_WINDOW_INPUT;
    DWORD mode = (input_before & ~cooked) | ENABLE_EXTENDED_FLAGS;
    if (!SetConsoleMode(in, mode | ENABLE_VIRTUAL_TERMINAL_INPUT) && !SetConsoleMode(in, mode))
        return error_set(err, "cannot set the console's modes: %s",
                         system_message(GetLastError()).text);
    make_output_raw();
    atomic_store(&raw, true);
    return true;
}

void terminal_restore(void)
{
    if (!atomic_exchange(&raw, false))
        return;
    SetConsoleMode(standard_handle(STANDARD_INPUT), input_before);
    if (!output_is_console)
        return;
    SetConsoleMode(standard_handle(STANDARD_OUTPUT), output_before);
    SetConsoleOutputCP(code_page_before);
}

void terminal_resume(void)
{
}

void terminal_when_background(void (*gone)(void *ctx), void *ctx)
{
    (void)gone, (void)ctx;
}

bool terminal_is_raw(void)
{
    return atomic_load(&raw);
}

/*
 * Ctrl-Break, and the end of the window, the session or the system: what happens then is as before. Ctrl-C is a
 * key while a guest owns the console; wine makes an event of it all the same.
 */
static BOOL WINAPI on_control(DWORD what)
{
    if (what == CTRL_C_EVENT && atomic_load(&raw)) {
        standard_type(CTRL_C);
        return TRUE;
    }
    terminal_restore();
    return FALSE;
}

void terminal_install_handlers(void)
{
    static bool installed;
    if (installed)
        return;
    installed = atexit(terminal_restore) == 0 && SetConsoleCtrlHandler(on_control, TRUE);
}

bool terminal_size(int fd, unsigned *columns, unsigned *rows)
{
    CONSOLE_SCREEN_BUFFER_INFO info;
    if (!GetConsoleScreenBufferInfo(standard_handle(fd), &info))
        return false;
    *columns = (unsigned)(info.srWindow.Right - info.srWindow.Left + 1);
    *rows = (unsigned)(info.srWindow.Bottom - info.srWindow.Top + 1);
    return true;
}
