/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Linux Images: see kernel_image.h. Those that can be started by EFI are PE files as well, whose
 * headers say more than the kernel's own: the width, and how long the file is.
 */
#include "machine/boot/kernel_image.h"
#include <inttypes.h>
#include <string.h>

enum {
    HEADER_SIZE = 64,
    TEXT_OFFSET = 8,
    IMAGE_SIZE = 16,
    VERSION = 32,
    MAGIC2 = 56,     /* "RSC\5"; where arm64 has its own */
    PE_POINTER = 60, /* in all PE files */
    PE_HEADER_SIZE = 24,
    PE_SECTION_SIZE = 40,
    PE_MACHINE_RV32 = 0x5032,
    PE_MACHINE_RV64 = 0x5064,
};

static uint64_t field(const uint8_t *at, unsigned size)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)at[i] << 8 * i;
    return value;
}

static bool check_pe_machine(const char *path, unsigned machine, unsigned xlen, struct error *err)
{
    switch (machine) {
    case PE_MACHINE_RV32:
    case PE_MACHINE_RV64:
        if (machine == (xlen == 64 ? PE_MACHINE_RV64 : PE_MACHINE_RV32))
            return true;
        return error_set(err, "%s: a kernel for rv%d, and this machine is rv%u", path,
                         machine == PE_MACHINE_RV64 ? 64 : 32, xlen);
    case 0x14c:
        return error_set(err, "%s: a program for x86, not for RISC-V", path);
    case 0x8664:
        return error_set(err, "%s: a program for x86-64, not for RISC-V", path);
    case 0xaa64:
        return error_set(err, "%s: a program for 64-bit Arm, not for RISC-V", path);
    default:
        return error_set(err,
                         "%s: a program for another processor (PE machine 0x%x), not for RISC-V",
                         path, machine);
    }
}

/* A PE file's machine, and that its sections are there. Not a PE file: fine. */
static bool check_pe(const char *path, const uint8_t *bytes, size_t size, unsigned xlen,
                     struct error *err)
{
    if (memcmp(bytes, "MZ", 2))
        return true;
    uint64_t pe = field(bytes + PE_POINTER, 4);
    if (pe > size || size - pe < PE_HEADER_SIZE || memcmp(bytes + pe, "PE\0", 4))
        return true;
    if (!check_pe_machine(path, (unsigned)field(bytes + pe + 4, 2), xlen, err))
        return false;
    unsigned count = (unsigned)field(bytes + pe + 6, 2);
    uint64_t table = pe + PE_HEADER_SIZE + field(bytes + pe + 20, 2);
    bool whole = table + (uint64_t)count * PE_SECTION_SIZE <= size;
    for (unsigned i = 0; whole && i < count; i++) {
        const uint8_t *section = bytes + table + (size_t)i * PE_SECTION_SIZE;
        whole = field(section + 16, 4) + field(section + 20, 4) <= size;
    }
    return whole ||
           error_set(err, "%s: cut short: a kernel whose sections end beyond its %zu bytes", path,
                     size);
}

/* Kernels of other processors, which would run as a raw image to no end. */
static bool check_foreign(const char *path, const uint8_t *bytes, size_t size, struct error *err)
{
    if (!memcmp(bytes + MAGIC2, "ARM\x64", 4))
        return error_set(err, "%s: a kernel for 64-bit Arm, not for RISC-V", path);
    if (size >= 0x206 && !memcmp(bytes + 0x202, "HdrS", 4))
        return error_set(err, "%s: a kernel for x86, not for RISC-V", path);
    return true;
}

bool kernel_image_read(struct kernel_image *image, const char *path, const uint8_t *bytes,
                       size_t size, unsigned xlen, struct error *err)
{
    *image = (struct kernel_image){0};
    if (size < HEADER_SIZE)
        return true;
    if (!check_foreign(path, bytes, size, err) || !check_pe(path, bytes, size, xlen, err))
        return false;
    if (memcmp(bytes + MAGIC2, "RSC\5", 4))
        return true;
    unsigned major = (unsigned)field(bytes + VERSION, 4) >> 16;
    if (major > 0)
        return error_set(err, "%s: a kernel with a header of version %u; 0 is known here", path,
                         major);
    image->has_header = true;
    image->text_offset = field(bytes + TEXT_OFFSET, 8);
    image->image_size = field(bytes + IMAGE_SIZE, 8);
    return true;
}
