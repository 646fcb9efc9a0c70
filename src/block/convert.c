/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Copying images: convert.h. Runs that the old image knows to be zeroes are left out unread; of what
 * is read, blocks of zeroes are not written.
 */
#include "block/convert.h"

#include "block/qcow2/qcow2.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PART (2u << 20) /* read at once; as large as the largest cluster */
#define ZERO_BLOCK 4096u

struct copy {
    const struct convert *convert;
    uint8_t *bytes;
    uint64_t unit; /* zeroes are looked for in pieces of this size */
    struct error *err;
};

static bool is_zero(const uint8_t *bytes, size_t size)
{
    /* The first byte is zero, and each equals the one before it. */
    return !bytes[0] && !memcmp(bytes, bytes + 1, size - 1);
}

static bool failed(const struct copy *c, const char *what, const struct image *image,
                   uint64_t offset, int error)
{
    return error_set(c->err, "%s: cannot %s at 0x%" PRIx64 ": %s", image->file.path, what, offset,
                     strerror(error));
}

static bool write_piece(const struct copy *c, uint64_t offset, uint8_t *bytes, size_t size)
{
    struct image *to = c->convert->to;
    int error;
    if (c->convert->compress) {
        error = qcow2_write_compressed(to, offset, bytes, size);
    } else {
        struct iovec iov = {bytes, size};
        struct iov_cursor at = iov_start(&iov, 1);
        error = to->ops->writev(to, offset, size, &at);
    }
    return !error || failed(c, "write", to, offset, error);
}

/* Writes what is not zero of the part, in pieces as long as possible. */
static bool write_part(const struct copy *c, uint64_t offset, size_t size)
{
    size_t at = 0;
    while (at < size) {
        size_t unit = c->unit < size - at ? (size_t)c->unit : size - at, end = at + unit;
        if (is_zero(c->bytes + at, unit)) {
            at = end;
            continue;
        }
        while (!c->convert->compress && end < size) {
            unit = c->unit < size - end ? (size_t)c->unit : size - end;
            if (is_zero(c->bytes + end, unit))
                break;
            end += unit;
        }
        if (!write_piece(c, offset + at, c->bytes + at, end - at))
            return false;
        at = end;
    }
    return true;
}

/* An old block device is not empty. */
static bool write_hole(const struct copy *c, uint64_t offset, uint64_t size)
{
    struct image *to = c->convert->to;
    if (!to->file.is_device)
        return true;
    int error = to->ops->zero(to, offset, size, true);
    return !error || failed(c, "write", to, offset, error);
}

static bool copy_part(const struct copy *c, uint64_t offset, uint64_t end, uint64_t *done)
{
    struct image *from = c->convert->from;
    struct extent e;
    uint64_t part = end - offset < PART ? end - offset : PART;
    int error = from->ops->status(from, offset, part, &e);
    if (error)
        return failed(c, "read", from, offset, error);
    /* Whole pieces of zeroes only, so that the next begins at the start of one. */
    uint64_t zero = e.size == end - offset ? e.size : e.size / c->unit * c->unit;
    if (e.kind == EXTENT_ZERO && zero) {
        *done = zero;
        return write_hole(c, offset, zero);
    }
    struct iovec iov = {c->bytes, (size_t)part};
    struct iov_cursor at = iov_start(&iov, 1);
    *done = part;
    if ((error = from->ops->readv(from, offset, part, &at)))
        return failed(c, "read", from, offset, error);
    return (!c->convert->to->file.is_device || write_hole(c, offset, part)) &&
           write_part(c, offset, (size_t)part);
}

bool image_convert(const struct convert *convert, struct error *err)
{
    struct copy c = {.convert = convert, .unit = ZERO_BLOCK, .err = err};
    struct image *from = convert->from, *to = convert->to;
    if (convert->compress)
        c.unit = qcow2_of(to)->cluster_size;
    if (!(c.bytes = malloc(PART)))
        return error_set(err, "%s: out of memory", to->file.path);
    bool ok = true;
    for (uint64_t offset = 0, done = 0; ok && offset < from->size; offset += done) {
        ok = copy_part(&c, offset, from->size, &done);
        if (ok && convert->progress && !convert->progress(convert->ctx, offset + done, from->size))
            ok = error_set(err, "%s: given up", to->file.path);
    }
    free(c.bytes);
    int error = ok ? to->ops->flush(to) : 0;
    return ok && (!error || failed(&c, "write", to, to->size, error));
}
