/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Names and layouts of the Serial ATA Advanced Host Controller Interface 1.3.1, of the frame
 * information structures of Serial ATA 3, and of ATA8-ACS, as far as the controller needs them.
 */
#ifndef RVVM_DEV_AHCI_SPEC_H
#define RVVM_DEV_AHCI_SPEC_H

#include <stdint.h>

/* Generic host control, section 3.1. */
enum {
    AHCI_CAP = 0x00,
    AHCI_GHC = 0x04,
    AHCI_IS = 0x08,
    AHCI_PI = 0x0c,
    AHCI_VS = 0x10,
    AHCI_PORTS = 0x100,
    AHCI_PORT_SIZE = 0x80,
};

enum {
    CAP_SLOTS_SHIFT = 8, /* 5 bits, zero-based */
    CAP_SAM = 1 << 18,   /* there is no other mode than AHCI */
    CAP_GEN3 = 3 << 20,
    CAP_SCLO = 1 << 24,
    CAP_SNCQ = 1 << 30,
};
#define CAP_S64A (1u << 31)

enum { GHC_HR = 1 << 0, GHC_IE = 1 << 1 };
#define GHC_AE (1u << 31)

/* Port registers, section 3.3. */
enum {
    PORT_CLB = 0x00,
    PORT_CLBU = 0x04,
    PORT_FB = 0x08,
    PORT_FBU = 0x0c,
    PORT_IS = 0x10,
    PORT_IE = 0x14,
    PORT_CMD = 0x18,
    PORT_TFD = 0x20,
    PORT_SIG = 0x24,
    PORT_SSTS = 0x28,
    PORT_SCTL = 0x2c,
    PORT_SERR = 0x30,
    PORT_SACT = 0x34,
    PORT_CI = 0x38,
};

/* PxIS and PxIE. */
enum {
    IS_DHRS = 1 << 0, /* device to host register FIS */
    IS_PSS = 1 << 1,  /* PIO setup FIS */
    IS_SDBS = 1 << 3, /* set device bits FIS */
    IS_PCS = 1 << 6,  /* shows SERR.DIAG.X */
    IS_PRCS = 1 << 22,
    IS_OFS = 1 << 24,  /* more data than the host has room for */
    IS_IFS = 1 << 27,  /* a frame that makes no sense */
    IS_HBFS = 1 << 29, /* memory that is not there */
    IS_TFES = 1 << 30, /* the task file has an error */
    IS_IMPLEMENTED = 0x7dc000ff,
};

enum {
    CMD_ST = 1 << 0,
    CMD_SUD = 1 << 1,
    CMD_POD = 1 << 2,
    CMD_CLO = 1 << 3,
    CMD_FRE = 1 << 4,
    CMD_CCS_SHIFT = 8,
    CMD_FR = 1 << 14,
    CMD_CR = 1 << 15,
    CMD_WRITABLE = CMD_ST | CMD_FRE | 0x07000000,
};

enum {
    SCTL_DET_MASK = 0xf,
    SCTL_DET_RESET = 1,
    SSTS_ONLINE = 3 << 0 | 3 << 4 | 1 << 8, /* present and connected, third generation, active */
    SERR_DIAG_N = 1 << 16,                  /* PHY ready changed */
    SERR_DIAG_X = 1 << 26,                  /* exchanged: the device was reset */
};

#define ATA_SIGNATURE 0x00000101

/* A command of the command list, section 4.2.2. */
struct ahci_command {
    uint16_t flags; /* bits 0 to 4: dwords of the command FIS */
    uint16_t prdtl; /* entries of the table of memory */
    uint32_t prdbc; /* bytes moved */
    uint32_t ctba, ctbau;
    uint32_t reserved[4];
};
_Static_assert(sizeof(struct ahci_command) == 32, "section 4.2.2");

enum { COMMAND_FIS_DWORDS = 0x1f, COMMAND_PRDBC = 4, TABLE_PRDT = 0x80 };

struct ahci_prd {
    uint64_t address;
    uint32_t reserved;
    uint32_t count; /* bits 0 to 21: bytes, less one */
};
_Static_assert(sizeof(struct ahci_prd) == 16, "section 4.2.3.3");
#define PRD_COUNT_MASK 0x3fffff

/* Where received FISes go, section 4.2.1. */
enum { RECEIVED_PIO_SETUP = 0x20, RECEIVED_REGISTER = 0x40, RECEIVED_DEVICE_BITS = 0x58 };

enum fis_type {
    FIS_HOST_TO_DEVICE = 0x27,
    FIS_DEVICE_TO_HOST = 0x34,
    FIS_PIO_SETUP = 0x5f,
    FIS_DEVICE_BITS = 0xa1,
};

struct fis_host_to_device {
    uint8_t type, flags, command, features_low;
    uint8_t lba_low[3], device;
    uint8_t lba_high[3], features_high;
    uint8_t count_low, count_high, icc, control;
    uint32_t auxiliary;
};
_Static_assert(sizeof(struct fis_host_to_device) == 20, "Serial ATA, 10.5.5");
enum { FIS_COMMAND = 1 << 7, FIS_PORT_MASK = 0xf, CONTROL_SRST = 1 << 2 };

struct fis_device_to_host {
    uint8_t type, flags, status, error;
    uint8_t lba_low[3], device;
    uint8_t lba_high[3], reserved11;
    uint8_t count_low, count_high, reserved14;
    uint8_t end_status;      /* PIO setup only */
    uint16_t transfer_count; /* PIO setup only */
    uint8_t reserved18[2];
};
_Static_assert(sizeof(struct fis_device_to_host) == 20, "Serial ATA, 10.5.6 and 10.5.11");
enum { FIS_INTERRUPT = 1 << 6, FIS_TO_HOST = 1 << 5 };

struct fis_device_bits {
    uint8_t type, flags, status, error;
    uint32_t done; /* tags */
};

/* ATA status and error registers. */
enum { ATA_ERR = 1 << 0, ATA_DRQ = 1 << 3, ATA_SEEK = 1 << 4, ATA_DRDY = 1 << 6, ATA_BSY = 1 << 7 };
enum { ATA_READY = ATA_DRDY | ATA_SEEK };
enum { ATA_ABRT = 1 << 2, ATA_IDNF = 1 << 4, ATA_UNC = 1 << 6 };
enum { DEVICE_LBA = 1 << 6, DEVICE_FUA = 1 << 7 };

enum ata_command {
    ATA_DATA_SET_MANAGEMENT = 0x06,
    ATA_READ_SECTORS = 0x20,
    ATA_READ_SECTORS_EXT = 0x24,
    ATA_READ_DMA_EXT = 0x25,
    ATA_READ_MULTIPLE_EXT = 0x29,
    ATA_READ_LOG_EXT = 0x2f,
    ATA_WRITE_SECTORS = 0x30,
    ATA_WRITE_SECTORS_EXT = 0x34,
    ATA_WRITE_DMA_EXT = 0x35,
    ATA_WRITE_MULTIPLE_EXT = 0x39,
    ATA_WRITE_DMA_FUA_EXT = 0x3d,
    ATA_READ_VERIFY = 0x40,
    ATA_READ_VERIFY_EXT = 0x42,
    ATA_READ_LOG_DMA_EXT = 0x47,
    ATA_READ_FPDMA_QUEUED = 0x60,
    ATA_WRITE_FPDMA_QUEUED = 0x61,
    ATA_EXECUTE_DIAGNOSTIC = 0x90,
    ATA_SMART = 0xb0,
    ATA_READ_MULTIPLE = 0xc4,
    ATA_WRITE_MULTIPLE = 0xc5,
    ATA_SET_MULTIPLE = 0xc6,
    ATA_READ_DMA = 0xc8,
    ATA_WRITE_DMA = 0xca,
    ATA_STANDBY_IMMEDIATE = 0xe0,
    ATA_IDLE_IMMEDIATE = 0xe1,
    ATA_STANDBY = 0xe2,
    ATA_IDLE = 0xe3,
    ATA_CHECK_POWER_MODE = 0xe5,
    ATA_SLEEP = 0xe6,
    ATA_FLUSH_CACHE = 0xe7,
    ATA_FLUSH_CACHE_EXT = 0xea,
    ATA_IDENTIFY_DEVICE = 0xec,
    ATA_SET_FEATURES = 0xef,
};

#endif
