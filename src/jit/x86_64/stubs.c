/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Code that all blocks share: the way in and out, and the ways to C. C sees the whole state in struct
 * hart; what it changes there is seen by translated code afterwards. System V calling
 * convention (host/code_abi.h).
 *
 * A service in C returns struct jit_next in rax and rdx. Frames on the stack have 16 bytes each, so that
 * it is aligned for C whenever an odd number of 8-byte words is pushed by a call.
 */
#include "jit/block.h"
#include "jit/x86_64/emit_fp.h"
#include "jit/x86_64/regs.h"

static void save_x(struct emit *e)
{
#define PINNED_X(guest, host) emit_store(e, W64, host, hart_x(guest));
    PINNED_XS(PINNED_X)
    if (e->direct) {
        PINNED_DIRECT_XS(PINNED_X)
    }
#undef PINNED_X
    emit_rm(e, OP_MOVQ_STORE, W32, XCOUNT, HART(instret));
}

static void restore_x(struct emit *e)
{
#define PINNED_X(guest, host) emit_load(e, W64, host, hart_x(guest));
    PINNED_XS(PINNED_X)
    if (e->direct) {
        PINNED_DIRECT_XS(PINNED_X)
    } else {
        emit_load(e, W64, RTLB, HART(tlb.data));
    }
#undef PINNED_X
    emit_rm(e, OP_MOVQ_LOAD, W32, XCOUNT, HART(instret));
}

/* FP registers are in the host's while fp_live says so. */
static void save_f(struct emit *e)
{
    emit_cmp8_mi(e, HART(translated.fp_live), 0);
    uint8_t *skip = emit_jcc(e, CC_E);
#define PINNED_F(guest, host) emit_rm(e, OP_MOVQ_STORE, W32, host, hart_f(guest));
    PINNED_FS(PINNED_F)
#undef PINNED_F
    emit_patch_here(e, skip);
}

static void restore_f(struct emit *e)
{
    emit_cmp8_mi(e, HART(translated.fp_live), 0);
    uint8_t *skip = emit_jcc(e, CC_E);
#define PINNED_F(guest, host) emit_rm(e, OP_MOVQ_LOAD, W32, host, hart_f(guest));
    PINNED_FS(PINNED_F)
#undef PINNED_F
    emit_patch_here(e, skip);
}

static void save(struct emit *e)
{
    save_x(e);
    save_f(e);
}

/* rax stays. */
static void restore(struct emit *e)
{
    restore_x(e);
    restore_f(e);
}

/* The hart as first argument. Saving is done: all registers but rbp and rsp may go. */
static void call_c(struct emit *e, const void *function)
{
    emit_lea(e, W64, RDI, mem(RHART, -HART_BIAS));
    emit_mov_imm(e, RAX, (uint64_t)(uintptr_t)function);
    emit_call_r(e, RAX);
}

#define CALL_C(e, service) \
    do { \
        struct jit_next(CODE_ABI *checked_)() = (struct jit_next(CODE_ABI *)())(service); \
        const void *pointer_; \
        memcpy(&pointer_, &checked_, sizeof(pointer_)); \
        call_c(e, pointer_); \
    } while (0)

/* To the code in rax; when rdx is not 0, with the stack of calls empty. */
static void go_to_next(struct emit *e)
{
    emit_rr(e, OP_TEST, W64, RDX, RDX);
    emit_rm(e, OP_CMOV | CC_NE, W64, RSP, HART(translated.stack_base));
    restore(e);
    emit_jmp_r(e, RAX);
}

/* void (struct hart *h, const void *code) */
static void make_enter(struct emit *e)
{
    static const enum reg kept[] = {RBX, RBP, R12, R13, R14, R15};
    for (unsigned i = 0; i < 6; i++)
        emit_push(e, kept[i]);
    emit_ri(e, ALU_SUB, W64, RSP, 8);
    emit_lea(e, W64, RHART, mem(RDI, HART_BIAS));
    emit_store(e, W64, RSP, HART(translated.stack_leave));
    /* The lowest frame: its guest address is odd, so that no return goes there. */
    emit_mov_imm(e, RAX, UINT64_MAX);
    emit_push(e, RAX);
    emit_push(e, RAX);
    emit_store(e, W64, RSP, HART(translated.stack_base));
    emit_lea(e, W64, RAX, mem(RSP, -(256 << 10)));
    emit_store(e, W64, RAX, HART(translated.stack_limit));
    emit_mov_rr(e, W64, RAX, RSI);
    restore(e);
    emit_jmp_r(e, RAX);
}

static void make_leave(struct emit *e)
{
    static const enum reg kept[] = {R15, R14, R13, R12, RBP, RBX};
    save(e);
    emit_load(e, W64, RSP, HART(translated.stack_leave));
    emit_ri(e, ALU_ADD, W64, RSP, 8);
    for (unsigned i = 0; i < 6; i++)
        emit_pop(e, kept[i]);
    emit_ret(e);
}

/* Jumped to, with rax: the argument. */
static void make_jump_service(struct emit *e, struct jit_next(CODE_ABI *service)())
{
    save(e);
    emit_mov_rr(e, W64, RSI, RAX);
    CALL_C(e, service);
    go_to_next(e);
}

/* Where an access of translated code goes that faulted: registers are as they were. Their meaning is
 * found out in C, by where it was (backend_take_registers). */
static void make_fault(struct emit *e)
{
    unsigned n = 0;
#define PINNED_X(guest, host) \
    emit_store(e, W64, host, hart_field(offsetof(struct hart, translated.fault_x) + 8 * n++));
    PINNED_XS(PINNED_X)
    PINNED_DIRECT_XS(PINNED_X)
#undef PINNED_X
    emit_rm(e, OP_MOVQ_STORE, W32, XCOUNT, HART(instret));
    save_f(e);
    CALL_C(e, (struct jit_next(CODE_ABI *)())jit_service_fault);
    go_to_next(e);
}

void backend_take_registers(struct hart *h, const struct jit_block *block,
                            const struct jit_access *access)
{
    static const uint8_t hosts[] = {
#define PINNED_X(guest, host) host,
        PINNED_XS(PINNED_X) PINNED_DIRECT_XS(PINNED_X)
#undef PINNED_X
    };
    const uint8_t *x = access->mapped && block->x ? block->x : pinned_x(true);
    for (unsigned guest = 1; guest < 32; guest++)
        for (unsigned n = 0; n < sizeof(hosts); n++) {
            uint64_t value = h->translated.fault_x[n];
            if (x[guest] != hosts[n])
                continue;
            h->x[guest] = access->narrow >> guest & 1 ? (uint64_t)(int64_t)(int32_t)value : value;
        }
}

/* Called from the entry of a dropped block. */
static void make_stale(struct emit *e)
{
    emit_pop(e, RAX);
    make_jump_service(e, (struct jit_next(CODE_ABI *)())jit_service_stale);
}

/* Called with rax: the site, rcx and rdx: arguments. Returns, with rax: the value, or goes elsewhere. */
static void make_call_service(struct emit *e, struct jit_next(CODE_ABI *service)(), bool goes_on)
{
    save(e);
    emit_mov_rr(e, W64, RSI, RAX);
    emit_push(e, RAX); /* alignment */
    emit_rr(e, OP_XCHG, W64, RCX, RDX);
    CALL_C(e, service);
    emit_lea(e, W64, RSP, mem(RSP, 8));
    uint8_t *elsewhere = NULL;
    if (goes_on) {
        emit_rr(e, OP_TEST, W64, RAX, RAX);
        elsewhere = emit_jcc(e, CC_NE);
        emit_mov_rr(e, W64, RAX, RDX);
        restore(e);
        emit_ret(e);
        emit_patch_here(e, elsewhere);
    }
    emit_lea(e, W64, RSP, mem(RSP, 8)); /* the return address into the block */
    go_to_next(e);
}

/* The same, and of the scratch registers rdx stays: what is known of a page. */
static void make_fp_service(struct emit *e, struct jit_next(CODE_ABI *service)())
{
    save(e);
    emit_mov_rr(e, W64, RSI, RAX);
    emit_push(e, RDX);
    CALL_C(e, service);
    emit_rr(e, OP_TEST, W64, RAX, RAX);
    uint8_t *elsewhere = emit_jcc(e, CC_NE);
    emit_pop(e, RDX);
    restore(e);
    emit_ret(e);
    emit_patch_here(e, elsewhere);
    emit_lea(e, W64, RSP, mem(RSP, 16));
    go_to_next(e);
}

/*
 * Called with two factors in xmm0 and xmm1, as doubles, whose multiplication and addition made a NaN.
 * Raises invalid if they are an infinity and a zero: by a multiplication of these, which raises
 * nothing else. xmm0 to xmm2 are changed.
 */
static void make_fma_nan(struct emit *e)
{
    emit_rr(e, OP_XORPS, W32, 2, 2);
    emit_rr(e, OP_UCOMISD, W32, 0, 1);
    uint8_t *nan = emit_jcc(e, CC_P);
    emit_rr(e, OP_UCOMISD, W32, 0, 2);
    uint8_t *not_zero = emit_jcc(e, CC_NE);
    emit_rr(e, OP_MULSD, W32, 2, 1);
    emit_ret(e);
    emit_patch_here(e, not_zero);
    emit_rr(e, OP_UCOMISD, W32, 1, 2);
    uint8_t *neither = emit_jcc(e, CC_NE);
    emit_rr(e, OP_MULSD, W32, 2, 0);
    emit_patch_here(e, nan);
    emit_patch_here(e, neither);
    emit_ret(e);
}

/* Called with rax: a function of two numbers, rcx and rdx. Returns its value in rax. */
static void make_pure(struct emit *e)
{
    static const enum reg volatiles[] = {RSI, RDI, R8, R9, R10, R11};
    emit_rm(e, OP_MOVQ_STORE, W32, XCOUNT, HART(instret));
    save_f(e);
    for (unsigned i = 0; i < 6; i++)
        emit_push(e, volatiles[i]);
    emit_ri(e, ALU_SUB, W64, RSP, 8);
    emit_mov_rr(e, W64, RDI, RCX);
    emit_mov_rr(e, W64, RSI, RDX);
    emit_call_r(e, RAX);
    emit_ri(e, ALU_ADD, W64, RSP, 8);
    for (unsigned i = 6; i--;)
        emit_pop(e, volatiles[i]);
    emit_rm(e, OP_MOVQ_LOAD, W32, XCOUNT, HART(instret));
    restore_f(e);
    emit_ret(e);
}

size_t backend_stubs(struct jit *jit)
{
    struct emit emit = {.at = jit->memory.write,
                        .to_exec = jit->memory.exec - jit->memory.write,
                        .direct = jit->direct};
    struct emit *e = &emit;
    const uint8_t *made[STUBS];
#define STUB(name, ...) \
    do { \
        emit_align(e, 0, 16); \
        made[name] = e->at; \
        __VA_ARGS__; \
    } while (0)
#define SERVICE(name) (struct jit_next(CODE_ABI *)()) jit_service_##name
    STUB(STUB_LEAVE, make_leave(e));
    STUB(STUB_LOOKUP, make_jump_service(e, SERVICE(lookup)));
    STUB(STUB_FAR, make_jump_service(e, SERVICE(far)));
    STUB(STUB_LINK, make_jump_service(e, SERVICE(link)));
    STUB(STUB_STALE, make_stale(e));
    STUB(STUB_WARY, make_jump_service(e, SERVICE(wary)));
    STUB(STUB_ENTER, make_enter(e));
    STUB(STUB_LOAD, make_call_service(e, SERVICE(load), true));
    STUB(STUB_STORE, make_call_service(e, SERVICE(store), true));
    STUB(STUB_GROUP, make_call_service(e, SERVICE(group), false));
    STUB(STUB_INTERPRET, make_call_service(e, SERVICE(interpret), false));
    STUB(STUB_HELPER, make_call_service(e, SERVICE(helper), true));
    STUB(STUB_CSR, make_call_service(e, SERVICE(csr), true));
    STUB(STUB_END, make_call_service(e, SERVICE(end), false));
    STUB(STUB_FP_ON, make_fp_service(e, SERVICE(fp_on)));
    STUB(STUB_STEP, make_fp_service(e, SERVICE(step)));
    STUB(STUB_FAULT, make_fault(e));
    STUB(STUB_FMA_NAN, make_fma_nan(e));
    STUB(STUB_PURE, make_pure(e));
    for (unsigned i = 0; i < STUBS; i++)
        jit->stub[i] = made[i] + e->to_exec;
    return (size_t)(e->at - jit->memory.write);
}

/*
 * Changing code that other harts may be running: one store to an aligned place.
 */

void backend_set_link(struct jit_link *link, const uint8_t *target_exec, const struct jit *jit)
{
    const uint8_t *target = target_exec - jit->memory.exec + jit->memory.write;
    int32_t distance = (int32_t)(target - (link->field + 4));
    __atomic_store_n((int32_t *)(void *)link->field, distance, __ATOMIC_RELEASE);
}

/* A call or a jump, by its opcode, over the first bytes of a block. */
static void overwrite_entry(struct jit *jit, struct jit_block *block, uint8_t opcode,
                            const uint8_t *target)
{
    uint8_t *entry = jit->memory.write + (block->entry - jit->memory.exec);
    int32_t distance = (int32_t)(target - (block->entry + 5));
    uint64_t bytes;
    memcpy(&bytes, entry, sizeof(bytes));
    bytes = (bytes & ~UINT64_C(0xffffffffff)) | opcode | (uint64_t)(uint32_t)distance << 8;
    __atomic_store_n((uint64_t *)(void *)entry, bytes, __ATOMIC_RELEASE);
}

void backend_make_stale(struct jit *jit, struct jit_block *block)
{
    overwrite_entry(jit, block, 0xe8, jit->stub[STUB_STALE]);
}

void backend_make_jump(struct jit *jit, struct jit_block *block, const struct jit_block *to)
{
    overwrite_entry(jit, block, 0xe9, to->entry);
}
