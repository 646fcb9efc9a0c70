/* SPDX-License-Identifier: GPL-3.0-only */
/* The virtio block device and its transport (virtio_fuzz.h), on a small raw image. */
#include "block/disk.h"
#include "dev/virtio/virtio_blk.h"
#include "virtio_fuzz.h"
#include <unistd.h>

#define IMAGE_SIZE 65536
#define QUEUES 4

static struct disk *disk;

static void sync_disk(void)
{
    disk_drain(disk);
}

static struct fuzz_device *make_device(void)
{
    char path[] = "/tmp/rvvm-fuzz-XXXXXX";
    int fd = mkstemp(path);
    fuzz_check(fd >= 0 && !ftruncate(fd, IMAGE_SIZE));
    close(fd);
    struct disk_options options = {.path = path, .format = DISK_FORMAT_RAW};
    disk = disk_open(&options, NULL);
    fuzz_check(disk && !unlink(path));
    struct virtio_blk_config config = {.disk = disk, .queues = QUEUES};
    return fuzz_device_new(virtio_blk_new(&config, NULL), QUEUES, sync_disk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzz_device *device;
    if (!device)
        device = make_device();
    fuzz_run(device, data, size);
    return 0;
}
