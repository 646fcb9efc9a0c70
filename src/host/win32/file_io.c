/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Reads and writes at an offset: see file_io.h. The handles are synchronous, so that a call waits although it is
 * given an OVERLAPPED, which here only says where. There are no lists of buffers for the page cache.
 */
#include "host/file_io.h"

#include "host/win32/system.h"

#define PART (1u << 30)

static int64_t transfer(HANDLE file, bool writes, uint64_t offset, uint8_t *at, size_t size)
{
    size_t moved = 0;
    while (moved < size) {
        uint64_t place = offset + moved;
        OVERLAPPED where = {.Offset = (DWORD)place, .OffsetHigh = (DWORD)(place >> 32)};
        DWORD part = size - moved < PART ? (DWORD)(size - moved) : PART, done = 0;
        BOOL ok = writes ? WriteFile(file, at + moved, part, &done, &where)
                         : ReadFile(file, at + moved, part, &done, &where);
        if (!ok && !writes && GetLastError() == ERROR_HANDLE_EOF)
            break;
        if (!ok)
            return moved ? (int64_t)moved : -(int64_t)system_errno(GetLastError());
        if (!done)
            break;
        moved += done;
    }
    return (int64_t)moved;
}

int64_t file_io(int fd, bool writes, uint64_t offset, const struct iovec *iov, unsigned iovcnt)
{
    int64_t moved = 0;
    for (unsigned n = 0; n < iovcnt; n++) {
        int64_t part = transfer(system_handle(fd), writes, offset + (uint64_t)moved,
                                iov[n].iov_base, iov[n].iov_len);
        if (part < 0)
            return moved ? moved : part;
        moved += part;
        if ((uint64_t)part < iov[n].iov_len)
            break;
    }
    return moved;
}
