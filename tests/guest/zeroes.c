/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * In the guest: discards and zeroes ranges of a block device as file systems do, in ways that fail where
 * the drive has no command for it, and reads back what is there. zeroes DEVICE
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define KIB UINT64_C(1024)
#define SIZE (8192 * KIB)

static void fail(const char *what)
{
    printf("zeroes: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int open_drive(const char *path)
{
    int fd = open(path, O_RDWR | O_DIRECT);
    if (fd < 0)
        fail(path);
    return fd;
}

static void expect(int fd, uint64_t from, uint64_t to, int byte)
{
    static _Alignas(4096) uint8_t block[4096];
    for (uint64_t at = from; at < to; at += sizeof(block)) {
        if (pread(fd, block, sizeof(block), (off_t)at) != sizeof(block))
            fail("read");
        for (size_t i = 0; i < sizeof(block); i++) {
            if (block[i] != byte) {
                printf("zeroes: 0x%02x at %llu\n", block[i], (unsigned long long)(at + i));
                exit(1);
            }
        }
    }
}

int main(int argc, char **argv)
{
    static _Alignas(4096) uint8_t full[1 << 20];
    int fd = argc > 1 ? open_drive(argv[1]) : -1;
    memset(full, 0xa5, sizeof(full));
    for (uint64_t at = 0; at < SIZE; at += sizeof(full))
        if (pwrite(fd, full, sizeof(full), (off_t)at) != sizeof(full))
            fail("write");
    /* With FALLOC_FL_PUNCH_HOLE the kernel does not fall back on writing zeroes itself. */
    if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 64 * KIB, 1024 * KIB))
        fail("zeroes, with the space given back");
    if (fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, 2052 * KIB, 4 * KIB))
        fail("zeroes");
    expect(fd, 0, 64 * KIB, 0xa5);
    expect(fd, 64 * KIB, 1088 * KIB, 0);
    expect(fd, 1088 * KIB, 2052 * KIB, 0xa5);
    expect(fd, 2052 * KIB, 2056 * KIB, 0);
    expect(fd, 2056 * KIB, SIZE, 0xa5);
    uint64_t range[2] = {4096 * KIB, 4096 * KIB};
    if (ioctl(fd, BLKDISCARD, range))
        fail("discard");
    expect(fd, 2056 * KIB, 4096 * KIB, 0xa5);
    expect(fd, 4096 * KIB, SIZE, 0); /* as an image in a file of the host does it */
    puts("zeroes: all as it should be");
    return 0;
}
