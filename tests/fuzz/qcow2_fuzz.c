/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A hostile qcow2 image under a hostile guest. The input is the image, as pieces that are not zero,
 * and then what the guest does (see qcow2-seed, which makes one from an image).
 *
 *     u8 flags, u16 count, count pieces of { u16 place in units of 64 bytes, u8 size, bytes },
 *     then operations of { u8 what, u64 offset, u32 size }
 */
#define _GNU_SOURCE
#include "fuzz.h"

#include "block/facts.h"
#include "block/qcow2/check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { READ_ONLY = 1, REPAIR = 2, GROW = 4 };
enum { OPERATIONS_MAX = 24, SIZE_MAX_BYTES = 1 << 18 };
#define CHECK_MAX (64u << 20) /* a sparse file of that size is not counted for each input */

static uint8_t buffer[SIZE_MAX_BYTES];

static void write_image(struct fuzz_input *in, int fd)
{
    unsigned count = (unsigned)fuzz_take(in, 2);
    for (unsigned i = 0; i < count && fuzz_left(in); i++) {
        off_t place = (off_t)fuzz_take(in, 2) * 64;
        unsigned size = (unsigned)fuzz_take(in, 1);
        for (unsigned j = 0; j < size; j++)
            buffer[j] = (uint8_t)fuzz_take(in, 1);
        if (pwrite(fd, buffer, size, place) != (ssize_t)size)
            abort();
    }
}

static void operate(struct fuzz_input *in, struct image *image)
{
    unsigned what = (unsigned)fuzz_take(in, 1);
    uint64_t offset = fuzz_take(in, 8), size = fuzz_take(in, 4) % (SIZE_MAX_BYTES + 1);
    if (!image->size)
        return;
    offset %= image->size;
    if (size > image->size - offset)
        size = image->size - offset;
    struct iovec iov = {buffer, (size_t)size};
    struct iov_cursor at = iov_start(&iov, 1);
    struct extent e;
    switch (what % 8) {
    case 0:
        image->ops->readv(image, offset, size, &at);
        break;
    case 1:
        image->ops->map(image, offset, size + !size, what & 8, &e);
        if (e.kind != EXTENT_OTHER)
            image->ops->unmap(image, e.epoch);
        break;
    case 2:
        image->ops->status(image, offset, size + !size, &e);
        break;
    case 3:
        if (!image->read_only)
            image->ops->flush(image);
        break;
    case 4:
        if (!image->read_only)
            image->ops->discard(image, offset, size);
        break;
    case 5:
        if (!image->read_only)
            image->ops->zero(image, offset, size, what & 8);
        break;
    default:
        if (!image->read_only)
            image->ops->writev(image, offset, size, &at);
    }
}

static void say(void *ctx, const char *line)
{
    (void)ctx;
    fprintf(stderr, "after the repair: %s\n", line);
}

static void check_again(const char *path, bool repair)
{
    struct image_options options = {.path = path,
                                    .format = DISK_FORMAT_QCOW2,
                                    .read_only = !repair,
                                    .no_backing = true,
                                    .for_check = true};
    struct error err;
    struct image *image = image_open(&options, &err);
    struct qcow2_report report = {0};
    struct image_facts facts;
    uint64_t size;
    if (!image)
        return;
    if (image_facts(image, &facts, &err))
        image_facts_free(&facts);
    if (!image_file_size(&image->file, &size) && size <= CHECK_MAX &&
        qcow2_check(qcow2_of(image), repair, &report, &err) && repair &&
        (report.corruptions || report.leaks)) {
        /* What is repaired is whole. */
        struct qcow2_report again = {.say = say};
        if (qcow2_check(qcow2_of(image), false, &again, &err) && again.corruptions)
            abort();
    }
    image_close(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    char path[64];
    int fd = memfd_create("image", MFD_CLOEXEC);
    if (fd < 0)
        return 0;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    unsigned flags = (unsigned)fuzz_take(&in, 1);
    write_image(&in, fd);
    struct image_options options = {.path = path,
                                    .format = DISK_FORMAT_QCOW2,
                                    .cache = DISK_CACHE_UNSAFE,
                                    .read_only = flags & READ_ONLY,
                                    .no_backing = true};
    struct error err = {0};
    struct image *image = image_open(&options, &err);
    if (!image && !err.text[0])
        abort(); /* each refusal has its line */
    for (unsigned i = 0; image && i < OPERATIONS_MAX && fuzz_left(&in); i++)
        operate(&in, image);
    if (image && (flags & GROW) && !image->read_only && image->size < 1u << 30)
        image->ops->resize(image, image->size + (1u << 20), &err);
    image_close(image);
    check_again(path, flags & REPAIR);
    close(fd);
    return 0;
}
