/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * What is done to frames in software, with what guests and peers may say: checksums and segmentation
 * (src/net/offload.h), merging (src/net/gro.h), fragments (src/net/reassembly.h), frames on a stream
 * (src/net/framing.h), words (src/net/options.h, src/net/forward.h). The first byte says which.
 */
#include "fuzz.h"

#include "net/forward.h"
#include "net/framing.h"
#include "net/gro.h"
#include "net/offload.h"
#include "net/options.h"
#include "net/reassembly.h"
#include "base/big_endian.h"
#include "net/checksum.h"
#include <stdlib.h>
#include <string.h>

/* A copy of the right size, so that what is read behind it is seen. */
static uint8_t *take_rest(struct fuzz_input *in, size_t *size)
{
    *size = in->left < NET_FRAME_MAX ? in->left : NET_FRAME_MAX;
    uint8_t *bytes = malloc(*size ? *size : 1);
    memcpy(bytes, in->bytes, *size);
    in->bytes += *size;
    in->left -= *size;
    return bytes;
}

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void cut(struct fuzz_input *in)
{
    struct net_offload offload = {
        .csum_due = true,
        .gso = (enum net_gso)(fuzz_take(in, 1) % 4),
        .gso_size = (uint16_t)fuzz_take(in, 2),
        .csum_start = (uint16_t)fuzz_take(in, 2),
        .csum_offset = (uint16_t)fuzz_take(in, 2),
    };
    size_t size, done = 0;
    uint8_t *frame = take_rest(in, &size);
    struct offload_cut cut;
    struct net_packet piece;
    if (offload_cut_begin(&cut, frame, size, &offload)) {
        while (offload_cut_next(&cut, &piece)) {
            require(piece.size == piece.iov[0].iov_len + piece.iov[1].iov_len);
            require(piece.iov[1].iov_len && piece.iov[1].iov_len <= offload.gso_size);
            done += piece.iov[1].iov_len;
        }
        require(done == size - cut.header_size);
    }
    offload_complete(frame, size, &offload);
    free(frame);
}

static void look_at(void *ctx, const struct net_packet *packet)
{
    size_t *bytes = ctx;
    require(packet->size >= NET_HEADER_SIZE && packet->size <= NET_FRAME_MAX);
    *bytes += packet->size;
    /* What was merged can be cut again. */
    struct offload_cut cut;
    struct net_packet piece;
    if (packet->offload.gso == NET_GSO_NONE || packet->offload.gso_size < OFFLOAD_PIECE_MIN)
        return;
    require(offload_cut_begin(&cut, packet->iov->iov_base, packet->size, &packet->offload));
    while (offload_cut_next(&cut, &piece))
        require(piece.size <= packet->size);
}

/* Segments of a few connections, mostly right, and frames of noise. */
static void merge(struct fuzz_input *in)
{
    size_t bytes = 0;
    uint32_t sequence[4] = {0};
    struct gro *gro = gro_new(look_at, &bytes);
    while (gro && fuzz_left(in)) {
        uint8_t kind = (uint8_t)fuzz_take(in, 1), which = kind & 3;
        size_t size = fuzz_take(in, 2) % 3000, noise = fuzz_take(in, 1);
        uint8_t *frame = calloc(1, size + 1);
        if (kind & 0x80) {
            for (size_t i = 0; i < size && fuzz_left(in); i++)
                frame[i] = (uint8_t)fuzz_take(in, 1);
        } else if (size >= 54) {
            memcpy(frame + 12, "\x08\x00\x45\x00", 4);
            frame[16] = (uint8_t)((size - 14) >> 8);
            frame[17] = (uint8_t)(size - 14);
            frame[23] = 6;
            frame[35] = which;
            for (unsigned i = 0; i < 4; i++)
                frame[38 + i] = (uint8_t)(sequence[which] >> (24 - 8 * i));
            frame[46] = 0x50;
            frame[47] = kind & 0x40 ? 0x18 : 0x10;
            sequence[which] += (uint32_t)(size - 54);
            if (noise < 54)
                frame[noise] = (uint8_t)fuzz_take(in, 1);
        }
        gro_add(gro, frame, size);
        free(frame);
        if ((kind & 0x30) == 0x30)
            gro_flush(gro);
    }
    if (gro)
        gro_flush(gro);
    gro_free(gro);
}

/* Fragments of few datagrams, so that they meet. */
static void reassemble(struct fuzz_input *in)
{
    struct reassembly *r = reassembly_new();
    uint64_t now = 1;
    while (r && fuzz_left(in)) {
        uint8_t kind = (uint8_t)fuzz_take(in, 1);
        size_t size = 34 + fuzz_take(in, 2) % 1500, whole;
        uint8_t *frame = calloc(1, size), *ip = frame + 14;
        memcpy(frame + 12, "\x08\x00\x45", 3);
        put_be16(ip + 2, (uint16_t)(kind & 0x40 ? fuzz_take(in, 2) : size - 14));
        ip[5] = kind & 3;
        put_be16(ip + 6, (uint16_t)fuzz_take(in, 2));
        ip[9] = 17;
        if (kind & 0x20)
            ip[0] = (uint8_t)fuzz_take(in, 1);
        if ((ip[0] & 15) * 4u <= size - 14)
            put_be16(ip + 10, checksum_finish(checksum_add(0, ip, (ip[0] & 15) * 4u)));
        const uint8_t *got = reassembly_is_fragment(frame, size)
                                 ? reassembly_add(r, frame, size, now, &whole)
                                 : NULL;
        if (got) {
            require(whole > 34 && whole <= 14 + 65535);
            require(get_be16(got + 16) == whole - 14 && !reassembly_is_fragment(got, whole));
            require(checksum_finish(checksum_add(0, got + 14, (got[14] & 15) * 4u)) == 0);
        }
        free(frame);
        now += kind & 0x80 ? REASSEMBLY_NS / 3 : 0;
    }
    reassembly_free(r);
}

static void read_stream(struct fuzz_input *in)
{
    struct framing *stream = calloc(1, sizeof(*stream));
    const uint8_t *frame;
    size_t size, sum = 0;
    while (stream && fuzz_left(in)) {
        size_t room;
        uint8_t *to = framing_room(stream, &room);
        require(room);
        room = fuzz_left(in) < room ? fuzz_left(in) : room;
        memcpy(to, in->bytes, room);
        in->bytes += room;
        in->left -= room;
        framing_fill(stream, room);
        enum framing_result result;
        while ((result = framing_next(stream, &frame, &size)) == FRAMING_FRAME)
            for (size_t i = 0; i < size; i++)
                sum += frame[i];
        if (result == FRAMING_BAD)
            break;
    }
    require(sum <= SIZE_MAX);
    free(stream);
}

static void read_words(struct fuzz_input *in, bool forward)
{
    struct error err = {0};
    char *text = calloc(1, in->left + 1);
    memcpy(text, in->bytes, in->left);
    if (forward) {
        struct net_forward f;
        char name[NET_FORWARD_NAME_SIZE];
        if (net_forward_parse(&f, text, &err))
            net_forward_name(&f, name);
        else
            require(err.text[0]);
    } else {
        struct net_options options;
        if (net_options_parse(&options, text, &err))
            net_options_free(&options);
        else
            require(err.text[0]);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    switch (fuzz_take(&in, 1) % 6) {
    case 0:
        cut(&in);
        break;
    case 1:
        merge(&in);
        break;
    case 2:
        read_stream(&in);
        break;
    case 3:
        read_words(&in, false);
        break;
    case 4:
        read_words(&in, true);
        break;
    case 5:
        reassemble(&in);
        break;
    }
    return 0;
}
