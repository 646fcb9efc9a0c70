/* SPDX-License-Identifier: MPL-2.0 */
/* Files that are handed over: see image_file.h. This system's sockets take none along, so nobody does. */
#include "host/image_file.h"

#include "host/stream.h"

bool image_files_can_pass(void)
{
    return false;
}

bool image_files_add(struct image_files *files, const char *path, enum image_file_use use, int fd,
                     struct error *err)
{
    (void)files, (void)use, (void)fd;
    return error_set(err, "%s: cannot be handed over on this system", path);
}

void image_files_close(struct image_files *files)
{
    files->count = 0;
}

enum stream_result stream_read_passed(int fd, void *bytes, size_t size, size_t *done, int *fds,
                                      unsigned *count)
{
    (void)fds;
    *count = 0;
    return stream_read(fd, bytes, size, done);
}

enum stream_result stream_write_passing(int fd, const void *bytes, size_t size, size_t *done,
                                        const int *fds, unsigned count)
{
    (void)fds;
    *done = 0;
    return count ? STREAM_ERROR : stream_write(fd, bytes, size, done);
}
