/* SPDX-License-Identifier: MPL-2.0 */
/* Floating point. */
#include "jit/x86_64/lower.h"

bool lower_fp(struct lower *l, const struct ir_insn *i)
{
    (void)l, (void)i;
    return false;
}

void lower_later_fp(struct lower *l, const struct later *later)
{
    (void)later;
    l->failed = true;
}

void backend_fp_to_c(struct hart *h)
{
    (void)h;
}

void backend_fp_from_c(struct hart *h)
{
    (void)h;
}
