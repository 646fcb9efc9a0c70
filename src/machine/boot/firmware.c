/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Firmware: see firmware.h. All harts enter it in M-mode with a0 = hart, a1 = device tree and a2 =
 * this record (OpenSBI, include/sbi/fw_dynamic.h), as QEMU's reset code leaves them. Other firmware
 * does not look at a2.
 */
#include "machine/boot/firmware.h"

#include "machine/boot/compressed.h"
#include "machine/boot/elf.h"
#include <string.h>

enum {
    INFO_MAGIC = 0x4942534f, /* "OSBI" */
    INFO_VERSION = 2,
    INFO_NEXT_IS_SUPERVISOR = 1,
};

bool firmware_check(const struct boot_file *file, unsigned xlen, struct error *err)
{
    const uint8_t *bytes = file->data.bytes;
    size_t size = file->data.size;
    if (!size)
        return error_set(err, "%s: an empty file", file->path);
    if (elf_is(bytes, size))
        return elf_check(file->path, bytes, size, xlen, err);
    const char *compression = compressed_name(bytes, size);
    if (compression)
        return error_set(err, "%s: a compressed file (%s); firmware is a raw image or an ELF file",
                         file->path, compression);
    return true;
}

bool firmware_plan(struct plan *plan, const struct boot_file *file, unsigned xlen, uint64_t *entry,
                   struct error *err)
{
    const struct file_data *data = &file->data;
    if (elf_is(data->bytes, data->size))
        return elf_plan(plan, file->path, data->bytes, data->size, xlen, plan->ram_base, entry,
                        err);
    *entry = plan->ram_base;
    return plan_add(
        plan, (struct plan_piece){file->path, plan->ram_base, 0, data->bytes, data->size}, err);
}

size_t firmware_info(uint8_t info[FIRMWARE_INFO_SIZE], unsigned xlen, uint64_t next)
{
    /* magic, version, next_addr, next_mode, options, boot_hart: each an unsigned long. The boot
     * hart that is preferred is the first, so that runs are alike. */
    const uint64_t words[] = {INFO_MAGIC, INFO_VERSION, next, INFO_NEXT_IS_SUPERVISOR, 0, 0};
    const unsigned width = xlen / 8, count = sizeof(words) / sizeof(words[0]);
    for (unsigned i = 0; i < count; i++)
        for (unsigned byte = 0; byte < width; byte++)
            info[i * width + byte] = (uint8_t)(words[i] >> 8 * byte);
    return (size_t)count * width;
}
