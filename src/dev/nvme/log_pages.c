/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Get Log Page (section 5.14): errors, health, firmware slots, changed namespaces, what commands do.
 */
#include "dev/nvme/controller.h"

#include "host/clock.h"
#include <string.h>

/* Figure 194. */
struct error_page_entry {
    uint64_t count;
    uint16_t sq, cid, status, location;
    uint64_t lba;
    uint32_t nsid;
    uint8_t vendor, trtype, reserved30[2];
    uint64_t specific;
    uint16_t transport;
    uint8_t reserved42[22];
};
_Static_assert(sizeof(struct error_page_entry) == 64, "figure 194");

/* Figure 195. Counters have 16 bytes, of which the upper halves stay zero. */
struct health_page {
    uint8_t warning;
    uint8_t temperature[2]; /* not aligned */
    uint8_t spare, spare_threshold, used, group_warning, reserved7[25];
    uint64_t units_read[2], units_written[2], reads[2], writes[2], busy_minutes[2];
    uint64_t power_cycles[2], power_on_hours[2], unsafe_shutdowns[2], media_errors[2], errors[2];
    uint32_t warning_minutes, critical_minutes;
    uint8_t reserved200[312];
};
_Static_assert(sizeof(struct health_page) == 512, "figure 195");

enum { HEALTH_TEMPERATURE = 1 << 1 };

struct firmware_page {
    uint8_t active, reserved1[7];
    char revision[8][8]; /* of slot 1 on */
    uint8_t reserved72[440];
};
_Static_assert(sizeof(struct firmware_page) == 512, "figure 198");

/* Figure 201. */
struct effects_page {
    uint32_t admin[256], io[256];
    uint8_t reserved[2048];
};
_Static_assert(sizeof(struct effects_page) == 4096, "figure 201");

enum { EFFECTS_SUPPORTED = 1 << 0, EFFECTS_CONTENT = 1 << 1 };

#define CHANGED_NAMESPACES_SIZE 4096

union log_page {
    struct error_page_entry errors[NVME_ERROR_ENTRIES];
    struct health_page health;
    struct firmware_page firmware;
    struct effects_page effects;
    uint32_t changed[CHANGED_NAMESPACES_SIZE / 4];
};

/* Newest first. */
static size_t error_page(const struct nvme *c, union log_page *page)
{
    for (unsigned i = 0; i < NVME_ERROR_ENTRIES && i < c->counters.errors; i++) {
        const struct nvme_error_entry *e =
            &c->errors[(c->counters.errors - i) % NVME_ERROR_ENTRIES];
        page->errors[i] = (struct error_page_entry){
            .count = e->count,
            .sq = e->sq,
            .cid = e->cid,
            .status = e->status,
            .location = e->location,
            .lba = e->lba,
            .nsid = e->nsid,
        };
    }
    return sizeof(page->errors);
}

/* Thousands of units of 512 bytes, rounded up. */
static uint64_t data_units(uint64_t blocks)
{
    return (blocks + 999) / 1000;
}

static size_t health_page(const struct nvme *c, union log_page *page)
{
    const struct nvme_counters *counters = &c->counters;
    uint64_t hours = (clock_monotonic_ns() - c->started) / UINT64_C(3600000000000);
    page->health = (struct health_page){
        .warning = nvme_is_hot(c) ? HEALTH_TEMPERATURE : 0,
        .temperature = {NVME_TEMPERATURE & 0xff, NVME_TEMPERATURE >> 8},
        .spare = 100,
        .spare_threshold = 10,
        .units_read = {data_units(counters->read_blocks)},
        .units_written = {data_units(counters->written_blocks)},
        .reads = {counters->reads},
        .writes = {counters->writes},
        .power_cycles = {counters->power_cycles},
        .power_on_hours = {hours},
        .unsafe_shutdowns = {counters->unsafe_shutdowns},
        .media_errors = {counters->media_errors},
        .errors = {counters->errors},
    };
    return sizeof(page->health);
}

static size_t firmware_page(union log_page *page)
{
    page->firmware.active = 1;
    memset(page->firmware.revision[0], ' ', sizeof(page->firmware.revision[0]));
    memcpy(page->firmware.revision[0], NVME_FIRMWARE, sizeof(NVME_FIRMWARE) - 1);
    return sizeof(page->firmware);
}

static size_t effects_page(union log_page *page)
{
    static const uint8_t admin[] = {
        ADMIN_DELETE_SQ,    ADMIN_CREATE_SQ,   ADMIN_GET_LOG_PAGE,    ADMIN_DELETE_CQ,
        ADMIN_CREATE_CQ,    ADMIN_IDENTIFY,    ADMIN_ABORT,           ADMIN_SET_FEATURES,
        ADMIN_GET_FEATURES, ADMIN_ASYNC_EVENT, ADMIN_DOORBELL_BUFFER,
    };
    for (unsigned i = 0; i < sizeof(admin); i++)
        page->effects.admin[admin[i]] = EFFECTS_SUPPORTED;
    page->effects.io[IO_FLUSH] = EFFECTS_SUPPORTED;
    page->effects.io[IO_READ_BLOCKS] = EFFECTS_SUPPORTED;
    page->effects.io[IO_COMPARE] = EFFECTS_SUPPORTED;
    page->effects.io[IO_WRITE_BLOCKS] = EFFECTS_SUPPORTED | EFFECTS_CONTENT;
    page->effects.io[IO_WRITE_ZEROES] = EFFECTS_SUPPORTED | EFFECTS_CONTENT;
    page->effects.io[IO_DATASET_MANAGEMENT] = EFFECTS_SUPPORTED | EFFECTS_CONTENT;
    return sizeof(page->effects);
}

/* Makes the page; its size, 0: there is none of that number. */
static size_t make_page(const struct nvme *c, unsigned number, union log_page *page)
{
    memset(page, 0, sizeof(*page));
    switch (number) {
    case LOG_PAGE_ERROR:
        return error_page(c, page);
    case LOG_PAGE_SMART:
        return health_page(c, page);
    case LOG_PAGE_FIRMWARE_SLOT:
        return firmware_page(page);
    case LOG_PAGE_CHANGED_NAMESPACES: /* they never change: an empty list */
        return CHANGED_NAMESPACES_SIZE;
    case LOG_PAGE_EFFECTS:
        return effects_page(page);
    default:
        return 0;
    }
}

/* Reading a page lets its kind of event come again, unless asked to retain it. */
static void unmask_event(struct nvme *c, unsigned number)
{
    if (number == LOG_PAGE_ERROR)
        nvme_async_event_read(c, EVENT_ERROR);
    else if (number == LOG_PAGE_SMART)
        nvme_async_event_read(c, EVENT_SMART);
    else if (number == LOG_PAGE_CHANGED_NAMESPACES)
        nvme_async_event_read(c, EVENT_NOTICE);
}

unsigned nvme_get_log_page(struct nvme_request *request)
{
    const struct nvme_command *command = &request->command;
    struct nvme *c = request->nvme;
    unsigned number = command->cdw10 & 0xff;
    bool retain = command->cdw10 >> 15 & 1;
    uint64_t dwords = (command->cdw10 >> 16 | (uint64_t)(command->cdw11 & 0xffff) << 16) + 1;
    uint64_t offset = command->cdw12 | (uint64_t)command->cdw13 << 32;
    union log_page page;
    size_t size = make_page(c, number, &page);
    if (!size)
        return STATUS_LOG_PAGE_INVALID;
    /* LPA says that there is no page of a single namespace's health. */
    if (number == LOG_PAGE_SMART && command->nsid && command->nsid != NVME_NSID_ALL)
        return STATUS_INVALID_FIELD;
    if (offset % 4 || offset >= size)
        return STATUS_INVALID_FIELD;
    /* What is asked for beyond the end is not defined, so it is not sent. */
    size_t length = dwords * 4 < size - offset ? (size_t)dwords * 4 : size - (size_t)offset;
    unsigned status = nvme_send(request, (uint8_t *)&page + offset, length);
    if (!status && !retain)
        unmask_event(c, number);
    return status;
}

void nvme_log_error(struct nvme *c, const struct nvme_request *request, unsigned status)
{
    const struct nvme_command *command = &request->command;
    uint64_t count = ++c->counters.errors;
    bool has_lba = request->sq->id && command->opcode != IO_FLUSH;
    log_line(pci_log(c->pci), LOG_GUEST, "nvme: queue %u: command 0x%02x failed: status 0x%03x",
             request->sq->id, command->opcode, status);
    c->errors[count % NVME_ERROR_ENTRIES] = (struct nvme_error_entry){
        .count = count,
        .sq = (uint16_t)request->sq->id,
        .cid = command->cid,
        .status = (uint16_t)(status << 1),
        .location = 0xffff, /* not a certain parameter */
        .lba = has_lba ? command->cdw10 | (uint64_t)command->cdw11 << 32 : 0,
        .nsid = command->nsid,
    };
}
