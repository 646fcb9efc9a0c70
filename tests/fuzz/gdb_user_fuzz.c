/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The GDB stub of a Linux program under packets of any kind. The input is lines: each is framed as a packet, with the
 * right sum; one that begins with '!' is sent as it stands. The program is one thread that does not run: when a
 * debugger has it go on it finds something, or the debugger interrupts, by turns.
 */
#define _GNU_SOURCE
#include "fuzz.h"
#include "gdb_frame.h"

#include "gdb/session.h"
#include "user/process.h"
#include "user/signals.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MEMORY 0x10000u /* bytes at SPACE_FIRST; behind them there is nothing of the program's */

static void change_nothing(void *ctx)
{
    (void)ctx;
}

static void map_memory(struct process *p)
{
    static bool mapped;
    void *at = (void *)(uintptr_t)SPACE_FIRST;
    if (!mapped && mmap(at, MEMORY, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != at)
        abort();
    mapped = true;
    memset(at, 0x13, MEMORY);
    p->space.end = SPACE_FIRST + MEMORY;
    p->space.code_changed = change_nothing;
    p->auxv = SPACE_FIRST + 64;
    p->auxv_size = 512;
}

/* The process's handlers stay as they are: those that are ignored are nobody's to catch. */
static void ignore_signals(struct process *p)
{
    for (int signal = 1; signal <= GUEST_SIGNALS; signal++)
        p->signals->actions.of[signal].handler = GUEST_SIG_IGN;
}

static struct process *make_process(void)
{
    static char *argv[] = {"program", NULL}, *envp[] = {NULL};
    const struct process_config config = {
        .path = "/bin/program", .fd = -1, .argv = argv, .envp = envp, .no_jit = true};
    struct process *p = process_new(&config, NULL);
    if (!p || !user_signals_init(p, NULL))
        abort();
    ignore_signals(p);
    isa_default(&p->config.isa, 64);
    map_memory(p);
    p->exe = strdup("/bin/program");
    p->threads = user_thread_new(p, NULL);
    if (!p->threads || !p->exe)
        abort();
    p->threads->tid = 1;
    p->thread_count = 1;
    return p;
}

static struct process_debug *make_debug(struct process *p)
{
    struct process_debug *d = calloc(1, sizeof(*d));
    const struct gdb_target target = {
        .ops = &debug_target_ops, .ctx = d, .features = debug_features};
    if (!d || !(d->gdb = gdb_new(&target)))
        abort();
    d->process = p;
    d->client = d->listener = d->woken = -1;
    d->wake = open("/dev/null", O_WRONLY | O_CLOEXEC);
    d->memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
    memset(d->files, 0xff, sizeof(d->files));
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->changed, NULL);
    p->debug = d;
    return d;
}

static void stop(struct process_debug *d, struct user_thread *t, unsigned turn)
{
    static const uint8_t interrupt = 3;
    t->debug.parked = true;
    if (gdb_is_running(d->gdb) && turn % 3) {
        t->debug.found = true;
        t->debug.told = false;
        t->debug.signal = (int)(turn % GUEST_SIGNALS) + 1;
        t->debug.point.kind = turn % 2 ? DEBUG_NONE : DEBUG_WRITE;
        t->debug.info.si_signo = t->debug.signal;
        gdb_found(d->gdb);
    }
    gdb_input(d->gdb, &interrupt, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct process *p = make_process();
    struct process_debug *d = make_debug(p);
    struct user_thread *t = p->threads;
    char *packet = malloc(2 * size + 4);
    if (!packet)
        abort();
    t->debug.parked = true;
    gdb_open(d->gdb);
    for (unsigned turn = 0; size; turn++) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t length = end ? (size_t)(end - data) : size;
        if (length && *data == '!')
            gdb_input(d->gdb, data + 1, length - 1);
        else
            gdb_input(d->gdb, (const uint8_t *)packet, frame(packet, data, length));
        stop(d, t, turn);
        d->killed = d->leaving = false; /* nobody is there to do it */
        if (!gdb_is_attached(d->gdb))
            gdb_open(d->gdb);
        length += end != NULL;
        data += length;
        size -= length;
    }
    gdb_close(d->gdb);
    bool left = t->hart->points || t->debug.parked || t->hart->steps;
    for (unsigned n = 0; n < DEBUG_FILES; n++)
        left |= d->files[n] >= 0;
    if (left)
        abort(); /* something was left behind */
    gdb_free(d->gdb);
    close(d->wake);
    close(d->memory);
    free(d);
    free(packet);
    free(p->signals);
    process_free(p);
    return 0;
}
