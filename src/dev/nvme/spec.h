/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Names and layouts of NVM Express, Base Specification 1.4c, as far as the controller needs them.
 * Section numbers in this folder are of that document.
 */
#ifndef RVVM_DEV_NVME_SPEC_H
#define RVVM_DEV_NVME_SPEC_H

#include <stdint.h>

/* Controller registers, section 3.1. */
enum {
    NVME_CAP = 0x00,
    NVME_VS = 0x08,
    NVME_INTMS = 0x0c,
    NVME_INTMC = 0x10,
    NVME_CC = 0x14,
    NVME_CSTS = 0x1c,
    NVME_NSSR = 0x20,
    NVME_AQA = 0x24,
    NVME_ASQ = 0x28,
    NVME_ACQ = 0x30,
    NVME_DOORBELLS = 0x1000,
};

enum {
    CC_EN = 1u << 0,
    CC_CSS_SHIFT = 4, /* 3 bits */
    CC_MPS_SHIFT = 7, /* 4 bits */
    CC_AMS_SHIFT = 11,
    CC_SHN_SHIFT = 14,
    CC_SHN_MASK = 3u << CC_SHN_SHIFT,
    CC_IOSQES_SHIFT = 16,
    CC_IOCQES_SHIFT = 20,
    CC_WRITABLE = 0x00fffff1,
};

enum {
    CSTS_RDY = 1u << 0,
    CSTS_CFS = 1u << 1,
    CSTS_SHST_MASK = 3u << 2,
    CSTS_SHST_OCCURRING = 1u << 2,
    CSTS_SHST_COMPLETE = 2u << 2,
    CSTS_NSSRO = 1u << 4,
};

#define NVME_VERSION 0x00010400  /* 1.4, as VS and Identify say it */
#define NVME_NSSR_KEY 0x4e564d65 /* "NVMe" */
#define NVME_NSID_ALL UINT32_MAX

/* A submission queue entry, figure 105. The union is dwords 10 to 15 by command. */
struct nvme_command {
    uint8_t opcode;
    uint8_t flags; /* FUSE, PSDT */
    uint16_t cid;
    uint32_t nsid;
    uint64_t reserved;
    uint64_t mptr;
    union {
        struct {
            uint64_t prp1, prp2;
        };
        struct nvme_sgl {
            uint64_t address;
            uint32_t length;
            uint8_t reserved[3];
            uint8_t identifier; /* type in the high half, subtype in the low */
        } sgl;
    };
    uint32_t cdw10, cdw11, cdw12, cdw13, cdw14, cdw15;
};
_Static_assert(sizeof(struct nvme_command) == 64, "figure 105");
_Static_assert(sizeof(struct nvme_sgl) == 16, "figure 114");

enum { COMMAND_FUSE_MASK = 3, COMMAND_PSDT_SHIFT = 6 };

enum nvme_sgl_type {
    SGL_DATA_BLOCK = 0,
    SGL_SEGMENT = 2,
    SGL_LAST_SEGMENT = 3,
};

/* A completion queue entry, section 4.6. */
struct nvme_completion {
    uint32_t dw0, dw1;
    uint16_t sq_head, sq_id;
    uint16_t cid;
    uint16_t status; /* bit 0: phase tag; above: enum nvme_status */
};
_Static_assert(sizeof(struct nvme_completion) == 16, "section 4.6");

enum nvme_admin_opcode {
    ADMIN_DELETE_SQ = 0x00,
    ADMIN_CREATE_SQ = 0x01,
    ADMIN_GET_LOG_PAGE = 0x02,
    ADMIN_DELETE_CQ = 0x04,
    ADMIN_CREATE_CQ = 0x05,
    ADMIN_IDENTIFY = 0x06,
    ADMIN_ABORT = 0x08,
    ADMIN_SET_FEATURES = 0x09,
    ADMIN_GET_FEATURES = 0x0a,
    ADMIN_ASYNC_EVENT = 0x0c,
    ADMIN_DOORBELL_BUFFER = 0x7c,
};

enum nvme_io_opcode {
    IO_FLUSH = 0x00,
    IO_WRITE_BLOCKS = 0x01,
    IO_READ_BLOCKS = 0x02,
    IO_COMPARE = 0x05,
    IO_WRITE_ZEROES = 0x08,
    IO_DATASET_MANAGEMENT = 0x09,
};

/* Status code type and status code (figures 126 to 129) as they stand in a completion. */
#define NVME_STATUS(type, code) ((type) << 8 | (code))
enum nvme_status {
    STATUS_SUCCESS = 0,
    STATUS_INVALID_OPCODE = NVME_STATUS(0, 0x01),
    STATUS_INVALID_FIELD = NVME_STATUS(0, 0x02),
    STATUS_DATA_TRANSFER_ERROR = NVME_STATUS(0, 0x04),
    STATUS_INTERNAL_ERROR = NVME_STATUS(0, 0x06),
    STATUS_ABORT_REQUESTED = NVME_STATUS(0, 0x07),
    STATUS_INVALID_NAMESPACE = NVME_STATUS(0, 0x0b),
    STATUS_SEQUENCE_ERROR = NVME_STATUS(0, 0x0c),
    STATUS_INVALID_SGL_SEGMENT = NVME_STATUS(0, 0x0d),
    STATUS_INVALID_SGL_COUNT = NVME_STATUS(0, 0x0e),
    STATUS_SGL_LENGTH_INVALID = NVME_STATUS(0, 0x0f),
    STATUS_SGL_TYPE_INVALID = NVME_STATUS(0, 0x11),
    STATUS_PRP_OFFSET_INVALID = NVME_STATUS(0, 0x13),
    STATUS_WRITE_PROTECTED = NVME_STATUS(0, 0x20),
    STATUS_LBA_OUT_OF_RANGE = NVME_STATUS(0, 0x80),
    STATUS_CAPACITY_EXCEEDED = NVME_STATUS(0, 0x81),
    STATUS_CQ_INVALID = NVME_STATUS(1, 0x00),
    STATUS_QUEUE_ID_INVALID = NVME_STATUS(1, 0x01),
    STATUS_QUEUE_SIZE_INVALID = NVME_STATUS(1, 0x02),
    STATUS_ASYNC_LIMIT_EXCEEDED = NVME_STATUS(1, 0x05),
    STATUS_VECTOR_INVALID = NVME_STATUS(1, 0x08),
    STATUS_LOG_PAGE_INVALID = NVME_STATUS(1, 0x09),
    STATUS_QUEUE_DELETION_INVALID = NVME_STATUS(1, 0x0c),
    STATUS_FEATURE_NOT_SAVEABLE = NVME_STATUS(1, 0x0d),
    STATUS_FEATURE_NOT_CHANGEABLE = NVME_STATUS(1, 0x0e),
    STATUS_WRITE_FAULT = NVME_STATUS(2, 0x80),
    STATUS_READ_ERROR = NVME_STATUS(2, 0x81),
    STATUS_COMPARE_FAILURE = NVME_STATUS(2, 0x85),
    STATUS_MORE = 1 << 13, /* the error log has an entry for it */
    STATUS_DNR = 1 << 14,  /* do not retry: the same command would fail again */
};

/* Asynchronous events, figures 146 to 149: type, and information within it. */
enum nvme_event_type { EVENT_ERROR = 0, EVENT_SMART = 1, EVENT_NOTICE = 2, EVENT_TYPES };
enum {
    EVENT_ERROR_INVALID_DOORBELL = 0,
    EVENT_ERROR_INVALID_DOORBELL_VALUE = 1,
    EVENT_SMART_TEMPERATURE = 1,
};

enum nvme_log_page {
    LOG_PAGE_ERROR = 0x01,
    LOG_PAGE_SMART = 0x02,
    LOG_PAGE_FIRMWARE_SLOT = 0x03,
    LOG_PAGE_CHANGED_NAMESPACES = 0x04,
    LOG_PAGE_EFFECTS = 0x05,
};

enum nvme_feature {
    FEATURE_ARBITRATION = 0x01,
    FEATURE_POWER_MANAGEMENT = 0x02,
    FEATURE_TEMPERATURE_THRESHOLD = 0x04,
    FEATURE_ERROR_RECOVERY = 0x05,
    FEATURE_VOLATILE_WRITE_CACHE = 0x06,
    FEATURE_QUEUE_COUNT = 0x07,
    FEATURE_INTERRUPT_COALESCING = 0x08,
    FEATURE_INTERRUPT_VECTOR = 0x09,
    FEATURE_WRITE_ATOMICITY = 0x0a,
    FEATURE_ASYNC_EVENTS = 0x0b,
    FEATURE_TIMESTAMP = 0x0e,
};

/* Optional NVM commands that Identify Controller announces, ONCS. */
enum {
    ONCS_COMPARE = 1 << 0,
    ONCS_DATASET_MANAGEMENT = 1 << 2,
    ONCS_WRITE_ZEROES = 1 << 3,
    ONCS_SELECT = 1 << 4, /* SEL of Get Features, SV of Set Features */
    ONCS_TIMESTAMP = 1 << 6,
};

/* Read, Write and Write Zeroes, dword 12. */
enum { RW_BLOCKS_MASK = 0xffff, RW_DEALLOCATE = 1 << 25, RW_FUA = 1 << 30 };
enum { DSM_RANGES_MASK = 0xff, DSM_DEALLOCATE = 1 << 2 };

struct nvme_dsm_range {
    uint32_t attributes;
    uint32_t blocks;
    uint64_t first;
};
_Static_assert(sizeof(struct nvme_dsm_range) == 16, "figure 366");

#endif
