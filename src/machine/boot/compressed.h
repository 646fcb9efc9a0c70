/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Compressed files in memory: gzip, zstd, and the kernel's EFI zboot container around either. They
 * may be anybody's: what comes out is limited by the caller and memory is taken as it comes.
 */
#ifndef RVVM_MACHINE_BOOT_COMPRESSED_H
#define RVVM_MACHINE_BOOT_COMPRESSED_H

#include "base/error.h"
#include "host/file.h"
#include <stdbool.h>

/* What it is called, or NULL: in none of the formats known here. Includes some that are known but
 * cannot be unpacked, so that they are not taken for something raw. */
const char *compressed_name(const uint8_t *bytes, size_t size);

/*
 * Replaces the content while it is compressed; what is not stays as it is. path is for messages. On
 * failure data still is the caller's to free.
 */
bool compressed_unpack(const char *path, struct file_data *data, uint64_t limit, struct error *err);

#endif
