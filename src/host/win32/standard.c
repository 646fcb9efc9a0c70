/* SPDX-License-Identifier: MPL-2.0 */
/* Standard input and output: see standard.h. */
#include "host/win32/standard.h"

#include "base/ring.h"
#include "host/clock.h"
#include "host/thread.h"
#include <string.h>

#define RING_SIZE 65536
#define PIECE 4096
#define UNITS 1024              /* of UTF-16, at most 3 bytes each */
#define PATIENCE_NS 5000000000u /* a receiver that takes nothing for so long is stuck */

/* One of the two. The input's thread puts and the loop gets, the output's the other way round. */
static struct pump {
    pthread_mutex_t lock;
    pthread_cond_t moved; /* the thread waits for it; a flush does, too */
    struct ring ring;
    HANDLE handle, event; /* the event is set while the loop has something to do */
    bool ended;           /* input: there is no more; output: nobody takes it */
    bool busy;            /* output: bytes are on their way that are not in the ring any more */
    uint64_t bytes;       /* that moved */
} pumps[2];

static pthread_once_t once[2] = {PTHREAD_ONCE_INIT, PTHREAD_ONCE_INIT};

HANDLE standard_handle(int fd)
{
    static const DWORD names[] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
    HANDLE handle = fd >= 0 && fd < 3 ? GetStdHandle(names[fd]) : NULL;
    return handle == INVALID_HANDLE_VALUE ? NULL : handle;
}

/*
 * Input
 */

/* Keys come as UTF-16; half a character is kept for the next time. */
static size_t read_console(HANDLE console, uint8_t *bytes)
{
    static wchar_t units[UNITS + 1];
    static DWORD kept;
    DWORD count;
    if (!ReadConsoleW(console, units + kept, UNITS - kept, &count, NULL) || !count)
        return 0;
    count += kept;
    kept = IS_HIGH_SURROGATE(units[count - 1]) ? 1 : 0;
    int size = WideCharToMultiByte(CP_UTF8, 0, units, (int)(count - kept), (char *)bytes, 3 * UNITS,
                                   NULL, NULL);
    if (kept)
        units[0] = units[count - 1];
    /* Half a character alone is not the end. */
    return size > 0 ? (size_t)size : kept ? read_console(console, bytes) : 0;
}

static size_t read_some(HANDLE handle, bool is_console, uint8_t *bytes)
{
    DWORD size = 0;
    if (is_console)
        return read_console(handle, bytes);
    return ReadFile(handle, bytes, 3 * UNITS, &size, NULL) ? size : 0;
}

static void *pump_input(void *arg)
{
    struct pump *p = arg;
    static uint8_t bytes[3 * UNITS];
    DWORD mode;
    bool is_console = GetConsoleMode(p->handle, &mode);
    for (;;) {
        size_t size = read_some(p->handle, is_console, bytes);
        pthread_mutex_lock(&p->lock);
        ring_put(&p->ring, bytes, size);
        p->ended = !size;
        SetEvent(p->event);
        /* What the guest does not take stays with whoever sends it. */
        while (ring_room(&p->ring) < sizeof(bytes))
            pthread_cond_wait(&p->moved, &p->lock);
        pthread_mutex_unlock(&p->lock);
        if (!size)
            return NULL;
    }
}

void standard_type(uint8_t key)
{
    struct pump *p = &pumps[STANDARD_INPUT];
    pthread_mutex_lock(&p->lock);
    ring_put(&p->ring, &key, 1); /* a guest that takes nothing loses it */
    SetEvent(p->event);
    pthread_mutex_unlock(&p->lock);
}

enum stream_result standard_read(void *bytes, size_t size, size_t *done)
{
    struct pump *p = &pumps[STANDARD_INPUT];
    pthread_mutex_lock(&p->lock);
    *done = ring_get(&p->ring, bytes, size);
    enum stream_result result = *done ? STREAM_OK : p->ended ? STREAM_END : STREAM_AGAIN;
    if (!p->ring.count && !p->ended)
        ResetEvent(p->event);
    pthread_cond_broadcast(&p->moved);
    pthread_mutex_unlock(&p->lock);
    return result;
}

/*
 * Output
 */

static void *pump_output(void *arg)
{
    struct pump *p = arg;
    static uint8_t bytes[PIECE];
    pthread_mutex_lock(&p->lock);
    while (!p->ended) {
        size_t size = ring_get(&p->ring, bytes, sizeof(bytes));
        p->busy = size;
        if (!size) {
            pthread_cond_wait(&p->moved, &p->lock);
            continue;
        }
        SetEvent(p->event);
        pthread_mutex_unlock(&p->lock);
        DWORD done = 0;
        bool ok = true;
        for (size_t at = 0; ok && at < size; at += done)
            ok = WriteFile(p->handle, bytes + at, (DWORD)(size - at), &done, NULL) && done;
        pthread_mutex_lock(&p->lock);
        p->ended = !ok;
        p->busy = false;
        p->bytes += size;
        pthread_cond_broadcast(&p->moved);
    }
    SetEvent(p->event);
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

enum stream_result standard_write(const void *bytes, size_t size, size_t *done)
{
    struct pump *p = &pumps[STANDARD_OUTPUT];
    pthread_mutex_lock(&p->lock);
    *done = p->ended ? 0 : ring_put(&p->ring, bytes, size);
    enum stream_result result = *done ? STREAM_OK : p->ended ? STREAM_END : STREAM_AGAIN;
    if (!ring_room(&p->ring) && !p->ended)
        ResetEvent(p->event);
    pthread_cond_broadcast(&p->moved);
    pthread_mutex_unlock(&p->lock);
    return result;
}

void standard_flush(void)
{
    struct pump *p = &pumps[STANDARD_OUTPUT];
    uint64_t bytes = 0, deadline = 0;
    if (!p->event)
        return;
    pthread_mutex_lock(&p->lock);
    while (!p->ended && (p->ring.count || p->busy)) {
        if (!deadline || p->bytes != bytes) {
            bytes = p->bytes;
            deadline = clock_monotonic_ns() + PATIENCE_NS;
        }
        if (!thread_cond_wait_until(&p->moved, &p->lock, deadline) && p->bytes == bytes)
            break;
    }
    pthread_mutex_unlock(&p->lock);
}

/*
 * Both
 */

static void begin(int fd)
{
    struct pump *p = &pumps[fd];
    pthread_t thread;
    /* It outlives the machine that was first, and so belongs to none. */
    struct thread_heritage *heritage = thread_heritage();
    pthread_mutex_init(&p->lock, NULL);
    thread_cond_init(&p->moved);
    p->handle = standard_handle(fd);
    p->event = CreateEventW(NULL, TRUE, fd == STANDARD_OUTPUT, NULL);
    thread_set_heritage(NULL);
    p->ended = !p->handle || !p->event || !ring_init(&p->ring, RING_SIZE) ||
               !thread_start(&thread, THREAD_EVENTS, fd ? "rvvm-stdout" : "rvvm-stdin",
                             fd ? pump_output : pump_input, p, NULL);
    thread_set_heritage(heritage);
    if (p->ended && p->event)
        SetEvent(p->event);
    else if (!p->ended)
        pthread_detach(thread);
}

static void begin_input(void)
{
    begin(STANDARD_INPUT);
}

static void begin_output(void)
{
    begin(STANDARD_OUTPUT);
}

void standard_begin(int fd)
{
    pthread_once(&once[fd], fd ? begin_output : begin_input);
}

bool standard_ready(int fd)
{
    struct pump *p = &pumps[fd];
    pthread_mutex_lock(&p->lock);
    bool ready = p->ended || (fd == STANDARD_INPUT ? p->ring.count : ring_room(&p->ring));
    pthread_mutex_unlock(&p->lock);
    return ready;
}

HANDLE standard_event(int fd)
{
    return pumps[fd].event;
}
