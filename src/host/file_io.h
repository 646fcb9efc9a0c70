/* SPDX-License-Identifier: MPL-2.0 */
/* Reads and writes of a file at an offset, of lists of buffers. */
#ifndef RVVM_HOST_FILE_IO_H
#define RVVM_HOST_FILE_IO_H

#include "host/iovec.h"
#include <stdbool.h>
#include <stdint.h>

/*
 * Bytes moved, which may be less than all, and are 0 for a read at the end of the file; or -errno, if none was.
 * Waits.
 */
int64_t file_io(int fd, bool writes, uint64_t offset, const struct iovec *iov, unsigned iovcnt);

#endif
