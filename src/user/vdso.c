/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The page of code that the kernel gives every program (vdso(7)): an ELF library with a few functions, made
 * here, since nothing that builds the emulator need make RISC-V code.
 *
 * Functions that tell the time are to be cheap, so they call the emulator, by an ecall with a number that no
 * system call has (vdso.h). The others are system calls like any other.
 */
#define _GNU_SOURCE
#include "user/vdso.h"

#include "user/loader.h"
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

#define VDSO_PAGE 4096
#define WORDS_MAX 8
#define EF_FLOAT_ABI_DOUBLE 4 /* the psABI's EF_RISCV_FLOAT_ABI_DOUBLE */

/* Encodings. */
enum { A7 = 17, ECALL = 0x00000073, RET = 0x00008067 };
#define LUI(rd, upper) (0x37u | (rd) << 7 | ((uint32_t)(upper)&0xfffff000u))
#define ADDI(rd, rs1, imm) (0x13u | (rd) << 7 | (rs1) << 15 | (uint32_t)(imm) << 20)

/* rv64 and rv32 have the same numbers for these. */
enum { NR_RT_SIGRETURN = 139, NR_GETCPU = 168, NR_HWPROBE = 258, NR_FLUSH_ICACHE = 259 };

struct function {
    const char *name;
    uint32_t number; /* that its ecall has */
};

static const struct function functions[] = {
    {"__vdso_rt_sigreturn", NR_RT_SIGRETURN},
    {"__vdso_gettimeofday", VDSO_GETTIMEOFDAY},
    {"__vdso_clock_gettime", VDSO_CLOCK_GETTIME},
    {"__vdso_clock_getres", VDSO_CLOCK_GETRES},
    {"__vdso_getcpu", NR_GETCPU},
    {"__vdso_flush_icache", NR_FLUSH_ICACHE},
    {"__vdso_riscv_hwprobe", NR_HWPROBE},
};
#define FUNCTIONS (sizeof(functions) / sizeof(*functions))
#define SYMBOLS (FUNCTIONS + 1) /* the first stands for none */

static const char version_name[] = "LINUX_4.15"; /* what C libraries ask for */
static const char library_name[] = "linux-vdso.so.1";

/* The library, as it lies in its page. Addresses in it are from its start. */
struct image_file {
    Elf64_Ehdr header;
    Elf64_Phdr load, dynamic_header;
    Elf64_Dyn dynamic[10];
    Elf64_Sym symbols[SYMBOLS];
    uint32_t hash[2 + 1 + SYMBOLS]; /* one bucket, which chains all */
    uint16_t versions[(SYMBOLS + 3) & ~3u];
    struct {
        Elf64_Verdef def;
        Elf64_Verdaux aux;
    } version[2];
    char strings[512];
    unsigned strings_size;
    uint32_t code[FUNCTIONS][WORDS_MAX];
};
_Static_assert(sizeof(struct image_file) <= VDSO_PAGE, "one page");

#define PLACE(field) offsetof(struct image_file, field)

static uint32_t add_string(struct image_file *f, const char *string)
{
    uint32_t at = f->strings_size;
    memcpy(f->strings + at, string, strlen(string) + 1);
    f->strings_size += (uint32_t)strlen(string) + 1;
    return at;
}

/* System V ABI, "Hash Table". */
static uint32_t hash_of(const char *name)
{
    uint32_t h = 0;
    for (; *name; name++) {
        h = (h << 4) + (uint8_t)*name;
        h ^= (h & 0xf0000000) >> 24;
        h &= 0x0fffffff;
    }
    return h;
}

/* li a7, number; ecall; ret. */
static void make_code(uint32_t code[WORDS_MAX], uint32_t number)
{
    unsigned n = 0;
    if (number >= 2048) {
        code[n++] = LUI(A7, number);
        code[n++] = ADDI(A7, A7, number & 0x7ff);
    } else {
        code[n++] = ADDI(A7, 0, number);
    }
    code[n++] = ECALL;
    code[n] = RET;
}

static void make_versions(struct image_file *f)
{
    uint32_t names[] = {add_string(f, library_name), add_string(f, version_name)};
    for (unsigned n = 0; n < 2; n++) {
        f->version[n].def = (Elf64_Verdef){
            .vd_version = VER_DEF_CURRENT,
            .vd_flags = n ? 0 : VER_FLG_BASE,
            .vd_ndx = (uint16_t)(n + 1),
            .vd_cnt = 1,
            .vd_hash = hash_of(n ? version_name : library_name),
            .vd_aux = sizeof(Elf64_Verdef),
            .vd_next = n ? 0 : sizeof(f->version[0]),
        };
        f->version[n].aux = (Elf64_Verdaux){.vda_name = names[n]};
    }
    f->dynamic[0] = (Elf64_Dyn){.d_tag = DT_SONAME, .d_un.d_val = names[0]};
}

static void make_symbols(struct image_file *f)
{
    for (unsigned n = 0; n < FUNCTIONS; n++) {
        make_code(f->code[n], functions[n].number);
        f->symbols[n + 1] = (Elf64_Sym){
            .st_name = add_string(f, functions[n].name),
            .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
            .st_shndx = 1,
            .st_value = PLACE(code) + n * sizeof(f->code[0]),
            .st_size = sizeof(f->code[0]),
        };
        f->versions[n + 1] = 2;
        f->hash[3 + n + 1] = n; /* the one before it; 0 ends the chain */
    }
    f->hash[0] = 1;
    f->hash[1] = SYMBOLS;
    f->hash[2] = FUNCTIONS;
}

static void make_headers(struct image_file *f)
{
    const Elf64_Dyn dynamic[] = {
        {.d_tag = DT_HASH, .d_un.d_ptr = PLACE(hash)},
        {.d_tag = DT_STRTAB, .d_un.d_ptr = PLACE(strings)},
        {.d_tag = DT_SYMTAB, .d_un.d_ptr = PLACE(symbols)},
        {.d_tag = DT_STRSZ, .d_un.d_val = f->strings_size},
        {.d_tag = DT_SYMENT, .d_un.d_val = sizeof(Elf64_Sym)},
        {.d_tag = DT_VERSYM, .d_un.d_ptr = PLACE(versions)},
        {.d_tag = DT_VERDEF, .d_un.d_ptr = PLACE(version)},
        {.d_tag = DT_VERDEFNUM, .d_un.d_val = 2},
    };
    memcpy(f->dynamic + 1, dynamic, sizeof(dynamic));
    f->header = (Elf64_Ehdr){
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_DYN,
        .e_machine = EM_RISCV,
        .e_version = EV_CURRENT,
        .e_phoff = PLACE(load),
        .e_flags = EF_FLOAT_ABI_DOUBLE,
        .e_ehsize = sizeof(Elf64_Ehdr),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = 2,
    };
    f->load = (Elf64_Phdr){.p_type = PT_LOAD,
                           .p_flags = PF_R | PF_X,
                           .p_filesz = sizeof(*f),
                           .p_memsz = sizeof(*f),
                           .p_align = VDSO_PAGE};
    f->dynamic_header = (Elf64_Phdr){.p_type = PT_DYNAMIC,
                                     .p_flags = PF_R,
                                     .p_offset = PLACE(dynamic),
                                     .p_vaddr = PLACE(dynamic),
                                     .p_filesz = sizeof(f->dynamic),
                                     .p_memsz = sizeof(f->dynamic),
                                     .p_align = 8};
}

bool vdso_map(struct process *p, struct image *image, struct error *err)
{
    struct image_file file;
    int64_t page = space_map_vdso(&p->space, VDSO_PAGE);
    if (page < 0)
        return error_set(err, "no room for the vdso: %s", strerror((int)-page));
    memset(&file, 0, sizeof(file));
    file.strings_size = 1;
    make_versions(&file);
    make_symbols(&file);
    make_headers(&file);
    memcpy((void *)(uintptr_t)page, &file, sizeof(file));
    space_mprotect(&p->space, (uint64_t)page, VDSO_PAGE, PROT_READ | PROT_EXEC);
    p->vdso_sigreturn = (uint64_t)page + PLACE(code);
    /* riscv32's has no functions of the time, and nobody misses the others. */
    if (p->config.isa.xlen == 64)
        image->vdso = (uint64_t)page;
    return true;
}

/*
 * What the functions do
 */

static int64_t copy_out(const struct space *s, uint64_t to, const void *from, size_t size)
{
    return space_write(s, to, from, size) ? 0 : -EFAULT;
}

static int64_t tell_time_of_day(const struct space *s, uint64_t to, uint64_t zone)
{
    struct timeval now;
    struct timezone here;
    gettimeofday(&now, &here);
    if (to && copy_out(s, to, &now, sizeof(now)))
        return -EFAULT;
    return zone ? copy_out(s, zone, &here, sizeof(here)) : 0;
}

void vdso_call(struct hart *h, const struct space *s)
{
    uint64_t *x = h->x;
    struct timespec time;
    int64_t result;
    switch ((uint32_t)x[17]) {
    case VDSO_CLOCK_GETTIME:
        result = clock_gettime((clockid_t)x[10], &time) < 0
                     ? -errno
                     : copy_out(s, x[11], &time, sizeof(time));
        break;
    case VDSO_CLOCK_GETRES:
        result = clock_getres((clockid_t)x[10], &time) < 0 ? -errno
                 : x[11]                                   ? copy_out(s, x[11], &time, sizeof(time))
                                                           : 0;
        break;
    case VDSO_GETTIMEOFDAY:
        result = tell_time_of_day(s, x[10], x[11]);
        break;
    default:
        result = -ENOSYS;
    }
    x[10] = (uint64_t)result;
}
