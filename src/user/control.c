/* SPDX-License-Identifier: MPL-2.0 */
/* Control messages of programs of 32 bits: see control.h. */
#define _GNU_SOURCE
#include "user/control.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONTROL_MOST (1u << 20) /* a kernel takes less: net.core.optmem_max */

/* struct cmsghdr of riscv32. */
struct guest_control {
    uint32_t length;
    int32_t level, type;
};

static uint64_t round_up(uint64_t size)
{
    return (size + 3) & ~UINT64_C(3);
}

/* The host's messages for those of the program in `from`, which have `size` bytes. */
static int64_t widen(const unsigned char *from, size_t size, struct guest_msghdr *header)
{
    unsigned char *to = (void *)header->control;
    size_t at = 0, length = 0;
    while (size - at >= sizeof(struct guest_control)) {
        struct guest_control guest;
        memcpy(&guest, from + at, sizeof(guest));
        if (guest.length < sizeof(guest) || guest.length > size - at)
            return -EINVAL;
        size_t data = guest.length - sizeof(guest);
        const struct cmsghdr host = {
            .cmsg_len = CMSG_LEN(data), .cmsg_level = guest.level, .cmsg_type = guest.type};
        memcpy(to + length, &host, sizeof(host));
        memcpy(to + length + CMSG_LEN(0), from + at + sizeof(guest), data);
        length += CMSG_SPACE(data);
        at += round_up(guest.length);
        if (at > size)
            break;
    }
    header->control_size = length;
    return 0;
}

int64_t control_prepare(struct user_thread *t, struct guest_msghdr *header, bool is_sent,
                        unsigned char **memory)
{
    size_t size = header->control_size;
    if (is_sent && size > CONTROL_MOST)
        return -ENOBUFS;
    size = size < CONTROL_MOST ? size : CONTROL_MOST;
    /* The last message grows most, which need not be padded: a byte of data from 13 bytes to 24. What the program
     * has sent is behind that. */
    size_t room = 2 * size + CMSG_SPACE(0);
    unsigned char *host = *memory = calloc(1, room + size);
    if (!host)
        return -ENOMEM;
    uint64_t address = header->control;
    header->control = (uint64_t)host;
    header->control_size = room;
    if (!is_sent)
        return 0;
    if (!space_read(&t->process->space, host + room, address, size))
        return -EFAULT;
    return widen(host + room, size, header);
}

/* Times in messages that the program has asked for by names of before there were 64 bits of them. */
static size_t narrow_data(const struct cmsghdr *c, unsigned char *data, size_t size)
{
    enum { TIMESTAMP_OLD = 29, TIMESTAMPNS_OLD = 35, TIMESTAMPING_OLD = 37 };
    if (c->cmsg_level != SOL_SOCKET ||
        (c->cmsg_type != TIMESTAMP_OLD && c->cmsg_type != TIMESTAMPNS_OLD &&
         c->cmsg_type != TIMESTAMPING_OLD))
        return size;
    size_t count = size / sizeof(int64_t);
    for (size_t n = 0; n < count; n++)
        memmove(data + n * sizeof(int32_t), data + n * sizeof(int64_t), sizeof(int32_t));
    return count * sizeof(int32_t);
}

static void close_descriptors(const struct cmsghdr *c, const unsigned char *data, size_t first,
                              size_t size)
{
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
        return;
    for (size_t at = first; at + sizeof(int) <= size; at += sizeof(int)) {
        int fd;
        memcpy(&fd, data + at, sizeof(fd));
        close(fd);
    }
}

bool control_give(struct user_thread *t, struct guest_msghdr *header,
                  const struct guest_msghdr *given)
{
    const struct space *space = &t->process->space;
    uint64_t address = given->control, room = given->control_size, at = 0;
    struct msghdr host = {.msg_control = (void *)header->control,
                          .msg_controllen = header->control_size};
    bool ok = true;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&host); c; c = CMSG_NXTHDR(&host, c)) {
        unsigned char *data = CMSG_DATA(c);
        size_t size = narrow_data(c, data, c->cmsg_len - CMSG_LEN(0));
        uint64_t left = room > at ? room - at : 0, fits = size;
        if (left < sizeof(struct guest_control) + size) {
            header->flags |= MSG_CTRUNC;
            fits = left < sizeof(struct guest_control) ? 0 : left - sizeof(struct guest_control);
            if (c->cmsg_type == SCM_RIGHTS && c->cmsg_level == SOL_SOCKET)
                fits &= ~(sizeof(int) - 1);
            close_descriptors(c, data, fits, size);
        }
        if (left < sizeof(struct guest_control) || (!fits && size))
            continue;
        const struct guest_control guest = {(uint32_t)(sizeof(guest) + fits), c->cmsg_level,
                                            c->cmsg_type};
        ok &= space_write(space, address + at, &guest, sizeof(guest)) &&
              space_write(space, address + at + sizeof(guest), data, fits);
        at += round_up(sizeof(guest) + fits);
    }
    header->control_size = at < room ? at : room;
    return ok;
}
