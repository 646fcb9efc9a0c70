/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Unpacking: see compressed.h. The result grows by doubling up to the limit, so that a small file
 * that claims or unpacks to a huge one costs at most twice the limit.
 *
 * zboot (the kernel's CONFIG_EFI_ZBOOT, drivers/firmware/efi/libstub/zboot-header.S): "MZ", at 4
 * "zimg", at 8 and 12 the payload's offset and size, at 24 the name of its compression.
 */
#include "machine/boot/compressed.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_ZLIB
#include <zlib.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#define LAYERS_MAX 3 /* a gzip file of a zboot file of a gzip payload */
#define FIRST_SIZE (1u << 20)
#define ZBOOT_HEADER 60

/* What is being made. */
struct output {
    const char *path;
    uint8_t *bytes;
    size_t size, room;
    uint64_t limit;
};

static bool too_large(const struct output *out, struct error *err)
{
    return error_set(err, "%s: unpacks to more than the %" PRIu64 " MiB of main memory", out->path,
                     out->limit >> 20);
}

/* More room, if the limit allows. One byte more than that: a stream that ends at the limit has a
 * trailer to be read yet, and is told apart from one that goes on. Unused without any library. */
__attribute__((unused)) static bool grow(struct output *out, struct error *err)
{
    if (out->room > out->limit)
        return too_large(out, err);
    uint64_t room = out->room ? (uint64_t)out->room * 2 : FIRST_SIZE;
    if (room > out->limit)
        room = out->limit + 1;
    uint8_t *bytes = realloc(out->bytes, (size_t)room);
    if (!bytes)
        return error_set(err, "%s: not enough memory to unpack it", out->path);
    out->bytes = bytes;
    out->room = (size_t)room;
    return true;
}

#ifdef HAVE_ZLIB
static bool unpack_gzip(const uint8_t *bytes, size_t size, struct output *out, struct error *err)
{
    z_stream z = {0};
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
        return error_set(err, "%s: not enough memory to unpack it", out->path);
    int code = Z_OK;
    bool ok = true;
    while (ok && code == Z_OK) {
        if (!z.avail_in) { /* its counts are 32 bits wide */
            z.next_in = (Bytef *)(uintptr_t)bytes;
            z.avail_in = size > 1u << 30 ? 1u << 30 : (uInt)size;
            bytes += z.avail_in;
            size -= z.avail_in;
        }
        ok = out->size < out->room || grow(out, err);
        if (!ok)
            break;
        size_t room = out->room - out->size;
        uInt take = room > 1u << 30 ? 1u << 30 : (uInt)room;
        z.next_out = out->bytes + out->size;
        z.avail_out = take;
        code = inflate(&z, Z_NO_FLUSH);
        out->size += take - z.avail_out;
        if (code == Z_BUF_ERROR) /* there was room: nothing came in */
            ok = error_set(err, "%s: cut short: the gzip data end early", out->path);
        else if (code != Z_OK && code != Z_STREAM_END)
            ok = error_set(err, "%s: damaged gzip data: %s", out->path,
                           z.msg ? z.msg : "zlib gave up");
    }
    inflateEnd(&z);
    return ok;
}
#endif

#ifdef HAVE_ZSTD
static bool unpack_zstd(const uint8_t *bytes, size_t size, struct output *out, struct error *err)
{
    /* Its own limit on the window, 128 MiB, is what `zstd -22` without --long needs. */
    ZSTD_DStream *z = ZSTD_createDStream();
    if (!z)
        return error_set(err, "%s: not enough memory to unpack it", out->path);
    ZSTD_inBuffer in = {bytes, size, 0};
    size_t left = 1;
    bool ok = true;
    while (ok && left) {
        ok = out->size < out->room || grow(out, err);
        if (!ok)
            break;
        ZSTD_outBuffer to = {out->bytes, out->room, out->size};
        left = ZSTD_decompressStream(z, &to, &in);
        out->size = to.pos;
        if (ZSTD_isError(left))
            ok = error_set(err, "%s: damaged zstd data: %s", out->path, ZSTD_getErrorName(left));
        else if (left && in.pos == in.size && to.pos < to.size)
            ok = error_set(err, "%s: cut short: the zstd data end early", out->path);
    }
    ZSTD_freeDStream(z);
    return ok;
}
#endif

typedef bool unpack_fn(const uint8_t *bytes, size_t size, struct output *out, struct error *err);

/* Known formats; without a function it cannot be unpacked here. */
static const struct format {
    const char *name, *magic;
    size_t magic_size;
    unpack_fn *unpack;
    const char *missing; /* why not */
} formats[] = {
#ifdef HAVE_ZLIB
    {"gzip", "\x1f\x8b\x08", 3, unpack_gzip, NULL},
#else
    {"gzip", "\x1f\x8b\x08", 3, NULL, "rvvm was built without zlib"},
#endif
#ifdef HAVE_ZSTD
    {"zstd", "\x28\xb5\x2f\xfd", 4, unpack_zstd, NULL},
#else
    {"zstd", "\x28\xb5\x2f\xfd", 4, NULL, "rvvm was built without libzstd"},
#endif
    {"xz",
     "\xfd"
     "7zXZ\0",
     6, NULL, "unpack it first, or use gzip or zstd"},
    {"bzip2", "BZh", 3, NULL, "unpack it first, or use gzip or zstd"},
    {"lz4", "\x04\x22\x4d\x18", 4, NULL, "unpack it first, or use gzip or zstd"},
    {"lz4", "\x02\x21\x4c\x18", 4, NULL, "unpack it first, or use gzip or zstd"},
    {"lzo", "\x89LZO", 4, NULL, "unpack it first, or use gzip or zstd"},
};

static const struct format *find_format(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (size >= formats[i].magic_size &&
            !memcmp(bytes, formats[i].magic, formats[i].magic_size))
            return &formats[i];
    return NULL;
}

static bool is_zboot(const uint8_t *bytes, size_t size)
{
    return size >= 8 && !memcmp(bytes, "MZ", 2) && !memcmp(bytes + 4, "zimg", 4);
}

const char *compressed_name(const uint8_t *bytes, size_t size)
{
    const struct format *format = find_format(bytes, size);
    return is_zboot(bytes, size) ? "EFI zboot" : format ? format->name : NULL;
}

static uint32_t le32(const uint8_t *at)
{
    return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Narrows to the payload of a zboot file. */
static bool open_zboot(const char *path, const uint8_t **bytes, size_t *size, struct error *err)
{
    if (*size < ZBOOT_HEADER)
        return error_set(err, "%s: cut short: an EFI zboot file of %zu bytes", path, *size);
    const uint8_t *header = *bytes;
    uint32_t offset = le32(header + 8), length = le32(header + 12);
    if (offset > *size || length > *size - offset)
        return error_set(
            err, "%s: cut short: the EFI zboot payload ends beyond the end of the file", path);
    if (!find_format(header + offset, length)) {
        char name[16] = {0};
        for (unsigned i = 0; i < sizeof(name) - 1 && header[24 + i] > 0x20 && header[24 + i] < 0x7f;
             i++)
            name[i] = (char)header[24 + i];
        return error_set(err,
                         "%s: an EFI zboot file with a payload that is not known here (\"%s\")",
                         path, name);
    }
    *bytes = header + offset;
    *size = length;
    return true;
}

bool compressed_unpack(const char *path, struct file_data *data, uint64_t limit, struct error *err)
{
    if (limit > SIZE_MAX - 1)
        limit = SIZE_MAX - 1;
    for (unsigned layer = 0; compressed_name(data->bytes, data->size); layer++) {
        const uint8_t *bytes = data->bytes;
        size_t size = data->size;
        if (layer == LAYERS_MAX)
            return error_set(err, "%s: compressed more than %d times over", path, LAYERS_MAX);
        if (is_zboot(bytes, size) && !open_zboot(path, &bytes, &size, err))
            return false;
        const struct format *format = find_format(bytes, size);
        if (!format->unpack)
            return error_set(err, "%s: compressed by %s: %s", path, format->name, format->missing);
        struct output out = {.path = path, .limit = limit};
        if (!format->unpack(bytes, size, &out, err) ||
            (out.size > limit && !too_large(&out, err))) {
            free(out.bytes);
            return false;
        }
        free(data->bytes);
        *data = (struct file_data){out.bytes, out.size};
    }
    return true;
}
