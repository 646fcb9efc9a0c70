/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * What a program of 32 bits gives in system calls, made into the host's form and back: control messages, and each
 * structure of layouts.def. What must hold: nothing behind the program's memory or ours is read or written, lengths
 * agree, and a structure that was written is read the same again.
 */
#define _GNU_SOURCE
#include "fuzz.h"

#include "user/control.h"
#include "user/copy.h"
#include "user/layout.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define PAGE 4096
#define CANARY 0x5a

static unsigned char *guest; /* a page, behind which is nothing */
static struct process process = {.space.end = SPACE_END_32};
static struct user_thread thread = {.process = &process};

static void check(bool good)
{
    if (!good)
        abort();
}

/* Input that is left lies at the end of the page. */
static uint64_t place(struct fuzz_input *in)
{
    size_t size = in->left < PAGE ? in->left : PAGE;
    memset(guest, CANARY, PAGE);
    memcpy(guest + PAGE - size, in->bytes, size);
    return (uint64_t)(guest + PAGE - size);
}

/* Descriptors that do not fit are closed: here they are none. */
static void take_descriptors(struct msghdr *host)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(host); c; c = CMSG_NXTHDR(host, c)) {
        check((char *)c + c->cmsg_len <= (char *)host->msg_control + host->msg_controllen);
        if (c->cmsg_type == SCM_RIGHTS)
            memset(CMSG_DATA(c), 0xff, c->cmsg_len - CMSG_LEN(0));
    }
}

static void try_control(struct fuzz_input *in)
{
    unsigned char *memory = NULL;
    uint64_t more = fuzz_take(in, 1), room = fuzz_take(in, 2) % PAGE;
    struct guest_msghdr header = {.control = place(in)};
    header.control_size = (uint64_t)(guest + PAGE) - header.control + (more > 250 ? more : 0);
    struct guest_msghdr given = {.control = (uint64_t)guest, .control_size = room};
    int64_t result = control_prepare(&thread, &header, true, &memory);
    check(result == 0 || result == -EINVAL || result == -EFAULT);
    check(result != 0 || more <= 250);
    if (!result) {
        struct msghdr host = {.msg_control = (void *)header.control,
                              .msg_controllen = header.control_size};
        take_descriptors(&host);
        memset(guest, CANARY, PAGE);
        check(control_give(&thread, &header, &given));
        check(header.control_size <= room);
        for (uint64_t n = room; n < PAGE; n++)
            check(guest[n] == CANARY);
    }
    free(memory);
}

static void try_layout(struct fuzz_input *in, enum layout layout)
{
    static uint8_t host[LAYOUT_HOST_MOST], back[LAYOUT_HOST_MOST];
    size_t size = layout_size(&process.space, layout);
    uint64_t address = place(in), room = (uint64_t)(guest + PAGE) - address;
    memset(host, CANARY, sizeof(host));
    bool there = layout_read(&process.space, layout, host, address);
    check(there == (size <= room));
    for (size_t n = layout_host_size(layout); n < sizeof(host); n++)
        check(host[n] == CANARY);
    if (!there)
        return;
    memset(guest, CANARY, PAGE);
    check(layout_write(&process.space, layout, (uint64_t)guest, host));
    for (size_t n = size; n < PAGE; n++)
        check(guest[n] == CANARY);
    check(layout_read(&process.space, layout, back, (uint64_t)guest));
    check(!memcmp(host, back, layout_host_size(layout)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    struct error err;
    if (!guest) {
        check(user_catch_faults(&err));
        guest = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
        check(guest != MAP_FAILED && !mprotect(guest + PAGE, PAGE, PROT_NONE));
    }
    unsigned what = (unsigned)fuzz_take(&in, 1);
    if (what >= LAYOUTS)
        try_control(&in);
    else
        try_layout(&in, what);
    return 0;
}
