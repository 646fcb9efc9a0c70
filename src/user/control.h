/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Control messages of programs of 32 bits (cmsg(3)): their headers have a length of 4 bytes and lie at 4.
 * They are read into memory of ours, and written from there.
 */
#ifndef RVVM_USER_CONTROL_H
#define RVVM_USER_CONTROL_H

#include "user/abi.h"
#include "user/process.h"

/* What a message is to be sent with, or room for what one brings: the header names it then. *memory is to be
 * freed. -errno. */
int64_t control_prepare(struct user_thread *t, struct guest_msghdr *header, bool is_sent,
                        unsigned char **memory);

/*
 * What was received goes to the program, as far as its room goes (MSG_CTRUNC); descriptors that do not fit
 * are closed. header: the length becomes that of the program's. false: EFAULT.
 */
bool control_give(struct user_thread *t, struct guest_msghdr *header,
                  const struct guest_msghdr *given);

#endif
