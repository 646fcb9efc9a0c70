/* SPDX-License-Identifier: MPL-2.0 */
/* For hosts that nobody has written a backend for: there is none, and harts interpret. */
#include "jit/block.h"

bool backend_available(void)
{
    return false;
}

size_t backend_stubs(struct jit *jit)
{
    (void)jit;
    return 0;
}

bool backend_translate(struct jit_hart *jh, struct jit_block *block, const uint8_t *second_page)
{
    (void)jh, (void)block, (void)second_page;
    return false;
}

void backend_set_link(struct jit_link *link, const uint8_t *target_exec, const struct jit *jit)
{
    (void)link, (void)target_exec, (void)jit;
}

void backend_make_stale(struct jit *jit, struct jit_block *block)
{
    (void)jit, (void)block;
}

void backend_make_jump(struct jit *jit, struct jit_block *block, const struct jit_block *to)
{
    (void)jit, (void)block, (void)to;
}

bool backend_translate_region(struct jit_hart *jh, struct jit_block *block,
                              const struct region *region)
{
    (void)jh, (void)block, (void)region;
    return false;
}

void backend_fp_to_c(struct hart *h)
{
    (void)h;
}

void backend_fp_from_c(struct hart *h)
{
    (void)h;
}

void backend_attach(struct hart *h)
{
    (void)h;
}

void backend_take_registers(struct hart *h, const struct jit_block *block,
                            const struct jit_access *access)
{
    (void)h, (void)block, (void)access;
}
