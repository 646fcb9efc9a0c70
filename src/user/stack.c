/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a program finds on its stack (System V ABI, "Process Initialization"; getauxval(3)): from sp up
 * argc, argv, envp, auxv, in words of its width; above them the strings.
 */
#define _GNU_SOURCE
#include "host/random.h"
#include "user/abi.h"
#include "user/loader.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

/* The stack as it grows down. */
struct stack {
    const struct space *space;
    uint64_t at, limit;
    bool failed; /* no room */
};

static uint64_t push(struct stack *s, const void *bytes, size_t size)
{
    if (size > s->at - s->limit || !space_write(s->space, s->at - size, bytes, size))
        s->failed = true;
    else
        s->at -= size;
    return s->at;
}

static uint64_t push_string(struct stack *s, const char *string)
{
    return push(s, string, strlen(string) + 1);
}

static unsigned count_of(char *const *list)
{
    unsigned n = 0;
    while (list && list[n])
        n++;
    return n;
}

/* The words below the strings, made here and pushed in one piece. */
struct words {
    uint64_t *list;
    unsigned count;
};

static void add(struct words *w, uint64_t word)
{
    w->list[w->count++] = word;
}

static void add_aux(struct words *w, uint64_t type, uint64_t value)
{
    add(w, type);
    add(w, value);
}

/* The strings of a list, the last one first; their addresses. */
static void push_list(struct stack *s, char *const *list, unsigned count, uint64_t *addresses)
{
    for (unsigned n = count; n-- > 0;)
        addresses[n] = push_string(s, list[n]);
}

/* ELF hwcap of riscv: a bit for each extension of one letter. */
static uint64_t hwcap_of(const struct isa *isa)
{
    static const struct {
        enum isa_ext ext;
        char letter;
    } letters[] = {{EXT_I, 'i'}, {EXT_M, 'm'}, {EXT_A, 'a'},
                   {EXT_F, 'f'}, {EXT_D, 'd'}, {EXT_C, 'c'}};
    uint64_t caps = 0;
    for (unsigned n = 0; n < sizeof(letters) / sizeof(*letters); n++)
        if (isa_has(isa, letters[n].ext))
            caps |= UINT64_C(1) << (letters[n].letter - 'a');
    return caps;
}

static void add_auxv(struct words *w, const struct process *p, const struct image *image,
                     uint64_t random, uint64_t name)
{
    const struct elf *program = &image->program;
    if (image->vdso)
        add_aux(w, AT_SYSINFO_EHDR, image->vdso);
    add_aux(w, AT_HWCAP, hwcap_of(&p->config.isa));
    add_aux(w, AT_PAGESZ, PAGE_SIZE);
    add_aux(w, AT_CLKTCK, (uint64_t)sysconf(_SC_CLK_TCK));
    add_aux(w, AT_PHDR, program->headers ? program->headers + program->bias : 0);
    add_aux(w, AT_PHENT, program->header_size);
    add_aux(w, AT_PHNUM, program->header_count);
    add_aux(w, AT_BASE,
            image->has_interpreter ? image->interpreter.first + image->interpreter.bias : 0);
    add_aux(w, AT_FLAGS, 0);
    add_aux(w, AT_ENTRY, program->entry + program->bias);
    add_aux(w, AT_UID, getuid());
    add_aux(w, AT_EUID, geteuid());
    add_aux(w, AT_GID, getgid());
    add_aux(w, AT_EGID, getegid());
    add_aux(w, AT_SECURE, getauxval(AT_SECURE));
    add_aux(w, AT_RANDOM, random);
    add_aux(w, AT_MINSIGSTKSZ,
            p->config.isa.xlen == 32 ? sizeof(struct guest_sigframe32)
                                     : sizeof(struct guest_sigframe));
    add_aux(w, AT_EXECFN, name);
    add_aux(w, AT_NULL, 0);
}

static void narrow(struct words *w)
{
    uint32_t *list = (uint32_t *)w->list;
    for (unsigned n = 0; n < w->count; n++) {
        uint64_t word = w->list[n];
        memcpy(&list[n], &(uint32_t){(uint32_t)word}, sizeof(uint32_t));
    }
}

#define AUX_WORDS 48

bool stack_fill(struct process *p, const struct image *image, struct error *err)
{
    struct stack s = {.space = &p->space, .at = p->space.stack_end, .limit = p->space.stack_first};
    unsigned argc = count_of(p->config.argv), envc = count_of(p->config.envp);
    unsigned word_size = p->config.isa.xlen / 8;
    struct words w = {calloc(argc + envc + 3 + AUX_WORDS, sizeof(uint64_t)), 0};
    uint64_t *addresses = calloc(argc + envc + 1, sizeof(*addresses)), zero = 0;
    uint8_t random[16];
    if (!w.list || !addresses) {
        free(w.list);
        free(addresses);
        return error_set(err, "out of memory for arguments");
    }
    /* Strings may take a quarter of the stack, as the kernel has it. */
    s.limit = s.at - (s.at - s.limit) / 4;
    push(&s, &zero, sizeof(zero));
    uint64_t name = push_string(&s, p->config.path);
    p->env_end = name;
    push_list(&s, p->config.envp, envc, addresses + argc);
    p->args_end = s.at;
    push_list(&s, p->config.argv, argc, addresses);
    p->args = s.at;
    random_bytes(random, sizeof(random));
    uint64_t random_at = push(&s, random, sizeof(random));

    add(&w, argc);
    for (unsigned n = 0; n < argc; n++)
        add(&w, addresses[n]);
    add(&w, 0);
    for (unsigned n = 0; n < envc; n++)
        add(&w, addresses[argc + n]);
    add(&w, 0);
    unsigned aux = w.count;
    add_auxv(&w, p, image, random_at, name);
    if (word_size == 4)
        narrow(&w);
    size_t size = (size_t)w.count * word_size;
    s.at -= (s.at - size) % 16;
    p->stack = push(&s, w.list, size);
    p->auxv = p->stack + (uint64_t)aux * word_size;
    p->auxv_size = (uint64_t)(w.count - aux) * word_size;
    free(w.list);
    free(addresses);
    return !s.failed ||
           error_set(err, "arguments and environment take more than a quarter of the stack");
}
