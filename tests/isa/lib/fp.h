/* SPDX-License-Identifier: GPL-3.0-only */
/* Floating point for tests: registers, flags, and vectors made by user/fp_vectors.py. */
#ifndef ISA_FP_H
#define ISA_FP_H

#include "test.h"

enum { NX = 1, UF = 2, OF = 4, DZ = 8, NV = 16 };
enum { RNE, RTZ, RDN, RUP, RMM };

#define NAN_S 0x7fc00000u
#define NAN_D 0x7ff8000000000000ull
#define BOX_S(v) (0xffffffff00000000ull | (uint32_t)(v))
#define BOX_H(v) (0xffffffffffff0000ull | (uint16_t)(v))

struct vector {
    uint8_t rm, flags;
    uint64_t a, b, c, want;
};

struct fp_result {
    uint64_t f; /* ft0, whole */
    ulong x;    /* a0 */
    ulong flags;
};

/*
 * `text` with the bits a, b and c in ft1, ft2 and ft3, x in a0, and the dynamic mode rm; ft0 holds
 * zero bits before. The bits go by memory, so that both XLENs do the same.
 */
#define FP(text, rm, a_bits, b_bits, c_bits, x_in) \
    ({ \
        volatile uint64_t bits_[4] = {0, a_bits, b_bits, c_bits}; \
        register ulong x_ __asm__("a0") = (ulong)(x_in); \
        register ulong flags_ __asm__("a1") = (rm); \
        __asm__ volatile(".option push\n.option arch, +f, +d, +zfh\n" \
                         "csrw frm, a1\ncsrw fflags, x0\n" \
                         "fld ft0, 0(%2)\nfld ft1, 8(%2)\nfld ft2, 16(%2)\nfld ft3, 24(%2)\n" text \
                         "\ncsrr a1, fflags\nfsd ft0, 0(%2)\n.option pop" \
                         : "+r"(x_), "+r"(flags_) \
                         : "r"(bits_) \
                         : "memory"); \
        (struct fp_result){bits_[0], x_, flags_}; \
    })

/* The same with the mode in the instruction, and another in frm. */
#define FP_STATIC(text, rm, a, b, c, x) \
    ({ \
        struct fp_result r_; \
        switch (rm) { \
        case RNE: \
            r_ = FP(text ", rne", RUP, a, b, c, x); \
            break; \
        case RTZ: \
            r_ = FP(text ", rtz", RNE, a, b, c, x); \
            break; \
        case RDN: \
            r_ = FP(text ", rdn", RUP, a, b, c, x); \
            break; \
        case RUP: \
            r_ = FP(text ", rup", RDN, a, b, c, x); \
            break; \
        default: \
            r_ = FP(text ", rmm", RTZ, a, b, c, x); \
            break; \
        } \
        r_; \
    })

/* Every vector of a table; box makes registers of operands and of the result. */
#define FP_TABLE(text, table, box_in, box_out) \
    do { \
        for (unsigned n_ = 0; n_ < sizeof(table) / sizeof(*(table)); n_++) { \
            const struct vector *v_ = &(table)[n_]; \
            struct fp_result r_ = \
                FP(text, v_->rm, box_in(v_->a), box_in(v_->b), box_in(v_->c), 0); \
            fp_check(text, __LINE__, r_.f, r_.flags, box_out(v_->want), v_); \
            r_ = FP_STATIC(text, v_->rm, box_in(v_->a), box_in(v_->b), box_in(v_->c), 0); \
            fp_check(text, __LINE__, r_.f, r_.flags, box_out(v_->want), v_); \
        } \
    } while (0)
#define BOX_D(v) (v)

static inline void fp_check(const char *what, int line, uint64_t got, ulong flags, uint64_t want,
                            const struct vector *v)
{
    check64(what, line, got, want);
    check(what, line, flags, v->flags);
    if (got != want || flags != v->flags) {
        print("    mode ");
        print_hex(v->rm);
        print(" of ");
        print_hex(v->a);
        print(" ");
        print_hex(v->b);
        print(" ");
        print_hex(v->c);
        print("\n");
    }
}

#endif
