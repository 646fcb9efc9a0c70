/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * What a host may lack (src/host/posix does), so that tests of it are skipped there. Tried out, not looked up.
 */
#ifndef RVVM_TESTS_HOST_FACTS_H
#define RVVM_TESTS_HOST_FACTS_H

#include "host/image_file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static inline bool host_fact_file(struct image_file *f)
{
    return image_file_open(f, "/tmp", IMAGE_FILE_TEMPORARY, NULL) &&
           image_file_resize(f, 65536) == 0;
}

/* Holes can be made in files. */
static inline bool host_gives_space_back(void)
{
    struct image_file f;
    bool can = host_fact_file(&f) && image_file_punch(&f, 0, 65536) != EOPNOTSUPP;
    image_file_close(&f);
    return can;
}

/* An open image has the marks that QEMU's programs look for: byte 201 is that nobody else may write. */
static inline bool host_locks_as_qemu(void)
{
    bool marked = false;
#ifdef F_OFD_GETLK
    char path[] = "/tmp/rvvm-locks-XXXXXX";
    struct image_file f;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 201, .l_len = 1};
    int fd = mkstemp(path);
    if (image_file_open(&f, path, 0, NULL))
        marked = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    image_file_close(&f);
    close(fd);
    unlink(path);
#endif
    return marked;
}

#endif
