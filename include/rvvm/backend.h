/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What stands behind a machine's ports, when that is the program itself: the other end of the serial line,
 * the bytes of a drive, the other end of a network cable.
 *
 *     static void show(void *ctx, const void *bytes, size_t size)
 *     {
 *         fwrite(bytes, 1, size, ctx);
 *     }
 *
 *     const struct rvvm_terminal terminal = {.output = show, .ctx = stdout};
 *     config.terminal = &terminal;
 *     ...
 *     rvvm_machine_input(machine, "root\n", 5);
 */
#ifndef RVVM_BACKEND_H
#define RVVM_BACKEND_H

#include <rvvm/machine.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rvvm_terminal {
    /* Takes all of what the guest has sent, while a hart waits. Any of the machine's threads, one at a time;
     * it may call rvvm_machine_input and rvvm_machine_quit. NULL: nobody hears it */
    void (*output)(void *ctx, const void *bytes, size_t size);
    void *ctx;
};

/*
 * Any thread. Types at the serial port of a machine whose rvvm_config.terminal is set: how many bytes were
 * taken, the first ones. Those wait until the guest reads them; there is room for 64 KiB.
 */
RVVM_API size_t rvvm_machine_input(struct rvvm_machine *machine, const void *bytes, size_t size);

/*
 * A drive's bytes, for rvvm_drive.disk. The callbacks run on threads of the drive's, several at once, and
 * may take their time; they return 0 or an errno. Ranges are within the size; overlapping ones come in the
 * order that the guest's do, that is none.
 */
struct rvvm_disk {
    uint64_t size; /* bytes, a multiple of 512 */
    int (*read)(void *ctx, uint64_t offset, void *bytes, size_t size);
    int (*write)(void *ctx, uint64_t offset, const void *bytes, size_t size); /* NULL: read only */
    int (*flush)(void *ctx); /* what was written is safe when it returns; NULL: it always is */
    void *ctx;
};

/*
 * The other end of a network's cable, for rvvm_network.wire. Frames are Ethernet's without the check
 * sequence, 14 bytes and more.
 */
struct rvvm_wire {
    /* A frame of the guest's, on the network's thread; it is there during the call only. It may call
     * rvvm_machine_deliver. NULL: nobody hears the guest */
    void (*frame)(void *ctx, const void *frame, size_t size);
    void *ctx;
};

/*
 * Any thread. A frame for the guest from the wire of that network, counted from 0; it is copied. false:
 * there is no such wire, that is no frame, or 4 MiB of them wait already.
 */
RVVM_API bool rvvm_machine_deliver(struct rvvm_machine *machine, unsigned network,
                                   const void *frame, size_t size);

#ifdef __cplusplus
}
#endif

#endif
