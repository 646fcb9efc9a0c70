/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A comparison between a read and a write of fflags, as compilers make isless() and its like, leaves
 * the flags as they were, NaNs or not (unprivileged specification, "Floating-Point Control and Status
 * Register", "Floating-Point Compare Instructions"). A translator may know the three as one.
 *
 * rerun: tests/isa/isa.test float_quiet
 */
#include "fp.h"

static const uint32_t singles[] = {0xff800000, 0xbf800000, 0x80000000, 0,
                                   0x00000001, 0x3f800000, 0x7f800001, 0x7fc00000};
static const uint64_t doubles[] = {
    0xfff0000000000000, 0xbff0000000000000, 0x8000000000000000, 0,
    0x0000000000000001, 0x3ff0000000000000, 0x7ff0000000000001, 0x7ff8000000000000};
enum { NUMBERS = 6, ALL = 8 };

/* -0 and +0 are equal. */
static int place(int i)
{
    return i == 2 ? 3 : i;
}

/*
 * `before`, then the three, with the flags in `kept` and the comparison's result in `result`. The
 * value: fflags at the end, above them what was kept, above that the result.
 */
#define QUIET(before, compare, kept, result, a, b, old) \
    ({ \
        volatile uint64_t bits_[3] = {a, b, 0x3fe0000000000000}; \
        ulong flags_ = (old), out_; \
        __asm__ volatile(".option push\n.option arch, +f, +d\n" \
                         "fld ft1, 0(%2)\nfld ft2, 8(%2)\nfld ft3, 16(%2)\n" \
                         "csrw fflags, %1\n" before "\n" \
                         "frflags " kept "\n" compare " " result ", ft1, ft2\nfsflags " kept "\n" \
                         "slli %0, " result ", 5\nor %0, %0, " kept "\nslli %0, %0, 5\n" \
                         "frflags " kept "\nor %0, %0, " kept "\n.option pop" \
                         : "=&r"(out_) \
                         : "r"(flags_), "r"(bits_) \
                         : "a4", "a5", "t3", "t4", "memory"); \
        out_; \
    })

#define ALL_WAYS(compare, box, values, i, j, relation) \
    do { \
        uint64_t a_ = box((values)[i]), b_ = box((values)[j]); \
        ulong want_ = (i) < NUMBERS && (j) < NUMBERS && place(i) relation place(j); \
        for (ulong old_ = 0; old_ < 32; old_ += 5) { \
            ulong now_ = old_ | NX; \
            check(compare, __LINE__, QUIET("", compare, "a4", "a5", a_, b_, old_), \
                  want_ << 10 | old_ << 5 | old_); \
            check(compare " with flags that have just risen", __LINE__, \
                  QUIET("fcvt.w.d a5, ft3", compare, "a4", "a5", a_, b_, old_), \
                  want_ << 10 | now_ << 5 | now_); \
            check(compare " in other registers", __LINE__, \
                  QUIET("", compare, "t3", "t4", a_, b_, old_), want_ << 10 | old_ << 5 | old_); \
        } \
    } while (0)

void test_main(void)
{
    for (int i = 0; i < ALL; i++) {
        for (int j = 0; j < ALL; j++) {
            ALL_WAYS("flt.s", BOX_S, singles, i, j, <);
            ALL_WAYS("fle.s", BOX_S, singles, i, j, <=);
            ALL_WAYS("flt.d", BOX_D, doubles, i, j, <);
            ALL_WAYS("fle.d", BOX_D, doubles, i, j, <=);
        }
    }
}
