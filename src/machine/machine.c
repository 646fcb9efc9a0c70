/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Making a machine, and its life: hart threads, hold, reset, poweroff.
 */
#include "machine/machine.h"

#include "host/chores.h"
#include "host/thread.h"
#include "jit/jit.h"
#include "machine/boot/plan.h"
#include "machine/sbi.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Until the board has a clock. */
static uint64_t no_time(void *ctx)
{
    (void)ctx;
    return 0;
}

static void make_large(void *machine, size_t offset)
{
    const struct machine *m = machine;
    memory_make_large(&m->ram, offset, MEMORY_LARGE);
}

static void machine_warm(void *ctx, uint64_t offset)
{
    struct machine *m = ctx;
    chores_post(m->chores, (struct chore){make_large, m, offset});
}

/* -jit check: a hart found that translated code does something else than the interpreter. */
static void translation_differs(void *ctx)
{
    machine_request(ctx, MACHINE_POWEROFF, 1);
}

static bool start_translator(struct machine *m, const struct machine_config *machine,
                             struct error *err)
{
    struct jit_config config = {
        .isa = &m->isa,
        .bus = &m->bus,
        .harts = m->hart_count,
        .cache_size = machine->code_cache,
        .log = m->log,
        .chores = m->chores,
        .dump = machine->dump,
        .dump_line = machine->dump_line,
        .dump_ctx = machine->dump_ctx,
        .check = machine->check,
        .tiers = machine->tiers,
        .differs = translation_differs,
        .differs_ctx = m,
    };
    if (!jit_available()) {
        log_line(m->log, LOG_INFO, "no translator for this host: the interpreter runs");
        return true;
    }
    m->jit = jit_new(&config, err);
    bool ok = m->jit;
    for (unsigned i = 0; ok && i < m->hart_count; i++)
        ok = jit_attach(m->jit, m->hart_list[i], err);
    return ok && jit_start(m->jit, err);
}

/* Main memory, and behind it, from a page of any host on, what the rom holds. */
static bool map_memory(struct machine *m, const struct machine_config *config, struct error *err)
{
    uint64_t rom_at = align_up(config->ram_size, MACHINE_ROM_ALIGN), size = config->ram_size;
    if (config->rom_size)
        size = rom_at + config->rom_size;
    if (!memory_map(&m->ram, size, err))
        return false;
    m->bus.ram = m->ram.data;
    m->bus.ram_base = MACHINE_RAM_BASE;
    m->bus.ram_size = config->rom_size ? rom_at : m->ram.size;
    if (config->rom_size) {
        m->bus.rom.bytes = m->ram.data + rom_at;
        m->bus.rom.base = config->rom_base;
        m->bus.rom.size = config->rom_size;
    }
    return true;
}

struct machine *machine_new(const struct machine_config *config, struct error *err)
{
    struct machine *m = calloc(1, sizeof(*m));
    if (!m) {
        error_set(err, "out of memory");
        return NULL;
    }
    m->log = config->log;
    m->isa = config->isa;
    m->no_reboot = config->no_reboot;
    m->ram.fd = -1; /* not standard input, should nothing be mapped */
    m->held = true;
    pthread_mutex_init(&m->lock, NULL);
    pthread_mutex_init(&m->load_lock, NULL);
    pthread_cond_init(&m->changed, NULL);
    if (config->harts < 1 || config->harts > MACHINE_HARTS_MAX) {
        error_set(err, "%u harts: there can be 1 to %d", config->harts, MACHINE_HARTS_MAX);
        goto fail;
    }
    if (!map_memory(m, config, err))
        goto fail;
    m->chores = chores_new("rvvm-memory", err);
    if (!m->chores)
        goto fail;
    m->heat = calloc(m->bus.ram_size / BUS_CHUNK + 1, sizeof(*m->heat));
    if (!m->heat) {
        error_set(err, "out of memory");
        goto fail;
    }
    m->bus.ctx = m;
    m->bus.read = machine_bus_read;
    m->bus.write = machine_bus_write;
    m->bus.time = no_time;
    m->bus.set_stimer = bus_no_stimer;
    m->bus.entropy = bus_host_entropy;
    m->bus.heat = m->heat;
    m->bus.warm = machine_warm;
    for (unsigned i = 0; i < config->harts; i++) {
        struct hart_config hart = {.id = i, .isa = m->isa, .bus = &m->bus, .log = m->log};
        struct machine_hart *mh = &m->harts[i];
        mh->machine = m;
        mh->hsm = HSM_STOPPED;
        mh->hart = hart_new(&hart, err);
        if (!mh->hart)
            goto fail;
        pthread_cond_init(&mh->wake, NULL);
        m->hart_list[i] = mh->hart;
        m->hart_count++;
    }
    if (!config->interpret && !start_translator(m, config, err))
        goto fail;
    return m;
fail:
    machine_free(m);
    return NULL;
}

void machine_free(struct machine *m)
{
    if (!m)
        return;
    if (m->hart_count)
        machine_hold(m);
    pthread_mutex_lock(&m->lock);
    m->quit = true;
    machine_wake_harts(m);
    pthread_mutex_unlock(&m->lock);
    for (unsigned i = 0; i < m->hart_count; i++)
        if (m->harts[i].has_thread)
            pthread_join(m->harts[i].thread, NULL);
    /* Devices that drive interrupts go before the controllers they drive, which stand lower. */
    for (unsigned i = m->device_count; i--;)
        m->devices[i]->ops->remove(m->devices[i]->state);
    chores_free(m->chores);
    for (unsigned i = 0; m->jit && i < m->hart_count; i++)
        jit_detach(m->jit, m->hart_list[i]);
    jit_free(m->jit);
    for (unsigned i = 0; i < m->hart_count; i++) {
        hart_free(m->harts[i].hart);
        pthread_cond_destroy(&m->harts[i].wake);
    }
    boot_files_free(&m->files);
    boot_state_free(&m->boot);
    tree_edits_free(&m->tree_edits);
    memory_unmap(&m->ram);
    free(m->heat);
    pthread_cond_destroy(&m->changed);
    pthread_mutex_destroy(&m->lock);
    pthread_mutex_destroy(&m->load_lock);
    free(m);
}

/*
 * Harts
 */

static void *hart_thread(void *arg)
{
    struct machine_hart *mh = arg;
    struct machine *m = mh->machine;
    pthread_mutex_lock(&m->lock);
    while (!m->quit) {
        unsigned state = atomic_load(&mh->hsm);
        if (!machine_may_run(mh)) {
            mh->running = false;
            pthread_cond_broadcast(&m->changed);
            pthread_cond_wait(&mh->wake, &m->lock);
            continue;
        }
        mh->running = true;
        uint64_t pc = mh->start_pc, start_arg = mh->start_arg;
        bool step = mh->go == MACHINE_GO_STEP;
        if (state == HSM_START_PENDING)
            atomic_store(&mh->hsm, HSM_STARTED);
        pthread_mutex_unlock(&m->lock);
        if (state == HSM_START_PENDING)
            sbi_enter_supervisor(m, mh->hart, pc, start_arg);
        if (step)
            hart_step(mh->hart);
        else
            hart_run(mh->hart);
        pthread_mutex_lock(&m->lock);
        machine_hart_ran(mh);
    }
    mh->running = false;
    pthread_mutex_unlock(&m->lock);
    return NULL;
}

static bool start_threads(struct machine *m, struct error *err)
{
    for (unsigned i = 0; i < m->hart_count; i++) {
        struct machine_hart *mh = &m->harts[i];
        char name[16];
        snprintf(name, sizeof(name), "hart %u", i);
        if (mh->has_thread)
            continue;
        if (!thread_start(&mh->thread, THREAD_HART, name, hart_thread, mh, err))
            return error_prefix(err, "hart %u", i);
        mh->has_thread = true;
    }
    return true;
}

void machine_hold(struct machine *m)
{
    pthread_mutex_lock(&m->lock);
    m->held = true;
    machine_stop_harts(m);
    machine_await_rest(m);
    pthread_mutex_unlock(&m->lock);
}

void machine_release(struct machine *m)
{
    pthread_mutex_lock(&m->lock);
    m->held = false;
    machine_wake_harts(m);
    pthread_mutex_unlock(&m->lock);
}

bool machine_start_hart(struct machine *m, unsigned id, uint64_t pc, uint64_t arg)
{
    struct machine_hart *mh = &m->harts[id];
    pthread_mutex_lock(&m->lock);
    bool stopped = atomic_load(&mh->hsm) == HSM_STOPPED;
    if (stopped) {
        mh->start_pc = pc;
        mh->start_arg = arg;
        atomic_store(&mh->hsm, HSM_START_PENDING);
        pthread_cond_signal(&mh->wake);
    }
    pthread_mutex_unlock(&m->lock);
    return stopped;
}

void machine_stop_hart(struct machine *m, struct hart *h)
{
    pthread_mutex_lock(&m->lock);
    atomic_store(&m->harts[h->id].hsm, HSM_STOPPED);
    pthread_mutex_unlock(&m->lock);
    hart_stop(h);
}

/*
 * Reset and poweroff
 */

static bool load(struct machine *m, struct error *err)
{
    for (unsigned i = 0; i < m->device_count; i++)
        if (m->devices[i]->ops->reset)
            m->devices[i]->ops->reset(m->devices[i]->state);
    if (!boot_load(m, err))
        return false;
    if (m->jit)
        jit_ram_written(m->jit, 0, m->bus.ram_size);
    m->bus.sbi_call = m->boot.supervisor ? sbi_call : NULL;
    if (m->boot.supervisor && m->irq_controller.delegate)
        m->irq_controller.delegate(m->irq_controller.dev);
    for (unsigned i = 0; i < m->hart_count; i++) {
        struct machine_hart *mh = &m->harts[i];
        m->retired += mh->hart->instret;
        sbi_pmu_reset(&mh->pmu);
        atomic_store(&mh->hsm, m->boot.supervisor && i ? HSM_STOPPED : HSM_STARTED);
        if (m->boot.supervisor) {
            sbi_enter_supervisor(m, mh->hart, m->boot.entry, m->boot.dtb_address);
        } else {
            hart_reset(mh->hart, m->boot.entry, i, m->boot.dtb_address);
            mh->hart->x[12] = m->boot.dynamic_info;
        }
    }
    return true;
}

bool machine_load(struct machine *m, struct error *err)
{
    pthread_mutex_lock(&m->load_lock);
    bool ok = load(m, err);
    pthread_mutex_unlock(&m->load_lock);
    pthread_mutex_lock(&m->lock);
    m->loads++;
    machine_changed(m);
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
    if (ok && m->on_load)
        m->on_load(m->on_load_ctx);
    return ok;
}

void machine_request(void *machine, enum machine_request what, int code)
{
    struct machine *m = machine;
    pthread_mutex_lock(&m->lock);
    /* The first word counts, but for poweroff, which also overtakes a reset. */
    if (!m->requested || (what == MACHINE_POWEROFF && m->request == MACHINE_RESET)) {
        m->requested = true;
        m->request = what;
        m->request_code = code;
    }
    /* The harts rest at once, so that nothing runs on after the request. */
    m->held = true;
    machine_stop_harts(m);
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
}

static void set_powered(struct machine *m, bool powered)
{
    pthread_mutex_lock(&m->lock);
    m->powered = powered;
    machine_changed(m);
    pthread_cond_broadcast(&m->changed);
    pthread_mutex_unlock(&m->lock);
}

static bool run_until_end(struct machine *m, int *status, struct error *err)
{
    for (;;) {
        pthread_mutex_lock(&m->lock);
        bool run = !m->requested;
        pthread_mutex_unlock(&m->lock);
        /* Who looks at harts that rest holds load_lock: they do not go on meanwhile. */
        pthread_mutex_lock(&m->load_lock);
        if (run)
            machine_release(m);
        pthread_mutex_unlock(&m->load_lock);
        pthread_mutex_lock(&m->lock);
        while (!m->requested)
            pthread_cond_wait(&m->changed, &m->lock);
        pthread_mutex_unlock(&m->lock);
        machine_hold(m);
        pthread_mutex_lock(&m->lock);
        enum machine_request what = m->request;
        *status = m->request_code;
        m->requested = false;
        pthread_mutex_unlock(&m->lock);
        if (what == MACHINE_POWEROFF || m->no_reboot)
            return true;
        log_line(m->log, LOG_INFO, "reset");
        if (!machine_load(m, err))
            return false;
    }
}

bool machine_press_power(struct machine *m, struct error *err)
{
    if (!m->button.press)
        return error_set(err, "this machine has no power button");
    if (!machine_is_powered(m))
        return error_set(err, "the machine is off");
    return m->button.press(m->button.ctx, err);
}

bool machine_run(struct machine *m, int *status, struct error *err)
{
    *status = 0;
    if (!machine_load(m, err) || !start_threads(m, err))
        return false;
    set_powered(m, true);
    bool ok = run_until_end(m, status, err);
    set_powered(m, false);
    return ok;
}
