/* SPDX-License-Identifier: GPL-3.0-only */
/* Prints its arguments, variables whose names begin with T_, and what the auxiliary vector says of itself. */
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int deep(int n)
{
    volatile char room[16384];
    room[0] = (char)n;
    return n ? deep(n - 1) + room[0] : 0;
}

int main(int argc, char **argv)
{
    for (int n = 0; n < argc; n++)
        printf("argv[%d] %s\n", n, argv[n]);
    for (char **e = environ; *e; e++)
        if (!strncmp(*e, "T_", 2))
            puts(*e);
    const char *vdso = (const char *)getauxval(AT_SYSINFO_EHDR);
    const ElfW(Phdr) *phdr = (const ElfW(Phdr) *)getauxval(AT_PHDR);
    const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
    unsigned loads = 0, any = 0;
    for (unsigned n = 0; n < getauxval(AT_PHNUM); n++)
        loads += phdr[n].p_type == PT_LOAD;
    for (unsigned n = 0; n < 16; n++)
        any |= random[n];
    printf("auxv %d%d%d%d%d%d\n", vdso && !memcmp(vdso, ELFMAG, SELFMAG), loads >= 2, any != 0,
           getauxval(AT_PAGESZ) == 4096, getauxval(AT_UID) == getuid(),
           (getauxval(AT_HWCAP) & 0x112d) == 0x112d);
    printf("execfn %s\n", (const char *)getauxval(AT_EXECFN));
    struct timespec a, b;
    printf("time %d\n", !clock_gettime(CLOCK_MONOTONIC, &a) && !clock_gettime(CLOCK_MONOTONIC, &b) &&
                            (b.tv_sec > a.tv_sec || b.tv_nsec >= a.tv_nsec) &&
                            clock_gettime(12345, &a) < 0);
    printf("stack %d\n", deep(400) >= 0 || 1);
    return argc;
}
