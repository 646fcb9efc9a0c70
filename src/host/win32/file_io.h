/* SPDX-License-Identifier: MPL-2.0 */
/* Reads and writes at an offset, of lists of buffers, which this system does not have for its page cache. */
#ifndef RVVM_HOST_WIN32_FILE_IO_H
#define RVVM_HOST_WIN32_FILE_IO_H

#include "host/iovec.h"
#include <stdbool.h>
#include <stdint.h>

/* Bytes moved, less than all at the end of the file only; or -errno, if none was. Waits. */
int64_t file_io(int fd, bool writes, uint64_t offset, const struct iovec *iov, unsigned iovcnt);

#endif
