/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A port: its registers (section 3.3), the commands that the host issues (5.3 and 5.5), and how they
 * end: frames received into memory, task file, interrupts, errors (6.2).
 */
#include "dev/ahci/controller.h"

#include <string.h>

#define PRDS_AT_A_TIME 32

/*
 * Registers, under the lock, mostly on the thread of a hart
 */

static void wake(struct ahci_port *p)
{
    disk_wake(p->disk, &p->task);
}

/* What was issued is not answered any more. */
static void stop(struct ahci_port *p)
{
    p->generation++;
    p->begun = 0;
    p->current = 0;
    p->failed = false;
    p->registers.ci = p->registers.sact = 0;
}

void ahci_port_power_on(struct ahci_port *p)
{
    stop(p);
    p->reset = false;
    p->registers = (struct ahci_port_registers){.tfd = ATA_BSY};
}

void ahci_port_reset_drive(struct ahci_port *p)
{
    p->reset = false;
    /* The error register says that the drive has found itself in order. */
    p->registers.tfd = 1 << 8 | ATA_READY;
    p->registers.ssts = SSTS_ONLINE;
    p->registers.serr |= SERR_DIAG_X | SERR_DIAG_N;
    ata_power_on(p);
}

static void write_cmd(struct ahci_port *p, uint32_t value)
{
    struct ahci_port_registers *r = &p->registers;
    if ((r->cmd & CMD_ST) && !(value & CMD_ST))
        stop(p);
    if ((value & CMD_CLO) && !(r->cmd & CMD_ST))
        r->tfd &= ~(uint32_t)(ATA_BSY | ATA_DRQ);
    r->cmd = value & CMD_WRITABLE;
}

/* Section 3.3.11: the line is reset while DET is 1, off while it is 4, and comes up after either. */
static void write_sctl(struct ahci_port *p, uint32_t value)
{
    struct ahci_port_registers *r = &p->registers;
    bool was_down = r->sctl & SCTL_DET_MASK;
    r->sctl = value & 0xfff;
    if (r->sctl & SCTL_DET_MASK) {
        stop(p);
        r->ssts = 0;
        r->tfd = ATA_BSY;
    } else if (was_down) {
        p->reset = true;
        wake(p);
    }
}

uint32_t ahci_port_read(struct ahci_port *p, unsigned offset)
{
    const struct ahci_port_registers *r = &p->registers;
    switch (offset) {
    case PORT_CLB:
        return (uint32_t)r->clb;
    case PORT_CLBU:
        return (uint32_t)(r->clb >> 32);
    case PORT_FB:
        return (uint32_t)r->fb;
    case PORT_FBU:
        return (uint32_t)(r->fb >> 32);
    case PORT_IS:
        return ahci_port_causes(p);
    case PORT_IE:
        return r->ie;
    case PORT_CMD:
        return r->cmd | CMD_SUD | CMD_POD | p->current << CMD_CCS_SHIFT |
               (r->cmd & CMD_FRE ? CMD_FR : 0) | (r->cmd & CMD_ST || p->under_way ? CMD_CR : 0);
    case PORT_TFD:
        return r->tfd;
    case PORT_SIG:
        return ATA_SIGNATURE;
    case PORT_SSTS:
        return r->ssts;
    case PORT_SCTL:
        return r->sctl;
    case PORT_SERR:
        return r->serr;
    case PORT_SACT:
        return r->sact;
    case PORT_CI:
        return r->ci;
    default:
        return 0;
    }
}

static uint64_t with_low(uint64_t address, uint32_t low)
{
    return (address >> 32) << 32 | low;
}

static uint64_t with_high(uint64_t address, uint32_t high)
{
    return (uint32_t)address | (uint64_t)high << 32;
}

void ahci_port_write(struct ahci_port *p, unsigned offset, uint32_t value)
{
    struct ahci_port_registers *r = &p->registers;
    switch (offset) {
    case PORT_CLB:
        r->clb = with_low(r->clb, value & ~0x3ffu);
        break;
    case PORT_CLBU:
        r->clb = with_high(r->clb, value);
        break;
    case PORT_FB:
        r->fb = with_low(r->fb, value & ~0xffu);
        break;
    case PORT_FBU:
        r->fb = with_high(r->fb, value);
        break;
    case PORT_IS:
        r->is &= ~value;
        break;
    case PORT_IE:
        r->ie = value & IS_IMPLEMENTED;
        break;
    case PORT_CMD:
        write_cmd(p, value);
        break;
    case PORT_SCTL:
        write_sctl(p, value);
        break;
    case PORT_SERR:
        r->serr &= ~value;
        break;
    case PORT_SACT:
        r->sact |= r->cmd & CMD_ST ? value : 0;
        return;
    case PORT_CI:
        r->ci |= r->cmd & CMD_ST ? value : 0;
        wake(p);
        return;
    }
    ahci_update_interrupts(p->ahci);
}

/*
 * Received frames, under the lock
 */

static void receive_frame(struct ahci_port *p, unsigned offset, const void *frame, size_t size)
{
    if (p->registers.cmd & CMD_FRE)
        pci_dma_write(p->ahci->pci, p->registers.fb + offset, frame, size);
}

/* The drive's registers, as a frame of either kind that carries them. */
static void receive_registers(struct ahci_port *p, const struct fis_host_to_device *f, bool pio,
                              uint8_t error, size_t size)
{
    struct fis_device_to_host frame = {
        .type = pio ? FIS_PIO_SETUP : FIS_DEVICE_TO_HOST,
        .flags = FIS_INTERRUPT | (pio ? FIS_TO_HOST : 0),
        .status = (uint8_t)p->registers.tfd,
        .error = error,
        .device = f->device,
        .count_low = f->count_low,
        .count_high = f->count_high,
        .end_status = pio ? (uint8_t)p->registers.tfd : 0,
        .transfer_count = pio ? (uint16_t)size : 0,
    };
    memcpy(frame.lba_low, f->lba_low, sizeof(frame.lba_low));
    memcpy(frame.lba_high, f->lba_high, sizeof(frame.lba_high));
    receive_frame(p, pio ? RECEIVED_PIO_SETUP : RECEIVED_REGISTER, &frame, sizeof(frame));
    p->registers.is |= pio ? IS_PSS : IS_DHRS;
}

static void receive_device_bits(struct ahci_port *p, uint32_t done, uint8_t error)
{
    struct fis_device_bits frame = {
        .type = FIS_DEVICE_BITS,
        .flags = FIS_INTERRUPT,
        .status = (uint8_t)p->registers.tfd & 0x77,
        .error = error,
        .done = done,
    };
    receive_frame(p, RECEIVED_DEVICE_BITS, &frame, sizeof(frame));
    p->registers.is |= IS_SDBS;
}

/*
 * Ends of commands, in the task
 */

/* Whether there was a stop since the command was issued. Under the lock. */
static bool is_stale(const struct ahci_slot *slot)
{
    return slot->generation != slot->port->generation;
}

/* A command of before a stop ends with nobody told. */
static void forget(struct ahci_slot *slot)
{
    if (!slot->queued)
        slot->port->exclusive = false;
}

static void end_registers(struct ahci_slot *slot, uint8_t error)
{
    struct ahci_port *p = slot->port;
    struct ahci_port_registers *r = &p->registers;
    uint32_t bytes = (uint32_t)slot->size, bit = UINT32_C(1) << slot->number;
    r->tfd = ATA_READY | (error ? ATA_ERR | (uint32_t)error << 8 : 0);
    if (error) {
        /* The command stays in CI and shows which one has failed. */
        r->is |= IS_TFES;
        p->failed = true;
    } else {
        pci_dma_write(p->ahci->pci, r->clb + sizeof(slot->header) * slot->number + COMMAND_PRDBC,
                      &bytes, sizeof(bytes));
        r->ci &= ~bit;
        p->begun &= ~bit;
    }
    receive_registers(p, &slot->fis, slot->pio && !error, error, slot->size);
}

uint64_t ahci_address(const struct fis_host_to_device *f)
{
    return f->lba_low[0] | (uint32_t)f->lba_low[1] << 8 | (uint32_t)f->lba_low[2] << 16 |
           (uint64_t)f->lba_high[0] << 24 | (uint64_t)f->lba_high[1] << 32 |
           (uint64_t)f->lba_high[2] << 40;
}

static void end_queued(struct ahci_slot *slot, uint8_t error)
{
    struct ahci_port *p = slot->port;
    if (!error) {
        p->queue_done |= UINT32_C(1) << slot->tag;
        p->queue_generation = slot->generation;
        return;
    }
    p->registers.tfd = ATA_READY | ATA_ERR | (uint32_t)error << 8;
    p->registers.is |= IS_TFES;
    p->failed = true;
    p->queue_error.valid = true;
    p->queue_error.tag = slot->tag;
    p->queue_error.status = (uint8_t)p->registers.tfd;
    p->queue_error.error = error;
    p->queue_error.lba = ahci_address(&slot->fis);
    receive_device_bits(p, 0, error);
}

void ahci_finish(struct ahci_slot *slot, uint8_t error)
{
    struct ahci_port *p = slot->port;
    if (error)
        log_line(pci_log(p->ahci->pci), LOG_GUEST, "ahci: port %u: command 0x%02x: error 0x%02x",
                 p->number, slot->fis.command, error);
    if (!slot->queued)
        p->exclusive = false;
    pthread_mutex_lock(&p->ahci->lock);
    if (!is_stale(slot) && slot->queued)
        end_queued(slot, error);
    else if (!is_stale(slot))
        end_registers(slot, error);
    pthread_mutex_unlock(&p->ahci->lock);
}

/* What the controller itself could not do. */
static void fail(struct ahci_slot *slot, uint32_t cause)
{
    struct ahci_port *p = slot->port;
    log_line(pci_log(p->ahci->pci), LOG_GUEST,
             "ahci: port %u: a command, or the memory it names, is malformed: 0x%08x", p->number,
             cause);
    if (!slot->queued)
        p->exclusive = false;
    pthread_mutex_lock(&p->ahci->lock);
    if (!is_stale(slot)) {
        p->registers.is |= cause;
        p->registers.tfd = ATA_READY | ATA_ERR | ATA_ABRT << 8;
        p->failed = true;
    }
    pthread_mutex_unlock(&p->ahci->lock);
}

/* All queued commands that this run has ended, in one frame. */
static void tell_queue_done(struct ahci_port *p)
{
    if (p->queue_done && p->queue_generation == p->generation) {
        p->registers.sact &= ~p->queue_done;
        receive_device_bits(p, p->queue_done, 0);
    }
    p->queue_done = 0;
}

/*
 * Data, section 4.2.3.3
 */

bool ahci_map_data(struct ahci_slot *slot, size_t size)
{
    struct ahci *a = slot->port->ahci;
    struct ahci_prd prds[PRDS_AT_A_TIME];
    uint64_t at = slot->table + TABLE_PRDT;
    unsigned left = slot->header.prdtl;
    slot->size = size;
    slot->piece_count = 0;
    while (size) {
        unsigned count = left < PRDS_AT_A_TIME ? left : PRDS_AT_A_TIME;
        if (!count || slot->piece_count + count > AHCI_PIECES_MAX) {
            fail(slot, IS_OFS);
            return false;
        }
        if (!pci_dma_read(a->pci, at, prds, count * sizeof(prds[0]))) {
            fail(slot, IS_HBFS);
            return false;
        }
        for (unsigned i = 0; size && i < count; i++) {
            size_t length = (prds[i].count & PRD_COUNT_MASK) + (size_t)1;
            length = length < size ? length : size;
            void *bytes = pci_dma_map(a->pci, prds[i].address, length);
            if (!bytes || length % 2) {
                fail(slot, IS_HBFS);
                return false;
            }
            slot->pieces[slot->piece_count++] = (struct iovec){bytes, length};
            size -= length;
        }
        at += count * sizeof(prds[0]);
        left -= count;
    }
    return true;
}

bool ahci_send(struct ahci_slot *slot, const void *bytes, size_t size)
{
    struct ahci *a = slot->port->ahci;
    const uint8_t *from = bytes;
    if (!ahci_map_data(slot, size))
        return false;
    /* Under the lock, so that nothing is written when PxCMD.CR says that the port has stopped. */
    pthread_mutex_lock(&a->lock);
    bool goes_on = !is_stale(slot);
    for (unsigned i = 0; goes_on && i < slot->piece_count; i++) {
        const struct iovec *piece = &slot->pieces[i];
        memcpy(piece->iov_base, from, piece->iov_len);
        pci_dma_written(a->pci, piece->iov_base, piece->iov_len);
        from += piece->iov_len;
    }
    pthread_mutex_unlock(&a->lock);
    if (!goes_on)
        forget(slot);
    return goes_on;
}

bool ahci_receive(struct ahci_slot *slot, void *bytes, size_t size)
{
    uint8_t *to = bytes;
    if (!ahci_map_data(slot, size))
        return false;
    for (unsigned i = 0; i < slot->piece_count; i++) {
        memcpy(to, slot->pieces[i].iov_base, slot->pieces[i].iov_len);
        to += slot->pieces[i].iov_len;
    }
    return true;
}

/*
 * Commands
 */

/* On any thread. */
static void disk_done(struct disk_request *disk, int error)
{
    struct ahci_slot *slot = (struct ahci_slot *)disk;
    struct ahci_port *p = slot->port;
    slot->error = error;
    atomic_fetch_or(&p->disk_results, UINT32_C(1) << slot->number);
    wake(p);
}

void ahci_submit(struct ahci_slot *slot, void (*then)(struct ahci_slot *, int error))
{
    struct ahci_port *p = slot->port;
    pthread_mutex_lock(&p->ahci->lock);
    bool goes_on = !is_stale(slot);
    p->under_way += goes_on;
    pthread_mutex_unlock(&p->ahci->lock);
    if (!goes_on) { /* the host may have seen PxCMD.CR clear, and the memory is its own again */
        forget(slot);
        return;
    }
    slot->busy = true;
    slot->then = then;
    slot->disk.done = disk_done;
    disk_submit(p->disk, &slot->disk);
}

static void take_disk_results(struct ahci_port *p, bool halted)
{
    uint32_t results = atomic_exchange(&p->disk_results, 0);
    for (; results; results &= results - 1) {
        struct ahci_slot *slot = &p->slots[__builtin_ctz(results)];
        slot->busy = false;
        pthread_mutex_lock(&p->ahci->lock);
        p->under_way--;
        bool stale = is_stale(slot);
        pthread_mutex_unlock(&p->ahci->lock);
        if (!halted && !stale)
            slot->then(slot, slot->error);
        else
            forget(slot);
    }
}

/* A command that has been issued and not been looked at. Under the lock. */
static struct ahci_slot *issued(struct ahci_port *p)
{
    const struct ahci_port_registers *r = &p->registers;
    if (!(r->cmd & CMD_ST) || p->failed || p->reset || p->exclusive)
        return NULL;
    for (uint32_t ready = r->ci & ~p->begun; ready; ready &= ready - 1) {
        struct ahci_slot *slot = &p->slots[__builtin_ctz(ready)];
        if (slot->busy)
            continue; /* a reset has left it with the disk */
        p->current = slot->number;
        slot->generation = p->generation;
        slot->size = 0;
        slot->queued = slot->pio = false;
        return slot;
    }
    return NULL;
}

/* The command as it stands in guest memory. */
static bool fetch(struct ahci_slot *slot, uint64_t list)
{
    struct pci_function *pci = slot->port->ahci->pci;
    struct ahci_command *header = &slot->header;
    if (!pci_dma_read(pci, list + slot->number * sizeof(*header), header, sizeof(*header)))
        return false;
    slot->table = (header->ctba & ~UINT32_C(0x7f)) | (uint64_t)header->ctbau << 32;
    return pci_dma_read(pci, slot->table, &slot->fis, sizeof(slot->fis));
}

/* A frame without a command: SRST set and cleared again resets the drive. */
static void take_control(struct ahci_slot *slot)
{
    struct ahci_port *p = slot->port;
    bool set = slot->fis.control & CONTROL_SRST, was_set = p->soft_reset;
    pthread_mutex_lock(&p->ahci->lock);
    if (is_stale(slot)) {
        pthread_mutex_unlock(&p->ahci->lock);
        return;
    }
    p->soft_reset = set;
    p->registers.ci &= ~(UINT32_C(1) << slot->number);
    p->registers.tfd = ATA_BSY;
    if (!set) {
        ata_power_on(p);
        p->registers.tfd = 1 << 8 | ATA_READY;
    }
    if (!set && was_set) {
        struct fis_host_to_device signature = {.lba_low = {1}, .count_low = 1};
        receive_registers(p, &signature, false, 1, 0);
    }
    pthread_mutex_unlock(&p->ahci->lock);
}

/* Marks it begun. false: it has to wait, or has ended. */
static bool accept(struct ahci_slot *slot)
{
    struct ahci_port *p = slot->port;
    uint32_t bit = UINT32_C(1) << slot->number;
    bool well_formed = slot->fis.type == FIS_HOST_TO_DEVICE &&
                       (slot->header.flags & COMMAND_FIS_DWORDS) >= sizeof(slot->fis) / 4 &&
                       !(slot->fis.flags & FIS_PORT_MASK);
    bool is_command = slot->fis.flags & FIS_COMMAND;
    slot->queued = is_command && ata_is_queued(slot->fis.command);
    slot->tag = slot->fis.count_low >> 3;
    if (!well_formed) {
        fail(slot, IS_IFS);
        return false;
    }
    if (!is_command) {
        take_control(slot);
        return false;
    }
    pthread_mutex_lock(&p->ahci->lock);
    bool begins = !is_stale(slot) && (slot->queued || !p->under_way);
    if (begins && slot->queued)
        p->registers.ci &= ~bit; /* from here on SACT shows it */
    else if (begins)
        p->begun |= bit;
    if (begins)
        p->registers.tfd = ATA_READY | (slot->queued ? 0 : ATA_BSY);
    pthread_mutex_unlock(&p->ahci->lock);
    p->exclusive = begins && !slot->queued;
    return begins;
}

/* false: there is nothing to begin now. */
static bool begin_next(struct ahci_port *p)
{
    pthread_mutex_lock(&p->ahci->lock);
    struct ahci_slot *slot = issued(p);
    uint64_t list = p->registers.clb;
    pthread_mutex_unlock(&p->ahci->lock);
    if (!slot)
        return false;
    if (!fetch(slot, list)) {
        fail(slot, IS_HBFS);
        return false;
    }
    if (!accept(slot))
        return !(slot->fis.flags & FIS_COMMAND);
    ata_begin(slot);
    return true;
}

void ahci_port_run(struct disk_task *task)
{
    struct ahci_port *p = (struct ahci_port *)((char *)task - offsetof(struct ahci_port, task));
    bool halted = atomic_load(&p->ahci->halted);
    take_disk_results(p, halted);
    if (halted)
        return;
    pthread_mutex_lock(&p->ahci->lock);
    if (p->reset && !p->under_way) {
        ahci_port_reset_drive(p);
        ahci_port_was_reset(p->ahci);
    }
    pthread_mutex_unlock(&p->ahci->lock);
    unsigned begun = 0;
    while (begun < AHCI_SLOTS && begin_next(p))
        begun++;
    if (begun == AHCI_SLOTS)
        wake(p); /* there may be more; others have their turn first */
    pthread_mutex_lock(&p->ahci->lock);
    tell_queue_done(p);
    ahci_update_interrupts(p->ahci);
    pthread_mutex_unlock(&p->ahci->lock);
}
