/* SPDX-License-Identifier: MPL-2.0 */
/* What is the same on every bus that does not have a thing: see bus.h. */
#include "cpu/bus.h"

#include "host/random.h"

bool bus_no_read(void *ctx, uint64_t paddr, unsigned size, uint64_t *value)
{
    (void)ctx, (void)paddr, (void)size, (void)value;
    return false;
}

bool bus_no_write(void *ctx, uint64_t paddr, unsigned size, uint64_t value)
{
    (void)ctx, (void)paddr, (void)size, (void)value;
    return false;
}

void bus_no_stimer(void *ctx, unsigned hart_id, uint64_t when)
{
    (void)ctx, (void)hart_id, (void)when;
}

void bus_host_entropy(void *ctx, void *bytes, size_t size)
{
    (void)ctx;
    random_bytes(bytes, size);
}
