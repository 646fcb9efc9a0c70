/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The AHCI controller: registers and commands in any order, over memory that changes meanwhile. Each
 * input begins at power-on. After it the controller must still come up and answer.
 */
#include "drive_rig.h"

#include "dev/ahci/controller.h"

#define PORTS 2

static uint64_t list_base(unsigned port)
{
    return MACHINE_RAM_BASE + 0x1000 * port;
}

static uint64_t frame_base(unsigned port)
{
    return MACHINE_RAM_BASE + 0x4000 + 0x1000 * port;
}

static uint64_t table_base(unsigned slot)
{
    return MACHINE_RAM_BASE + 0x8000 + 0x400 * slot;
}

static uint64_t port_register(unsigned port, unsigned offset)
{
    return AHCI_PORTS + AHCI_PORT_SIZE * port + offset;
}

static void start(struct machine *m, unsigned port)
{
    rig_write(m, AHCI_GHC, 4, GHC_AE | GHC_IE);
    rig_write(m, port_register(port, PORT_CMD), 4, CMD_FRE);
    rig_write(m, port_register(port, PORT_CLB), 4, list_base(port));
    rig_write(m, port_register(port, PORT_CLBU), 4, 0);
    rig_write(m, port_register(port, PORT_FB), 4, frame_base(port));
    rig_write(m, port_register(port, PORT_FBU), 4, 0);
    rig_write(m, port_register(port, PORT_SERR), 4, UINT32_MAX);
    rig_write(m, port_register(port, PORT_IE), 4, UINT32_MAX);
    rig_write(m, port_register(port, PORT_CMD), 4, CMD_FRE | CMD_ST);
}

static void put(struct machine *m, unsigned port, unsigned slot, const struct ahci_command *header,
                const struct fis_host_to_device *fis, bool queued)
{
    machine_dma_write(m, list_base(port) + slot * sizeof(*header), header, sizeof(*header));
    machine_dma_write(m, table_base(slot), fis, sizeof(*fis));
    if (queued)
        rig_write(m, port_register(port, PORT_SACT), 4, 1u << slot);
    rig_write(m, port_register(port, PORT_CI), 4, 1u << slot);
}

static void any_command(struct machine *m, struct fuzz_input *in)
{
    static const uint8_t commands[] = {0x60, 0x61, 0x25, 0x35, 0x3d, 0x06, 0xec, 0xea,
                                       0x2f, 0x47, 0xb0, 0xef, 0xe7, 0xc8, 0xca, 0x24,
                                       0x34, 0x42, 0xe5, 0xe0, 0xc6, 0x90};
    unsigned slot = (unsigned)fuzz_take(in, 1) % 8, port = (unsigned)fuzz_take(in, 1) % PORTS;
    uint8_t choice = (uint8_t)fuzz_take(in, 1), odd = (uint8_t)fuzz_take(in, 1);
    struct ahci_command header = {
        .flags = odd & 1 ? (uint16_t)fuzz_take(in, 2) : 5,
        .prdtl = (uint16_t)fuzz_take(in, odd & 2 ? 2 : 1),
        .ctba = odd & 4 ? (uint32_t)rig_address(in) : (uint32_t)table_base(slot),
        .ctbau = odd & 8 ? (uint32_t)fuzz_take(in, 4) : 0,
    };
    struct fis_host_to_device fis = {
        .type = odd & 16 ? (uint8_t)fuzz_take(in, 1) : FIS_HOST_TO_DEVICE,
        .flags = odd & 32 ? (uint8_t)fuzz_take(in, 1) : FIS_COMMAND,
        .command = choice < 0xe8 ? commands[choice % sizeof(commands)] : (uint8_t)fuzz_take(in, 1),
        .features_low = (uint8_t)fuzz_take(in, 1),
        .lba_low = {(uint8_t)fuzz_take(in, 1), (uint8_t)fuzz_take(in, 1),
                    odd & 64 ? (uint8_t)fuzz_take(in, 1) : 0},
        .device = odd & 128 ? (uint8_t)fuzz_take(in, 1) : DEVICE_LBA,
        .features_high = odd & 64 ? (uint8_t)fuzz_take(in, 1) : 0,
        .count_low = (uint8_t)fuzz_take(in, 1),
        .control = odd & 32 ? (uint8_t)fuzz_take(in, 1) : 0,
    };
    bool queued = fis.command == ATA_READ_FPDMA_QUEUED || fis.command == ATA_WRITE_FPDMA_QUEUED;
    if (queued && !(odd & 1))
        fis.count_low = (uint8_t)(slot << 3);
    for (unsigned i = 0; i < header.prdtl && i < 4; i++) {
        struct ahci_prd prd = {.address = rig_address(in), .count = (uint32_t)fuzz_take(in, 2) | 1};
        machine_dma_write(m, table_base(slot) + TABLE_PRDT + i * sizeof(prd), &prd, sizeof(prd));
    }
    put(m, port, slot, &header, &fis, queued);
}

static void operate(struct machine *m, struct fuzz_input *in)
{
    unsigned what = (unsigned)fuzz_take(in, 1), port = what >> 4 & 3;
    switch (what & 15) {
    case 0:
        rig_read(m, fuzz_take(in, 2) % 0x2000 & ~UINT64_C(3), 4);
        break;
    case 1:
        rig_write(m, fuzz_take(in, 1) % 0x2c & ~UINT64_C(3), 4, fuzz_take(in, 4));
        break;
    case 2:
    case 3:
        rig_write(m, port_register(port, (unsigned)fuzz_take(in, 1) % 0x48 & ~3u), 4,
                  fuzz_take(in, 4));
        break;
    case 4:
        rig_poke(m, in);
        break;
    case 5:
        rig_poke_address(m, in);
        break;
    case 6:
        start(m, port % PORTS);
        break;
    case 7:
        rig_pause(in);
        break;
    case 8:
        rig_config(m, PCI_COMMAND, 2, fuzz_take(in, 2));
        break;
    case 9:
        rig_write(m, port_register(port, PORT_SCTL), 4, what >> 6);
        break;
    default:
        any_command(m, in);
    }
}

static bool has_answered(struct machine *m, unsigned port)
{
    return !rig_read(m, port_register(port, PORT_CI), 4);
}

static void must_answer(struct machine *m)
{
    rig_power_on(m, 5);
    for (unsigned port = 0; port < PORTS; port++) {
        start(m, port);
        check(rig_read(m, port_register(port, PORT_SSTS), 4) == SSTS_ONLINE);
        struct ahci_command header = {.flags = 5, .prdtl = 1, .ctba = (uint32_t)table_base(port)};
        struct fis_host_to_device fis = {
            .type = FIS_HOST_TO_DEVICE, .flags = FIS_COMMAND, .command = ATA_IDENTIFY_DEVICE};
        struct ahci_prd prd = {.address = MACHINE_RAM_BASE + 0x20000, .count = 511};
        machine_dma_write(m, table_base(port) + TABLE_PRDT, &prd, sizeof(prd));
        put(m, port, port, &header, &fis, false);
        check(rig_within(m, has_answered, port));
        check(rig_read(m, port_register(port, PORT_TFD), 4) == ATA_READY);
    }
}

static struct machine *make_machine(void)
{
    struct ahci_config config = {
        .ports = {{rig_disk(false), "FUZZ-0"}, {rig_disk(true), "FUZZ-1"}},
        .port_count = PORTS,
    };
    struct pci_function *function = ahci_new(&config, NULL);
    check(function);
    return rig_machine(function);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct machine *m;
    struct fuzz_input in = {data, size};
    if (!m)
        m = make_machine();
    rig_power_on(m, 5);
    start(m, 0);
    start(m, 1);
    for (unsigned n = 0; fuzz_left(&in) && n < RIG_OPERATIONS_MAX; n++)
        operate(m, &in);
    must_answer(m);
    return 0;
}
