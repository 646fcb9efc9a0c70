/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The NVMe controller: registers, doorbells, queues and commands in any order, over memory that changes
 * meanwhile. Each input begins at power-on. After it the controller must still come up and answer.
 */
#include "drive_rig.h"

#include "dev/nvme/controller.h"

#define QUEUES 4
#define ENTRIES 8

/* The harness's idea of the queues; that of the controller may be another by then. */
static unsigned tails[QUEUES];

static uint64_t sq_base(unsigned id)
{
    return MACHINE_RAM_BASE + 0x1000 * id;
}

static uint64_t cq_base(unsigned id)
{
    return MACHINE_RAM_BASE + 0x10000 + 0x1000 * id;
}

static void put(struct machine *m, unsigned id, const struct nvme_command *command)
{
    machine_dma_write(m, sq_base(id) + tails[id] * sizeof(*command), command, sizeof(*command));
    tails[id] = (tails[id] + 1) % ENTRIES;
    rig_write(m, NVME_DOORBELLS + 8 * id, 4, tails[id]);
}

static bool is_enabled(struct machine *m, unsigned n)
{
    (void)n;
    return rig_read(m, NVME_CSTS, 4) & (CSTS_RDY | CSTS_CFS);
}

static void enable(struct machine *m)
{
    memset(tails, 0, sizeof(tails));
    rig_write(m, NVME_AQA, 4, (ENTRIES - 1) << 16 | (ENTRIES - 1));
    rig_write(m, NVME_ASQ, 8, sq_base(0));
    rig_write(m, NVME_ACQ, 8, cq_base(0));
    rig_write(m, NVME_CC, 4, 4 << CC_IOCQES_SHIFT | 6 << CC_IOSQES_SHIFT | CC_EN);
}

static void create_queues(struct machine *m, unsigned id)
{
    struct nvme_command cq = {.opcode = ADMIN_CREATE_CQ, .prp1 = cq_base(id)};
    struct nvme_command sq = {.opcode = ADMIN_CREATE_SQ, .prp1 = sq_base(id)};
    cq.cdw10 = sq.cdw10 = (ENTRIES - 1) << 16 | id;
    cq.cdw11 = id << 16 | 3;
    sq.cdw11 = id << 16 | 1;
    put(m, 0, &cq);
    put(m, 0, &sq);
    tails[id] = 0;
}

static void any_command(struct machine *m, struct fuzz_input *in)
{
    static const uint8_t admin[] = {0x00, 0x01, 0x02, 0x04, 0x05, 0x06,
                                    0x08, 0x09, 0x0a, 0x0c, 0x7c, 0x02};
    static const uint8_t io[] = {0x00, 0x01, 0x02, 0x05, 0x08, 0x09};
    unsigned id = (unsigned)fuzz_take(in, 1) % QUEUES;
    uint8_t opcode = (uint8_t)fuzz_take(in, 1);
    struct nvme_command c = {.cid = (uint16_t)fuzz_take(in, 1)};
    if (opcode < 0xf0)
        c.opcode = id ? io[opcode % sizeof(io)] : admin[opcode % sizeof(admin)];
    else
        c.opcode = (uint8_t)fuzz_take(in, 1);
    uint8_t flags = (uint8_t)fuzz_take(in, 1);
    c.flags = flags < 0x80 ? 0 : (uint8_t)(flags << 1);
    c.nsid = (uint32_t)fuzz_take(in, 1) % 5;
    c.prp1 = rig_address(in);
    if (c.flags >> COMMAND_PSDT_SHIFT) {
        c.sgl.length = (uint32_t)fuzz_take(in, 2);
        c.sgl.identifier = (uint8_t)fuzz_take(in, 1);
    } else {
        c.prp2 = rig_address(in);
    }
    c.cdw10 = (uint32_t)fuzz_take(in, 4);
    if (id && !(flags & 1))
        c.cdw10 %= RIG_DISK / 512;
    c.cdw11 = (uint32_t)fuzz_take(in, flags & 2 ? 4 : 0);
    c.cdw12 = (uint32_t)fuzz_take(in, flags & 4 ? 4 : 1);
    c.cdw13 = (uint32_t)fuzz_take(in, flags & 8 ? 4 : 0);
    put(m, id, &c);
}

static void operate(struct machine *m, struct fuzz_input *in)
{
    unsigned what = (unsigned)fuzz_take(in, 1);
    unsigned size = what & 0x80 ? 8 : 4;
    switch (what & 15) {
    case 0:
        rig_read(m, fuzz_take(in, 2) % 0x2000 & ~(uint64_t)(size - 1), size);
        break;
    case 1:
        rig_write(m, fuzz_take(in, 1) % 0x48 & ~(uint64_t)(size - 1), size, fuzz_take(in, size));
        break;
    case 2:
        rig_write(m, NVME_DOORBELLS + fuzz_take(in, 2) % 0x280 * 4 % 0x1000, 4, fuzz_take(in, 2));
        break;
    case 3:
        rig_poke(m, in);
        break;
    case 4:
        rig_poke_address(m, in);
        break;
    case 5:
        enable(m);
        rig_pause(in);
        break;
    case 6:
        create_queues(m, 1 + (unsigned)fuzz_take(in, 1) % (QUEUES - 1));
        break;
    case 7:
        rig_pause(in);
        break;
    case 8:
        rig_config(m, PCI_COMMAND, 2, fuzz_take(in, 2));
        break;
    case 9:
        rig_write(m, NVME_CC, 4, fuzz_take(in, 4) & 0x00ffc001);
        break;
    default:
        any_command(m, in);
    }
}

static bool has_answered(struct machine *m, unsigned cid)
{
    const _Atomic uint32_t *last =
        machine_dma_map(m, cq_base(0) + offsetof(struct nvme_completion, cid), 4);
    return atomic_load(last) == (1u << 16 | cid); /* phase, success */
}

static void must_answer(struct machine *m)
{
    rig_power_on(m, 0);
    check(rig_read(m, NVME_CSTS, 4) == 0);
    enable(m);
    check(rig_within(m, is_enabled, 0) && rig_read(m, NVME_CSTS, 4) == CSTS_RDY);
    struct nvme_command c = {.opcode = ADMIN_IDENTIFY, .cid = 7, .cdw10 = 1};
    c.prp1 = MACHINE_RAM_BASE + 0x20000;
    put(m, 0, &c);
    check(rig_within(m, has_answered, 7));
}

static struct machine *make_machine(void)
{
    struct nvme_config config = {
        .namespaces = {{.disk = rig_disk(false)},
                       {.disk = rig_disk(false), .block_size = 4096},
                       {.disk = rig_disk(true)}},
        .namespace_count = 3,
        .serial = "FUZZ",
    };
    struct pci_function *function = nvme_new(&config, NULL);
    check(function);
    return rig_machine(function);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct machine *m;
    struct fuzz_input in = {data, size};
    if (!m)
        m = make_machine();
    rig_power_on(m, 0);
    enable(m);
    rig_within(m, is_enabled, 0);
    for (unsigned n = 0; fuzz_left(&in) && n < RIG_OPERATIONS_MAX; n++)
        operate(m, &in);
    must_answer(m);
    return 0;
}
