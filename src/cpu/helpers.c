/* SPDX-License-Identifier: MPL-2.0 */
/* The instructions that the table leaves to C functions. helpers.h has the rules. */
#include "cpu/helpers.h"

#include "cpu/code_map.h"
#include "cpu/mem.h"
#include <sched.h>

#define CACHE_BLOCK 64 /* bytes that cbo.* work on */

/* The operand registers that a sink stands for are zero. */
static uint64_t x_old(const struct hart *h, unsigned r)
{
    return r == REG_SINK ? 0 : h->x[r];
}

static bool illegal(struct hart *h, const struct insn *i)
{
    hart_fault(h, CAUSE_ILLEGAL, insn_bits(h->block, i));
    return false;
}

bool helper_pause(struct hart *h, const struct insn *i)
{
    (void)h, (void)i;
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
    return true;
}

bool helper_fence(struct hart *h, const struct insn *i)
{
    (void)h;
    /* Only stores before loads (w or o, then r or i) need more than acquire and release give. */
    enum { I = 8, O = 4, R = 2, W = 1 };
    unsigned before = (unsigned)i->imm >> 4, after = (unsigned)i->imm & 15;
    if ((before & (W | O)) && (after & (R | I)))
        atomic_thread_fence(memory_order_seq_cst);
    else
        atomic_thread_fence(memory_order_acq_rel);
    return true;
}

bool helper_fence_i(struct hart *h, const struct insn *i)
{
    (void)i;
    code_fence(h);
    if (h->direct)
        h->direct->fence_i(h);
    return true;
}

bool helper_ebreak(struct hart *h, const struct insn *i)
{
    hart_fault(h, CAUSE_BREAKPOINT, h->block_pc + 2u * i->at);
    return false;
}

bool helper_ecall(struct hart *h, const struct insn *i)
{
    (void)i;
    if (h->direct) {
        h->reservation = NO_RESERVATION; /* as a kernel leaves it */
        direct_call(h, h->direct->ecall);
        return true;
    }
    if (h->priv == PRIV_S && h->bus->sbi_call) {
        h->bus->sbi_call(h->bus->ctx, h);
        return true;
    }
    static const uint8_t cause[] = {CAUSE_ECALL_U, CAUSE_ECALL_S, 0, CAUSE_ECALL_M};
    hart_fault(h, cause[h->priv], 0);
    return false;
}

bool helper_sret(struct hart *h, const struct insn *i)
{
    return hart_sret(h) || illegal(h, i);
}

bool helper_mret(struct hart *h, const struct insn *i)
{
    return hart_mret(h) || illegal(h, i);
}

bool helper_wfi(struct hart *h, const struct insn *i)
{
    if (h->priv == PRIV_U || (h->priv == PRIV_S && (h->csr.mstatus & MSTATUS_TW)))
        return illegal(h, i);
    hart_wait(h);
    return true;
}

/* Whether nobody has stored another value to the word that LR has read. */
static bool reservation_holds(const struct hart *h)
{
    const void *word = (const void *)(uintptr_t)h->reservation;
    if (h->reservation_size == sizeof(uint32_t))
        return __atomic_load_n((const uint32_t *)word, __ATOMIC_RELAXED) ==
               (uint32_t)h->reservation_value;
    return __atomic_load_n((const uint64_t *)word, __ATOMIC_RELAXED) == h->reservation_value;
}

/*
 * Zawrs: waits for another hart's store, for a moment. Then that hart may be one that the host does not
 * run just now. A program's own memory is not looked at: it may be gone meanwhile.
 */
static void wait_for_store(struct hart *h, const struct insn *i)
{
    enum { LOOKS = 256 };
    for (unsigned looks = 0; looks < LOOKS && !h->direct; looks++) {
        if (h->reservation == NO_RESERVATION || !reservation_holds(h) ||
            atomic_load_explicit(&h->events, memory_order_relaxed))
            return;
        helper_pause(h, i);
    }
    sched_yield();
}

bool helper_wrs_sto(struct hart *h, const struct insn *i)
{
    wait_for_store(h, i);
    return true;
}

bool helper_wrs_nto(struct hart *h, const struct insn *i)
{
    if (h->priv != PRIV_M && (h->csr.mstatus & MSTATUS_TW))
        return illegal(h, i);
    wait_for_store(h, i);
    return true;
}

bool helper_sfence_vma(struct hart *h, const struct insn *i)
{
    if (h->priv == PRIV_U || (h->priv == PRIV_S && (h->csr.mstatus & MSTATUS_TVM)))
        return illegal(h, i);
    uint64_t va = h->x[i->rs1];
    if (h->xlen == 32)
        va = (uint32_t)va;
    tlb_fence(h, i->rs1 != 0, va, i->rs2 != 0, h->x[i->rs2]);
    return true;
}

bool helper_sfence_w_inval(struct hart *h, const struct insn *i)
{
    return h->priv != PRIV_U || illegal(h, i);
}

/* Cache blocks (CMO specification): allowed by menvcfg below M, by senvcfg too in U. */
static bool envcfg_allows(const struct hart *h, uint64_t bits)
{
    if (h->priv == PRIV_M)
        return true;
    if (!(h->csr.menvcfg & bits))
        return false;
    return h->priv == PRIV_S || (h->csr.senvcfg & bits);
}

static uint64_t block_address(const struct hart *h, const struct insn *i)
{
    uint64_t va = h->x[i->rs1];
    if (h->xlen == 32)
        va = (uint32_t)va;
    return va;
}

/* Memory is coherent: only the permission is looked at. Load or store permission will do; a fault
 * is a store's. */
static bool cbo_manage(struct hart *h, const struct insn *i)
{
    uint64_t va = block_address(h, i);
    struct mem_target target;
    if (mmu_target(h, va, 1, ACCESS_READ, &target, NULL))
        return true;
    h->fault = 0;
    return mmu_target(h, va, 1, ACCESS_WRITE, &target, NULL);
}

bool helper_cbo_inval(struct hart *h, const struct insn *i)
{
    if (!envcfg_allows(h, ENVCFG_CBIE))
        return illegal(h, i);
    return cbo_manage(h, i);
}

bool helper_cbo_clean(struct hart *h, const struct insn *i)
{
    if (!envcfg_allows(h, ENVCFG_CBCFE))
        return illegal(h, i);
    return cbo_manage(h, i);
}

/* Wide stores: nobody may count on those of a block being seen in an order. */
__attribute__((no_sanitize("thread"))) static void zero_block(uint8_t *host)
{
    typedef uint64_t lane __attribute__((vector_size(16), may_alias));
    for (unsigned n = 0; n < CACHE_BLOCK; n += sizeof(lane))
        *(volatile lane *)(host + n) = (lane){0};
}

/* Kernels clear whole pages with it. A page that the TLB lets be written has no code. */
bool helper_cbo_zero(struct hart *h, const struct insn *i)
{
    if (!envcfg_allows(h, ENVCFG_CBZE))
        return illegal(h, i);
    uint64_t va = block_address(h, i), first = va & ~(uint64_t)(CACHE_BLOCK - 1);
    const struct tlb_entry *e = tlb_entry(h, first);
    if (likely(tlb_hits(e->write, first, CACHE_BLOCK))) {
        zero_block((uint8_t *)(uintptr_t)(first + e->addend));
        return true;
    }
    struct mem_target target;
    if (unlikely(h->points) && debug_watches(h, first, CACHE_BLOCK, ACCESS_WRITE))
        return false;
    if (!mmu_target(h, first, CACHE_BLOCK, ACCESS_WRITE, &target, NULL)) {
        h->fault_tval = va;
        return false;
    }
    if (!target.host) {
        hart_fault(h, CAUSE_STORE_ACCESS, va);
        return false;
    }
    zero_block(target.host);
    if (h->bus->code_map)
        code_map_stored(h->bus->code_map, target.host, CACHE_BLOCK);
    return true;
}

/* Register pairs: the even register is the low half; x0 stands for a pair of zeros. */
static uint64_t pair_old(const struct hart *h, unsigned r)
{
    return r == 0 || r == REG_SINK ? 0 : (uint32_t)h->x[r] | h->x[r + 1] << 32;
}

bool helper_amocas_d_pair(struct hart *h, const struct insn *i)
{
    uint64_t *at = mem_atomic(h, (uint32_t)h->x[i->rs1], 8, ACCESS_WRITE);
    if (!at)
        return false;
    uint64_t old = pair_old(h, i->rd);
    __atomic_compare_exchange_n(at, &old, pair_old(h, i->rs2), false, __ATOMIC_SEQ_CST,
                                __ATOMIC_SEQ_CST);
    if (i->rd != REG_SINK) {
        h->x[i->rd] = (uint64_t)(int32_t)old;
        h->x[i->rd + 1] = (uint64_t)((int64_t)old >> 32);
    }
    return true;
}

struct pair {
    uint64_t low, high;
};

/* Compares and exchanges 16 bytes; *old receives what was there. */
#if defined(__x86_64__)
static void cas16(uint64_t *at, struct pair *old, struct pair new)
{
    __asm__ volatile("lock cmpxchg16b %0"
                     : "+m"(*(unsigned __int128 *)at), "+a"(old->low), "+d"(old->high)
                     : "b"(new.low), "c"(new.high)
                     : "cc", "memory");
}
#else
static void cas16(uint64_t *at, struct pair *old, struct pair new)
{
    unsigned __int128 expected = old->low | (unsigned __int128)old->high << 64;
    unsigned __int128 wanted = new.low | (unsigned __int128)new.high << 64;
    __atomic_compare_exchange_n((unsigned __int128 *)at, &expected, wanted, false, __ATOMIC_SEQ_CST,
                                __ATOMIC_SEQ_CST);
    *old = (struct pair){(uint64_t)expected, (uint64_t)(expected >> 64)};
}
#endif

bool helper_amocas_q(struct hart *h, const struct insn *i)
{
    uint64_t *at = mem_atomic(h, h->x[i->rs1], 16, ACCESS_WRITE);
    if (!at)
        return false;
    struct pair old = {x_old(h, i->rd), i->rd == REG_SINK ? 0 : h->x[i->rd + 1]};
    struct pair new = {h->x[i->rs2], i->rs2 == 0 ? 0 : h->x[i->rs2 + 1]};
    cas16(at, &old, new);
    if (i->rd != REG_SINK) {
        h->x[i->rd] = old.low;
        h->x[i->rd + 1] = old.high;
    }
    return true;
}

/* CSRs. rs1 holds the immediate of the -i forms; sets and clears of nothing do not write. */
static enum csr_result access(struct hart *h, const struct insn *i, enum csr_op op,
                              uint64_t operand, bool writes)
{
    uint64_t old = 0;
    bool reads = op != CSR_WRITE || i->rd != REG_SINK;
    if (h->xlen == 32)
        operand = (uint32_t)operand;
    enum csr_result result = csr_access(h, i->imm, op, operand, reads, writes, &old);
    if (result != CSR_ILLEGAL)
        h->x[i->rd] = old;
    return result;
}

enum csr_result helper_csrrw(struct hart *h, const struct insn *i)
{
    return access(h, i, CSR_WRITE, h->x[i->rs1], true);
}

enum csr_result helper_csrrs(struct hart *h, const struct insn *i)
{
    return access(h, i, CSR_SET, h->x[i->rs1], i->rs1 != 0);
}

enum csr_result helper_csrrc(struct hart *h, const struct insn *i)
{
    return access(h, i, CSR_CLEAR, h->x[i->rs1], i->rs1 != 0);
}

enum csr_result helper_csrrwi(struct hart *h, const struct insn *i)
{
    return access(h, i, CSR_WRITE, i->rs1, true);
}

enum csr_result helper_csrrsi(struct hart *h, const struct insn *i)
{
    return access(h, i, CSR_SET, i->rs1, i->rs1 != 0);
}

enum csr_result helper_csrrci(struct hart *h, const struct insn *i)
{
    return access(h, i, CSR_CLEAR, i->rs1, i->rs1 != 0);
}
