/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The default board. Addresses and interrupt numbers are those of QEMU's `virt` machine, which
 * OpenSBI, U-Boot and EDK2 have built in.
 *
 *     0x00100000  syscon: poweroff, reset
 *     0x00101000  real-time clock          irq 11
 *     0x02000000  ACLINT
 *     0x03000000  PCI: IO ports
 *     0x0c000000  PLIC; with -aia the APLIC's M-mode domain, and S-mode's at 0x0d000000
 *     0x10000000  UART                     irq 10
 *     0x10100000  fw_cfg: the order of drives; when there is flash
 *     0x20000000  flash, two banks; when there are images for it
 *     0x24000000  IMSICs of M-mode, of S-mode at 0x28000000; with -aia aplic-imsic
 *     0x30000000  PCI: config space        irq 32 to 35
 *     0x40000000  PCI: 32-bit memory
 *     0x80000000  main memory
 *     above it    PCI: 64-bit memory
 */
#include "machine/board.h"

#include "dev/aclint.h"
#include "dev/cfi_flash.h"
#include "dev/fw_cfg.h"
#include "dev/goldfish_rtc.h"
#include "dev/interrupts.h"
#include "dev/syscon.h"
#include "dev/uart16550.h"

static uint64_t board_time(void *ctx)
{
    struct machine *m = ctx;
    return aclint_time(m->clock);
}

static void board_set_stimer(void *ctx, unsigned hart, uint64_t when)
{
    struct machine *m = ctx;
    aclint_set_stimer(m->clock, hart, when);
}

static bool add_pci(struct machine *m, const struct interrupts *irqs, struct error *err)
{
    struct pci_host_config config = {.machine = m};
    interrupts_for_pci(irqs, &config);
    m->pci = pci_host_add(&config, err);
    return m->pci;
}

bool board_build(struct machine *m, const struct board_config *config, struct error *err)
{
    struct hart_wires wires = {
        .ctx = m->hart_list,
        .count = m->hart_count,
        .set = hart_wires_set,
        .stimer_expired = hart_wires_stimer_expired,
        .message = hart_wires_message,
    };
    struct machine_requests requests = {.request = machine_request, .ctx = m};

    struct device *syscon = syscon_new(requests, err);
    if (!machine_add(m, syscon, SYSCON_BASE, err))
        return false;

    struct aclint_config clint = {.wires = wires, .loop = config->loop};
    struct device *aclint = aclint_new(&clint, err);
    if (!machine_add(m, aclint, ACLINT_BASE, err))
        return false;
    m->clock = aclint;
    m->timebase = ACLINT_TIMEBASE_HZ;
    m->bus.time = board_time;
    m->bus.set_stimer = board_set_stimer;

    struct interrupts irqs;
    if (!interrupts_add(&irqs, m, &wires, config->aia, err))
        return false;

    struct goldfish_rtc_config clock = {interrupts_line(&irqs, GOLDFISH_RTC_IRQ), config->loop};
    if (!machine_add(m, goldfish_rtc_new(&clock, err), GOLDFISH_RTC_BASE, err))
        return false;

    struct uart16550_config serial = {interrupts_line(&irqs, UART_IRQ), config->serial,
                                      config->loop};
    struct device *uart = uart16550_new(&serial, err);
    if (!machine_add(m, uart, UART_BASE, err))
        return false;
    m->console = (struct machine_console){uart16550_put, uart16550_get, uart};
    m->stdout_path = "/soc/serial@10000000";
    return add_pci(m, &irqs, err);
}

bool board_add_flash(struct machine *m, struct disk *const images[2], struct error *err)
{
    struct cfi_flash_config config = {.machine = m, .disks = {images[0], images[1]}};
    if (!machine_add(m, cfi_flash_new(&config, err), CFI_FLASH_BASE, err))
        return false;
    m->flash_entry = images[0] ? CFI_FLASH_BASE : 0;
    return true;
}

bool board_add_boot_order(struct machine *m, struct error *err)
{
    char order[4096];
    pci_boot_order(m->pci, order, sizeof(order));
    struct fw_cfg_config config = {.machine = m, .boot_order = order};
    return !order[0] || machine_add(m, fw_cfg_new(&config, err), FW_CFG_BASE, err);
}
