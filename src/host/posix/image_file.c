/* SPDX-License-Identifier: MPL-2.0 */
/* Image files but for IO: see image_file.h. What each system does its own way: image_space.h. */
#define _GNU_SOURCE
#include "host/image_file.h"

#include "host/image_space.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool examine(struct image_file *f, unsigned flags, struct error *err)
{
    struct stat st;
    if (fstat(f->fd, &st) < 0)
        return error_set(err, "%s: cannot examine: %s", f->path, strerror(errno));
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        return error_set(err, "%s: is %s, not a file or a block device", f->path,
                         S_ISDIR(st.st_mode)    ? "a directory"
                         : S_ISFIFO(st.st_mode) ? "a pipe"
                                                : "a device for characters");
    f->is_device = S_ISBLK(st.st_mode);
    if (!(flags & (IMAGE_FILE_UNLOCKED | IMAGE_FILE_TEMPORARY)) && !image_space_lock(f, err))
        return false;
    /* Only now that it is ours. */
    if ((flags & IMAGE_FILE_CREATE) && !f->is_device && ftruncate(f->fd, 0) < 0)
        return error_set(err, "%s: cannot make it empty: %s", f->path, strerror(errno));
    return true;
}

/*
 * Files that are handed over
 */

/* Temporary files have no name that would tell one from the other. -1: there is none such. */
static int take(struct image_files *files, const char *path, enum image_file_use use)
{
    for (unsigned i = 0; i < files->count; i++) {
        struct image_files_entry *entry = &files->list[i];
        int fd = entry->fd;
        if (fd < 0 || entry->use != use ||
            (use != IMAGE_FILE_NAMELESS && strcmp(entry->path, path)))
            continue;
        entry->fd = -1;
        return fd;
    }
    return -1;
}

/* Whoever hands it over may be wrong about what it is. */
static bool take_main(struct image_files *files, struct image_file *f, enum image_file_use use,
                      struct error *err)
{
    f->fd = take(files, f->path, use);
    if (f->fd < 0)
        return error_set(err, "%s: was not handed over", f->path);
    int mode = fcntl(f->fd, F_GETFL);
    bool fits = mode >= 0 &&
                ((mode & O_ACCMODE) == O_RDWR || (f->read_only && (mode & O_ACCMODE) == O_RDONLY));
    if (!fits || (use == IMAGE_FILE_NAMELESS && ftruncate(f->fd, 0) < 0))
        return error_set(err, "%s: was handed over, but not open for %s", f->path,
                         f->read_only ? "reading" : "writing");
    return true;
}

static bool collect(struct image_files *files, const struct image_file *f, enum image_file_use use,
                    struct error *err)
{
    return image_files_add(files, f->path, use, fcntl(f->fd, F_DUPFD_CLOEXEC, 0), err) &&
           (f->direct_fd < 0 || image_files_add(files, f->path, IMAGE_FILE_AROUND_CACHE,
                                                fcntl(f->direct_fd, F_DUPFD_CLOEXEC, 0), err));
}

static bool open_main(struct image_file *f, const char *path, unsigned flags, struct error *err)
{
    /* O_NONBLOCK: opening a pipe would wait for its other end. */
    int how = O_CLOEXEC | O_NOCTTY | O_NONBLOCK | (f->read_only ? O_RDONLY : O_RDWR);
    if (flags & IMAGE_FILE_TEMPORARY)
        f->fd = image_space_open_temporary(path);
    else
        f->fd = open(path, how | (flags & IMAGE_FILE_CREATE ? O_CREAT : 0), 0666);
    return f->fd >= 0 ||
           error_set(err, "%s: cannot %s: %s", path,
                     flags & (IMAGE_FILE_CREATE | IMAGE_FILE_TEMPORARY) ? "create" : "open",
                     strerror(errno));
}

bool image_file_open_by(struct image_files *files, struct image_file *f, const char *path,
                        unsigned flags, struct error *err)
{
    const bool takes = files && !files->collects;
    enum image_file_use use = IMAGE_FILE_FOR_WRITING;
    *f = (struct image_file){.path = strdup(path), .fd = -1, .direct_fd = -1};
    if (!f->path)
        return error_set(err, "out of memory");
    if (!*path) {
        image_file_close(f);
        return error_set(err, "an empty file name");
    }
    f->read_only = flags & IMAGE_FILE_READ_ONLY;
    if (flags & IMAGE_FILE_TEMPORARY)
        use = IMAGE_FILE_NAMELESS;
    else if (f->read_only)
        use = IMAGE_FILE_FOR_READING;
    bool ok = (takes ? take_main(files, f, use, err) : open_main(f, path, flags, err)) &&
              examine(f, flags, err);
    if (ok && flags & IMAGE_FILE_DIRECT) {
        f->direct_align = IMAGE_SPACE_DIRECT_ALIGN;
        f->direct_fd =
            takes ? take(files, path, IMAGE_FILE_AROUND_CACHE) : image_space_open_direct(f);
    }
    if (ok && files && !takes)
        ok = collect(files, f, use, err);
    if (!ok)
        image_file_close(f);
    return ok;
}

void image_file_close(struct image_file *f)
{
    if (f->direct_fd >= 0)
        close(f->direct_fd);
    if (f->fd >= 0)
        close(f->fd); /* and with it goes the lock */
    free(f->path);
    *f = (struct image_file){.fd = -1, .direct_fd = -1};
}

bool image_file_is(const struct image_file *f, const char *path)
{
    struct stat own, other;
    return fstat(f->fd, &own) == 0 && stat(path, &other) == 0 && own.st_dev == other.st_dev &&
           own.st_ino == other.st_ino;
}

int image_file_size(const struct image_file *f, uint64_t *size)
{
    /* Not st_size, which is 0 for a block device. */
    off_t end = lseek(f->fd, 0, SEEK_END);
    if (end < 0)
        return errno;
    *size = (uint64_t)end;
    return 0;
}

uint64_t image_file_allocated(const struct image_file *f)
{
    struct stat st;
    return fstat(f->fd, &st) < 0 ? 0 : (uint64_t)st.st_blocks * 512;
}

int image_file_resize(const struct image_file *f, uint64_t size)
{
    if (size > INT64_MAX)
        return EFBIG;
    return ftruncate(f->fd, (off_t)size) < 0 ? errno : 0;
}

int image_file_sync(const struct image_file *f)
{
    return fdatasync(f->fd) < 0 ? errno : 0;
}

bool image_file_is_data(const struct image_file *f, uint64_t offset, uint64_t limit, uint64_t *end)
{
    *end = limit;
    if (offset >= limit)
        return false;
#ifdef SEEK_HOLE
    off_t data = lseek(f->fd, (off_t)offset, SEEK_DATA);
    if (data < 0)
        return errno != ENXIO; /* which says: nothing but a hole up to the end */
    if ((uint64_t)data > offset) {
        if ((uint64_t)data < limit)
            *end = (uint64_t)data;
        return false;
    }
    off_t hole = lseek(f->fd, (off_t)offset, SEEK_HOLE);
    if (hole > (off_t)offset && (uint64_t)hole < limit)
        *end = (uint64_t)hole;
#else
    (void)f;
#endif
    return true;
}
