/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Whole files: see file.h.
 */
#define _GNU_SOURCE /* getcwd() that finds the size */
#include "host/file.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool check_regular(const char *path, const struct stat *st, struct error *err)
{
    if (S_ISREG(st->st_mode))
        return true;
    if (S_ISDIR(st->st_mode))
        return error_set(err, "%s: is a directory", path);
    const char *what = S_ISFIFO(st->st_mode)   ? "a pipe"
                       : S_ISSOCK(st->st_mode) ? "a socket"
                                               : "a device";
    return error_set(err, "%s: is %s, not a regular file", path, what);
}

/* Reads until end of file or size bytes: a file may shrink while it is read. */
static bool read_all(int fd, const char *path, struct file_data *data, size_t size,
                     struct error *err)
{
    while (data->size < size) {
        ssize_t n = read(fd, data->bytes + data->size, size - data->size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set(err, "%s: cannot read: %s", path, strerror(errno));
        if (n == 0)
            break;
        data->size += (size_t)n;
    }
    return true;
}

bool file_read(const char *path, uint64_t limit, struct file_data *data, struct error *err)
{
    *data = (struct file_data){0};
    if (!*path)
        return error_set(err, "an empty file name");
    /* O_NONBLOCK: opening a FIFO would wait for a writer before fstat() could tell what it is. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return error_set(err, "%s: cannot open: %s", path, strerror(errno));
    struct stat st;
    bool ok = false;
    if (fstat(fd, &st) < 0) {
        error_set(err, "%s: cannot examine: %s", path, strerror(errno));
    } else if (!check_regular(path, &st, err)) {
        /* the message is there */
    } else if ((uint64_t)st.st_size > limit || (uint64_t)st.st_size >= SIZE_MAX) {
        error_set(err, "%s: too large: %" PRIu64 " bytes, at most %" PRIu64 " fit", path,
                  (uint64_t)st.st_size, limit);
    } else if (!(data->bytes = malloc((size_t)st.st_size + 1))) {
        error_set(err, "%s: not enough memory for %" PRIu64 " bytes", path, (uint64_t)st.st_size);
    } else {
        ok = read_all(fd, path, data, (size_t)st.st_size, err);
    }
    close(fd);
    if (!ok)
        file_data_free(data);
    return ok;
}

void file_data_free(struct file_data *data)
{
    free(data->bytes);
    *data = (struct file_data){0};
}

bool file_write(const char *path, const void *bytes, size_t size, struct error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
    if (fd < 0)
        return error_set(err, "%s: cannot create: %s", path, strerror(errno));
    const uint8_t *at = bytes;
    int e = 0;
    while (size && !e) {
        ssize_t n = write(fd, at, size);
        if (n < 0) {
            e = errno == EINTR ? 0 : errno;
            continue;
        }
        at += n;
        size -= (size_t)n;
    }
    if (close(fd) < 0 && !e)
        e = errno;
    return e ? error_set(err, "%s: cannot write: %s", path, strerror(e)) : true;
}

bool file_is_readable(const char *path)
{
    return access(path, R_OK) == 0;
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool file_rename(const char *from, const char *to)
{
    return rename(from, to) == 0;
}

void file_remove(const char *path)
{
    unlink(path);
}

FILE *file_open_output(const char *path)
{
    return fopen(path, "wb");
}

const char *file_temporary_folder(void)
{
    const char *folder = getenv("TMPDIR");
    return folder && *folder ? folder : "/tmp";
}

char *file_folder_before(const char *path)
{
    char *folder = *path == '/' ? strdup("") : getcwd(NULL, 0);
    if (!folder || !*folder)
        return folder;
    const size_t length = strlen(folder);
    char *whole = realloc(folder, length + 2);
    if (!whole) {
        free(folder);
        return NULL;
    }
    memcpy(whole + length, "/", 2);
    return whole;
}
