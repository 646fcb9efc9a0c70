/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A disk by callbacks that is all zeroes, forgets what is written to it and counts what it is told to flush: for
 * struct disk_calls and struct rvvm_disk, whose ctx is the count, an _Atomic unsigned.
 */
#ifndef TESTS_UNIT_COUNTING_DISK_H
#define TESTS_UNIT_COUNTING_DISK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static int counting_disk_read(void *ctx, uint64_t offset, void *bytes, size_t size)
{
    (void)ctx, (void)offset;
    memset(bytes, 0, size);
    return 0;
}

static int counting_disk_write(void *ctx, uint64_t offset, const void *bytes, size_t size)
{
    (void)ctx, (void)offset, (void)bytes, (void)size;
    return 0;
}

static int counting_disk_flush(void *flushes)
{
    ++*(_Atomic unsigned *)flushes;
    return 0;
}

#define COUNTING_DISK(bytes, flushes) \
    { \
        (bytes), counting_disk_read, counting_disk_write, counting_disk_flush, (flushes) \
    }

#endif
