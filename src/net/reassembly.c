/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Fragments of IPv4: see reassembly.h. A datagram's payload is put where it belongs as it comes; a bit for
 * each 8 bytes tells what is there.
 */
#include "net/reassembly.h"

#include "base/big_endian.h"
#include "net/checksum.h"
#include "net/frame.h"
#include "net/net.h"
#include <stdlib.h>
#include <string.h>

#define IP_MAX 65535u
#define HEADERS_MAX (NET_HEADER_SIZE + 60) /* Ethernet, IPv4 with all its options */
#define BLOCK 8u                           /* what offsets count */
#define BLOCKS (IP_MAX / BLOCK + 1)

/* What is told by the header of a fragment. */
struct fragment {
    const uint8_t *frame;
    unsigned header_size; /* Ethernet and IPv4 */
    unsigned begin, end;  /* of its payload in the datagram's */
    bool last;
};

struct datagram {
    uint8_t key[11];      /* addresses, identification, protocol */
    uint64_t deadline;    /* 0: not in use */
    unsigned header_size; /* of the first fragment; 0: it has not come */
    unsigned size;        /* of the payload; 0: the last has not come */
    unsigned blocks;      /* that are there */
    unsigned end;         /* of what is there */
    uint8_t there[BLOCKS / 8 + 1];
    uint8_t headers[HEADERS_MAX];
    uint8_t payload[IP_MAX];
};

struct reassembly {
    struct datagram *datagrams[REASSEMBLY_DATAGRAMS];
    uint8_t whole[NET_HEADER_SIZE + IP_MAX];
};

struct reassembly *reassembly_new(void)
{
    return calloc(1, sizeof(struct reassembly));
}

void reassembly_free(struct reassembly *r)
{
    for (unsigned i = 0; r && i < REASSEMBLY_DATAGRAMS; i++)
        free(r->datagrams[i]);
    free(r);
}

bool reassembly_is_fragment(const uint8_t *frame, size_t size)
{
    return size >= NET_HEADER_SIZE + IPV4_HEADER_SIZE &&
           get_be16(frame + ETHER_TYPE) == ETHER_TYPE_IPV4 &&
           (get_be16(frame + NET_HEADER_SIZE + IPV4_FRAGMENT) & IPV4_IS_FRAGMENT);
}

/* false: no fragment that makes sense. */
static bool look_at(struct fragment *f, const uint8_t *frame, size_t size)
{
    const uint8_t *ip = frame + NET_HEADER_SIZE;
    const unsigned header = 4u * (ip[IPV4_VERSION] & 15), length = get_be16(ip + IPV4_LENGTH);
    const unsigned place = get_be16(ip + IPV4_FRAGMENT);
    if (ip[IPV4_VERSION] >> 4 != 4 || header < IPV4_HEADER_SIZE || length <= header ||
        NET_HEADER_SIZE + length > size)
        return false;
    if (checksum_finish(checksum_add(0, ip, header)))
        return false;
    f->frame = frame;
    f->header_size = NET_HEADER_SIZE + header;
    f->begin = (place & 0x1fff) * BLOCK;
    f->end = f->begin + length - header;
    f->last = !(place & 0x2000);
    return f->end <= IP_MAX - header && (f->last || f->end % BLOCK == 0);
}

static void make_key(uint8_t key[11], const uint8_t *ip)
{
    memcpy(key, ip + IPV4_ADDRESSES, 8);
    memcpy(key + 8, ip + IPV4_ID, 2);
    key[10] = ip[IPV4_PROTOCOL];
}

/* The one that the fragment is of, or a new one. NULL: out of memory. */
static struct datagram *find_datagram(struct reassembly *r, const uint8_t key[11], uint64_t now)
{
    struct datagram **place = &r->datagrams[0];
    for (unsigned i = 0; i < REASSEMBLY_DATAGRAMS; i++) {
        struct datagram *d = r->datagrams[i];
        if (d && d->deadline > now && !memcmp(d->key, key, sizeof(d->key)))
            return d;
        /* For a new one: a place that is not in use, or else the oldest. */
        if (*place && (*place)->deadline && (!d || d->deadline < (*place)->deadline))
            place = &r->datagrams[i];
    }
    struct datagram *d = *place;
    if (!d)
        d = *place = malloc(sizeof(*d));
    if (d) {
        memset(d, 0, offsetof(struct datagram, payload));
        memcpy(d->key, key, sizeof(d->key));
        d->deadline = now + REASSEMBLY_NS;
    }
    return d;
}

/* false: something is there already. */
static bool mark(struct datagram *d, unsigned begin, unsigned end)
{
    for (unsigned block = begin / BLOCK; block < (end + BLOCK - 1) / BLOCK; block++) {
        uint8_t bit = (uint8_t)(1u << block % 8);
        if (d->there[block / 8] & bit)
            return false;
        d->there[block / 8] |= bit;
        d->blocks++;
    }
    return true;
}

/* false: it contradicts what came before. */
static bool put(struct datagram *d, const struct fragment *f)
{
    if (!mark(d, f->begin, f->end) || (d->size && (f->last || f->end > d->size)) ||
        (f->last && d->end > f->end))
        return false;
    memcpy(d->payload + f->begin, f->frame + f->header_size, f->end - f->begin);
    if (f->end > d->end)
        d->end = f->end;
    if (f->last)
        d->size = f->end;
    if (!f->begin) {
        memcpy(d->headers, f->frame, f->header_size);
        d->header_size = f->header_size;
    }
    return !d->header_size || !d->size || d->header_size - NET_HEADER_SIZE + d->size <= IP_MAX;
}

static size_t make_whole(struct reassembly *r, const struct datagram *d)
{
    uint8_t *ip = r->whole + NET_HEADER_SIZE;
    memcpy(r->whole, d->headers, d->header_size);
    memcpy(r->whole + d->header_size, d->payload, d->size);
    put_be16(ip + IPV4_LENGTH, (uint16_t)(d->header_size - NET_HEADER_SIZE + d->size));
    put_be16(ip + IPV4_FRAGMENT, 0);
    put_be16(ip + IPV4_CHECKSUM, 0);
    put_be16(ip + IPV4_CHECKSUM,
             checksum_finish(checksum_add(0, ip, d->header_size - NET_HEADER_SIZE)));
    return d->header_size + d->size;
}

const uint8_t *reassembly_add(struct reassembly *r, const uint8_t *frame, size_t size, uint64_t now,
                              size_t *whole_size)
{
    struct fragment f;
    uint8_t key[11];
    if (!look_at(&f, frame, size))
        return NULL;
    make_key(key, frame + NET_HEADER_SIZE);
    struct datagram *d = find_datagram(r, key, now);
    if (!d)
        return NULL;
    bool good = put(d, &f);
    bool whole = good && d->header_size && d->size && d->blocks == (d->size + BLOCK - 1) / BLOCK;
    if (whole)
        *whole_size = make_whole(r, d);
    if (whole || !good)
        d->deadline = 0;
    return whole ? r->whole : NULL;
}
