/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Compressed clusters: each a stream of its own, of deflate without a header (a window of 4 KiB) or
 * of zstd. Its end is known to a sector only, so what follows the stream is not looked at.
 *
 * Reads are smaller than clusters, so the last few that were unpacked are kept.
 */
#include "block/qcow2/qcow2.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#define KEPT_BYTES (4u << 20)
#define KEPT_MAX 16
#define DEFLATE_WINDOW 12
#define ZSTD_LEVEL 3

struct kept {
    uint64_t entry; /* its place and size, 0: nothing */
    uint64_t used;  /* when */
    uint8_t *bytes;
};

struct decompressed {
    pthread_mutex_t lock;
    unsigned count;
    uint64_t clock;
    struct kept kept[KEPT_MAX];
};

bool compression_exists(unsigned type)
{
#ifdef HAVE_ZLIB
    if (type == COMPRESSION_ZLIB)
        return true;
#endif
#ifdef HAVE_ZSTD
    if (type == COMPRESSION_ZSTD)
        return true;
#endif
    (void)type;
    return false;
}

#ifdef HAVE_ZLIB
static bool unpack_zlib(const uint8_t *from, size_t from_size, uint8_t *to, size_t size)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)from,
                  .avail_in = (uInt)from_size,
                  .next_out = to,
                  .avail_out = (uInt)size};
    if (inflateInit2(&z, -DEFLATE_WINDOW) != Z_OK)
        return false;
    int code = inflate(&z, Z_FINISH);
    inflateEnd(&z);
    /* Z_BUF_ERROR: all is there, but the end mark is not read yet. */
    return (code == Z_STREAM_END || code == Z_BUF_ERROR) && !z.avail_out;
}

static bool pack_zlib(const uint8_t *from, size_t from_size, uint8_t *to, size_t *size)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)from,
                  .avail_in = (uInt)from_size,
                  .next_out = to,
                  .avail_out = (uInt)*size};
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -DEFLATE_WINDOW, 9,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    int code = deflate(&z, Z_FINISH);
    *size -= z.avail_out;
    deflateEnd(&z);
    return code == Z_STREAM_END;
}
#endif

#ifdef HAVE_ZSTD
static bool unpack_zstd(const uint8_t *from, size_t from_size, uint8_t *to, size_t size)
{
    ZSTD_DStream *z = ZSTD_createDStream();
    ZSTD_inBuffer in = {from, from_size, 0};
    ZSTD_outBuffer out = {to, size, 0};
    size_t left = 1;
    while (z && left && out.pos < size) {
        size_t before = in.pos + out.pos;
        left = ZSTD_decompressStream(z, &out, &in);
        if (ZSTD_isError(left) || in.pos + out.pos == before)
            break;
    }
    ZSTD_freeDStream(z);
    return out.pos == size;
}

static bool pack_zstd(const uint8_t *from, size_t from_size, uint8_t *to, size_t *size)
{
    size_t n = ZSTD_compress(to, *size, from, from_size, ZSTD_LEVEL);
    if (ZSTD_isError(n))
        return false;
    *size = n;
    return true;
}
#endif

static bool unpack(unsigned type, const uint8_t *from, size_t from_size, uint8_t *to, size_t size)
{
#ifdef HAVE_ZLIB
    if (type == COMPRESSION_ZLIB)
        return unpack_zlib(from, from_size, to, size);
#endif
#ifdef HAVE_ZSTD
    if (type == COMPRESSION_ZSTD)
        return unpack_zstd(from, from_size, to, size);
#endif
    (void)type, (void)from, (void)from_size, (void)to, (void)size;
    return false;
}

bool compress_cluster(unsigned type, const void *from, size_t from_size, void *to, size_t *size)
{
#ifdef HAVE_ZLIB
    if (type == COMPRESSION_ZLIB)
        return pack_zlib(from, from_size, to, size);
#endif
#ifdef HAVE_ZSTD
    if (type == COMPRESSION_ZSTD)
        return pack_zstd(from, from_size, to, size);
#endif
    (void)type, (void)from, (void)from_size, (void)to, (void)size;
    return false;
}

/* Those that are kept */

struct decompressed *decompressed_new(uint64_t cluster_size)
{
    struct decompressed *d = calloc(1, sizeof(*d));
    if (!d)
        return NULL;
    pthread_mutex_init(&d->lock, NULL);
    uint64_t count = KEPT_BYTES / cluster_size;
    d->count = count < 2 ? 2 : count > KEPT_MAX ? KEPT_MAX : (unsigned)count;
    return d;
}

void decompressed_free(struct decompressed *d)
{
    if (!d)
        return;
    for (unsigned i = 0; i < d->count; i++)
        free(d->kept[i].bytes);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

void decompressed_forget(struct decompressed *d, uint64_t entry)
{
    pthread_mutex_lock(&d->lock);
    for (unsigned i = 0; i < d->count; i++)
        if (d->kept[i].entry == entry)
            d->kept[i].entry = 0;
    pthread_mutex_unlock(&d->lock);
}

/* False: not there. */
static bool copy_kept(struct decompressed *d, uint64_t entry, uint64_t skip, uint64_t size,
                      struct iov_cursor *at)
{
    bool found = false;
    pthread_mutex_lock(&d->lock);
    for (unsigned i = 0; i < d->count && !found; i++) {
        struct kept *kept = &d->kept[i];
        if (kept->entry != entry)
            continue;
        kept->used = ++d->clock;
        iov_copy_in(at, kept->bytes + skip, (size_t)size);
        found = true;
    }
    pthread_mutex_unlock(&d->lock);
    return found;
}

/* Takes bytes. */
static void keep(struct decompressed *d, uint64_t entry, uint8_t *bytes)
{
    pthread_mutex_lock(&d->lock);
    struct kept *oldest = &d->kept[0];
    for (unsigned i = 1; i < d->count; i++)
        if (d->kept[i].used < oldest->used)
            oldest = &d->kept[i];
    uint8_t *old = oldest->bytes;
    *oldest = (struct kept){entry, ++d->clock, bytes};
    pthread_mutex_unlock(&d->lock);
    free(old);
}

int qcow2_read_compressed(struct qcow2 *q, uint64_t entry, uint64_t skip, uint64_t size,
                          struct iov_cursor *at)
{
    if (copy_kept(q->decompressed, entry, skip, size, at))
        return 0;
    uint64_t offset;
    size_t packed_size;
    qcow2_compressed_place(q, entry, &offset, &packed_size);
    if (!compression_exists(q->compression)) {
        log_line(q->image.log, LOG_ERROR,
                 "%s: has compressed clusters, and rvvm was built without %s", q->image.file.path,
                 q->compression == COMPRESSION_ZSTD ? "libzstd" : "zlib");
        return EIO;
    }
    uint8_t *packed = malloc(packed_size), *bytes = malloc(q->cluster_size);
    int error =
        packed && bytes ? image_file_read(&q->image.file, offset, packed, packed_size) : ENOMEM;
    if (!error && !unpack(q->compression, packed, packed_size, bytes, q->cluster_size)) {
        log_line(q->image.log, LOG_ERROR, "%s: damaged: the compressed cluster at 0x%" PRIx64,
                 q->image.file.path, offset);
        error = EIO;
    }
    free(packed);
    if (error) {
        free(bytes);
        return error;
    }
    iov_copy_in(at, bytes + skip, (size_t)size);
    keep(q->decompressed, entry, bytes);
    return 0;
}
