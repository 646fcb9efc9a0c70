/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the drive behind a port does with a command (ATA8-ACS). Data go between the disk and guest
 * memory with nothing between them, whether the command is of the DMA or of the PIO kind: on this
 * side of the controller the two differ only in the frame that ends them.
 */
#include "dev/ahci/controller.h"

#include <errno.h>
#include <string.h>

enum { SMART_READ_DATA = 0xd0, SMART_READ_THRESHOLDS = 0xd1, SMART_AUTOSAVE = 0xd2 };
enum { SMART_ENABLE = 0xd8, SMART_DISABLE = 0xd9, SMART_STATUS = 0xda };
enum { FEATURE_WRITE_CACHE_ON = 0x02, FEATURE_TRANSFER_MODE = 0x03, FEATURE_LOOK_AHEAD_OFF = 0x55 };
enum { FEATURE_WRITE_CACHE_OFF = 0x82, FEATURE_LOOK_AHEAD_ON = 0xaa };
enum { LOG_DIRECTORY = 0x00, LOG_QUEUE_ERROR = 0x10 };
enum { TRIM = 1 << 0, POWER_ACTIVE = 0xff };

void ata_power_on(struct ahci_port *p)
{
    p->soft_reset = false;
    p->write_cache = p->look_ahead = p->smart = true;
    p->queue_error.valid = false;
}

bool ata_is_queued(uint8_t command)
{
    return command == ATA_READ_FPDMA_QUEUED || command == ATA_WRITE_FPDMA_QUEUED;
}

/*
 * Registers
 */

static uint64_t address_28(const struct fis_host_to_device *f)
{
    return f->lba_low[0] | (uint32_t)f->lba_low[1] << 8 | (uint32_t)f->lba_low[2] << 16 |
           (uint32_t)(f->device & 0x0f) << 24;
}

/* Sectors of a command, on the drive. Zero of them stands for as many as can be said. */
static bool take_sectors(struct ahci_slot *slot, bool extended)
{
    const struct fis_host_to_device *f = &slot->fis;
    const struct ahci_port *p = slot->port;
    uint64_t first = extended ? ahci_address(f) : address_28(f);
    uint32_t count = f->count_low;
    if (slot->queued)
        count = f->features_low | (uint32_t)f->features_high << 8;
    else if (extended)
        count |= (uint32_t)f->count_high << 8;
    if (!count)
        count = extended ? 65536 : 256;
    if (!(f->device & DEVICE_LBA) || first > p->sectors || count > p->sectors - first)
        return false;
    slot->disk = (struct disk_request){
        .offset = first * ATA_SECTOR,
        .size = (uint64_t)count * ATA_SECTOR,
    };
    return true;
}

/*
 * Reading and writing
 */

static uint8_t error_bits(const struct ahci_slot *slot, int error)
{
    if (!error)
        return 0;
    return error == EIO && slot->disk.op == DISK_READ ? ATA_UNC : ATA_ABRT;
}

static void ended(struct ahci_slot *slot, int error)
{
    ahci_finish(slot, error_bits(slot, error));
}

static void read_ended(struct ahci_slot *slot, int error)
{
    for (unsigned i = 0; i < slot->piece_count; i++) /* a part of it, if it has failed */
        pci_dma_written(slot->port->ahci->pci, slot->pieces[i].iov_base, slot->pieces[i].iov_len);
    ended(slot, error);
}

static void transfer(struct ahci_slot *slot, enum disk_op op, bool extended, bool fua)
{
    if (!take_sectors(slot, extended)) {
        ahci_finish(slot, ATA_IDNF);
        return;
    }
    if (op == DISK_WRITE && slot->port->info->read_only) {
        ahci_finish(slot, ATA_ABRT);
        return;
    }
    if (!ahci_map_data(slot, slot->disk.size))
        return;
    slot->disk.op = op;
    slot->disk.iov = slot->pieces;
    slot->disk.iovcnt = slot->piece_count;
    slot->disk.fua = op == DISK_WRITE && (fua || !slot->port->write_cache);
    ahci_submit(slot, op == DISK_READ ? read_ended : ended);
}

static void queued(struct ahci_slot *slot)
{
    bool write = slot->fis.command == ATA_WRITE_FPDMA_QUEUED;
    if (slot->tag != slot->number) { /* AHCI, 5.6.4: the slot is the tag */
        ahci_finish(slot, ATA_ABRT);
        return;
    }
    transfer(slot, write ? DISK_WRITE : DISK_READ, true, slot->fis.device & DEVICE_FUA);
}

static void verify(struct ahci_slot *slot, bool extended)
{
    ahci_finish(slot, take_sectors(slot, extended) ? 0 : ATA_IDNF);
}

static void flush(struct ahci_slot *slot)
{
    slot->disk = (struct disk_request){.op = DISK_FLUSH};
    ahci_submit(slot, ended);
}

/*
 * Data Set Management: ranges of 48 bits of address and 16 of length, of which those without length
 * fill up the list.
 */

static void trim_next(struct ahci_slot *slot, int error)
{
    while (!error && slot->step < slot->steps) {
        uint64_t range = slot->ranges[slot->step++], sectors = range >> 48;
        if (!sectors)
            continue;
        slot->disk = (struct disk_request){
            .op = DISK_DISCARD,
            .offset = (range & UINT64_C(0xffffffffffff)) * ATA_SECTOR,
            .size = sectors * ATA_SECTOR,
        };
        ahci_submit(slot, trim_next);
        return;
    }
    ended(slot, error);
}

static void manage_data_set(struct ahci_slot *slot)
{
    const struct ahci_port *p = slot->port;
    size_t size = (slot->fis.count_low | (size_t)slot->fis.count_high << 8) * ATA_SECTOR;
    if (!(slot->fis.features_low & TRIM) || !size || size > ATA_TRIM_SECTORS_MAX * ATA_SECTOR ||
        p->info->read_only) {
        ahci_finish(slot, ATA_ABRT);
        return;
    }
    if (!ahci_receive(slot, slot->ranges, size))
        return;
    slot->step = 0;
    slot->steps = (unsigned)(size / sizeof(slot->ranges[0]));
    for (unsigned i = 0; i < slot->steps; i++) {
        uint64_t first = slot->ranges[i] & UINT64_C(0xffffffffffff);
        if (first > p->sectors || slot->ranges[i] >> 48 > p->sectors - first) {
            ahci_finish(slot, ATA_IDNF);
            return;
        }
    }
    trim_next(slot, 0);
}

/*
 * What the drive says of itself
 */

static void seal(uint8_t page[ATA_SECTOR])
{
    uint8_t sum = 0;
    for (unsigned i = 0; i < ATA_SECTOR - 1; i++)
        sum += page[i];
    page[ATA_SECTOR - 1] = (uint8_t)-sum;
}

static void send_page(struct ahci_slot *slot, const uint8_t page[ATA_SECTOR])
{
    if (ahci_send(slot, page, ATA_SECTOR))
        ahci_finish(slot, 0);
}

/* Health of a disk that does not wear: no attributes, no logs. */
static void smart(struct ahci_slot *slot)
{
    struct fis_host_to_device *f = &slot->fis;
    struct ahci_port *p = slot->port;
    uint8_t page[ATA_SECTOR] = {0};
    bool enables = f->features_low == SMART_ENABLE;
    if (f->lba_low[1] != 0x4f || f->lba_low[2] != 0xc2 || (!p->smart && !enables)) {
        ahci_finish(slot, ATA_ABRT);
        return;
    }
    slot->pio = true;
    switch (f->features_low) {
    case SMART_READ_DATA:
    case SMART_READ_THRESHOLDS:
        page[0] = 1; /* revision of its structure */
        seal(page);
        send_page(slot, page);
        return;
    case SMART_ENABLE:
    case SMART_DISABLE:
        p->smart = enables;
        break;
    case SMART_AUTOSAVE:
    case SMART_STATUS: /* the key comes back as it is: no threshold is exceeded */
        break;
    default:
        slot->pio = false;
        ahci_finish(slot, ATA_ABRT);
        return;
    }
    slot->pio = false;
    ahci_finish(slot, 0);
}

/* ATA8-ACS, A.14: which of the queued commands has failed, and how. */
static void queue_error_page(struct ahci_port *p, uint8_t page[ATA_SECTOR])
{
    page[0] = p->queue_error.valid ? p->queue_error.tag : 1 << 7;
    page[2] = p->queue_error.status;
    page[3] = p->queue_error.error;
    for (unsigned i = 0; i < 3; i++) {
        page[4 + i] = (uint8_t)(p->queue_error.lba >> 8 * i);
        page[8 + i] = (uint8_t)(p->queue_error.lba >> (24 + 8 * i));
    }
    page[7] = DEVICE_LBA;
    seal(page);
    p->queue_error.valid = false;
}

static void read_log(struct ahci_slot *slot, bool pio)
{
    const struct fis_host_to_device *f = &slot->fis;
    uint8_t page[ATA_SECTOR] = {0};
    bool one_page = f->count_low == 1 && !f->count_high && !f->lba_low[1] && !f->lba_high[1];
    if (!one_page || (f->lba_low[0] != LOG_DIRECTORY && f->lba_low[0] != LOG_QUEUE_ERROR)) {
        ahci_finish(slot, ATA_ABRT);
        return;
    }
    slot->pio = pio;
    if (f->lba_low[0] == LOG_QUEUE_ERROR) {
        queue_error_page(slot->port, page);
    } else {
        page[0] = 1;                   /* version */
        page[2 * LOG_QUEUE_ERROR] = 1; /* pages */
    }
    send_page(slot, page);
}

static void identify(struct ahci_slot *slot)
{
    slot->pio = true;
    if (ata_identify(slot))
        ahci_finish(slot, 0);
}

static void set_features(struct ahci_slot *slot)
{
    struct ahci_port *p = slot->port;
    uint8_t error = 0;
    switch (slot->fis.features_low) {
    case FEATURE_TRANSFER_MODE: /* none is slower than another */
        break;
    case FEATURE_WRITE_CACHE_ON:
        p->write_cache = true;
        break;
    case FEATURE_WRITE_CACHE_OFF: /* what it holds is written before this ends */
        p->write_cache = false;
        flush(slot);
        return;
    case FEATURE_LOOK_AHEAD_ON:
    case FEATURE_LOOK_AHEAD_OFF:
        p->look_ahead = slot->fis.features_low == FEATURE_LOOK_AHEAD_ON;
        break;
    default:
        error = ATA_ABRT;
    }
    ahci_finish(slot, error);
}

static void set_multiple(struct ahci_slot *slot)
{
    unsigned count = slot->fis.count_low;
    bool good = count <= 16 && !(count & (count - 1));
    ahci_finish(slot, good ? 0 : ATA_ABRT);
}

void ata_begin(struct ahci_slot *slot)
{
    switch (slot->fis.command) {
    case ATA_READ_FPDMA_QUEUED:
    case ATA_WRITE_FPDMA_QUEUED:
        queued(slot);
        break;
    case ATA_READ_DMA:
    case ATA_READ_SECTORS:
    case ATA_READ_MULTIPLE:
        slot->pio = slot->fis.command != ATA_READ_DMA;
        transfer(slot, DISK_READ, false, false);
        break;
    case ATA_READ_DMA_EXT:
    case ATA_READ_SECTORS_EXT:
    case ATA_READ_MULTIPLE_EXT:
        slot->pio = slot->fis.command != ATA_READ_DMA_EXT;
        transfer(slot, DISK_READ, true, false);
        break;
    case ATA_WRITE_DMA:
    case ATA_WRITE_SECTORS:
    case ATA_WRITE_MULTIPLE:
        transfer(slot, DISK_WRITE, false, false);
        break;
    case ATA_WRITE_DMA_EXT:
    case ATA_WRITE_SECTORS_EXT:
    case ATA_WRITE_MULTIPLE_EXT:
        transfer(slot, DISK_WRITE, true, false);
        break;
    case ATA_WRITE_DMA_FUA_EXT:
        transfer(slot, DISK_WRITE, true, true);
        break;
    case ATA_READ_VERIFY:
        verify(slot, false);
        break;
    case ATA_READ_VERIFY_EXT:
        verify(slot, true);
        break;
    case ATA_FLUSH_CACHE:
    case ATA_FLUSH_CACHE_EXT:
        flush(slot);
        break;
    case ATA_DATA_SET_MANAGEMENT:
        manage_data_set(slot);
        break;
    case ATA_IDENTIFY_DEVICE:
        identify(slot);
        break;
    case ATA_READ_LOG_EXT:
        read_log(slot, true);
        break;
    case ATA_READ_LOG_DMA_EXT:
        read_log(slot, false);
        break;
    case ATA_SMART:
        smart(slot);
        break;
    case ATA_SET_FEATURES:
        set_features(slot);
        break;
    case ATA_SET_MULTIPLE:
        set_multiple(slot);
        break;
    case ATA_CHECK_POWER_MODE:
        slot->fis.count_low = POWER_ACTIVE;
        ahci_finish(slot, 0);
        break;
    case ATA_STANDBY_IMMEDIATE: /* a drive that rests shall have written everything */
    case ATA_STANDBY:
    case ATA_SLEEP: /* it wakes at the next command, and not by a reset only */
        flush(slot);
        break;
    case ATA_IDLE_IMMEDIATE:
    case ATA_IDLE:
    case ATA_EXECUTE_DIAGNOSTIC:
        ahci_finish(slot, 0);
        break;
    default:
        ahci_finish(slot, ATA_ABRT);
    }
}
