/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Guest memory by VirtualAlloc(): see memory.h. The system promises to have all of it (commits it), so that one
 * too large is refused here and not missed later; pages appear when they are touched.
 */
#include "host/memory.h"

#include "host/win32/system.h"
#include <inttypes.h>

#define RETRY_MS 10

bool memory_map(struct memory *m, uint64_t size, struct error *err)
{
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    uint64_t page = info.dwPageSize;
    *m = (struct memory){.fd = -1};
    if (size == 0)
        return error_set(err, "a memory of 0 bytes");
    /* User space is half of the address space at most. */
    if (size > (SIZE_MAX >> 1) - page)
        return error_set(err, "%" PRIu64 " bytes are more than this host can address", size);
    size = (size + page - 1) & ~(page - 1);
    void *data = VirtualAlloc(NULL, (SIZE_T)size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (!data)
        return error_set(err, "cannot map %" PRIu64 " MiB of memory: %s", size >> 20,
                         system_message(GetLastError()).text);
    *m = (struct memory){.data = data, .size = size, .fd = -1};
    return true;
}

void memory_unmap(struct memory *m)
{
    if (m->data)
        VirtualFree(m->data, 0, MEM_RELEASE);
    *m = (struct memory){.fd = -1};
}

/* Large pages of this system are a privilege, cannot be paged out, and are not made of small ones. */
void memory_make_large(const struct memory *m, uint64_t offset, uint64_t size)
{
    (void)m, (void)offset, (void)size;
}

void memory_clear(struct memory *m, uint64_t size)
{
    if (!m->data || !size || !VirtualFree(m->data, (SIZE_T)size, MEM_DECOMMIT))
        return;
    /* It was ours just now: should others be quicker to take it, then until one gives some back. */
    while (!VirtualAlloc(m->data, (SIZE_T)size, MEM_COMMIT, PAGE_READWRITE))
        Sleep(RETRY_MS);
}

void memory_populate(void *start, size_t size)
{
    (void)start, (void)size;
}

uint64_t memory_host_total(void)
{
    MEMORYSTATUSEX status = {.dwLength = sizeof(status)};
    return GlobalMemoryStatusEx(&status) ? status.ullTotalPageFile : 0;
}
