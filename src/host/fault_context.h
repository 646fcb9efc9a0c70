/* SPDX-License-Identifier: MPL-2.0 */
/* Where a fault was: of the third argument of a handler of faults (fault.h). */
#ifndef RVVM_HOST_FAULT_CONTEXT_H
#define RVVM_HOST_FAULT_CONTEXT_H

#include <stdint.h>

/* The host instruction, and where to go on after the handler. */
uint64_t fault_pc(const void *context);
void fault_set_pc(void *context, uint64_t pc);

#endif
