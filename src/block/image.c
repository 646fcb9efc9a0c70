/* SPDX-License-Identifier: MPL-2.0 */
/* Which format a file has, and opening it. */
#include "block/image.h"

#include <string.h>

bool image_is_qcow2_magic(const uint8_t *bytes)
{
    return !memcmp(bytes, "QFI\xfb", 4);
}

/* Formats that we cannot read are named rather than taken for raw. */
static const struct {
    uint64_t offset;
    const char *magic, *name;
} foreign[] = {
    {0, "KDMV", "VMDK"},
    {0, "COWD", "VMDK"},
    {0, "# Disk Descriptor", "VMDK"},
    {0, "vhdxfile", "VHDX"},
    {0, "conectix", "VHD"},
    {0, "QED", "QED"},
    {64, "\x7f\x10\xda\xbe", "VDI"},
    {0, "WithoutFreeSpace", "Parallels"},
};

static bool probe(const struct image_file *file, enum disk_format *format, struct error *err)
{
    uint8_t start[512];
    int error = image_file_read(file, 0, start, sizeof(start));
    if (error)
        return error_set(err, "%s: cannot read: %s", file->path, strerror(error));
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
        if (!memcmp(start + foreign[i].offset, foreign[i].magic, strlen(foreign[i].magic)))
            return error_set(err,
                             "%s: a %s image, which is not known here: convert it to qcow2 or raw "
                             "(qemu-img convert)",
                             file->path, foreign[i].name);
    *format = image_is_qcow2_magic(start) ? DISK_FORMAT_QCOW2 : DISK_FORMAT_RAW;
    return true;
}

struct image *image_open(const struct image_options *options, struct error *err)
{
    struct image_file file;
    unsigned flags = (options->read_only ? IMAGE_FILE_READ_ONLY : 0) |
                     (options->unlocked ? IMAGE_FILE_UNLOCKED : 0) |
                     (options->cache == DISK_CACHE_NONE ? IMAGE_FILE_DIRECT : 0);
    if (!image_file_open_by(options->files, &file, options->path, flags, err))
        return NULL;
    enum disk_format format = options->format;
    struct image *image = NULL;
    if (format == DISK_FORMAT_AUTO && !probe(&file, &format, err))
        ; /* the message is there */
    else if (format == DISK_FORMAT_RAW)
        image = raw_open(options, &file, options->format == DISK_FORMAT_AUTO, err);
    else
        image = qcow2_open(options, &file, err);
    if (!image)
        image_file_close(&file);
    return image;
}

bool image_is_in_chain(const char *path, const struct image_options *options)
{
    /* Of files that are handed over each is taken once, so there is no circle, and no looking at others. */
    if (options->files && !options->files->collects)
        return false;
    for (; options && options->above_file; options = options->above)
        if (image_file_is(options->above_file, path))
            return true;
    return false;
}

void image_close(struct image *image)
{
    if (image)
        image->ops->close(image);
}
