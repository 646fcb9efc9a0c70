/* SPDX-License-Identifier: MPL-2.0 */
/* TAP devices: see tap.h (Linux, Documentation/networking/tuntap). */
#define _GNU_SOURCE
#include "host/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Since Linux 6.2; headers may be older. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

_Static_assert(sizeof(struct tap_header) == 10, "what the kernel puts before a frame");

static unsigned offload_flags(unsigned offloads)
{
    /* Nothing may be cut by who cannot finish checksums. */
    if (!(offloads & TAP_CSUM))
        return 0;
    return TUN_F_CSUM | (offloads & TAP_TSO4 ? TUN_F_TSO4 | TUN_F_TSO_ECN : 0) |
           (offloads & TAP_TSO6 ? TUN_F_TSO6 | TUN_F_TSO_ECN : 0) |
           (offloads & TAP_USO ? TUN_F_USO4 | TUN_F_USO6 : 0);
}

static unsigned find_mtu(const char *name)
{
    struct ifreq request = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memcpy(request.ifr_name, name, IFNAMSIZ - 1);
    bool known = fd >= 0 && ioctl(fd, SIOCGIFMTU, &request) == 0;
    if (fd >= 0)
        close(fd);
    return known && request.ifr_mtu > 0 ? (unsigned)request.ifr_mtu : 1500;
}

static const char *explain(int e)
{
    switch (e) {
    case EPERM:
        return "not permitted (it must be made for your user: ip tuntap add NAME mode tap user "
               "YOU)";
    case EBUSY:
        return "in use";
    case EINVAL:
        return "exists and is no TAP device of this kind";
    default:
        return strerror(e);
    }
}

int tap_device_open(const char *name, struct tap_info *info, struct error *err)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
    const char *shown = name && *name ? name : "tap";
    int header_size = sizeof(struct tap_header);
    if (strlen(shown) >= IFNAMSIZ) {
        error_set(err, "%s: a TAP device's name has up to %d bytes", shown, IFNAMSIZ - 1);
        return -1;
    }
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        error_set(err, "%s: /dev/net/tun: %s", shown, strerror(errno));
        return -1;
    }
    if (name && *name)
        strcpy(request.ifr_name, name);
    if (ioctl(fd, TUNSETIFF, &request) < 0 || ioctl(fd, TUNSETVNETHDRSZ, &header_size) < 0) {
        error_set(err, "%s: %s", shown, explain(errno));
        close(fd);
        return -1;
    }
    memcpy(info->name, request.ifr_name, sizeof(info->name));
    info->name[sizeof(info->name) - 1] = '\0';
    info->mtu = find_mtu(info->name);
    /* What it may be asked to send it also takes. */
    info->offloads = TAP_CSUM | TAP_TSO4 | TAP_TSO6;
    if (ioctl(fd, TUNSETOFFLOAD, offload_flags(info->offloads | TAP_USO)) == 0)
        info->offloads |= TAP_USO;
    tap_device_take(fd, 0);
    return fd;
}

void tap_device_take(int fd, unsigned offloads)
{
    if (ioctl(fd, TUNSETOFFLOAD, offload_flags(offloads)) < 0)
        ioctl(fd, TUNSETOFFLOAD, offload_flags(offloads & ~(unsigned)TAP_USO));
}

enum stream_result tap_device_read(int fd, struct tap_header *header, void *frame, size_t room,
                                   size_t *size)
{
    const struct iovec iov[] = {{header, sizeof(*header)}, {frame, room}};
    ssize_t n;
    do
        n = readv(fd, iov, 2);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        return STREAM_AGAIN;
    if (n < (ssize_t)sizeof(*header))
        return STREAM_END; /* an interface that is down gives nothing, one that is gone an error */
    *size = (size_t)n - sizeof(*header);
    return STREAM_OK;
}

enum stream_result tap_device_write(int fd, const struct tap_header *header,
                                    const struct iovec *iov, unsigned count)
{
    struct iovec all[TAP_IOV_MAX + 1] = {{(void *)header, sizeof(*header)}};
    if (count > TAP_IOV_MAX)
        return STREAM_ERROR;
    memcpy(all + 1, iov, count * sizeof(*iov));
    ssize_t n;
    do
        n = writev(fd, all, (int)count + 1);
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return STREAM_OK;
    return errno == EAGAIN ? STREAM_AGAIN : STREAM_ERROR;
}
