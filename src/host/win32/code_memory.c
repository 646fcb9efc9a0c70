/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Translated code by a section object that is mapped twice: see code_memory.h. Large pages that the system makes
 * by itself are not there to be asked for.
 */
#include "host/code_memory.h"

#include "host/win32/system.h"

#define TRIES 8

/*
 * A view at a multiple of CODE_MEMORY_PART. MapViewOfFile3() can be told so, but older systems do not have it:
 * so a place is looked for where it fits, and somebody else may take it meanwhile.
 */
static void *map_view(HANDLE section, DWORD access, size_t size)
{
    for (unsigned n = 0; n < TRIES; n++) {
        uint8_t *room = VirtualAlloc(NULL, size + CODE_MEMORY_PART, MEM_RESERVE, PAGE_NOACCESS);
        if (!room)
            return NULL;
        VirtualFree(room, 0, MEM_RELEASE);
        room += -(uintptr_t)room % CODE_MEMORY_PART;
        void *view = MapViewOfFileEx(section, access, 0, 0, size, room);
        if (view)
            return view;
    }
    return NULL;
}

bool code_memory_map(struct code_memory *m, size_t size, struct error *err)
{
    *m = (struct code_memory){0};
    size = code_memory_whole_parts(size);
    HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_EXECUTE_READWRITE,
                                        (DWORD)((uint64_t)size >> 32), (DWORD)size, NULL);
    if (!section)
        return error_set(err, "cannot make a memory object of %zu MiB for code: %s", size >> 20,
                         system_message(GetLastError()).text);
    void *write = map_view(section, FILE_MAP_WRITE, size);
    void *exec = write ? map_view(section, FILE_MAP_READ | FILE_MAP_EXECUTE, size) : NULL;
    DWORD error = GetLastError();
    CloseHandle(section); /* the views keep it */
    if (exec) {
        *m = (struct code_memory){.write = write, .exec = exec, .size = size};
        return true;
    }
    if (write)
        UnmapViewOfFile(write);
    return error_set(err, "cannot map %zu MiB for code: %s", size >> 20,
                     system_message(error).text);
}

bool code_memory_map_private(struct code_memory *m, size_t size, struct error *err)
{
    (void)size;
    *m = (struct code_memory){0};
    return error_set(err, "no process forks on this system");
}

void code_memory_make_large(const struct code_memory *m, size_t offset, size_t size)
{
    (void)m, (void)offset, (void)size;
}

void code_memory_unmap(struct code_memory *m)
{
    if (!m->write)
        return;
    UnmapViewOfFile(m->write);
    UnmapViewOfFile(m->exec);
    *m = (struct code_memory){0};
}
