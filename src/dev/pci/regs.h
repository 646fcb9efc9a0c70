/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Offsets and bits of configuration space (PCI Local Bus 3.0, chapter 6; PCI-to-PCI Bridge 1.2,
 * chapter 3; PCI Express Base 4.0, 7.5), named as Linux's headers and the specifications name them.
 */
#ifndef RVVM_DEV_PCI_REGS_H
#define RVVM_DEV_PCI_REGS_H

#define PCI_CONFIG_SIZE 256           /* what is stored; the extended space holds nothing */
#define PCI_EXTENDED_CONFIG_SIZE 4096 /* what is decoded */
#define PCI_CONFIG_HEADER_SIZE 64     /* capabilities stand behind it */

enum pci_config_register {
    PCI_VENDOR_ID = 0x00,
    PCI_DEVICE_ID = 0x02,
    PCI_COMMAND = 0x04,
    PCI_STATUS = 0x06,
    PCI_REVISION_ID = 0x08,
    PCI_CLASS_CODE = 0x09, /* three bytes */
    PCI_CACHE_LINE_SIZE = 0x0c,
    PCI_HEADER_TYPE = 0x0e,
    PCI_BAR0 = 0x10,
    PCI_CAPABILITY_LIST = 0x34,
    PCI_INTERRUPT_LINE = 0x3c,
    PCI_INTERRUPT_PIN = 0x3d,
    /* Type 0: endpoints */
    PCI_SUBSYSTEM_VENDOR_ID = 0x2c,
    PCI_SUBSYSTEM_ID = 0x2e,
    /* Type 1: bridges */
    PCI_PRIMARY_BUS = 0x18,
    PCI_SECONDARY_BUS = 0x19,
    PCI_SUBORDINATE_BUS = 0x1a,
    PCI_IO_BASE = 0x1c,
    PCI_IO_LIMIT = 0x1d,
    PCI_SECONDARY_STATUS = 0x1e,
    PCI_MEMORY_BASE = 0x20,
    PCI_MEMORY_LIMIT = 0x22,
    PCI_PREFETCH_BASE = 0x24,
    PCI_PREFETCH_LIMIT = 0x26,
    PCI_PREFETCH_BASE_UPPER = 0x28,
    PCI_PREFETCH_LIMIT_UPPER = 0x2c,
    PCI_BRIDGE_CONTROL = 0x3e,
};

#define PCI_COMMAND_IO (1u << 0)
#define PCI_COMMAND_MEMORY (1u << 1)
#define PCI_COMMAND_MASTER (1u << 2)
#define PCI_COMMAND_PARITY (1u << 6)
#define PCI_COMMAND_SERR (1u << 8)
#define PCI_COMMAND_INTX_DISABLE (1u << 10)

#define PCI_STATUS_INTERRUPT (1u << 3)
#define PCI_STATUS_CAP_LIST (1u << 4)
#define PCI_STATUS_ERRORS 0xf900u /* written with 1 to clear */

#define PCI_HEADER_BRIDGE 0x01
#define PCI_HEADER_MULTIFUNCTION 0x80

#define PCI_BAR_SPACE_IO 0x1u
#define PCI_BAR_TYPE_64 0x4u
#define PCI_BAR_PREFETCHABLE 0x8u

#define PCI_PREFETCH_TYPE_64 0x1u
#define PCI_BRIDGE_CONTROL_RESET (1u << 6)

/* MSI: offsets in the capability (Local Bus 3.0, 6.8.1), with 64-bit address and masking. */
enum pci_msi_register {
    PCI_MSI_CONTROL = 0x02,
    PCI_MSI_ADDRESS = 0x04,
    PCI_MSI_DATA = 0x0c,
    PCI_MSI_MASK = 0x10,
    PCI_MSI_PENDING = 0x14,
    PCI_MSI_SIZE = 0x18,
};
#define PCI_MSI_ENABLE (1u << 0)
#define PCI_MSI_CAPABLE_SHIFT 1 /* log2 of the vectors there are */
#define PCI_MSI_ENABLED_SHIFT 4 /* log2 of those that are used */
#define PCI_MSI_64BIT (1u << 7)
#define PCI_MSI_MASKING (1u << 8)

/* MSI-X (Local Bus 3.0, 6.8.2) */
enum pci_msix_register {
    PCI_MSIX_CONTROL = 0x02,
    PCI_MSIX_TABLE = 0x04,
    PCI_MSIX_PENDING = 0x08,
    PCI_MSIX_SIZE = 0x0c,
};
#define PCI_MSIX_MASK_ALL (1u << 14)
#define PCI_MSIX_ENABLE (1u << 15)

/* PCI Express capability (Express Base, 7.5.3) */
enum pci_express_register {
    PCI_EXPRESS_FLAGS = 0x02,
    PCI_EXPRESS_DEVICE_CAP = 0x04,
    PCI_EXPRESS_DEVICE_CONTROL = 0x08,
    PCI_EXPRESS_DEVICE_STATUS = 0x0a,
    PCI_EXPRESS_LINK_CAP = 0x0c,
    PCI_EXPRESS_LINK_CONTROL = 0x10,
    PCI_EXPRESS_LINK_STATUS = 0x12,
    PCI_EXPRESS_SLOT_CAP = 0x14,
    PCI_EXPRESS_SLOT_CONTROL = 0x18,
    PCI_EXPRESS_SLOT_STATUS = 0x1a,
    PCI_EXPRESS_ROOT_CONTROL = 0x1c,
    PCI_EXPRESS_DEVICE_CAP2 = 0x24,
    PCI_EXPRESS_LINK_CONTROL2 = 0x30,
    PCI_EXPRESS_SIZE = 0x3c,
};
#define PCI_LINK_CAP_ACTIVE_REPORTING (1u << 20)
#define PCI_LINK_CONTROL_DISABLE (1u << 4)
#define PCI_LINK_STATUS_ACTIVE (1u << 13)

/* Slots (Express Base, 7.5.3.9 to 7.5.3.11). Bits 0 to 4 of control allow interrupts for those of status. */
#define PCI_SLOT_CAP_BUTTON (1u << 0)
#define PCI_SLOT_CAP_POWER_CONTROL (1u << 1)
#define PCI_SLOT_CAP_ATTENTION_INDICATOR (1u << 3)
#define PCI_SLOT_CAP_POWER_INDICATOR (1u << 4)
#define PCI_SLOT_CAP_SURPRISE (1u << 5)
#define PCI_SLOT_CAP_HOT_PLUG (1u << 6)
#define PCI_SLOT_CAP_NUMBER_SHIFT 19
#define PCI_SLOT_CONTROL_INTERRUPT (1u << 5)
#define PCI_SLOT_CONTROL_ATTENTION_OFF (3u << 6)
#define PCI_SLOT_CONTROL_INDICATOR (3u << 8) /* power indicator: 1 on, 2 blinks, 3 off */
#define PCI_SLOT_CONTROL_INDICATOR_ON (1u << 8)
#define PCI_SLOT_CONTROL_INDICATOR_BLINKS (2u << 8)
#define PCI_SLOT_CONTROL_INDICATOR_OFF (3u << 8)
#define PCI_SLOT_CONTROL_POWER_OFF (1u << 10)
#define PCI_SLOT_CONTROL_LINK_ENABLE (1u << 12) /* interrupts for PCI_SLOT_LINK_CHANGED */
#define PCI_SLOT_CONTROL_WRITABLE 0x17fbu       /* all that a slot with the above has */
#define PCI_SLOT_BUTTON (1u << 0)               /* of status: events, cleared by writing 1 */
#define PCI_SLOT_PRESENCE_CHANGED (1u << 3)
#define PCI_SLOT_COMMAND_DONE (1u << 4)
#define PCI_SLOT_LINK_CHANGED (1u << 8)
#define PCI_SLOT_EVENTS 0x11fu
#define PCI_SLOT_PRESENT (1u << 6)

enum pci_express_type {
    PCI_EXPRESS_ENDPOINT = 0,
    PCI_EXPRESS_ROOT_PORT = 4,
    PCI_EXPRESS_ROOT_ENDPOINT = 9, /* integrated in the root complex: no link above it */
};

#endif
