/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * io_uring works past filters of system calls (io_uring(7), host/isolation.h), so a disk's ring must not be able
 * to do more than read and write what is open, whoever gets hold of it. Each operation is asked of the very
 * ring of an io_queue, by its descriptor.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "host/io_queue.h"
#include "host/pool.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

/* A ring as its memory has it. */
struct ring {
    int fd;
    struct io_uring_params layout;
    struct io_uring_sqe *entries;
    uint8_t *queues;
    size_t size;
};

static unsigned *at(const struct ring *ring, unsigned offset)
{
    return (unsigned *)(void *)(ring->queues + offset);
}

static void map(struct ring *ring)
{
    const struct io_uring_params *p = &ring->layout;
    const int prot = PROT_READ | PROT_WRITE;
    assert_true(p->features & IORING_FEAT_SINGLE_MMAP);
    ring->size = p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe);
    ring->queues = mmap(NULL, ring->size, prot, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
    assert_true(ring->queues != MAP_FAILED);
    ring->entries = mmap(NULL, p->sq_entries * sizeof(*ring->entries), prot, MAP_SHARED, ring->fd,
                         (off_t)IORING_OFF_SQES);
    assert_true(ring->entries != MAP_FAILED);
}

static void unmap(struct ring *ring)
{
    munmap(ring->queues, ring->size);
    munmap(ring->entries, ring->layout.sq_entries * sizeof(*ring->entries));
}

/* Asks for one thing and waits: what became of it. */
static int ask(struct ring *ring, const struct io_uring_sqe *what)
{
    const struct io_sqring_offsets *sq = &ring->layout.sq_off;
    const struct io_cqring_offsets *cq = &ring->layout.cq_off;
    unsigned tail = *at(ring, sq->tail), slot = tail & *at(ring, sq->ring_mask);
    ring->entries[slot] = *what;
    at(ring, sq->array)[slot] = slot;
    __atomic_store_n(at(ring, sq->tail), tail + 1, __ATOMIC_RELEASE);
    assert_int_equal(syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0),
                     1);
    unsigned head = *at(ring, cq->head);
    assert_int_not_equal(__atomic_load_n(at(ring, cq->tail), __ATOMIC_ACQUIRE), head);
    const struct io_uring_cqe *cqes = (void *)(ring->queues + cq->cqes);
    int result = cqes[head & *at(ring, cq->ring_mask)].res;
    __atomic_store_n(at(ring, cq->head), head + 1, __ATOMIC_RELEASE);
    return result;
}

static int descriptor_of_a_ring(void)
{
    char path[64], link[64];
    for (int fd = 0; fd < 256; fd++) {
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        ssize_t n = readlink(path, link, sizeof(link) - 1);
        if (n > 0 && (link[n] = '\0', strstr(link, "[io_uring]")))
            return fd;
    }
    return -1;
}

/* Only who makes a ring is told where its parts are: those of another one of the same size are there, too. */
static void make_like(struct ring *ring, int other)
{
    char path[64], line[128];
    unsigned mask = 0;
    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", other);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (!mask && fgets(line, sizeof(line), file))
        sscanf(line, "SqMask: %x", &mask);
    fclose(file);
    assert_int_not_equal(mask, 0);
    memset(ring, 0, sizeof(*ring));
    ring->fd = (int)syscall(SYS_io_uring_setup, mask + 1, &ring->layout);
    assert_true(ring->fd >= 0);
}

static struct pool *pool;
static struct io_queue *queue;
static struct ring disks, free_one; /* free_one: nobody has restricted it */

static int open_rings(void **state)
{
    (void)state;
    pool = pool_new("worker", 1, NULL);
    queue = io_queue_new(pool, false, NULL);
    if (!io_queue_has_batches(queue))
        return 0;
    disks.fd = descriptor_of_a_ring();
    assert_true(disks.fd >= 0);
    make_like(&free_one, disks.fd);
    disks.layout = free_one.layout;
    map(&disks);
    map(&free_one);
    return 0;
}

static int close_rings(void **state)
{
    (void)state;
    if (io_queue_has_batches(queue)) {
        unmap(&disks);
        unmap(&free_one);
        close(free_one.fd);
    }
    io_queue_free(queue);
    pool_free(pool);
    return 0;
}

static void skip_without_rings(void)
{
    if (!io_queue_has_batches(queue))
        skip();
}

static struct io_uring_sqe opening(void)
{
    return (struct io_uring_sqe){.opcode = IORING_OP_OPENAT,
                                 .fd = AT_FDCWD,
                                 .addr = (uintptr_t) "/dev/null",
                                 .open_flags = O_RDONLY};
}

/* So a refusal is the disk's ring's doing. */
static void a_ring_opens_files_if_nobody_restricts_it(void **state)
{
    (void)state;
    skip_without_rings();
    struct io_uring_sqe open = opening();
    int fd = ask(&free_one, &open);
    assert_true(fd >= 0);
    close(fd);
}

static void a_disks_ring_opens_none(void **state)
{
    (void)state;
    skip_without_rings();
    struct io_uring_sqe open = opening();
    assert_int_equal(ask(&disks, &open), -EACCES);
}

/* EINVAL: the kernel knows none of this number. */
static void a_disks_ring_does_nothing_but_read_and_write(void **state)
{
    (void)state;
    skip_without_rings();
    for (unsigned op = 0; op < 256; op++) {
        struct io_uring_sqe sqe = {.opcode = (uint8_t)op, .fd = -1};
        int result = ask(&disks, &sqe);
        bool allowed = op == IORING_OP_READV || op == IORING_OP_WRITEV;
        if (allowed ? result != -EBADF : result != -EACCES && result != -EINVAL)
            fail_msg("operation %u: %d", op, result);
    }
}

/* Files that are registered, links, workers: none of it is asked for by a disk. */
static void a_disks_ring_takes_no_flags(void **state)
{
    (void)state;
    skip_without_rings();
    for (unsigned bit = 0; bit < 8; bit++) {
        struct io_uring_sqe sqe = {
            .opcode = IORING_OP_READV, .flags = (uint8_t)(1 << bit), .fd = -1};
        int result = ask(&disks, &sqe);
        if (result != -EACCES && result != -EINVAL)
            fail_msg("flag 0x%x: %d", 1u << bit, result);
    }
}

static void a_disks_ring_takes_no_registrations(void **state)
{
    (void)state;
    skip_without_rings();
    for (unsigned what = 0; what < 64; what++) {
        char argument[4096] = {0};
        errno = 0;
        assert_int_equal(syscall(SYS_io_uring_register, disks.fd, what, argument, 1), -1);
        if (errno != EACCES && errno != EINVAL)
            fail_msg("registration %u: errno %d", what, errno);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_opens_files_if_nobody_restricts_it),
        cmocka_unit_test(a_disks_ring_opens_none),
        cmocka_unit_test(a_disks_ring_does_nothing_but_read_and_write),
        cmocka_unit_test(a_disks_ring_takes_no_flags),
        cmocka_unit_test(a_disks_ring_takes_no_registrations),
    };
    return cmocka_run_group_tests(tests, open_rings, close_rings);
}
