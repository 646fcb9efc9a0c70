/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Looking into a machine: main memory, and what a hart has in its registers.
 *
 * Memory by physical address is there at any time, from any thread, as for a device that does DMA.
 * Registers, and memory by virtual address, can be had while the harts rest: the machine is not running,
 * or it is paused, or it has just been powered on (rvvm_machine_on_power_on). The caller sees to it that
 * nobody lets it go on meanwhile.
 *
 *     rvvm_machine_pause(machine);
 *     uint64_t pc, insn = 0;
 *     if (rvvm_hart_read_register(machine, 0, RVVM_REGISTER_PC, &pc, &error) &&
 *         rvvm_hart_read_memory(machine, 0, pc, &insn, 4, &error))
 *         printf("%016" PRIx64 ": %08" PRIx64 "\n", pc, insn);
 *     rvvm_machine_resume(machine);
 */
#ifndef RVVM_HART_H
#define RVVM_HART_H

#include <rvvm/machine.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Main memory begins here, and is as large as rvvm_config.memory says, rounded up to pages. */
#define RVVM_MEMORY_BASE 0x80000000u

/*
 * Any thread. Reading reaches main memory and flash, writing main memory. false: not all of the range is
 * there; nothing was written. Code that is written while harts run is seen when the guest does FENCE.I;
 * while they rest, at once.
 */
RVVM_API bool rvvm_machine_read_memory(struct rvvm_machine *machine, uint64_t address, void *bytes,
                                       size_t size, struct rvvm_error *error);
RVVM_API bool rvvm_machine_write_memory(struct rvvm_machine *machine, uint64_t address,
                                        const void *bytes, size_t size, struct rvvm_error *error);

/*
 * Calls fn(ctx) each time the machine has been powered on or reset, before its first instruction: memory
 * is loaded, the harts rest, all functions here may be called. On the thread that is in
 * rvvm_machine_run. fn NULL: nobody is called. While the machine is not running.
 */
RVVM_API void rvvm_machine_on_power_on(struct rvvm_machine *machine, void (*fn)(void *ctx),
                                       void *ctx);

/* Registers, by the numbers that GDB has for them. */
enum rvvm_register {
    RVVM_REGISTER_X0 = 0, /* to x31 */
    RVVM_REGISTER_PC = 32,
    RVVM_REGISTER_F0 = 33,   /* to f31: their bits */
    RVVM_REGISTER_CSR0 = 65, /* and the number of the CSR, which is accessed as M-mode does */
    RVVM_REGISTER_PRIV = RVVM_REGISTER_CSR0 + 4096, /* the mode: 0 U, 1 S, 3 M */
};

/*
 * The harts rest. Harts are counted from 0. A register of a 32-bit hart has its value in the lower half.
 * false: there is no such hart or register, it does not take that value, or the harts do not rest.
 */
RVVM_API bool rvvm_hart_read_register(struct rvvm_machine *machine, unsigned hart, unsigned number,
                                      uint64_t *value, struct rvvm_error *error);
RVVM_API bool rvvm_hart_write_register(struct rvvm_machine *machine, unsigned hart, unsigned number,
                                       uint64_t value, struct rvvm_error *error);

/*
 * The harts rest. Memory by the addresses that the hart's current mode has; rights of pages do not
 * matter. false: not all of the range is there, or the harts do not rest; what comes before the first
 * byte that is not there has been read or written.
 */
RVVM_API bool rvvm_hart_read_memory(struct rvvm_machine *machine, unsigned hart, uint64_t address,
                                    void *bytes, size_t size, struct rvvm_error *error);
RVVM_API bool rvvm_hart_write_memory(struct rvvm_machine *machine, unsigned hart, uint64_t address,
                                     const void *bytes, size_t size, struct rvvm_error *error);

#ifdef __cplusplus
}
#endif

#endif
