/* SPDX-License-Identifier: MPL-2.0 */
/* Memory and registers (rvvm/hart.h), over what the debugger's stub has for them. */
#include <rvvm/hart.h>

#include "api/machine.h"
#include "debug/memory.h"
#include "gdb/registers.h"

_Static_assert((int)RVVM_REGISTER_PC == REGISTER_PC && (int)RVVM_REGISTER_F0 == REGISTER_F0 &&
                   (int)RVVM_REGISTER_CSR0 == REGISTER_CSR0 &&
                   (int)RVVM_REGISTER_PRIV == REGISTER_PRIV,
               "numbers of registers are passed on as they are");
_Static_assert(RVVM_MEMORY_BASE == MACHINE_RAM_BASE, "where main memory is");

static bool not_memory(struct rvvm_error *error, uint64_t address, size_t size)
{
    struct error err;
    error_set(&err, "%zu bytes at 0x%llx: not all of it is memory", size,
              (unsigned long long)address);
    return api_fail(error, &err);
}

bool rvvm_machine_read_memory(struct rvvm_machine *rv, uint64_t address, void *bytes, size_t size,
                              struct rvvm_error *error)
{
    return debug_read(rv->machine, NULL, address, bytes, size) == size ||
           not_memory(error, address, size);
}

/* A device writes without stopping harts; who has paused them looks for what it wrote to be there. */
bool rvvm_machine_write_memory(struct rvvm_machine *rv, uint64_t address, const void *bytes,
                               size_t size, struct rvvm_error *error)
{
    struct machine *m = rv->machine;
    if (!bus_is_ram(&m->bus, address, size))
        return not_memory(error, address, size);
    if (machine_rests(m))
        debug_write(m, NULL, address, bytes, size);
    else
        machine_dma_write(m, address, bytes, size);
    return true;
}

static void call_on_load(void *ctx)
{
    struct rvvm_machine *rv = ctx;
    rv->on_power_on(rv->on_power_on_ctx);
}

void rvvm_machine_on_power_on(struct rvvm_machine *rv, void (*fn)(void *ctx), void *ctx)
{
    rv->on_power_on = fn;
    rv->on_power_on_ctx = ctx;
    rv->machine->on_load_ctx = rv;
    rv->machine->on_load = fn ? call_on_load : NULL;
}

/*
 * While harts rest. A reset from elsewhere waits meanwhile.
 */

static struct hart *hart_enter(struct rvvm_machine *rv, unsigned hart, struct rvvm_error *error)
{
    struct machine *m = rv->machine;
    struct error err;
    if (hart >= m->hart_count) {
        error_set(&err, "hart %u: there are %u", hart, m->hart_count);
        api_fail(error, &err);
        return NULL;
    }
    pthread_mutex_lock(&m->load_lock);
    if (machine_rests(m))
        return m->hart_list[hart];
    pthread_mutex_unlock(&m->load_lock);
    error_set(&err, "hart %u: it runs; rvvm_machine_pause stops it", hart);
    api_fail(error, &err);
    return NULL;
}

static void hart_leave(struct rvvm_machine *rv)
{
    pthread_mutex_unlock(&rv->machine->load_lock);
}

static bool not_register(struct rvvm_error *error, unsigned hart, unsigned number)
{
    struct error err;
    error_set(&err, "hart %u: no register %u, or not such a value for it", hart, number);
    return api_fail(error, &err);
}

bool rvvm_hart_read_register(struct rvvm_machine *rv, unsigned hart, unsigned number,
                             uint64_t *value, struct rvvm_error *error)
{
    struct hart *h = hart_enter(rv, hart, error);
    if (!h)
        return false;
    bool ok = register_read(h, number, value);
    if (ok && h->xlen == 32 && (number < REGISTER_F0 || number >= REGISTER_CSR0))
        *value = (uint32_t)*value;
    hart_leave(rv);
    return ok || not_register(error, hart, number);
}

bool rvvm_hart_write_register(struct rvvm_machine *rv, unsigned hart, unsigned number,
                              uint64_t value, struct rvvm_error *error)
{
    struct hart *h = hart_enter(rv, hart, error);
    if (!h)
        return false;
    bool ok = register_write(h, number, value);
    hart_leave(rv);
    return ok || not_register(error, hart, number);
}

bool rvvm_hart_read_memory(struct rvvm_machine *rv, unsigned hart, uint64_t address, void *bytes,
                           size_t size, struct rvvm_error *error)
{
    struct hart *h = hart_enter(rv, hart, error);
    if (!h)
        return false;
    bool ok = debug_read(rv->machine, h, address, bytes, size) == size;
    hart_leave(rv);
    return ok || not_memory(error, address, size);
}

bool rvvm_hart_write_memory(struct rvvm_machine *rv, unsigned hart, uint64_t address,
                            const void *bytes, size_t size, struct rvvm_error *error)
{
    struct hart *h = hart_enter(rv, hart, error);
    if (!h)
        return false;
    bool ok = debug_write(rv->machine, h, address, bytes, size) == size;
    hart_leave(rv);
    return ok || not_memory(error, address, size);
}
