/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a handler finds on its stack and sigreturn takes from there (Linux, arch/riscv/kernel/signal.c):
 * siginfo, and ucontext with all registers. Also the alternate stack it may lie on.
 */
#include "user/layout.h"
#include "user/signals.h"
#include <errno.h>
#include <string.h>

enum { X_RA = 1, X_SP = 2, X_A0 = 10, X_A1 = 11, X_A2 = 12 };

static uint64_t stack_pointer(const struct user_thread *t)
{
    uint64_t sp = t->hart->x[X_SP];
    return t->hart->xlen == 32 ? (uint32_t)sp : sp;
}

static bool is_on_stack(const struct guest_stack *stack, uint64_t sp)
{
    if ((uint32_t)stack->flags & GUEST_SS_AUTODISARM)
        return false;
    return sp > stack->sp && sp - stack->sp <= stack->size;
}

static int stack_state(const struct guest_stack *stack, uint64_t sp)
{
    if (!stack->size)
        return GUEST_SS_DISABLE;
    return is_on_stack(stack, sp) ? GUEST_SS_ONSTACK : 0;
}

struct guest_stack sigstack_get(const struct user_thread *t)
{
    struct guest_stack stack = t->signals->stack;
    stack.flags = (int32_t)(((uint32_t)stack.flags & GUEST_SS_AUTODISARM) |
                            (uint32_t)stack_state(&stack, stack_pointer(t)));
    return stack;
}

int64_t sigstack_set(struct user_thread *t, const struct guest_stack *stack)
{
    if (is_on_stack(&t->signals->stack, stack_pointer(t)))
        return -EPERM;
    uint32_t mode = (uint32_t)stack->flags & ~GUEST_SS_AUTODISARM;
    if (mode != GUEST_SS_DISABLE && mode != GUEST_SS_ONSTACK && mode != 0)
        return -EINVAL;
    if (mode != GUEST_SS_DISABLE && stack->size < GUEST_MINSIGSTKSZ)
        return -ENOMEM;
    t->signals->stack = (struct guest_stack){.sp = stack->sp, .flags = stack->flags};
    if (mode == GUEST_SS_DISABLE)
        t->signals->stack.sp = 0;
    else
        t->signals->stack.size = stack->size;
    return 0;
}

static size_t frame_size(const struct user_thread *t)
{
    return t->hart->xlen == 32 ? sizeof(struct guest_sigframe32) : sizeof(struct guest_sigframe);
}

/* 0: there is no room on the alternate stack. */
static uint64_t frame_address(const struct user_thread *t, const struct guest_sigaction *action)
{
    const struct guest_stack *stack = &t->signals->stack;
    uint64_t sp = stack_pointer(t), size = frame_size(t);
    if (is_on_stack(stack, sp) && !is_on_stack(stack, sp - size))
        return 0;
    if (action->flags & GUEST_SA_ONSTACK && stack_state(stack, sp) == 0)
        sp = stack->sp + stack->size;
    return (sp - size) & ~UINT64_C(15);
}

static void save_registers(const struct hart *h, struct guest_ucontext *context)
{
    context->regs[0] = h->pc;
    memcpy(&context->regs[1], &h->x[1], 31 * sizeof(uint64_t));
    memcpy(context->fp.f, h->f, sizeof(context->fp.f));
    context->fp.fcsr = (uint32_t)h->frm << 5 | h->fp.flags;
}

static void load_registers(struct hart *h, const struct guest_ucontext *context)
{
    h->pc = context->regs[0] & ~UINT64_C(1);
    memcpy(&h->x[1], &context->regs[1], 31 * sizeof(uint64_t));
    memcpy(h->f, context->fp.f, sizeof(h->f));
    h->frm = context->fp.fcsr >> 5 & 7;
    h->fp.flags = context->fp.fcsr & 31;
}

/*
 * Frames of riscv32 are made from those of riscv64, and these from them.
 */

static void narrow(struct guest_sigframe32 *to, const struct guest_sigframe *from)
{
    const struct guest_ucontext *context = &from->context;
    memset(to, 0, sizeof(*to));
    siginfo_narrow(to->info, from->info);
    to->context.stack_sp = (uint32_t)context->stack.sp;
    to->context.stack_flags = context->stack.flags;
    to->context.stack_size = (uint32_t)context->stack.size;
    memcpy(to->context.sigmask, &context->sigmask, sizeof(context->sigmask));
    for (unsigned n = 0; n < 32; n++)
        to->context.regs[n] = (uint32_t)context->regs[n];
    to->context.fp = context->fp;
}

static void widen(struct guest_sigframe *to, const struct guest_sigframe32 *from)
{
    struct guest_ucontext *context = &to->context;
    memset(to, 0, sizeof(*to));
    context->stack = (struct guest_stack){.sp = from->context.stack_sp,
                                          .flags = from->context.stack_flags,
                                          .size = from->context.stack_size};
    memcpy(&context->sigmask, from->context.sigmask, sizeof(context->sigmask));
    context->regs[0] = from->context.regs[0];
    for (unsigned n = 1; n < 32; n++)
        context->regs[n] = (uint64_t)(int32_t)from->context.regs[n];
    context->fp = from->context.fp;
}

static bool write_frame(const struct user_thread *t, uint64_t address,
                        const struct guest_sigframe *frame)
{
    const struct space *space = &t->process->space;
    struct guest_sigframe32 frame32;
    if (t->hart->xlen == 64)
        return space_write(space, address, frame, sizeof(*frame));
    narrow(&frame32, frame);
    return space_write(space, address, &frame32, sizeof(frame32));
}

bool sigframe_push(struct user_thread *t, int signal, const siginfo_t *info,
                   const struct guest_sigaction *action, uint64_t mask)
{
    struct hart *h = t->hart;
    uint64_t address = frame_address(t, action);
    struct guest_sigframe frame;
    memset(&frame, 0, sizeof(frame));
    memcpy(frame.info, info, sizeof(frame.info));
    frame.context.stack = t->signals->stack;
    if (!frame.context.stack.size)
        frame.context.stack.flags = GUEST_SS_DISABLE;
    frame.context.sigmask = mask;
    save_registers(h, &frame.context);
    if (!address || !write_frame(t, address, &frame))
        return false;
    if ((uint32_t)t->signals->stack.flags & GUEST_SS_AUTODISARM)
        t->signals->stack = (struct guest_stack){0};
    user_thread_set(t, X_RA, t->process->vdso_sigreturn);
    user_thread_set(t, X_SP, address);
    user_thread_set(t, X_A0, (uint64_t)signal);
    user_thread_set(t, X_A1, address + offsetof(struct guest_sigframe, info));
    user_thread_set(t, X_A2, address + offsetof(struct guest_sigframe, context));
    h->pc = action->handler & ~UINT64_C(1);
    h->reservation = NO_RESERVATION;
    return true;
}

bool sigframe_read(struct user_thread *t, struct guest_sigframe *frame)
{
    const struct guest_fp_state *fp = &frame->context.fp;
    struct guest_sigframe32 frame32;
    bool is_32 = t->hart->xlen == 32;
    if (!space_read(&t->process->space, is_32 ? (void *)&frame32 : frame, stack_pointer(t),
                    frame_size(t)))
        return false;
    if (is_32)
        widen(frame, &frame32);
    return fp->reserved == 0 && fp->end_magic == 0 && fp->end_size == 0;
}

void sigframe_pop(struct user_thread *t, const struct guest_sigframe *frame)
{
    load_registers(t->hart, &frame->context);
    t->hart->reservation = NO_RESERVATION;
    /* Whether this is a stack was said when the handler began; what has become of it is not asked. */
    sigstack_set(t, &frame->context.stack);
}
