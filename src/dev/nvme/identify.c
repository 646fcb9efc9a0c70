/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Identify (section 5.15): what controller and namespaces are, and what they are called.
 *
 * Names are made from the serial number, so that a disk keeps them from run to run.
 */
#include "dev/nvme/controller.h"

#include <stdio.h>
#include <string.h>

#define PAGE_SIZE 4096
/* Of our own making: the bit for locally administered addresses is set. */
static const uint8_t oui[3] = {0x52, 0x56, 0x4d};

enum nvme_cns {
    CNS_NAMESPACE = 0x00,
    CNS_CONTROLLER = 0x01,
    CNS_ACTIVE_NAMESPACES = 0x02,
    CNS_DESCRIPTORS = 0x03,
};

/* Figure 247. */
struct identify_controller {
    uint16_t vid, ssvid;
    char sn[20], mn[40], fr[8];
    uint8_t rab, ieee[3], cmic, mdts;
    uint16_t cntlid;
    uint32_t ver, rtd3r, rtd3e, oaes, ctratt;
    uint8_t reserved100[11];
    uint8_t cntrltype;
    uint8_t fguid[16];
    uint8_t reserved128[128];
    uint16_t oacs;
    uint8_t acl, aerl, frmw, lpa, elpe, npss, avscc, apsta;
    uint16_t wctemp, cctemp, mtfa;
    uint8_t reserved272[240];
    uint8_t sqes, cqes;
    uint16_t maxcmd;
    uint32_t nn;
    uint16_t oncs, fuses;
    uint8_t fna, vwc;
    uint16_t awun, awupf;
    uint8_t nvscc, nwpc;
    uint16_t acwu, reserved534;
    uint32_t sgls;
    uint8_t reserved540[228];
    char subnqn[256];
    uint8_t reserved1024[1024];
    struct {
        uint16_t mp;
        uint8_t reserved[2];
        uint32_t enlat, exlat;
        uint8_t rrt, rrl, rwt, rwl;
        uint8_t reserved16[16];
    } psd[32];
    uint8_t vendor[1024];
};
_Static_assert(sizeof(struct identify_controller) == PAGE_SIZE &&
                   offsetof(struct identify_controller, oacs) == 256 &&
                   offsetof(struct identify_controller, sqes) == 512 &&
                   offsetof(struct identify_controller, sgls) == 536 &&
                   offsetof(struct identify_controller, psd) == 2048,
               "figure 247");

enum {
    CNTRLTYPE_IO = 1,
    OACS_DOORBELL_BUFFER = 1 << 8,
    FRMW_ONE_READ_ONLY_SLOT = 1 << 0 | 1 << 1,
    LPA_EFFECTS = 1 << 1,
    LPA_EXTENDED = 1 << 2, /* offsets and long lengths */
    VWC_PRESENT = 1 << 0,
    VWC_FLUSH_ALL = 3 << 1,
    SGLS_ANY_ALIGNMENT = 1,
};

/* Figure 245. */
struct identify_namespace {
    uint64_t nsze, ncap, nuse;
    uint8_t nsfeat, nlbaf, flbas, mc, dpc, dps, nmic, rescap, fpi, dlfeat;
    uint16_t nawun, nawupf, nacwu, nabsn, nabo, nabspf, noiob;
    uint8_t nvmcap[16];
    uint16_t npwg, npwa, npdg, npda, nows;
    uint8_t reserved74[18];
    uint32_t anagrpid;
    uint8_t reserved96[3];
    uint8_t nsattr;
    uint16_t nvmsetid, endgid;
    uint8_t nguid[16], eui64[8];
    struct {
        uint16_t ms;
        uint8_t lbads, rp;
    } lbaf[16];
    uint8_t reserved192[192], vendor[3712];
};
_Static_assert(sizeof(struct identify_namespace) == PAGE_SIZE &&
                   offsetof(struct identify_namespace, npwg) == 64 &&
                   offsetof(struct identify_namespace, nguid) == 104 &&
                   offsetof(struct identify_namespace, lbaf) == 128,
               "figure 245");

enum {
    NSFEAT_PREFERRED_SIZES = 1 << 4, /* npwg to nows hold something */
    DLFEAT_WRITE_ZEROES = 1 << 3,    /* with the deallocate bit */
    NSATTR_WRITE_PROTECTED = 1 << 0,
    RP_BETTER = 1,
    RP_GOOD = 2,
};

/* Strings are padded with blanks and not terminated (section 1.5). */
static void put_text(char *field, size_t size, const char *text)
{
    size_t length = strlen(text);
    memset(field, ' ', size);
    memcpy(field, text, length < size ? length : size);
}

static unsigned identify_controller(struct nvme_request *request)
{
    const struct nvme *c = request->nvme;
    struct identify_controller id = {
        .vid = NVME_PCI_VENDOR,
        .ssvid = NVME_PCI_VENDOR,
        .rab = 6,
        .mdts = NVME_MDTS,
        .ver = NVME_VERSION,
        .cntrltype = CNTRLTYPE_IO,
        .oacs = OACS_DOORBELL_BUFFER,
        .acl = 3,
        .aerl = NVME_ASYNC_EVENTS - 1,
        .frmw = FRMW_ONE_READ_ONLY_SLOT,
        .lpa = LPA_EFFECTS | LPA_EXTENDED,
        .elpe = NVME_ERROR_ENTRIES - 1,
        .wctemp = NVME_TEMPERATURE_WARNING,
        .cctemp = NVME_TEMPERATURE + 73,
        .sqes = 6 << 4 | 6,
        .cqes = 4 << 4 | 4,
        .nn = c->namespace_count,
        .oncs = ONCS_COMPARE | ONCS_DATASET_MANAGEMENT | ONCS_WRITE_ZEROES | ONCS_SELECT |
                ONCS_TIMESTAMP,
        .vwc = VWC_PRESENT | VWC_FLUSH_ALL,
        .sgls = SGLS_ANY_ALIGNMENT,
    };
    put_text(id.sn, sizeof(id.sn), c->serial);
    put_text(id.mn, sizeof(id.mn), "RVVM NVMe disk");
    put_text(id.fr, sizeof(id.fr), NVME_FIRMWARE);
    memcpy(id.ieee, (uint8_t[]){oui[2], oui[1], oui[0]}, sizeof(id.ieee));
    const uint8_t *u = c->uuid;
    snprintf(id.subnqn, sizeof(id.subnqn),
             "nqn.2014-08.org.nvmexpress:uuid:%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
             "%02x%02x%02x%02x%02x%02x",
             u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13],
             u[14], u[15]);
    return nvme_send(request, &id, sizeof(id));
}

/* In logical blocks, zero-based, as figure 245 wants it. */
static uint16_t blocks_of(const struct nvme_namespace *ns, unsigned bytes)
{
    unsigned blocks = bytes >> ns->shift;
    return (uint16_t)(blocks ? blocks - 1 : 0);
}

static unsigned identify_namespace(struct nvme_request *request)
{
    struct nvme *c = request->nvme;
    const struct nvme_namespace *ns = nvme_namespace(c, request->command.nsid);
    if (!ns)
        return STATUS_INVALID_NAMESPACE;
    struct identify_namespace id = {
        .nsze = ns->blocks,
        .ncap = ns->blocks,
        .nuse = ns->blocks,
        .nsfeat = NSFEAT_PREFERRED_SIZES,
        .nlbaf = 2 - 1,
        .flbas = ns->shift == 12,
        .dlfeat = DLFEAT_WRITE_ZEROES,
        .npwg = blocks_of(ns, ns->info->block_size),
        .npwa = blocks_of(ns, ns->info->block_size),
        .npdg = blocks_of(ns, ns->info->discard_granularity),
        .npda = blocks_of(ns, ns->info->discard_granularity),
        .nsattr = ns->info->read_only ? NSATTR_WRITE_PROTECTED : 0,
        .lbaf = {{.lbads = 9, .rp = RP_GOOD}, {.lbads = 12, .rp = RP_BETTER}},
    };
    memcpy(id.nguid, ns->nguid, sizeof(id.nguid));
    memcpy(id.eui64, ns->eui64, sizeof(id.eui64));
    return nvme_send(request, &id, sizeof(id));
}

/* Numbers above the one that is given, ascending. */
static unsigned identify_active(struct nvme_request *request)
{
    const struct nvme *c = request->nvme;
    uint32_t list[PAGE_SIZE / 4] = {0}, above = request->command.nsid;
    if (above >= NVME_NSID_ALL - 1)
        return STATUS_INVALID_NAMESPACE;
    unsigned count = 0;
    for (uint32_t nsid = above + 1; nsid <= c->namespace_count; nsid++)
        list[count++] = nsid;
    return nvme_send(request, list, sizeof(list));
}

/* Figure 248. */
static uint8_t *put_descriptor(uint8_t *at, uint8_t type, const uint8_t *id, uint8_t size)
{
    at[0] = type;
    at[1] = size;
    memcpy(at + 4, id, size);
    return at + 4 + size;
}

static unsigned identify_descriptors(struct nvme_request *request)
{
    const struct nvme_namespace *ns = nvme_namespace(request->nvme, request->command.nsid);
    uint8_t page[PAGE_SIZE] = {0}, *at = page;
    if (!ns)
        return STATUS_INVALID_NAMESPACE;
    at = put_descriptor(at, 1, ns->eui64, sizeof(ns->eui64));
    at = put_descriptor(at, 2, ns->nguid, sizeof(ns->nguid));
    put_descriptor(at, 3, ns->uuid, sizeof(ns->uuid));
    return nvme_send(request, page, sizeof(page));
}

unsigned nvme_identify(struct nvme_request *request)
{
    switch (request->command.cdw10 & 0xff) {
    case CNS_NAMESPACE:
        return identify_namespace(request);
    case CNS_CONTROLLER:
        return identify_controller(request);
    case CNS_ACTIVE_NAMESPACES:
        return identify_active(request);
    case CNS_DESCRIPTORS:
        return identify_descriptors(request);
    default:
        return STATUS_INVALID_FIELD;
    }
}

/*
 * Names
 */

static void put_hash(uint8_t bytes[8], uint64_t h)
{
    for (unsigned i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(h >> (56 - 8 * i));
}

/* RFC 9562, version 8: made in a way of one's own. */
static void make_uuid(uint8_t uuid[16], const char *serial, unsigned seed)
{
    put_hash(uuid, drive_hash(serial, seed));
    put_hash(uuid + 8, drive_hash(serial, seed + 1));
    uuid[6] = (uuid[6] & 0x0f) | 0x80;
    uuid[8] = (uuid[8] & 0x3f) | 0x80;
}

void nvme_make_ids(struct nvme *c)
{
    make_uuid(c->uuid, c->serial, 1);
    for (unsigned i = 0; i < c->namespace_count; i++) {
        struct nvme_namespace *ns = &c->namespaces[i];
        unsigned seed = 16 * ns->nsid;
        make_uuid(ns->uuid, c->serial, seed);
        /* EUI-64: vendor and extension. NGUID: extension of the vendor, EUI-64 (figure 245). */
        put_hash(ns->eui64, drive_hash(c->serial, seed + 2));
        memcpy(ns->eui64, oui, sizeof(oui));
        put_hash(ns->nguid, drive_hash(c->serial, seed + 3));
        memcpy(ns->nguid + 8, ns->eui64, sizeof(ns->eui64));
    }
}
