/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The qcow2 format, versions 2 and 3, in the words of its specification (docs/interop/qcow2.txt of
 * QEMU's sources). All numbers are big-endian.
 *
 * A disk is cut into clusters. The L1 table, indexed by the highest bits of an offset, has the places
 * of L2 tables, each as large as a cluster, and these say where a cluster lies in the file. Refcounts,
 * reached through a table of refcount blocks, say how often each cluster of the file is used.
 */
#ifndef RVVM_BLOCK_QCOW2_FORMAT_H
#define RVVM_BLOCK_QCOW2_FORMAT_H

#include <stdint.h>

/* Header: offsets of its fields. */
enum {
    HEADER_MAGIC = 0,
    HEADER_VERSION = 4,
    HEADER_BACKING_OFFSET = 8,
    HEADER_BACKING_SIZE = 16,
    HEADER_CLUSTER_BITS = 20,
    HEADER_SIZE = 24,
    HEADER_CRYPT_METHOD = 32,
    HEADER_L1_SIZE = 36,
    HEADER_L1_OFFSET = 40,
    HEADER_REFTABLE_OFFSET = 48,
    HEADER_REFTABLE_CLUSTERS = 56,
    HEADER_SNAPSHOTS = 60,
    HEADER_SNAPSHOTS_OFFSET = 64,
    HEADER_V2_LENGTH = 72,
    /* Version 3 */
    HEADER_INCOMPATIBLE = 72,
    HEADER_COMPATIBLE = 80,
    HEADER_AUTOCLEAR = 88,
    HEADER_REFCOUNT_ORDER = 96,
    HEADER_LENGTH = 100,
    HEADER_COMPRESSION = 104,
    HEADER_V3_LENGTH = 104, /* the least */
    HEADER_FULL_LENGTH = 112,
};

#define QCOW2_MAGIC 0x514649fbu

#define INCOMPATIBLE_DIRTY 0x01ull         /* refcounts may be wrong */
#define INCOMPATIBLE_CORRUPT 0x02ull       /* not to be written to */
#define INCOMPATIBLE_EXTERNAL_DATA 0x04ull /* not known here */
#define INCOMPATIBLE_COMPRESSION 0x08ull   /* the header has a compression type */
#define INCOMPATIBLE_EXTENDED_L2 0x10ull   /* L2 entries of 16 bytes, with subclusters */
#define INCOMPATIBLE_KNOWN \
    (INCOMPATIBLE_DIRTY | INCOMPATIBLE_CORRUPT | INCOMPATIBLE_COMPRESSION | \
     INCOMPATIBLE_EXTENDED_L2)
#define COMPATIBLE_LAZY_REFCOUNTS 0x01ull

enum { COMPRESSION_ZLIB, COMPRESSION_ZSTD };

/* Header extensions */
#define EXTENSION_END 0u
#define EXTENSION_BACKING_FORMAT 0xe2792acau
#define EXTENSION_FEATURE_NAMES 0x6803f857u
#define FEATURE_NAME_SIZE 48 /* kind, bit, and 46 characters */

/* L1 and L2 entries */
#define ENTRY_OFFSET 0x00fffffffffffe00ull
#define ENTRY_COPIED (1ull << 63)     /* refcount is exactly 1: may be written in place */
#define ENTRY_COMPRESSED (1ull << 62) /* L2 only */
#define ENTRY_ZERO 1ull               /* L2 only, version 3 without subclusters */

/* Refcount table entries */
#define REFTABLE_OFFSET 0xfffffffffffffe00ull

#define SUBCLUSTERS 32 /* of a cluster, with extended L2 entries */

/* Limits: what a header may ask for. */
#define CLUSTER_BITS_MIN 9
#define CLUSTER_BITS_MAX 21
#define L1_BYTES_MAX (32u << 20)
#define REFTABLE_BYTES_MAX (8u << 20)
#define SNAPSHOTS_MAX 65536u
#define BACKING_NAME_MAX 1023u

/* Snapshot table entries: a fixed part, extra data, id, name, padded to 8. */
enum {
    SNAPSHOT_L1_OFFSET = 0,
    SNAPSHOT_L1_SIZE = 8,
    SNAPSHOT_ID_SIZE = 12,
    SNAPSHOT_NAME_SIZE = 14,
    SNAPSHOT_SECONDS = 16,
    SNAPSHOT_NANOSECONDS = 20,
    SNAPSHOT_GUEST_CLOCK = 24,
    SNAPSHOT_STATE_SIZE = 32,
    SNAPSHOT_EXTRA_SIZE = 36,
    SNAPSHOT_FIXED = 40,
    SNAPSHOT_EXTRA_DISK_SIZE = 8, /* in the extra data */
};

#endif
