/* SPDX-License-Identifier: MPL-2.0 */
/* The system calls of programs of 32 bits: which one a number is, and its arguments. See syscalls32.def. */
#define _GNU_SOURCE
#include "user/syscall.h"
#include <errno.h>
#include <sys/syscall.h>

static const struct syscall table[] = {
#define PASS(nr, called, as, kind, ...) \
    [nr] = {.name = #called, .host = SYS_##as, .result = kind, .args = {__VA_ARGS__}},
#define LIKE(nr, called, function, kind, ...) \
    [nr] = {.name = #called, .run = sys_##function, .result = kind, .args = {__VA_ARGS__}},
#define CALL(nr, called, kind, ...) \
    [nr] = {.name = #called, .run = sys32_##called, .result = kind, .args = {__VA_ARGS__}},
#define REFUSE(nr, called, with, ...) \
    [nr] = {.name = #called, .error = with, .args = {__VA_ARGS__}},
#include "user/syscalls32.def"
#undef PASS
#undef LIKE
#undef CALL
#undef REFUSE
};

const struct syscall *syscall_find_32(uint64_t number)
{
    if (number < sizeof(table) / sizeof(*table) && table[number].name)
        return &table[number];
    return syscall_find(number);
}

/* Registers are kept sign-extended; an address or size is not. */
void syscall_arguments_32(const struct syscall *call, const uint64_t *registers, uint64_t arg[6])
{
    unsigned reg = 0;
    for (unsigned n = 0; n < 6; n++, reg++) {
        uint8_t kind = call ? call->args[n] : A_HEX;
        arg[n] = kind == A_LONG ? registers[reg] : (uint32_t)registers[reg];
        if (kind == A_WIDE || kind == A_LOW)
            arg[n] |= registers[reg + 1] << 32;
        reg += kind == A_WIDE;
    }
}
