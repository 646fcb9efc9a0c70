/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * cycle, time and instret grow, never fall, and on rv32 their halves read as one number with the loop
 * of the specification ("Zicntr").
 *
 * rerun: tests/isa/isa.test counters_advance
 */
#include "test.h"

SAME_IN_USER_MODE;

#if RV64
#define READ(name) csr_read(name)
#else
#define READ(name) \
    ({ \
        uint32_t high_, low_; \
        do { \
            high_ = csr_read(name##h); \
            low_ = csr_read(name); \
        } while (csr_read(name##h) != high_); \
        (uint64_t) high_ << 32 | low_; \
    })
#endif

void test_main(void)
{
    uint64_t cycle = READ(cycle), instret = READ(instret), time = READ(time);
    uint64_t first_cycle = cycle, first_instret = instret, first_time = time;

    for (unsigned i = 0; i < 1000; i++) {
        uint64_t next = READ(cycle);
        CHECK_TRUE(next >= cycle);
        cycle = next;
        next = READ(instret);
        CHECK_TRUE(next >= instret);
        instret = next;
        next = READ(time);
        CHECK_TRUE(next >= time);
        time = next;
    }
    CHECK_TRUE(cycle > first_cycle);
    CHECK_TRUE(instret >= first_instret + 1000);
    /* The clock runs at 10 MHz: it moves within a second of anyone's loop. */
    for (unsigned i = 0; i < 100000000 && READ(time) == first_time; i++)
        ;
    CHECK_TRUE(READ(time) > first_time);
}
