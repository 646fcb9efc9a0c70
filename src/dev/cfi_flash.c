/* SPDX-License-Identifier: MPL-2.0 */
/*
 * NOR flash with Intel's command set (JEDEC JEP137, "Common Flash Memory Interface (CFI) ID codes",
 * 0001; Intel AP-646, "Common Flash Interface and command sets"; Numonyx P30 data sheet for the chips'
 * behaviour): two x16 chips, whose commands and answers are the same in both halves of a 32-bit word.
 *
 * A bank answers loads with its array, its status, its identity or the CFI table. The first write of a
 * command chooses; some want a second one, which data or a confirmation follows. Programming can only
 * clear bits, erasing sets all bits of a sector.
 *
 * What is programmed or erased is in memory at once and in the image when the status says ready: the
 * chips are busy as long as the host writes. So after a kill the image holds all that the guest
 * has seen finished, as flash does after a power cut.
 */
#include "dev/cfi_flash.h"

#include "block/disk.h"
#include "machine/fdt.h"
#include "machine/machine.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CHIPS 2 /* side by side in a word */
#define SECTOR_SIZE (256u << 10)
#define BUFFER_SIZE 1024u /* of both chips: what one buffered program may write */
#define CHUNK_SIZE (1u << 20)

enum command {
    CMD_WORD_PROGRAM_ALT = 0x10,
    CMD_BLOCK_ERASE = 0x20,
    CMD_WORD_PROGRAM = 0x40,
    CMD_CLEAR_STATUS = 0x50,
    CMD_LOCK_SETUP = 0x60,
    CMD_READ_STATUS = 0x70,
    CMD_READ_ID = 0x90,
    CMD_READ_QUERY = 0x98,
    CMD_CONFIRM = 0xd0,
    CMD_BUFFERED_PROGRAM = 0xe8,
    CMD_READ_ARRAY_ALT = 0xf0, /* what Linux and EDK2 write to flash of either kind */
    CMD_READ_ARRAY = 0xff,
};

enum status {
    STATUS_LOCKED = 1 << 1,
    STATUS_PROGRAM_ERROR = 1 << 4,
    STATUS_ERASE_ERROR = 1 << 5,
    STATUS_READY = 1 << 7,
};

enum mode { MODE_ARRAY, MODE_STATUS, MODE_ID, MODE_QUERY };

/* What the next write to the bank is. */
enum phase {
    PHASE_COMMAND,
    PHASE_WORD,         /* data of a word program */
    PHASE_ERASE,        /* its confirmation */
    PHASE_LOCK,         /* what to do with the block's lock */
    PHASE_COUNT,        /* words of a buffered program, less one */
    PHASE_BUFFER,       /* the words */
    PHASE_BUFFER_START, /* the confirmation */
};

struct bank {
    struct cfi_flash *flash;
    uint8_t *bytes;    /* CFI_FLASH_BANK_SIZE of them, of bus.rom */
    struct disk *disk; /* NULL: none */
    uint64_t kept;     /* bytes that the image holds, from the first on */
    bool read_only;

    pthread_mutex_t lock; /* all below */
    enum mode mode;
    enum phase phase;
    uint8_t errors; /* of enum status */
    bool busy;      /* the image is being written */
    struct disk_request request;
    struct iovec iov;
    struct {
        unsigned words;    /* that are still to come */
        uint64_t at;       /* offset of the first byte that it may write */
        bool begun, wrong; /* has an address; one was outside */
        uint8_t data[BUFFER_SIZE];
    } buffer;
};

struct cfi_flash {
    struct device device;
    struct machine *machine;
    struct bank banks[CFI_FLASH_BANKS];
};

/* The CFI query table of one chip, from address 0x10 on: 16 MiB in 128 blocks of 128 KiB. */
static const uint8_t cfi_table[] = {
    'Q',  'R',  'Y',                          /* 0x10 */
    0x01, 0x00, 0x31, 0x00,                   /* 0x13: command set 0001, its table at 0x31 */
    0x00, 0x00, 0x00, 0x00,                   /* 0x17: no other command set */
    0x45, 0x55, 0x00, 0x00,                   /* 0x1b: 4.5 to 5.5 V, no programming voltage */
    0x08, 0x0a, 0x0a, 0x00,                   /* 0x1f: typical times, 2^n: word, buffer (us), */
    0x04, 0x04, 0x04, 0x00,                   /* 0x23: erase (ms); the most, 2^n times that */
    0x18, 0x01, 0x00, 0x09, 0x00,             /* 0x27: 2^24 bytes, x16, buffer of 2^9 bytes */
    0x01, 0x7f, 0x00, 0x00, 0x02,             /* 0x2c: one region: 128 blocks of 512 * 256 */
    'P',  'R',  'I',  '1',  '0',              /* 0x31: version 1.0 */
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* 0x36: no optional features */
    0x50, 0x00, 0x00,                         /* 0x3d: best at 5.0 V */
};
#define CFI_FIRST 0x10

enum { ID_MANUFACTURER = 0x89, ID_DEVICE = 0x18 };

/*
 * Loads
 */

/* The same byte from each chip, in the low half of its 16 bits; a narrow load sees its part. */
static uint64_t from_chips(uint8_t value, uint64_t offset)
{
    return (UINT64_C(0x0001000100010001) * value) >> 8 * (offset % CHIPS);
}

static uint8_t read_id(uint64_t offset)
{
    switch (offset / (2 * CHIPS) & 0xff) {
    case 0:
        return ID_MANUFACTURER;
    case 1:
        return ID_DEVICE;
    default:
        return 0; /* among them: the block is not locked */
    }
}

static uint8_t read_query(uint64_t offset)
{
    uint64_t at = (offset / (2 * CHIPS) & 0xff) - CFI_FIRST;
    return at < sizeof(cfi_table) ? cfi_table[at] : 0;
}

static uint64_t read_array(const struct bank *b, uint64_t offset, unsigned size)
{
    uint64_t value = 0;
    memcpy(&value, b->bytes + offset, size);
    return value;
}

static struct bank *bank_of(struct cfi_flash *f, uint64_t *offset)
{
    struct bank *b = &f->banks[*offset / CFI_FLASH_BANK_SIZE];
    *offset %= CFI_FLASH_BANK_SIZE;
    return b;
}

static uint64_t flash_read(void *state, uint64_t offset, unsigned size)
{
    struct bank *b = bank_of(state, &offset);
    uint64_t value = 0;
    pthread_mutex_lock(&b->lock);
    switch (b->mode) {
    case MODE_ARRAY:
        value = read_array(b, offset, size);
        break;
    case MODE_STATUS:
        value = from_chips(b->errors | (b->busy ? 0 : STATUS_READY), offset);
        break;
    case MODE_ID:
        value = from_chips(read_id(offset), offset);
        break;
    case MODE_QUERY:
        value = from_chips(read_query(offset), offset);
        break;
    }
    pthread_mutex_unlock(&b->lock);
    return size < 8 ? value & ((UINT64_C(1) << 8 * size) - 1) : value;
}

/*
 * Programming and erasing
 */

static void image_written(struct disk_request *request, int error)
{
    struct bank *b = (struct bank *)((char *)request - offsetof(struct bank, request));
    if (error)
        log_line(b->flash->machine->log, LOG_ERROR, "%s: cannot write: %s",
                 disk_info(b->disk)->path, strerror(error));
    pthread_mutex_lock(&b->lock);
    if (error)
        b->errors |= STATUS_PROGRAM_ERROR | STATUS_ERASE_ERROR;
    b->busy = false;
    pthread_mutex_unlock(&b->lock);
}

/* The bytes in memory have changed: harts may have run them, and the image shall have them. */
static void changed(struct bank *b, uint64_t offset, uint64_t size)
{
    machine_dma_written(b->flash->machine, b->bytes + offset, size);
    if (offset >= b->kept)
        return;
    if (size > b->kept - offset)
        size = b->kept - offset;
    b->busy = true;
    b->iov = (struct iovec){b->bytes + offset, size};
    b->request = (struct disk_request){.op = DISK_WRITE,
                                       .offset = offset,
                                       .size = size,
                                       .iov = &b->iov,
                                       .iovcnt = 1,
                                       .done = image_written};
    disk_submit(b->disk, &b->request);
}

static void program(struct bank *b, uint64_t offset, const uint8_t *data, unsigned size)
{
    if (b->read_only) {
        b->errors |= STATUS_PROGRAM_ERROR | STATUS_LOCKED;
        return;
    }
    for (unsigned i = 0; i < size; i++)
        b->bytes[offset + i] &= data[i];
    changed(b, offset, size);
}

static void erase(struct bank *b, uint64_t offset)
{
    if (b->read_only) {
        b->errors |= STATUS_ERASE_ERROR | STATUS_LOCKED;
        return;
    }
    offset -= offset % SECTOR_SIZE;
    memset(b->bytes + offset, 0xff, SECTOR_SIZE);
    changed(b, offset, SECTOR_SIZE);
}

static void bad_sequence(struct bank *b, const char *what, uint64_t value)
{
    log_line(b->flash->machine->log, LOG_GUEST, "cfi-flash: %s, not 0x%" PRIx64, what, value);
    b->errors |= STATUS_PROGRAM_ERROR | STATUS_ERASE_ERROR;
}

/*
 * Stores
 */

static void begin_buffer(struct bank *b, uint64_t count)
{
    b->buffer.words = (unsigned)(count & 0xffff) + 1;
    b->buffer.begun = false;
    b->buffer.wrong = b->buffer.words > BUFFER_SIZE / (2 * CHIPS);
    memset(b->buffer.data, 0xff, sizeof(b->buffer.data)); /* programming 1 changes nothing */
    if (b->buffer.wrong) {
        bad_sequence(b, "a buffered program of more words than the buffer has", count);
        b->phase = PHASE_COMMAND;
    } else {
        b->phase = PHASE_BUFFER;
    }
}

static void fill_buffer(struct bank *b, uint64_t offset, unsigned size, uint64_t value)
{
    if (!b->buffer.begun) {
        b->buffer.at = offset - offset % BUFFER_SIZE;
        b->buffer.begun = true;
    }
    if (offset - b->buffer.at < BUFFER_SIZE)
        memcpy(b->buffer.data + (offset - b->buffer.at), &value, size);
    else
        b->buffer.wrong = true;
    if (!--b->buffer.words)
        b->phase = PHASE_BUFFER_START;
}

static void take_command(struct bank *b, uint8_t command)
{
    if (b->busy && command != CMD_READ_STATUS)
        return; /* chips at work listen to nothing else */
    b->mode = MODE_STATUS;
    switch (command) {
    case CMD_READ_ARRAY:
    case CMD_READ_ARRAY_ALT:
        b->mode = MODE_ARRAY;
        break;
    case CMD_READ_STATUS:
        break;
    case CMD_CLEAR_STATUS:
        b->errors = 0;
        break;
    case CMD_READ_ID:
        b->mode = MODE_ID;
        break;
    case CMD_READ_QUERY:
        b->mode = MODE_QUERY;
        break;
    case CMD_WORD_PROGRAM:
    case CMD_WORD_PROGRAM_ALT:
        b->phase = PHASE_WORD;
        break;
    case CMD_BLOCK_ERASE:
        b->phase = PHASE_ERASE;
        break;
    case CMD_LOCK_SETUP:
        b->phase = PHASE_LOCK;
        break;
    case CMD_BUFFERED_PROGRAM:
        b->phase = PHASE_COUNT;
        break;
    default:
        log_line(b->flash->machine->log, LOG_GUEST, "cfi-flash: no command 0x%02x", command);
        b->mode = MODE_ARRAY;
        break;
    }
}

static void take_write(struct bank *b, uint64_t offset, unsigned size, uint64_t value)
{
    enum phase phase = b->phase;
    b->phase = PHASE_COMMAND;
    switch (phase) {
    case PHASE_COMMAND:
        take_command(b, (uint8_t)value);
        break;
    case PHASE_WORD:
        program(b, offset, (const uint8_t *)&value, size);
        break;
    case PHASE_ERASE:
        if ((uint8_t)value == CMD_CONFIRM)
            erase(b, offset);
        else
            bad_sequence(b, "the confirmation of an erase is 0xd0", value);
        break;
    case PHASE_LOCK: /* blocks have no locks: all that can be said is true already or ignored */
        break;
    case PHASE_COUNT:
        begin_buffer(b, value);
        break;
    case PHASE_BUFFER:
        b->phase = PHASE_BUFFER;
        fill_buffer(b, offset, size, value);
        break;
    case PHASE_BUFFER_START:
        if ((uint8_t)value == CMD_CONFIRM && !b->buffer.wrong)
            program(b, b->buffer.at, b->buffer.data, BUFFER_SIZE);
        else
            bad_sequence(b, "a buffered program stays in its block and ends with 0xd0", value);
        break;
    }
}

static void flash_write(void *state, uint64_t offset, unsigned size, uint64_t value)
{
    struct bank *b = bank_of(state, &offset);
    pthread_mutex_lock(&b->lock);
    /* A store wider than the bus is two cycles of it. */
    for (unsigned cycle = size < 4 ? size : 4; size; size -= cycle, offset += cycle) {
        take_write(b, offset, cycle, value);
        value >>= 8 * cycle;
    }
    pthread_mutex_unlock(&b->lock);
}

/*
 * The device
 */

static void flash_reset(void *state)
{
    struct cfi_flash *f = state;
    for (unsigned i = 0; i < CFI_FLASH_BANKS; i++) {
        struct bank *b = &f->banks[i];
        if (b->disk)
            disk_drain(b->disk);
        pthread_mutex_lock(&b->lock);
        b->mode = MODE_ARRAY;
        b->phase = PHASE_COMMAND;
        b->errors = 0;
        pthread_mutex_unlock(&b->lock);
    }
}

static bool flash_describe(void *state, struct fdt *fdt, struct error *err)
{
    (void)err;
    struct cfi_flash *f = state;
    uint32_t reg[4 * CFI_FLASH_BANKS];
    for (unsigned i = 0; i < CFI_FLASH_BANKS; i++) {
        uint64_t base = f->device.base + (uint64_t)i * CFI_FLASH_BANK_SIZE;
        const uint32_t cells[] = {(uint32_t)(base >> 32), (uint32_t)base, 0, CFI_FLASH_BANK_SIZE};
        memcpy(&reg[4 * i], cells, sizeof(cells));
    }
    dt_begin_node(fdt, "flash@%" PRIx64, f->device.base);
    dt_prop_string(fdt, "compatible", "cfi-flash");
    dt_prop_cells(fdt, "reg", reg, 4 * CFI_FLASH_BANKS);
    dt_prop_u32(fdt, "bank-width", 2 * CHIPS);
    dt_end_node(fdt);
    return true;
}

static void flash_remove(void *state)
{
    struct cfi_flash *f = state;
    for (unsigned i = 0; i < CFI_FLASH_BANKS; i++) {
        disk_close(f->banks[i].disk);
        pthread_mutex_destroy(&f->banks[i].lock);
    }
    free(f);
}

static const struct device_ops flash_ops = {
    .name = "cfi-flash",
    .access_min = 1,
    .access_max = 8,
    .read = flash_read,
    .write = flash_write,
    .reset = flash_reset,
    .describe = flash_describe,
    .remove = flash_remove,
};

struct load {
    struct disk_request request;
    int error;
};

static void chunk_read(struct disk_request *request, int error)
{
    ((struct load *)request)->error = error;
}

/* Waits for it, as whoever makes a machine may. */
static bool read_chunk(struct disk *disk, uint64_t offset, uint8_t *chunk, uint64_t size,
                       struct error *err)
{
    struct iovec iov = {chunk, size};
    struct load load = {.request = {.op = DISK_READ,
                                    .offset = offset,
                                    .size = size,
                                    .iov = &iov,
                                    .iovcnt = 1,
                                    .done = chunk_read}};
    disk_submit(disk, &load.request);
    disk_drain(disk);
    return !load.error ||
           error_set(err, "%s: cannot read: %s", disk_info(disk)->path, strerror(load.error));
}

static bool is_zero(const uint8_t *page)
{
    return !page[0] && !memcmp(page, page + 1, PAGE_SIZE - 1);
}

/* Pages of zeros, most of a firmware's, are there already and cost no memory. */
static bool load_image(struct bank *b, uint8_t *chunk, struct error *err)
{
    for (uint64_t at = 0, size; at < b->kept; at += size) {
        size = b->kept - at < CHUNK_SIZE ? b->kept - at : CHUNK_SIZE;
        if (!read_chunk(b->disk, at, chunk, size, err))
            return false;
        for (uint64_t done = 0, part; done < size; done += part) {
            part = size - done < PAGE_SIZE ? size - done : PAGE_SIZE;
            if (part < PAGE_SIZE || !is_zero(chunk + done))
                memcpy(b->bytes + at + done, chunk + done, part);
        }
    }
    return true;
}

static bool fill_bank(struct bank *b, struct error *err)
{
    bool ok = true;
    if (b->disk) {
        const struct disk_info *info = disk_info(b->disk);
        if (info->size > CFI_FLASH_BANK_SIZE)
            return error_set(err, "%s: %" PRIu64 " KiB: a bank of flash holds %u", info->path,
                             info->size >> 10, CFI_FLASH_BANK_SIZE >> 10);
        b->kept = info->size;
        b->read_only = info->read_only;
        uint8_t *chunk = malloc(CHUNK_SIZE);
        ok = chunk ? load_image(b, chunk, err) : error_set(err, "cfi-flash: out of memory");
        free(chunk);
    }
    memset(b->bytes + b->kept, 0xff, CFI_FLASH_BANK_SIZE - b->kept); /* erased */
    return ok;
}

struct device *cfi_flash_new(const struct cfi_flash_config *config, struct error *err)
{
    struct cfi_flash *f = calloc(1, sizeof(*f));
    if (!f) {
        error_set(err, "cfi-flash: out of memory");
        for (unsigned i = 0; i < CFI_FLASH_BANKS; i++)
            disk_close(config->disks[i]);
        return NULL;
    }
    f->machine = config->machine;
    f->device = (struct device){
        .ops = &flash_ops, .state = f, .size = CFI_FLASH_BANKS * CFI_FLASH_BANK_SIZE};
    bool ok = true;
    for (unsigned i = 0; i < CFI_FLASH_BANKS; i++) {
        struct bank *b = &f->banks[i];
        b->flash = f;
        b->bytes = f->machine->bus.rom.bytes + (size_t)i * CFI_FLASH_BANK_SIZE;
        b->disk = config->disks[i];
        pthread_mutex_init(&b->lock, NULL);
        ok = ok && fill_bank(b, err);
    }
    if (ok)
        return &f->device;
    flash_remove(f);
    return NULL;
}
