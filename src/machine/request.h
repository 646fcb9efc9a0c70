/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a guest asks of its machine as a whole, through a device or through the SBI.
 */
#ifndef RVVM_MACHINE_REQUEST_H
#define RVVM_MACHINE_REQUEST_H

enum machine_request {
    MACHINE_POWEROFF, /* code: the exit status, 0 for an orderly end */
    MACHINE_RESET,
};

/* Called on a hart's thread: takes note and returns; the machine acts when harts have stopped. */
struct machine_requests {
    void (*request)(void *ctx, enum machine_request what, int code);
    void *ctx;
};

#endif
