/* SPDX-License-Identifier: MPL-2.0 */
/* Structures of programs of 32 bits from and to the host's: see layout.h. */
#define _GNU_SOURCE
#include "user/layout.h"
#include "user/abi.h"
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/hdreg.h>
#include <linux/serial.h>
#include <mqueue.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/vfs.h>

static const struct {
    const char *fields;
    uint16_t host_size;
} layouts[] = {
#define LAYOUT(name, type, fields) {fields, sizeof(type)},
#include "user/layouts.def"
#undef LAYOUT
};
#define LAYOUT(name, type, fields) \
    _Static_assert(sizeof(type) <= LAYOUT_HOST_MOST, "LAYOUT_HOST_MOST");
#include "user/layouts.def"
#undef LAYOUT

/* What the letters are. */
struct field {
    uint8_t guest, guest_align, host;
};

static struct field field_of(char letter)
{
    switch (letter) {
    case 'b':
        return (struct field){1, 1, 1};
    case 'h':
        return (struct field){2, 2, 2};
    case 'i':
        return (struct field){4, 4, 4};
    case 't':
        return (struct field){8, 4, 8};
    case 'l':
    case 'u':
        return (struct field){4, 4, 8};
    case 'a':
        return (struct field){0, 4, 8};
    default: /* q, n */
        return (struct field){8, 8, 8};
    }
}

static void widen(char letter, const struct field *f, uint8_t *host, const uint8_t *guest)
{
    int32_t word;
    int64_t wide;
    if (letter != 'l' && letter != 'u' && letter != 'n') {
        memcpy(host, guest, f->guest);
        return;
    }
    memcpy(&word, guest, sizeof(word));
    wide = letter == 'u' ? (int64_t)(uint32_t)word : word;
    memcpy(host, &wide, sizeof(wide));
}

struct sizes {
    size_t guest, host;
};

/* Goes through the fields in both forms at once. One of the two is written; neither where host is NULL. */
static struct sizes convert(const char *fields, uint8_t *guest, uint8_t *host, bool to_host)
{
    struct sizes at = {0, 0};
    size_t guest_align = 1, host_align = 1;
    while (*fields) {
        unsigned count = 0;
        for (; *fields >= '0' && *fields <= '9'; fields++)
            count = 10 * count + (unsigned)(*fields - '0');
        char letter = *fields++;
        const struct field f = field_of(letter);
        size_t align = letter == 'a' ? 8 : f.host;
        guest_align = f.guest_align > guest_align ? f.guest_align : guest_align;
        host_align = align > host_align ? align : host_align;
        at.guest = (at.guest + f.guest_align - 1) & ~((size_t)f.guest_align - 1);
        at.host = (at.host + align - 1) & ~(align - 1);
        if (letter == 'a')
            continue;
        for (unsigned n = 0; n < (count ? count : 1); n++) {
            if (host && to_host)
                widen(letter, &f, host + at.host, guest + at.guest);
            else if (host) /* little-endian: the lower half comes first */
                memcpy(guest + at.guest, host + at.host, f.guest);
            at.guest += f.guest;
            at.host += f.host;
        }
    }
    at.guest = (at.guest + guest_align - 1) & ~(guest_align - 1);
    at.host = (at.host + host_align - 1) & ~(host_align - 1);
    return at;
}

static size_t narrow_size(enum layout layout)
{
    return layout == LAYOUT_siginfo ? GUEST_SIGINFO_SIZE
                                    : convert(layouts[layout].fields, NULL, NULL, false).guest;
}

size_t layout_size(const struct space *s, enum layout layout)
{
    return space_word(s) == 8 ? layouts[layout].host_size : narrow_size(layout);
}

size_t layout_host_size(enum layout layout)
{
    return layouts[layout].host_size;
}

bool layout_read(const struct space *s, enum layout layout, void *host, uint64_t address)
{
    uint8_t guest[LAYOUT_HOST_MOST]; /* it is never the larger one */
    if (space_word(s) == 8)
        return space_read(s, host, address, layouts[layout].host_size);
    if (!space_read(s, guest, address, narrow_size(layout)))
        return false;
    memset(host, 0, layouts[layout].host_size);
    if (layout == LAYOUT_siginfo)
        siginfo_widen(host, guest);
    else
        convert(layouts[layout].fields, guest, host, true);
    return true;
}

bool layout_write(const struct space *s, enum layout layout, uint64_t address, const void *host)
{
    uint8_t guest[LAYOUT_HOST_MOST]; /* it is never the larger one */
    if (space_word(s) == 8)
        return space_write(s, address, host, layouts[layout].host_size);
    size_t size = narrow_size(layout);
    memset(guest, 0, size);
    if (layout == LAYOUT_siginfo)
        siginfo_narrow(guest, host);
    else
        convert(layouts[layout].fields, guest, (uint8_t *)host, false);
    return space_write(s, address, guest, size);
}

bool layout_read_list(const struct space *s, enum layout layout, void *host, uint64_t address,
                      uint64_t count)
{
    size_t host_size = layouts[layout].host_size, size = layout_size(s, layout);
    if (space_word(s) == 8)
        return space_read(s, host, address, count * host_size);
    for (uint64_t n = 0; n < count; n++)
        if (!layout_read(s, layout, (char *)host + n * host_size, address + n * size))
            return false;
    return true;
}
