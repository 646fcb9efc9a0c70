/* SPDX-License-Identifier: MPL-2.0 */
/* Functions of a program (rvvm/sandbox.h), over sandbox/sandbox.h. */
#include <rvvm/sandbox.h>

#include "api/machine.h"
#include "host/file.h"
#include "sandbox/sandbox.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PROGRAM_MAX (UINT64_C(1) << 30)
#define CODE_CACHE (UINT64_C(32) << 20)

struct rvvm_sandbox {
    struct sandbox *box;
    rvvm_sandbox_system_call_fn *system_call;
    void *ctx;
};

_Static_assert(sizeof(struct rvvm_sandbox_registers) == sizeof(struct sandbox_registers) &&
                   offsetof(struct rvvm_sandbox_registers, f) ==
                       offsetof(struct sandbox_registers, f),
               "registers are passed on as they are");
_Static_assert(RVVM_SANDBOX_INTERRUPTED == SANDBOX_INTERRUPTED, "causes are passed on as they are");

void rvvm_sandbox_config_init(struct rvvm_sandbox_config *config)
{
    *config = (struct rvvm_sandbox_config){
        .struct_size = sizeof(*config),
        .heap = UINT64_C(16) << 20,
        .stack = UINT64_C(1) << 20,
        .code_cache = CODE_CACHE,
    };
}

static bool pass_system_call(void *ctx, struct sandbox_registers *r)
{
    struct rvvm_sandbox *box = ctx;
    struct rvvm_sandbox_registers registers;
    memcpy(&registers, r, sizeof(registers));
    bool go_on = box->system_call(box->ctx, box, &registers);
    memcpy(r, &registers, sizeof(registers));
    return go_on;
}

static bool make_isa(struct isa *isa, const struct rvvm_sandbox_config *config, struct error *err)
{
    isa_default(isa, 64);
    return (!config->cpu || isa_parse(isa, config->cpu, err)) &&
           (config->jit != RVVM_JIT_CHECK || error_set(err, "a sandbox has no RVVM_JIT_CHECK"));
}

static bool make(struct rvvm_sandbox *box, const struct rvvm_sandbox_config *config,
                 struct error *err)
{
    struct file_data file = {0};
    struct sandbox_config how = {
        .name = config->program ? config->program : "program",
        .bytes = config->program_bytes.bytes,
        .size = config->program_bytes.size,
        .heap = config->heap,
        .stack = config->stack,
        .interpret = config->jit == RVVM_JIT_OFF,
        .tiers = api_tiers(config->jit),
        .code_cache = config->code_cache ? config->code_cache : CODE_CACHE,
        .system_call = config->system_call ? pass_system_call : NULL,
        .ctx = box,
    };
    box->system_call = config->system_call;
    box->ctx = config->ctx;
    if (!make_isa(&how.isa, config, err))
        return false;
    if (!how.bytes) {
        if (!config->program)
            return error_set(err, "struct rvvm_sandbox_config: no program");
        if (!file_read(config->program, PROGRAM_MAX, &file, err))
            return false;
        how.bytes = file.bytes;
        how.size = file.size;
    }
    box->box = sandbox_new(&how, err);
    file_data_free(&file);
    return box->box;
}

struct rvvm_sandbox *rvvm_sandbox_new(const struct rvvm_sandbox_config *config,
                                      struct rvvm_error *error)
{
    struct rvvm_sandbox_config taken;
    struct error err;
    struct rvvm_sandbox *box = calloc(1, sizeof(*box));
    if (!box)
        error_set(&err, "out of memory");
    if (box && api_take(&taken, sizeof(taken), config, "struct rvvm_sandbox_config", &err) &&
        make(box, &taken, &err))
        return box;
    free(box);
    api_fail(error, &err);
    return NULL;
}

void rvvm_sandbox_free(struct rvvm_sandbox *box)
{
    if (box)
        sandbox_free(box->box);
    free(box);
}

bool rvvm_sandbox_reset(struct rvvm_sandbox *box, struct rvvm_error *error)
{
    struct error err;
    return sandbox_reset(box->box, &err) || api_fail(error, &err);
}

bool rvvm_sandbox_find(struct rvvm_sandbox *box, const char *name, uint64_t *address,
                       struct rvvm_error *error)
{
    struct error err;
    if (sandbox_find(box->box, name, address))
        return true;
    error_set(&err, "%.200s: the program has no such symbol", name);
    return api_fail(error, &err);
}

bool rvvm_sandbox_call(struct rvvm_sandbox *box, uint64_t function,
                       struct rvvm_sandbox_registers *registers, struct rvvm_error *error)
{
    struct error err;
    struct sandbox_registers r;
    memcpy(&r, registers, sizeof(r));
    bool ok = sandbox_call(box->box, function, &r, &err);
    memcpy(registers, &r, sizeof(r));
    return ok || api_fail(error, &err);
}

void rvvm_sandbox_interrupt(struct rvvm_sandbox *box)
{
    sandbox_interrupt(box->box);
}

void rvvm_sandbox_trap(const struct rvvm_sandbox *box, struct rvvm_sandbox_trap *trap)
{
    struct sandbox_trap last = sandbox_last_trap(box->box);
    *trap = (struct rvvm_sandbox_trap){last.cause, last.pc, last.value};
}

static bool no_memory(struct rvvm_error *error, uint64_t address, size_t size)
{
    struct error err;
    error_set(&err, "%zu bytes at 0x%" PRIx64 ": the program has nothing there", size, address);
    return api_fail(error, &err);
}

bool rvvm_sandbox_read(struct rvvm_sandbox *box, uint64_t address, void *bytes, size_t size,
                       struct rvvm_error *error)
{
    return sandbox_read(box->box, address, bytes, size) || no_memory(error, address, size);
}

bool rvvm_sandbox_write(struct rvvm_sandbox *box, uint64_t address, const void *bytes, size_t size,
                        struct rvvm_error *error)
{
    return sandbox_write(box->box, address, bytes, size) || no_memory(error, address, size);
}

void rvvm_sandbox_heap(const struct rvvm_sandbox *box, uint64_t *address, uint64_t *size)
{
    sandbox_heap(box->box, address, size);
}
