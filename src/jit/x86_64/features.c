/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What this processor has beyond x86-64's baseline. For tests, RVVM_HOST_CPU=baseline: nothing;
 * newest: all there is, whether it has it or not, for code that is looked at and not run.
 */
#include "jit/x86_64/regs.h"

#include <cpuid.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static struct features features;

/* By cpuid: clang's __builtin_cpu_supports does not know the name. */
static bool has_lzcnt(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(0x80000001, &a, &b, &c, &d) && c & 1 << 5;
}

static void find_out(void)
{
    const char *only = getenv("RVVM_HOST_CPU");
    if (only && !strcmp(only, "baseline"))
        return;
    if (only && !strcmp(only, "newest")) {
        memset(&features, true, sizeof(features));
        return;
    }
    __builtin_cpu_init();
    features = (struct features){
        .bmi1 = __builtin_cpu_supports("bmi"),
        .bmi2 = __builtin_cpu_supports("bmi2"),
        .lzcnt = has_lzcnt(),
        .popcnt = __builtin_cpu_supports("popcnt"),
        .avx = __builtin_cpu_supports("avx"),
        .fma = __builtin_cpu_supports("fma"),
        .sse41 = __builtin_cpu_supports("sse4.1"),
        .pclmul = __builtin_cpu_supports("pclmul"),
    };
}

const struct features *host_features(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find_out);
    return &features;
}
