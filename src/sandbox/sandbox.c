/* SPDX-License-Identifier: MPL-2.0 */
/* The sandbox's hart: see sandbox.h. */
#include "sandbox/sandbox.h"

#include "cpu/code_map.h"
#include "host/clock.h"
#include <fenv.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The program's own addresses end where the heap begins. Below the stack there is always a gap. */
#define PROGRAM_FIRST UINT64_C(0x10000)
#define HEAP UINT64_C(0x2000000000)
#define STACK_END UINT64_C(0x3200000000)
#define TLS UINT64_C(0x3400000000)
#define RETURN UINT64_C(0x3800000000) /* where calls return to */
#define TRAPS UINT64_C(0x3ffffff000)  /* S-mode's page */
#define HEAP_MAX (UINT64_C(64) << 30)
#define STACK_MAX (UINT64_C(1) << 30)
#define TLS_MAX (UINT64_C(1) << 24)
_Static_assert(HEAP + HEAP_MAX < STACK_END - STACK_MAX, "the stack ends above the heap");

#define TICKS_NS 100 /* as the machine's timebase */

enum { INSN_ECALL = 0x00000073, INSN_SRET = 0x10200073, ENOSYS_RESULT = -38 };
enum { RA = 1, SP = 2, GP = 3, TP = 4, A0 = 10 };

struct sandbox {
    struct program program;
    uint8_t *bytes; /* the file's: a reset reads it again */
    struct arena arena;
    struct bus bus;
    struct hart *hart;
    struct jit *jit; /* NULL: interpreted */
    uint64_t heap, stack, gp;
    bool (*system_call)(void *ctx, struct sandbox_registers *r);
    void *ctx;

    _Atomic bool
        interrupted; /* a call that began before; hart.events tells only the hart's next run */
    bool running;
    bool initialised;         /* constructors have run */
    bool returned;            /* of the call that has ended: as it should */
    struct sandbox_trap trap; /* of the last one that did not */
};

/*
 * What the hart sees
 */

static uint64_t ticks(void *ctx)
{
    (void)ctx;
    return clock_monotonic_ns() / TICKS_NS;
}

/* The hart's next look at its events is before its next instruction. */
static void end_call(struct sandbox *box, bool returned)
{
    struct hart *h = box->hart;
    box->returned = returned;
    box->trap = (struct sandbox_trap){(unsigned)h->csr.scause, h->csr.sepc, h->csr.stval};
    atomic_fetch_or(&h->events, HART_EV_STOP);
}

static void get_registers(const struct hart *h, struct sandbox_registers *r)
{
    memcpy(r->a, &h->x[A0], sizeof(r->a));
    memcpy(r->f, &h->f[A0], sizeof(r->f));
}

static void answer_system_call(struct sandbox *box, struct hart *h)
{
    struct sandbox_registers r;
    get_registers(h, &r);
    if (!box->system_call)
        r.a[0] = (uint64_t)ENOSYS_RESULT;
    else if (!box->system_call(box->ctx, &r))
        return end_call(box, false);
    h->x[A0] = r.a[0];
    h->csr.sepc += 4;
}

/* The ecall of S-mode's page: what brought the hart there is in its CSRs. */
static void trapped(void *ctx, struct hart *h)
{
    struct sandbox *box = ctx;
    if (h->csr.scause != CAUSE_ECALL_U)
        end_call(box, false);
    else if (h->csr.sepc == RETURN)
        end_call(box, true);
    else
        answer_system_call(box, h);
}

/*
 * Making one
 */

static bool add_parts(struct sandbox *box, struct error *err)
{
    const struct program *p = &box->program;
    struct arena *a = &box->arena;
    for (unsigned i = 0; i < p->segment_count; i++) {
        const struct program_segment *segment = &p->segments[i];
        uint64_t before = segment->address % ARENA_PAGE;
        unsigned rights = ARENA_USER | (segment->rights & PROGRAM_READ ? ARENA_READ : 0) |
                          (segment->rights & PROGRAM_WRITE ? ARENA_READ | ARENA_WRITE : 0) |
                          (segment->rights & PROGRAM_EXEC ? ARENA_EXEC : 0);
        if (!arena_add(a, segment->address - before, segment->size + before, rights, err))
            return false;
    }
    const unsigned data = ARENA_USER | ARENA_READ | ARENA_WRITE;
    return (!box->heap || arena_add(a, HEAP, box->heap, data, err)) &&
           arena_add(a, STACK_END - box->stack, box->stack, data, err) &&
           (!p->tls.size || arena_add(a, TLS, p->tls.size, data, err)) &&
           arena_add(a, RETURN, ARENA_PAGE, ARENA_USER | ARENA_EXEC, err) &&
           arena_add(a, TRAPS, ARENA_PAGE, ARENA_EXEC, err);
}

static bool store_word(void *ctx, uint64_t address, uint64_t value)
{
    uint8_t *bytes = arena_bytes(ctx, address, sizeof(value));
    if (bytes)
        memcpy(bytes, &value, sizeof(value));
    return bytes;
}

static void fill(const struct sandbox *box, const struct program_segment *s, uint64_t address)
{
    if (s->file_size)
        memcpy(arena_bytes(&box->arena, address, s->size), box->bytes + s->offset, s->file_size);
}

/* Parts that are all zero get what they hold at first. */
static bool fill_memory(struct sandbox *box, struct error *err)
{
    const struct program *p = &box->program;
    const uint32_t traps[] = {INSN_ECALL, INSN_SRET}, back[] = {INSN_ECALL};
    for (unsigned i = 0; i < p->segment_count; i++)
        fill(box, &p->segments[i], p->segments[i].address);
    fill(box, &p->tls, TLS);
    memcpy(arena_bytes(&box->arena, TRAPS, sizeof(traps)), traps, sizeof(traps));
    memcpy(arena_bytes(&box->arena, RETURN, sizeof(back)), back, sizeof(back));
    return program_relocate(p, store_word, &box->arena, err);
}

static void prepare_hart(struct sandbox *box)
{
    struct hart *h = box->hart;
    hart_reset(h, TRAPS, 0, 0);
    /* WFI and WRS.NTO trap: nothing would come. */
    csr_write(h, CSR_MSTATUS, MSTATUS_FS | MSTATUS_TW);
    csr_write(h, CSR_MEDELEG, 0xb1ff); /* all but ecalls from S-mode and M-mode */
    csr_write(h, CSR_MCOUNTEREN, COUNTEREN_CY | COUNTEREN_TM | COUNTEREN_IR);
    csr_write(h, CSR_SCOUNTEREN, COUNTEREN_CY | COUNTEREN_TM | COUNTEREN_IR);
    csr_write(h, CSR_MENVCFG, ENVCFG_CBIE | ENVCFG_CBCFE | ENVCFG_CBZE);
    csr_write(h, CSR_SENVCFG, 1 << 4 | ENVCFG_CBCFE | ENVCFG_CBZE); /* cbo.inval flushes */
    csr_write(h, CSR_PMPADDR0, UINT64_MAX); /* one region that covers all and allows all */
    csr_write(h, CSR_PMPCFG0, 0x1f);
    csr_write(h, CSR_STVEC, TRAPS);
    csr_write(h, CSR_SATP, arena_root(&box->arena));
}

static bool make_hart(struct sandbox *box, const struct sandbox_config *config, struct error *err)
{
    box->bus = (struct bus){
        .ctx = box,
        .ram = box->arena.memory.data,
        .ram_base = ARENA_RAM_BASE,
        .ram_size = box->arena.memory.size,
        .read = bus_no_read,
        .write = bus_no_write,
        .time = ticks,
        .set_stimer = bus_no_stimer,
        .entropy = bus_host_entropy,
        .sbi_call = trapped,
    };
    struct hart_config hart = {.isa = config->isa, .bus = &box->bus};
    box->hart = hart_new(&hart, err);
    if (!box->hart)
        return false;
    prepare_hart(box);
    if (config->interpret || !jit_available())
        return true;
    struct jit_config jit = {.isa = &box->hart->isa,
                             .bus = &box->bus,
                             .harts = 1,
                             .cache_size = config->code_cache,
                             .tiers = config->tiers};
    box->jit = jit_new(&jit, err);
    return box->jit && jit_attach(box->jit, box->hart, err) && jit_start(box->jit, err);
}

static bool take_config(struct sandbox *box, const struct sandbox_config *config, struct error *err)
{
    if (config->isa.xlen != 64)
        return error_set(err, "a sandbox is for rv64");
    if (config->heap > HEAP_MAX || config->stack > STACK_MAX || config->stack < ARENA_PAGE)
        return error_set(err,
                         "a heap of %" PRIu64 " bytes, a stack of %" PRIu64
                         ": up to 64 GiB, and 4 KiB to 1 GiB",
                         config->heap, config->stack);
    box->heap = (config->heap + ARENA_PAGE - 1) & ~(ARENA_PAGE - 1);
    box->stack = (config->stack + ARENA_PAGE - 1) & ~(ARENA_PAGE - 1);
    box->system_call = config->system_call;
    box->ctx = config->ctx;
    size_t name = strlen(config->name) + 1;
    box->bytes = malloc(config->size + name);
    if (!box->bytes)
        return error_set(err, "%s: out of memory", config->name);
    memcpy(box->bytes, config->bytes, config->size);
    memcpy(box->bytes + config->size, config->name, name);
    return true;
}

static bool make(struct sandbox *box, const struct sandbox_config *config, struct error *err)
{
    struct program *p = &box->program;
    if (!take_config(box, config, err) ||
        !program_read(p, (char *)box->bytes + config->size, box->bytes, config->size, PROGRAM_FIRST,
                      HEAP, err))
        return false;
    if (p->tls.size > TLS_MAX)
        return error_set(err, "%s: %" PRIu64 " bytes of thread-local variables", p->name,
                         p->tls.size);
    if (!program_find(p, "__global_pointer$", &box->gp))
        box->gp = 0;
    return add_parts(box, err) && arena_make(&box->arena, err) && fill_memory(box, err) &&
           make_hart(box, config, err);
}

struct sandbox *sandbox_new(const struct sandbox_config *config, struct error *err)
{
    struct sandbox *box = calloc(1, sizeof(*box));
    if (!box) {
        error_set(err, "out of memory");
        return NULL;
    }
    if (make(box, config, err))
        return box;
    sandbox_free(box);
    return NULL;
}

void sandbox_free(struct sandbox *box)
{
    if (!box)
        return;
    if (box->jit && box->hart)
        jit_detach(box->jit, box->hart);
    hart_free(box->hart);
    jit_free(box->jit);
    arena_free(&box->arena);
    free(box->bytes);
    free(box);
}

bool sandbox_reset(struct sandbox *box, struct error *err)
{
    if (box->running)
        return error_set(err, "%s: a call is running", box->program.name);
    arena_clear(&box->arena);
    if (box->jit)
        jit_ram_written(box->jit, 0, box->arena.tables);
    hart_fence_ask(box->hart, HART_FENCE_FETCH);
    box->initialised = false;
    return fill_memory(box, err);
}

bool sandbox_find(const struct sandbox *box, const char *name, uint64_t *address)
{
    return program_find(&box->program, name, address);
}

/*
 * Calls
 */

static void set_registers(struct sandbox *box, uint64_t function, const struct sandbox_registers *r)
{
    struct hart *h = box->hart;
    memset(h->x, 0, sizeof(h->x));
    memset(h->f, 0, sizeof(h->f));
    memcpy(&h->x[A0], r->a, sizeof(r->a));
    memcpy(&h->f[A0], r->f, sizeof(r->f));
    h->x[RA] = RETURN;
    h->x[SP] = STACK_END;
    h->x[GP] = box->gp;
    h->x[TP] = box->program.tls.size ? TLS : 0;
    h->fp.flags = 0;
    h->frm = 0;
    h->reservation = NO_RESERVATION;
    h->pc = function;
    h->priv = PRIV_U;
}

static bool tell_trap(const struct sandbox *box, struct error *err)
{
    static const char *const names[] = {
        [CAUSE_FETCH_MISALIGNED] = "a jump to half an instruction",
        [CAUSE_FETCH_ACCESS] = "an instruction out of memory",
        [CAUSE_ILLEGAL] = "an illegal instruction",
        [CAUSE_BREAKPOINT] = "a breakpoint",
        [CAUSE_LOAD_MISALIGNED] = "a misaligned load",
        [CAUSE_LOAD_ACCESS] = "a load out of memory",
        [CAUSE_STORE_MISALIGNED] = "a misaligned store",
        [CAUSE_STORE_ACCESS] = "a store out of memory",
        [CAUSE_ECALL_U] = "a system call that ends it",
        [CAUSE_FETCH_PAGE] = "no code",
        [CAUSE_LOAD_PAGE] = "a load of what is not there",
        [CAUSE_STORE_PAGE] = "a store where it may not",
    };
    const struct sandbox_trap *t = &box->trap;
    if (t->cause == SANDBOX_INTERRUPTED)
        return error_set(err, "%s: interrupted at 0x%" PRIx64, box->program.name, t->pc);
    const char *name = t->cause < sizeof(names) / sizeof(names[0]) ? names[t->cause] : NULL;
    return error_set(err, "%s: %s at 0x%" PRIx64 " (cause %u, 0x%" PRIx64 ")", box->program.name,
                     name ? name : "an exception", t->pc, t->cause, t->value);
}

static bool run(struct sandbox *box, uint64_t function, struct sandbox_registers *r,
                struct error *err)
{
    struct hart *h = box->hart;
    set_registers(box, function, r);
    box->returned = false;
    box->trap = (struct sandbox_trap){.cause = SANDBOX_INTERRUPTED};
    /* The hart counts on the usual rounding mode, and leaves flags behind: the caller's are the caller's. */
    fenv_t callers;
    fegetenv(&callers);
    fesetenv(FE_DFL_ENV);
    if (!atomic_load(&box->interrupted))
        hart_run(h);
    fesetenv(&callers);
    if (box->trap.cause == SANDBOX_INTERRUPTED)
        box->trap.pc = h->pc;
    get_registers(h, r);
    return box->returned || tell_trap(box, err);
}

/* Constructors, which the dynamic linker would call. They may have no end, so it is not done before somebody
 * can interrupt it. */
static bool initialise(struct sandbox *box, struct error *err)
{
    const struct program *p = &box->program;
    for (uint64_t i = 0; i < p->init_size / 8; i++) {
        uint64_t function;
        struct sandbox_registers r = {0};
        if (!sandbox_read(box, p->init + 8 * i, &function, sizeof(function)))
            return error_set(err, "%s: its DT_INIT_ARRAY is not in its memory", p->name);
        if (!run(box, function, &r, err))
            return error_prefix(err, "DT_INIT_ARRAY");
    }
    box->initialised = true;
    return true;
}

bool sandbox_call(struct sandbox *box, uint64_t function, struct sandbox_registers *r,
                  struct error *err)
{
    if (box->running)
        return error_set(err, "%s: a call is running", box->program.name);
    box->running = true;
    /* What came too late for the call before is not for this one. */
    atomic_store(&box->interrupted, false);
    atomic_fetch_and(&box->hart->events, ~(uint32_t)HART_EV_STOP);
    bool ok = (box->initialised || initialise(box, err)) && run(box, function, r, err);
    box->running = false;
    return ok;
}

void sandbox_interrupt(struct sandbox *box)
{
    atomic_store(&box->interrupted, true);
    hart_stop(box->hart);
}

struct sandbox_trap sandbox_last_trap(const struct sandbox *box)
{
    return box->trap;
}

/*
 * Memory
 */

bool sandbox_read(const struct sandbox *box, uint64_t address, void *bytes, size_t size)
{
    const uint8_t *from = arena_bytes(&box->arena, address, size);
    if (from)
        memcpy(bytes, from, size);
    return from;
}

bool sandbox_write(struct sandbox *box, uint64_t address, const void *bytes, size_t size)
{
    const struct arena_part *part = arena_part_of(&box->arena, address, size);
    /* Nobody changes what the hart itself stands on. */
    if (!part || part->address >= RETURN)
        return false;
    uint64_t offset = part->offset + (address - part->address);
    if (!size)
        return true;
    memcpy(box->arena.memory.data + offset, bytes, size);
    if (part->rights & ARENA_EXEC) {
        if (box->jit)
            jit_ram_written(box->jit, offset, size);
        hart_fence_ask(box->hart, HART_FENCE_FETCH);
    }
    return true;
}

void sandbox_heap(const struct sandbox *box, uint64_t *address, uint64_t *size)
{
    *address = HEAP;
    *size = box->heap;
}
