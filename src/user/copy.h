/* SPDX-License-Identifier: MPL-2.0 */
/* Faults of the guest's memory: who they belong to. The copies themselves are in space.h. */
#ifndef RVVM_USER_COPY_H
#define RVVM_USER_COPY_H

#include "user/process.h"

/* Before anything of the guest's is touched. */
bool user_catch_faults(struct error *err);

/* The calling host thread is that one of the guest's; NULL: none any more. */
void user_thread_set_self(struct user_thread *t);

#endif
