/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * How many requests a second a disk does, without a guest: random or sequential, at a depth.
 *
 *     cc -O2 -Isrc -pthread -o build/disk bench/disk.c build/release/librvvm.a -luring -lz -lzstd
 *     build/disk FILE read|write BYTES DEPTH SECONDS [threads]
 *
 * Writes are to FILE itself: give it one that nobody needs.
 *
 * The device is a task on the disk's thread, as real ones are: what is done is submitted again from
 * there, all that is done since the last time together. Prints requests a second, and CPU seconds.
 */
#include "block/disk.h"
#include "host/clock.h"
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define DEPTH_MAX 1024

struct slot {
    struct disk_request request;
    struct iovec iov;
    struct load *load;
    struct slot *next;
};

struct load {
    struct disk_task task;
    struct disk *disk;
    enum disk_op op;
    uint64_t size, seed;
    _Atomic(struct slot *) free; /* done, to be submitted again */
    _Atomic unsigned long done;
    atomic_bool stop;
    struct slot slots[DEPTH_MAX];
};

static void release(struct slot *slot)
{
    struct load *load = slot->load;
    slot->next = atomic_load(&load->free);
    while (!atomic_compare_exchange_weak(&load->free, &slot->next, slot))
        ;
}

static void slot_done(struct disk_request *r, int error)
{
    struct slot *slot = (struct slot *)r;
    struct load *load = slot->load;
    if (error) {
        fprintf(stderr, "disk: %s\n", strerror(error));
        exit(1);
    }
    atomic_fetch_add_explicit(&load->done, 1, memory_order_relaxed);
    release(slot);
    disk_wake(load->disk, &load->task);
}

static void submit_free(struct disk_task *task)
{
    struct load *load = (struct load *)task;
    struct slot *slot = atomic_exchange(&load->free, NULL), *next;
    struct disk_request *list = NULL;
    if (atomic_load(&load->stop))
        return;
    uint64_t places = disk_info(load->disk)->size / load->size;
    for (; slot; slot = next) {
        next = slot->next;
        load->seed = load->seed * 6364136223846793005ull + 1442695040888963407ull;
        slot->request = (struct disk_request){.op = load->op,
                                              .offset = (load->seed >> 20) % places * load->size,
                                              .size = load->size,
                                              .iov = &slot->iov,
                                              .iovcnt = 1,
                                              .done = slot_done,
                                              .next = list};
        list = &slot->request;
    }
    disk_submit(load->disk, list);
}

int main(int argc, char **argv)
{
    static struct load load;
    struct error err = {0};
    if (argc < 6) {
        fprintf(stderr, "usage: disk FILE read|write BYTES DEPTH SECONDS [threads]\n");
        return 2;
    }
    struct disk_options options = {.path = argv[1], .threads_only = argc > 6};
    load.op = strcmp(argv[2], "write") ? DISK_READ : DISK_WRITE;
    load.size = strtoull(argv[3], NULL, 0);
    unsigned depth = (unsigned)atoi(argv[4]), seconds = (unsigned)atoi(argv[5]);
    if (!load.size || !depth || depth > DEPTH_MAX) {
        fprintf(stderr, "disk: depth 1 to %d\n", DEPTH_MAX);
        return 2;
    }
    load.disk = disk_open(&options, &err);
    if (!load.disk) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    load.task.run = submit_free;
    for (unsigned i = 0; i < depth; i++) {
        void *buffer = NULL;
        if (posix_memalign(&buffer, 4096, load.size))
            return 1;
        memset(buffer, (int)i + 1, load.size);
        load.slots[i].iov = (struct iovec){buffer, load.size};
        load.slots[i].load = &load;
        release(&load.slots[i]);
    }
    uint64_t start = clock_monotonic_ns();
    disk_wake(load.disk, &load.task);
    sleep(seconds);
    unsigned long done = atomic_load(&load.done);
    double elapsed = (double)(clock_monotonic_ns() - start) / 1e9;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    atomic_store(&load.stop, true);
    disk_drain(load.disk);
    disk_close(load.disk);
    double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    printf("%s of %llu bytes, depth %u: %.0f a second, %.1f MiB/s, %.2f us of CPU each\n", argv[2],
           (unsigned long long)load.size, depth, (double)done / elapsed,
           (double)done * (double)load.size / 1048576 / elapsed, cpu * 1e6 / (double)done);
    return 0;
}
