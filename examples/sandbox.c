/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Calls a function of a RISC-V program with whole numbers and prints what it returns; a million times,
 * with -t, and says how long a call takes:
 *
 *     riscv64-linux-gnu-gcc -O2 -shared -nostdlib -o plugin.so plugin/plugin.c
 *     ./sandbox plugin.so gcd 1071 462
 *     ./sandbox -t plugin.so gcd 1071 462
 */
#include <inttypes.h>
#include <rvvm/sandbox.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double seconds(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The last result is in r->a[0]. */
static bool call(struct rvvm_sandbox *box, const char *name, unsigned long times,
                 struct rvvm_sandbox_registers *r, struct rvvm_error *error)
{
    uint64_t function;
    if (!rvvm_sandbox_find(box, name, &function, error))
        return false;
    const struct rvvm_sandbox_registers arguments = *r;
    for (unsigned long n = 0; n < times; n++) {
        *r = arguments;
        if (!rvvm_sandbox_call(box, function, r, error))
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    unsigned long times = 1;
    if (argc > 1 && !strcmp(argv[1], "-t")) {
        times = 1000000;
        argv++, argc--;
    }
    if (argc < 3 || argc > 11) {
        fprintf(stderr, "usage: sandbox [-t] PROGRAM FUNCTION [NUMBER...]\n");
        return 2;
    }
    struct rvvm_sandbox_config config;
    struct rvvm_sandbox_registers r = {{0}, {0}};
    struct rvvm_error error;
    rvvm_sandbox_config_init(&config);
    config.program = argv[1];
    for (int n = 3; n < argc; n++)
        r.a[n - 3] = strtoull(argv[n], NULL, 0);
    struct rvvm_sandbox *box = rvvm_sandbox_new(&config, &error);
    double start = seconds();
    bool ok = box && call(box, argv[2], times, &r, &error);
    double took = seconds() - start;
    if (!ok)
        fprintf(stderr, "%s\n", error.text);
    else
        printf("%" PRId64 "\n", (int64_t)r.a[0]);
    if (ok && times > 1)
        printf("%.0f ns a call, %.2f million calls a second\n", 1e9 * took / (double)times,
               (double)times / took / 1e6);
    rvvm_sandbox_free(box);
    return ok ? 0 : 1;
}
