/* SPDX-License-Identifier: MPL-2.0 */
/* The lines of -strace: see strace.h. */
#define _GNU_SOURCE
#include "user/strace.h"
#include "user/abi.h"
#include "user/strace_names.h"
#include "user/syscall.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BYTES_SHOWN 32
#define STRING_SHOWN 160
#define LIST_SHOWN 16

static void add(struct strace_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct strace_line *line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t room = sizeof(line->text) - line->length;
    int n = vsnprintf(line->text + line->length, room, format, args);
    va_end(args);
    if (n > 0)
        line->length += (size_t)n < room ? (unsigned)n : (unsigned)room - 1;
}

/* In one piece, so that lines of threads do not mix. A line that was cut ends all the same. */
static void emit(const struct user_thread *t, struct strace_line *line)
{
    if (line->length == sizeof(line->text) - 1)
        line->length--;
    line->text[line->length++] = '\n';
    ssize_t written = write(t->process->strace_fd, line->text, line->length);
    (void)written;
    line->length = 0;
}

/*
 * Arguments
 */

static void add_quoted(struct strace_line *line, const uint8_t *bytes, size_t size, bool has_more)
{
    add(line, "\"");
    for (size_t n = 0; n < size; n++) {
        uint8_t c = bytes[n];
        if (c == '\n')
            add(line, "\\n");
        else if (c == '\t')
            add(line, "\\t");
        else if (c == '"' || c == '\\')
            add(line, "\\%c", c);
        else if (c >= 0x20 && c < 0x7f)
            add(line, "%c", c);
        else
            add(line, "\\%o", c);
    }
    add(line, "\"%s", has_more ? "..." : "");
}

static void add_address(struct strace_line *line, uint64_t address)
{
    if (address)
        add(line, "0x%" PRIx64, address);
    else
        add(line, "NULL");
}

static void add_bytes(struct strace_line *line, const struct space *s, uint64_t address,
                      uint64_t size)
{
    uint8_t bytes[BYTES_SHOWN];
    size_t shown = size < sizeof(bytes) ? size : sizeof(bytes);
    if (!address || !space_read(s, bytes, address, shown))
        add_address(line, address);
    else
        add_quoted(line, bytes, shown, shown < size);
}

static void add_string(struct strace_line *line, const struct space *s, uint64_t address)
{
    char text[STRING_SHOWN + 1];
    int64_t length = address ? space_read_string(s, text, address, sizeof(text)) : -EFAULT;
    if (length == -ENAMETOOLONG)
        add_quoted(line, (const uint8_t *)text, STRING_SHOWN, true);
    else if (length < 0)
        add_address(line, address);
    else
        add_quoted(line, (const uint8_t *)text, (size_t)length, false);
}

static void add_strings(struct strace_line *line, const struct space *s, uint64_t list)
{
    uint64_t address;
    if (!list || !layout_read(s, LAYOUT_pointer, &address, list)) {
        add_address(line, list);
        return;
    }
    add(line, "[");
    for (unsigned n = 0; address && n < LIST_SHOWN; n++) {
        add(line, n ? ", " : "");
        add_string(line, s, address);
        list += space_word(s);
        if (!layout_read(s, LAYOUT_pointer, &address, list))
            break;
    }
    add(line, address ? ", ...]" : "]");
}

/* has: bytes that the call has read or written in all. */
static void add_pieces(struct strace_line *line, const struct space *s, uint64_t list,
                       uint64_t count, uint64_t has)
{
    add(line, "[");
    for (uint64_t n = 0; n < count && n < LIST_SHOWN; n++) {
        struct iovec piece;
        if (!layout_read(s, LAYOUT_iovec, &piece, list + n * layout_size(s, LAYOUT_iovec))) {
            add_address(line, list);
            break;
        }
        uint64_t size = piece.iov_len < has ? piece.iov_len : has;
        add(line, "%s{iov_base=", n ? ", " : "");
        add_bytes(line, s, (uint64_t)piece.iov_base, size);
        add(line, ", iov_len=%zu}", piece.iov_len);
        has -= size;
    }
    add(line, count > LIST_SHOWN ? ", ...]" : "]");
}

static void add_signal(struct strace_line *line, uint64_t signal)
{
    const char *name = strace_signal_name((uint32_t)signal);
    if (name)
        add(line, "%s", name);
    else if (signal >= 32 && signal <= 64)
        add(line, "SIGRT_%d", (int)signal - 32);
    else
        add(line, "%d", (int)signal);
}

static void add_set(struct strace_line *line, const struct space *s, uint64_t address)
{
    uint64_t set;
    if (!address || !space_read(s, &set, address, sizeof(set))) {
        add_address(line, address);
        return;
    }
    bool most = __builtin_popcountll(set) > 32;
    const char *between = "";
    add(line, most ? "~[" : "[");
    for (unsigned signal = 1; signal <= 64; signal++) {
        if ((set >> (signal - 1) & 1) == most)
            continue;
        add(line, "%s", between);
        add_signal(line, signal);
        between = " ";
    }
    add(line, "]");
}

static void add_timespec(struct strace_line *line, const struct space *s, uint64_t address)
{
    struct timespec ts;
    if (!address || !layout_read(s, LAYOUT_timespec, &ts, address))
        add_address(line, address);
    else
        add(line, "{tv_sec=%jd, tv_nsec=%ld}", (intmax_t)ts.tv_sec, ts.tv_nsec);
}

static void add_limit_value(struct strace_line *line, uint64_t value)
{
    if (value == RLIM_INFINITY)
        add(line, "RLIM64_INFINITY");
    else
        add(line, "%" PRIu64, value);
}

static void add_limit(struct strace_line *line, const struct space *s, uint64_t address)
{
    struct rlimit limit;
    if (!address || !space_read(s, &limit, address, sizeof(limit))) {
        add_address(line, address);
        return;
    }
    add(line, "{rlim_cur=");
    add_limit_value(line, limit.rlim_cur);
    add(line, ", rlim_max=");
    add_limit_value(line, limit.rlim_max);
    add(line, "}");
}

static void add_action(struct strace_line *line, const struct space *s, uint64_t address)
{
    struct guest_sigaction action;
    if (!address || !layout_read(s, LAYOUT_sigaction, &action, address)) {
        add_address(line, address);
        return;
    }
    if (action.handler < 2)
        add(line, "{sa_handler=%s", action.handler ? "SIG_IGN" : "SIG_DFL");
    else
        add(line, "{sa_handler=0x%" PRIx64, action.handler);
    add(line, ", sa_mask=");
    add_set(line, s, address + layout_size(s, LAYOUT_sigaction) - GUEST_SIGSET_SIZE);
    add(line, ", sa_flags=0x%" PRIx64 "}", action.flags);
}

static void add_stat(struct strace_line *line, const struct space *s, uint64_t address)
{
    struct guest_stat st;
    if (!space_read(s, &st, address, sizeof(st))) {
        add_address(line, address);
        return;
    }
    static const char *const types[16] = {
        [1] = "S_IFIFO", [2] = "S_IFCHR",  [4] = "S_IFDIR",  [6] = "S_IFBLK",
        [8] = "S_IFREG", [10] = "S_IFLNK", [12] = "S_IFSOCK"};
    const char *type = types[st.mode >> 12 & 15];
    add(line, "{st_mode=%s|0%o, st_size=%" PRId64 ", ...}", type ? type : "0", st.mode & 07777,
        st.size);
}

static void add_status(struct strace_line *line, const struct space *s, uint64_t address)
{
    int status;
    if (!address || !space_read(s, &status, address, sizeof(status)))
        add_address(line, address);
    else if (WIFEXITED(status))
        add(line, "[{WIFEXITED(s) && WEXITSTATUS(s) == %d}]", WEXITSTATUS(status));
    else if (WIFSIGNALED(status))
        add(line, "[{WIFSIGNALED(s) && WTERMSIG(s) == %d}]", WTERMSIG(status));
    else
        add(line, "[0x%x]", (unsigned)status);
}

static void add_pair(struct strace_line *line, const struct space *s, uint64_t address)
{
    int fds[2];
    if (!space_read(s, fds, address, sizeof(fds)))
        add_address(line, address);
    else
        add(line, "[%d, %d]", fds[0], fds[1]);
}

static void add_address_argument(struct strace_line *line, const struct space *s, uint8_t kind,
                                 const uint64_t *arg, unsigned n, int64_t result)
{
    uint64_t value = arg[n], next = n < 5 ? arg[n + 1] : 0;
    switch (kind) {
    case A_PATH:
    case A_LINK:
    case A_STR:
        add_string(line, s, value);
        break;
    case A_STRV:
        add_strings(line, s, value);
        break;
    case A_IN:
        add_bytes(line, s, value, next);
        break;
    case A_OUT:
        add_bytes(line, s, value, (uint64_t)result);
        break;
    case A_IOV:
        add_pieces(line, s, value, next, UINT64_MAX);
        break;
    case A_IOV_OUT:
        add_pieces(line, s, value, next, (uint64_t)result);
        break;
    case A_SIGSET:
        add_set(line, s, value);
        break;
    case A_ACTION:
        add_action(line, s, value);
        break;
    case A_TIMESPEC:
    case A_TIMESPEC_OUT:
        add_timespec(line, s, value);
        break;
    case A_RLIMIT:
    case A_RLIMIT_OUT:
        add_limit(line, s, value);
        break;
    case A_STAT:
        add_stat(line, s, value);
        break;
    case A_STATUS:
        add_status(line, s, value);
        break;
    case A_PAIR:
        add_pair(line, s, value);
        break;
    default:
        add_address(line, value);
    }
}

static void add_argument(struct strace_line *line, const struct space *s, uint8_t kind,
                         const uint64_t *arg, unsigned n, int64_t result)
{
    uint64_t value = arg[n];
    char names[256];
    switch (kind) {
    case A_INT:
    case A_FD:
        add(line, "%d", (int)value);
        break;
    case A_DIRFD:
        add(line, (int)value == AT_FDCWD ? "AT_FDCWD" : "%d", (int)value);
        break;
    case A_UINT:
        add(line, "%u", (unsigned)value);
        break;
    case A_LONG:
    case A_WIDE:
    case A_LOW:
        add(line, "%" PRId64, (int64_t)value);
        break;
    case A_SIZE:
        add(line, "%" PRIu64, value);
        break;
    case A_MODE:
        add(line, "0%o", (unsigned)value);
        break;
    case A_HEX:
        add(line, value ? "0x%" PRIx64 : "%" PRIu64, value);
        break;
    case A_ADDRESS:
        add_address(line, value);
        break;
    case A_SIGNAL:
        add_signal(line, value);
        break;
    default:
        if (kind < A_POINTERS) {
            strace_name(kind, value, names, sizeof(names));
            add(line, "%s", names);
        } else if (result < 0 && (kind == A_OUT || kind == A_IOV_OUT || kind >= A_OUTPUTS)) {
            add_address(line, value);
        } else {
            add_address_argument(line, s, kind, arg, n, result);
        }
    }
}

static bool is_output(uint8_t kind)
{
    return kind == A_OUT || kind == A_IOV_OUT || kind >= A_OUTPUTS;
}

/* Arguments from the one that is due, those that the call writes only when it has. */
static void add_arguments(struct strace_line *line, const struct user_thread *t,
                          const struct syscall *call, const uint64_t *arg, bool after,
                          int64_t result)
{
    for (; line->shown < 6 && call->args[line->shown]; line->shown++) {
        uint8_t kind = call->args[line->shown];
        if (!after && is_output(kind))
            return;
        add(line, line->shown ? ", " : "");
        add_argument(line, &t->process->space, kind, arg, line->shown, result);
    }
}

/*
 * Lines
 */

void strace_init(struct process *p)
{
    enum { FAR_FROM_THE_PROGRAMS = 1000 };
    struct rlimit limit = {.rlim_cur = 0};
    if (!p->config.strace)
        return;
    getrlimit(RLIMIT_NOFILE, &limit);
    int first = limit.rlim_cur > 2 * FAR_FROM_THE_PROGRAMS ? FAR_FROM_THE_PROGRAMS : 3;
    p->strace_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, first);
    if (p->strace_fd < 0)
        p->config.strace = false;
}

void strace_enter(struct user_thread *t, struct strace_line *line, const struct syscall *call,
                  uint64_t number, const uint64_t *arg)
{
    line->length = 0;
    line->shown = 0;
    add(line, "%d ", (int)t->tid);
    if (!call) {
        add(line, "syscall_%" PRIu64 "(", number);
        for (unsigned n = 0; n < 6; n++)
            add(line, n ? ", 0x%" PRIx64 : "0x%" PRIx64, arg[n]);
        return;
    }
    add(line, "%s(", call->name);
    add_arguments(line, t, call, arg, false, 0);
    /* What may not come back is shown before. */
    if (call->run == sys_exit || call->run == sys_exit_group) {
        add(line, ") = ?");
        emit(t, line);
    } else if (call->run == sys_execve || call->run == sys_execveat) {
        add(line, " <unfinished ...>");
        emit(t, line);
        add(line, "%d <... %s resumed>", (int)t->tid, call->name);
    }
}

void strace_leave(struct user_thread *t, struct strace_line *line, const struct syscall *call,
                  const uint64_t *arg, int64_t result)
{
    if (line->length == 0)
        return;
    if (call)
        add_arguments(line, t, call, arg, true, result);
    if (result == SYSCALL_RESTART)
        add(line, ") = ? ERESTARTSYS (To be restarted)");
    else if (result < 0 && result > -4096) {
        const char *name = strace_error_name((uint64_t)-result);
        add(line, ") = -1 %s (%s)", name ? name : "?", strerror((int)-result));
    } else if (call && call->result == R_NONE)
        add(line, ") = ?");
    else
        add(line, call && call->result == R_PTR ? ") = 0x%" PRIx64 : ") = %" PRId64, result);
    emit(t, line);
}

void strace_signal(struct user_thread *t, int signal, const siginfo_t *info)
{
    struct strace_line line = {.length = 0};
    if (!t->process->config.strace)
        return;
    add(&line, "%d --- ", (int)t->tid);
    add_signal(&line, (uint64_t)signal);
    add(&line, " {si_code=%d", info->si_code);
    if (info->si_code > 0 && (signal == SIGSEGV || signal == SIGBUS || signal == SIGILL ||
                              signal == SIGTRAP || signal == SIGFPE))
        add(&line, ", si_addr=%p", info->si_addr);
    else if (info->si_code <= 0 || signal == SIGCHLD)
        add(&line, ", si_pid=%d, si_uid=%u", (int)info->si_pid, info->si_uid);
    add(&line, "} ---");
    emit(t, &line);
}
