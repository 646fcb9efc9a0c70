/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What stands behind a machine's ports, when that is the program itself: the other end of the serial line.
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

#ifdef __cplusplus
}
#endif

#endif
