/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A TAP device of the host (host/tap.h). Packets with more to do pass as they are in both directions: the
 * kernel does what a card does, or leaves it to the card that the packet goes out by.
 */
#include "host/tap.h"

#include "net/backend.h"
#include "net/options.h"
#include <stdlib.h>
#include <string.h>

/* Frames in a row: the card wants the thread, too. */
#define ROUND 128

_Static_assert(TAP_IOV_MAX >= NET_IOV_MAX, "a packet has no more pieces than can be written");
_Static_assert((int)TAP_CSUM == NET_CSUM && (int)TAP_TSO4 == NET_TSO4 &&
                   (int)TAP_TSO6 == NET_TSO6 && (int)TAP_USO == NET_USO,
               "features are passed on as they are");

struct tap {
    struct net *net;
    int fd;
    struct event_watch watch;
    bool reading, writing; /* what the watch waits for */
    uint8_t frame[NET_FRAME_MAX];
};

static void watch(struct tap *tap)
{
    event_watch_set(&tap->watch,
                    (tap->reading ? EVENT_READ : 0u) | (tap->writing ? EVENT_WRITE : 0u));
}

static struct tap_header to_header(const struct net_offload *offload)
{
    static const uint8_t types[] = {[NET_GSO_NONE] = TAP_GSO_NONE,
                                    [NET_GSO_TCP4] = TAP_GSO_TCP4,
                                    [NET_GSO_TCP6] = TAP_GSO_TCP6,
                                    [NET_GSO_UDP] = TAP_GSO_UDP};
    struct tap_header header = {0};
    if (offload->csum_due) {
        header.flags = TAP_NEEDS_CSUM;
        header.csum_start = offload->csum_start;
        header.csum_offset = offload->csum_offset;
    }
    if (offload->gso != NET_GSO_NONE) {
        header.gso_type = (uint8_t)(types[offload->gso] | (offload->ecn ? TAP_GSO_ECN : 0));
        header.gso_size = offload->gso_size;
        header.header_size = offload->header_size;
    }
    return header;
}

/* false: of a kind that was not asked for. */
static bool from_header(struct net_offload *offload, const struct tap_header *header)
{
    *offload = (struct net_offload){
        .csum_due = header->flags & TAP_NEEDS_CSUM,
        .csum_valid = header->flags & (TAP_DATA_VALID | TAP_NEEDS_CSUM),
        .csum_start = header->csum_start,
        .csum_offset = header->csum_offset,
        .ecn = header->gso_type & TAP_GSO_ECN,
        .gso_size = header->gso_size,
        .header_size = header->header_size,
    };
    switch (header->gso_type & ~TAP_GSO_ECN) {
    case TAP_GSO_NONE:
        offload->gso_size = offload->header_size = 0;
        return true;
    case TAP_GSO_TCP4:
        offload->gso = NET_GSO_TCP4;
        return true;
    case TAP_GSO_TCP6:
        offload->gso = NET_GSO_TCP6;
        return true;
    case TAP_GSO_UDP:
        offload->gso = NET_GSO_UDP;
        return true;
    default:
        return false;
    }
}

static bool tap_send(void *state, const struct net_packet *packet)
{
    struct tap *tap = state;
    const struct tap_header header = to_header(&packet->offload);
    if (tap_device_write(tap->fd, &header, packet->iov, packet->iov_count) != STREAM_AGAIN)
        return true;
    tap->writing = true;
    watch(tap);
    return false;
}

static void receive(struct tap *tap)
{
    struct tap_header header;
    size_t size = 0;
    enum stream_result result = STREAM_OK;
    for (unsigned i = 0; i < ROUND && result == STREAM_OK && tap->reading; i++) {
        result = tap_device_read(tap->fd, &header, tap->frame, sizeof(tap->frame), &size);
        struct iovec iov = {tap->frame, size};
        struct net_packet packet = {.iov = &iov, .iov_count = 1, .size = size};
        if (result == STREAM_OK && from_header(&packet.offload, &header))
            tap->reading = net_deliver(tap->net, &packet);
    }
    if (result == STREAM_END) {
        log_line(net_log(tap->net), LOG_ERROR, "%s: the TAP device has gone", net_name(tap->net));
        tap->reading = false;
    }
    net_delivered(tap->net);
    if (!tap->reading)
        watch(tap);
}

static void tap_event(void *ctx, unsigned events)
{
    struct tap *tap = ctx;
    if (events & EVENT_WRITE && tap->writing) {
        tap->writing = false;
        watch(tap);
        net_writable(tap->net);
    }
    if (events & EVENT_READ && tap->reading)
        receive(tap);
}

static void tap_ready(void *state)
{
    struct tap *tap = state;
    tap->reading = true;
    watch(tap);
}

static void tap_take_features(void *state, unsigned features)
{
    struct tap *tap = state;
    tap_device_take(tap->fd, features);
}

static void tap_close(void *state)
{
    struct tap *tap = state;
    event_watch_remove(&tap->watch);
    stream_close(tap->fd);
    free(tap);
}

bool tap_open(struct net_backend *backend, struct net *net, const struct net_options *options,
              struct error *err)
{
    static const struct net_backend_ops ops = {
        .name = "tap",
        .send = tap_send,
        .ready = tap_ready,
        .take_features = tap_take_features,
        .close = tap_close,
    };
    struct tap *tap = calloc(1, sizeof(*tap));
    struct tap_info info;
    if (!tap)
        return error_set(err, "out of memory");
    tap->net = net;
    tap->fd = tap_device_open(options->tap, &info, err);
    if (tap->fd < 0) {
        free(tap);
        return false;
    }
    log_line(net_log(net), LOG_INFO, "%s: the host's end is %s", net_name(net), info.name);
    tap->reading = true;
    event_watch_init(&tap->watch, net_loop(net), tap->fd, EVENT_READ, tap_event, tap);
    *backend = (struct net_backend){
        .ops = &ops,
        .state = tap,
        .features = info.offloads,
        .mtu = options->mtu ? options->mtu : info.mtu,
    };
    return true;
}
