/* SPDX-License-Identifier: GPL-3.0-only */
/* Files for a test, by what every system has. */
#ifndef SCRATCH_FILE_H
#define SCRATCH_FILE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "host/image_file.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void scratch_resize(const char *name, uint64_t size)
{
    struct image_file file;
    assert_true(image_file_open(&file, name, IMAGE_FILE_UNLOCKED, NULL));
    assert_int_equal(image_file_resize(&file, size), 0);
    image_file_close(&file);
}

/* In place of the six X at the end of the name; its bytes are zero. */
static inline void scratch_make(char *name, uint64_t size)
{
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    close(fd);
    scratch_resize(name, size);
}

static inline void scratch_write(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* Also of one that somebody has open. */
static inline void scratch_read(const char *name, uint64_t offset, void *bytes, size_t size)
{
    FILE *file = fopen(name, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)offset, SEEK_SET), 0);
    assert_int_equal(fread(bytes, 1, size, file), size);
    fclose(file);
}

static inline uint64_t scratch_size(const char *name)
{
    struct image_file file;
    uint64_t size = 0;
    assert_true(image_file_open(&file, name, IMAGE_FILE_READ_ONLY | IMAGE_FILE_UNLOCKED, NULL));
    assert_int_equal(image_file_size(&file, &size), 0);
    image_file_close(&file);
    return size;
}

/* What it takes of the disk. */
static inline uint64_t scratch_space(const char *name)
{
    struct image_file file;
    assert_true(image_file_open(&file, name, IMAGE_FILE_READ_ONLY | IMAGE_FILE_UNLOCKED, NULL));
    uint64_t bytes = image_file_allocated(&file);
    image_file_close(&file);
    return bytes;
}

#endif
