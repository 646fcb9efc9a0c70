/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One pass over a block's operations, each turned into host instructions as it comes. Values that
 * cost nothing (registers, constants, the pc) are not made until somebody uses them; a comparison
 * waits for its branch; an operation whose only user is the register write behind it computes into
 * the guest register's own host register. So most guest instructions become one or two.
 *
 * Rules:
 * 1. A temporary lives in rax or rcx (rdx too, for the moment) and dies with its last use.
 * 2. What is not likely goes to the end of the block: lower_later.
 * 3. Before anything that may trap or call C, guest registers stand where regs.h says.
 * 4. A register that was set to a 32-bit result is not sign-extended before somebody looks at its upper half
 *    (lower.narrow): ways out do it, and those that are not likely do it out of the way.
 */
#ifndef RVVM_JIT_X86_64_LOWER_H
#define RVVM_JIT_X86_64_LOWER_H

#include "jit/block.h"
#include "jit/x86_64/regs.h"

/* What an operation's value has become. */
struct value {
    uint8_t
        reg; /* host register that holds it (LOWER_XMM + n: xmm n); NO_REG: not made (yet), or of
                    * no use any more */
    uint8_t uses;  /* still to come; 255: many */
    uint16_t user; /* the last operation that uses it */
};

/* Accesses off one register whose page is known. (lower_memory.c) */
struct group {
    bool known;        /* rdx (or what it was kept in) is the page's addend */
    bool writable;     /* checked for stores too */
    bool of_region;    /* the region keeps the addend, so that nobody else need */
    uint8_t base;      /* guest register */
    int32_t low, high; /* distances from base that the check covers: [low, high) */
};

#define LOWER_XMM 16

struct lower;

/* Code out of the way, made when the block's is done. */
enum later_kind {
    LATER_LOAD,
    LATER_FAR,
    LATER_STORE,
    LATER_GROUP,
    LATER_FP_ON,
    LATER_BRANCH,
    LATER_EXIT,
    LATER_INDIRECT,
    LATER_INTERPRET,
    LATER_CALL, /* what `emit` does */
};

struct later {
    uint8_t kind;
    uint8_t
        reg; /* load: where the value goes; store: where it is (LOWER_XMM + n: xmm n); NO_REG: imm */
    uint8_t base; /* host register of the address */
    uint8_t wide;
    int32_t imm;      /* load, store: distance from base; exit: target */
    int32_t value;    /* store of a constant */
    unsigned retired; /* exit: instructions of the block that it does not run */
    uint8_t guest;    /* index of the guest instruction that it is a part of */
    uint8_t count_end;
    bool mapped; /* guest registers are where the region has them */
    uint32_t narrow;
    uint8_t *from[3]; /* jumps that lead here; NULL: none */
    uint8_t *back;    /* where to go on; LATER_CALL: the call */
    struct jit_site *site;
    struct jit_link *link;
    struct jit_far *far;
    void (*emit)(struct lower *l, const struct later *later); /* LATER_CALL */
};

struct lower {
    struct emit e;
    struct jit_hart *jh;
    const struct jit *jit;
    struct jit_block *block;
    const struct ir_block *ir;
    const struct features *has;
    struct value *values; /* by ir_ref */
    unsigned at;          /* operation that is being lowered */
    unsigned written;     /* a register write that the operation before it has done */
    unsigned guest;       /* and its guest instruction */
    unsigned count_end;   /* guest instructions up to here were counted at the start of the run */
    unsigned scan_end;    /* operations up to here run one after the other, or not at all */
    const uint8_t *x;     /* the host register of each guest register, or NO_REG */
    struct lower_region *region; /* NULL: this is a block */
    bool mapped;                 /* x is the region's own map (lower_region.c) */
    uint32_t page_offset;        /* of the block in its page */
    enum width xw;               /* of guest registers */
    uint32_t narrow; /* guest registers whose upper half is still to be made from bit 31 */
    uint32_t sexted; /* guest registers that hold, or will, the sign-extension of their low half */
    bool halves;     /* the running operation is done on low halves, its result is narrow */
    uint16_t temps;  /* host registers that hold temporaries, a bit each */
    uint16_t kept;   /* those with more than one use: till the instruction's end */
    struct group group;
    struct group kept_groups[TRANSLATED_ADDENDS]; /* whose addends are in hart.translated.addend */
    bool fp_on;                                   /* hart.translated.fp_live is known to be set */
    uint32_t boxed; /* guest FP registers that are known to be NaN-boxed */
    uint8_t quiet;  /* guest register that has fflags, within a quiet comparison (lower_fp_csr.c) */
    struct later *step, *leave; /* of the running instruction, lower_fp.h; NULL: none yet */
    struct later *laters;
    unsigned later_count, later_room;
    struct jit_access *accesses; /* without a machine */
    unsigned access_count, access_room;
    unsigned noted_insns; /* e.insns where the last guest instruction began */
    bool failed;          /* no memory, or something that cannot be translated */
};

/* An operand as an instruction takes it. */
struct operand {
    enum { OPERAND_REG, OPERAND_MEM, OPERAND_IMM } kind;
    uint8_t reg;
    struct mem mem;
    int32_t imm;
};

static inline const struct ir_insn *lower_insn(const struct lower *l, ir_ref ref)
{
    return &l->ir->insns[ref];
}

static inline const struct ir_guest *lower_guest(const struct lower *l)
{
    return &l->ir->guests[l->guest];
}

/* The host register of a guest register, or NO_REG. */
static inline enum reg lower_x(const struct lower *l, unsigned guest)
{
    return (enum reg)l->x[guest];
}

static inline enum width width_of(enum ir_type type)
{
    return type == IR_I64 || type == IR_F64 ? W64 : W32;
}

/*
 * lower.c: values
 */

/* A free scratch register; it is the caller's until lower_free. */
enum reg lower_temp(struct lower *l);
void lower_take(struct lower *l, enum reg r); /* that one: rax, rcx or rdx; it must be free */
void lower_free(struct lower *l, enum reg r); /* others than temporaries are ignored */
/* Whether r is a temporary that nobody else will look at. */
static inline bool lower_owns(const struct lower *l, enum reg r)
{
    return (l->temps & ~l->kept) >> r & 1;
}

/* The value as an operand; a large constant or a pc gets a register first. Counts as a use. */
struct operand lower_operand(struct lower *l, ir_ref ref);
/* The value in a register that must not be changed, unless it is a temporary. Counts as a use. */
enum reg lower_reg(struct lower *l, ir_ref ref);
/* The value in that register, which must be free. Counts as a use. */
void lower_into(struct lower *l, enum reg to, ir_ref ref, enum width w);
void lower_release(struct lower *l, struct operand o);

/* Where operation l->at should compute its value: the guest register that takes it, or a temporary:
 * that of an operand, if there is one. */
enum reg lower_dest(struct lower *l);
enum reg lower_dest_over(struct lower *l, struct operand x);
/* The register write behind operation l->at, if that is the only user of its value; NULL. */
const struct ir_insn *lower_write_behind(const struct lower *l);
/* Operation l->at has done that write, too. */
void lower_wrote(struct lower *l);
/* The value of operation l->at is in r; its operands are not needed any more. */
void lower_done(struct lower *l, enum reg r);
void lower_finish(struct lower *l, enum reg r, struct operand x, struct operand y);

/* op r, operand */
void lower_alu(struct lower *l, enum alu op, enum width w, enum reg r, struct operand o);
void lower_mov(struct lower *l, enum width w, enum reg r, struct operand o);

/* Whether a register is used by an operand. */
bool lower_uses(struct operand o, enum reg r);

/* The value is what a C function of rcx and rdx says; these and rax are taken. */
void lower_call_pure(struct lower *l, uint64_t(CODE_ABI *function)(uint64_t, uint64_t));

/* Emits the comparison (or test against 0) of a condition that was waiting; the condition code. */
enum cond lower_condition(struct lower *l, ir_ref ref);

struct later *lower_later(struct lower *l, enum later_kind kind);

/* Before the pass: counts the uses of values; the block's entry is here. */
void lower_begin(struct lower *l);
/* Guest instructions [first, behind). */
void lower_guests(struct lower *l, unsigned first, unsigned behind);
/* After it: what was put off. false: it failed, and nothing has been taken of the hart's segment. */
bool lower_end(struct lower *l);
void lower_fill_site(struct lower *l, struct jit_site *site);
struct jit_site *lower_site(struct lower *l);
const uint8_t *lower_stub(const struct lower *l, enum jit_stub stub);

/* rdx is needed for something else. */
static inline void lower_forget_group(struct lower *l)
{
    l->group.known = false;
}

/* A guest register is set to that operation's value; NULL: whatever. */
void lower_note_sexted(struct lower *l, unsigned guest, const struct ir_insn *value);

/* Emits the sign-extensions that are due; lower_widen: of these guest registers, and does not note it. */
void lower_widen(struct lower *l, uint32_t guests);
static inline void lower_widen_all(struct lower *l)
{
    lower_widen(l, l->narrow);
    l->narrow = 0;
}

/* The address space may be another one. */
void lower_forget_groups(struct lower *l);
/* A guest register was set to that operation's value; NULL: whatever. */
void lower_base_changed(struct lower *l, unsigned guest, const struct ir_insn *value);

/*
 * lower_region.c
 */

/* Emits what brings guest registers from where the region has them to where regs.h says, before
 * translated code is left or C called; and back. In a block these do nothing. */
void lower_leave_map(struct lower *l);
void lower_enter_map(struct lower *l);
/* The region's own: the host register of each guest register. */
const uint8_t *lower_region_map(const struct lower *l);
/* Emits nothing: which of the two it is from here on. */
void lower_set_map(struct lower *l, bool mapped);
/* The operation that ends a block of the region. false: it leaves the region, and is lowered as in a
 * block, the registers being where regs.h says. */
bool lower_region_end(struct lower *l, const struct ir_insn *i);
/*
 * The check of an access's page by what the loop knows of its base: *access is the address to use.
 * false: it knows nothing.
 */
bool lower_region_check(struct lower *l, const struct ir_insn *i, struct ir_place p, enum reg base,
                        struct mem *access);
void lower_region_base_changed(struct lower *l, unsigned guest, bool moves, int32_t by);
void lower_region_forget(struct lower *l);

/*
 * One operation each; false: this file does not know it.
 */
bool lower_integer(struct lower *l, const struct ir_insn *i);
bool lower_memory(struct lower *l, const struct ir_insn *i);
bool lower_atomic(struct lower *l, const struct ir_insn *i);
bool lower_control(struct lower *l, const struct ir_insn *i);
bool lower_fp(struct lower *l, const struct ir_insn *i);

/*
 * lower_direct.c: without a machine (jit/direct.h)
 */
static inline bool lower_is_direct(const struct lower *l)
{
    return l->jit->direct;
}
/* The next instruction emitted accesses the guest's memory. */
void lower_note_access(struct lower *l);
/* They become the block's. */
void lower_keep_accesses(struct lower *l);
void lower_direct_load(struct lower *l, const struct ir_insn *i);
void lower_direct_store(struct lower *l, const struct ir_insn *i);
/* The pc of a place from the block's start. */
uint64_t lower_direct_pc(const struct lower *l, int64_t offset);

/*
 * lower_memory.c, lower_control.c, lower_fp.c
 */
/* The host's access that an operation is: to what is loaded into, or from a register or constant. */
void lower_load_from(struct lower *l, const struct ir_insn *i, enum reg to, struct mem m);
void lower_store_reg(struct lower *l, unsigned size, enum reg r, struct mem m);
void lower_store_imm(struct lower *l, unsigned size, int32_t imm, struct mem m);
/* What is stored; of an FP register that is an xmm register that one, as LOWER_XMM + n. */
struct operand lower_stored_operand(struct lower *l, const struct ir_insn *i);
/* Whether operation `ref` is an address that its access takes apart by itself. */
bool lower_is_part_of_access(const struct lower *l, unsigned ref);
void lower_later_memory(struct lower *l, const struct later *later);
void lower_later_control(struct lower *l, const struct later *later);
void lower_later_fp(struct lower *l, const struct later *later);
/* Where a load of an FP register puts its value: the number of an xmm register, or NO_REG: it is another load. */
unsigned lower_fp_loaded(const struct lower *l, const struct ir_insn *load);
/* An FP register was set: whether it is boxed now. */
void lower_fp_note_box(struct lower *l, const struct ir_insn *set);
/* Whether an operation clears bit 0 of an address for the jump behind it, which can do so by itself. */
bool lower_is_jump_mask(const struct lower *l, unsigned ref);
/* Whether a shift is done by the addition that uses it. */
bool lower_is_scale(const struct lower *l, unsigned ref);
/* The running instruction and what follows are run by a translation that checks every access by itself. */
void lower_go_on_single(struct lower *l);
/* On to a place of the page, or behind it. */
void lower_go_to(struct lower *l, unsigned place);
/* The running instruction is left to the interpreter; a value of it is made up, since nobody uses it. */
void lower_interpret(struct lower *l);
/* At the entry of a wary block. */
void lower_check_source(struct lower *l);
/* In front of an instruction on two pages. */
void lower_check_second_page(struct lower *l, const uint8_t *second_page);
/* rax = the distance of the TLB entry for the address in r from the context. */
void lower_tlb_index(struct lower *l, enum reg r);
/* The address that is in `address` (and may be changed there: not) checked for an access; jumps to
 * the returned field when it is not a hit. rdx becomes the page's addend, rax is changed. */
uint8_t *lower_check_page(struct lower *l, struct mem address, bool writes, unsigned span);

/* Whether a group is known to hold an access; a group's register was moved or changed. */
bool lower_group_covers(const struct group *g, struct ir_place p, unsigned size, bool writes);
void lower_group_base_changed(struct group *g, unsigned guest, bool moves, int32_t by);

#endif
