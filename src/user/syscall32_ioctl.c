/* SPDX-License-Identifier: MPL-2.0 */
/*
 * ioctl of programs of 32 bits: requests whose structures have longs or addresses in them, which some have the
 * size of in their numbers. What is not listed is the same in both.
 */
#define _GNU_SOURCE
#include "user/syscall.h"
#include <errno.h>
#include <linux/fs.h>
#include <linux/hdreg.h>
#include <linux/if_tun.h>
#include <linux/loop.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <scsi/sg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

enum direction { NONE, GIVEN = 1, TAKEN = 2, BOTH = 3, REFUSED = 4 };

struct request {
    uint32_t guest, last; /* numbers from one to the other */
    uint32_t host;        /* of the first one; 0: the same */
    uint8_t layout, direction;
};

/* A request with the size of a long in its number, which is made for an int all the same. */
#define WITH_LONG(host) \
    { \
        ((host) & ~(uint32_t)IOCSIZE_MASK) | 4u << IOCSIZE_SHIFT, 0, host, 0, NONE \
    }

/* The first one that fits counts. */
static const struct request requests[] = {
    {SIOCGSTAMP_OLD, SIOCGSTAMPNS_OLD, 0, LAYOUT_timeval, TAKEN},
    {SIOCADDRT, SIOCDELRT, 0, LAYOUT_route, GIVEN},
    {SIOCGIFMAP, 0, 0, LAYOUT_ifmap, BOTH},
    {SIOCSIFMAP, 0, 0, LAYOUT_ifmap, GIVEN},
    {SIOCETHTOOL, 0, 0, LAYOUT_ifreq_data, GIVEN},
    {SIOCGIFBR, SIOCSIFBR, 0, 0, REFUSED},
    {SIOCGIFNAME, SIOCSIFTXQLEN, 0, LAYOUT_ifreq, BOTH},
    {SIOCGMIIPHY, SIOCSMIIREG, 0, LAYOUT_ifreq, BOTH},
    {SIOCBRADDIF, SIOCBRDELIF, 0, LAYOUT_ifreq, BOTH},
    {TUNSETIFF, 0, 0, LAYOUT_ifreq, BOTH},
    {TUNGETIFF, 0, 0, LAYOUT_ifreq, BOTH},
    {TIOCGSERIAL, 0, 0, LAYOUT_serial, TAKEN},
    {TIOCSSERIAL, 0, 0, LAYOUT_serial, GIVEN},
    {HDIO_GETGEO, 0, 0, LAYOUT_disk_geometry, TAKEN},
    {BLKGETSIZE, 0, 0, LAYOUT_long, TAKEN},
    {BLKRAGET, 0, 0, LAYOUT_long, TAKEN},
    {BLKFRAGET, 0, 0, LAYOUT_long, TAKEN},
    WITH_LONG(BLKBSZGET),
    WITH_LONG(BLKBSZSET),
    WITH_LONG(BLKGETSIZE64),
    WITH_LONG(FS_IOC_GETFLAGS),
    WITH_LONG(FS_IOC_SETFLAGS),
    WITH_LONG(FS_IOC_GETVERSION),
    WITH_LONG(FS_IOC_SETVERSION),
    /* Addresses of addresses; what has a newer name. */
    {SG_IO, 0, 0, 0, REFUSED},
    {LOOP_SET_STATUS, LOOP_GET_STATUS, 0, 0, REFUSED},
};

static const struct request *find_request(uint32_t number)
{
    for (unsigned n = 0; n < sizeof(requests) / sizeof(*requests); n++) {
        const struct request *r = &requests[n];
        if (number == r->guest || (r->last && number > r->guest && number <= r->last))
            return r;
    }
    return NULL;
}

/* A list of interfaces: the host's has larger entries, and is cut where the program's room ends. */
static int64_t list_interfaces(struct user_thread *t, const uint64_t *arg)
{
    const struct space *space = &t->process->space;
    struct ifconf guest, host = {0};
    if (!layout_read(space, LAYOUT_ifconf, &guest, arg[2]))
        return -EFAULT;
    uint64_t size = layout_size(space, LAYOUT_ifreq), to = (uint64_t)guest.ifc_buf;
    uint64_t room = to && guest.ifc_len > 0 ? (uint64_t)guest.ifc_len / size : 0;
    enum { INTERFACES_MOST = 4096 };
    room = room < INTERFACES_MOST ? room : INTERFACES_MOST;
    struct ifreq *list = to ? calloc(room + 1, sizeof(*list)) : NULL;
    if (to && !list)
        return -ENOMEM;
    host.ifc_req = list;
    host.ifc_len = (int)(room * sizeof(*list));
    int64_t result = syscall_host(t, SYS_ioctl, arg[0], SIOCGIFCONF, (uint64_t)&host, 0, 0, 0);
    uint64_t count = (uint64_t)host.ifc_len / sizeof(*list);
    for (uint64_t n = 0; list && result >= 0 && n < count; n++)
        if (!layout_write(space, LAYOUT_ifreq, to + n * size, &list[n]))
            result = -EFAULT;
    free(list);
    guest.ifc_len = (int)(count * size);
    if (result >= 0 && !layout_write(space, LAYOUT_ifconf, arg[2], &guest))
        return -EFAULT;
    return result;
}

int64_t sys32_ioctl(struct user_thread *t, const uint64_t *arg)
{
    const struct space *space = &t->process->space;
    const struct request *r = find_request((uint32_t)arg[1]);
    _Alignas(8) uint8_t host[LAYOUT_HOST_MOST] = {0};
    uint64_t passed[6] = {arg[0], arg[1], arg[2]};
    if (syscall_fd_is_ours(t->process, arg[0]))
        return -EBADF;
    if (arg[1] == SIOCGIFCONF)
        return list_interfaces(t, arg);
    if (!r)
        return sys_ioctl(t, arg);
    if (r->direction == REFUSED)
        return -ENOTTY;
    if (r->host)
        passed[1] = r->host;
    if (r->direction == NONE)
        return sys_ioctl(t, passed);
    if (r->direction & GIVEN && !layout_read(space, r->layout, host, arg[2]))
        return -EFAULT;
    int64_t result = syscall_host(t, SYS_ioctl, arg[0], passed[1], (uint64_t)host, 0, 0, 0);
    if (result >= 0 && r->direction & TAKEN && !layout_write(space, r->layout, arg[2], host))
        return -EFAULT;
    return result;
}
