/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Signals that an instruction of this thread causes (SIGSEGV, SIGBUS), for who lets others' programs
 * access memory and goes on elsewhere when they may not.
 */
#ifndef RVVM_HOST_FAULT_H
#define RVVM_HOST_FAULT_H

#include "base/error.h"
#include <signal.h>
#include <stdint.h>

/*
 * Catches both, on the stack that is in use. All other signals are blocked meanwhile: the handler's return
 * undoes what another one, run in the midst of it, would have said is blocked from then on.
 */
bool fault_catch(void (*handler)(int signal, siginfo_t *info, void *context), struct error *err);

/* For a handler that leaves by longjmp: what is blocked is as it was before. */
void fault_leave(const void *context);

/* Whether the thread did it itself, and no other process or thread sent it. */
bool fault_is_own(const siginfo_t *info);

/* Whether info->si_addr is the address: the host's processor does not say which it was when it could be
 * nobody's. */
bool fault_knows_address(const siginfo_t *info);

#endif
