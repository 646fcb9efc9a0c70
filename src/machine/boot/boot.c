/* SPDX-License-Identifier: MPL-2.0 */
/* Reading what the user named, and placing it in memory: see boot.h. */
#include "machine/boot/boot.h"

#include "machine/boot/compressed.h"
#include "machine/boot/device_tree.h"
#include "machine/boot/elf.h"
#include "machine/boot/firmware.h"
#include "machine/boot/kernel_image.h"
#include "machine/boot/plan.h"
#include "machine/machine.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096u
/* Below this, where a 32-bit kernel's own mapping of memory reaches it too. */
#define DEVICE_TREE_LIMIT 0xc0000000u
#define DEVICE_TREE_ALIGN (2u << 20)

/*
 * Files
 */

static bool copy_bytes(struct file_data *data, const char *name, struct boot_bytes from,
                       uint64_t limit, struct error *err)
{
    if (from.size > limit)
        return error_set(err, "%s: %zu bytes, of which there can be %" PRIu64, name, from.size,
                         limit);
    data->bytes = malloc(from.size + 1);
    if (!data->bytes)
        return error_set(err, "out of memory");
    memcpy(data->bytes, from.bytes, from.size);
    data->size = from.size;
    return true;
}

/* what: a name for bytes that have none. */
static bool read_file(struct boot_file *file, const struct boot_source *from, const char *what,
                      uint64_t limit, struct error *err)
{
    const char *name = from->bytes.bytes ? what : from->path;
    if (!name)
        return true;
    if (from->bytes.bytes ? !copy_bytes(&file->data, name, from->bytes, limit, err)
                          : !file_read(name, limit, &file->data, err))
        return false;
    file->path = strdup(name);
    return file->path || error_set(err, "out of memory");
}

static bool check_kernel(const struct boot_file *kernel, unsigned xlen, struct error *err)
{
    const struct file_data *data = &kernel->data;
    struct kernel_image image;
    if (!data->size)
        return error_set(err, "%s: an empty file", kernel->path);
    if (elf_is(data->bytes, data->size))
        return elf_check(kernel->path, data->bytes, data->size, xlen, err);
    return kernel_image_read(&image, kernel->path, data->bytes, data->size, xlen, err);
}

bool boot_files_read(struct boot_files *files, const struct boot_sources *sources,
                     const struct isa *isa, uint64_t ram_size, struct error *err)
{
    if (sources->append && !(files->append = strdup(sources->append)))
        return error_set(err, "out of memory");
    if (!read_file(&files->firmware, &sources->firmware, "firmware", ram_size, err) ||
        !read_file(&files->kernel, &sources->kernel, "kernel", ram_size, err) ||
        !read_file(&files->initrd, &sources->initrd, "initial ramdisk", ram_size, err) ||
        !read_file(&files->dtb, &sources->dtb, "device tree", DEVICE_TREE_MAX, err))
        return false;
    if (files->firmware.path && !firmware_check(&files->firmware, isa->xlen, err))
        return false;
    struct boot_file *kernel = &files->kernel;
    if (kernel->path && (!compressed_unpack(kernel->path, &kernel->data, ram_size, err) ||
                         !check_kernel(kernel, isa->xlen, err)))
        return false;
    if (files->initrd.path && !files->initrd.data.size)
        return error_set(err, "%s: an empty file", files->initrd.path);
    return !files->dtb.path || device_tree_check(&files->dtb, err);
}

static void free_file(struct boot_file *file)
{
    free(file->path);
    file_data_free(&file->data);
    *file = (struct boot_file){0};
}

void boot_files_free(struct boot_files *files)
{
    free_file(&files->firmware);
    free_file(&files->kernel);
    free_file(&files->initrd);
    free_file(&files->dtb);
    free(files->append);
    files->append = NULL;
}

void boot_state_free(struct boot_state *state)
{
    free(state->dtb);
    *state = (struct boot_state){0};
}

/*
 * Places
 */

static bool place_kernel(struct plan *plan, const struct boot_file *kernel, unsigned xlen,
                         uint64_t *entry, struct error *err)
{
    const struct file_data *data = &kernel->data;
    const uint64_t align = kernel_image_align(xlen);
    const uint64_t firmware_end = plan_end_below(plan, UINT64_MAX);
    struct kernel_image image;
    if (!kernel_image_read(&image, kernel->path, data->bytes, data->size, xlen, err))
        return false;
    if (image.text_offset >= plan->ram_size)
        return error_set(
            err, "%s: a kernel that starts 0x%" PRIx64 " bytes into main memory, of 0x%" PRIx64,
            kernel->path, image.text_offset, plan->ram_size);
    uint64_t address = plan->ram_base + (image.has_header ? image.text_offset : align);
    if (address < firmware_end)
        address += align_up(firmware_end - address, align);
    if (elf_is(data->bytes, data->size))
        return elf_plan(plan, kernel->path, data->bytes, data->size, xlen, address, entry, err);
    *entry = address;
    struct plan_piece piece = {kernel->path, address, image.image_size, data->bytes, data->size};
    return plan_add(plan, piece, err);
}

/* Highest: first the device tree aligned for kernels that map it by large pages, else as it fits. */
static bool place_device_tree(struct plan *plan, struct boot_state *state, const uint8_t *info,
                              size_t info_size, struct error *err)
{
    uint64_t top = plan->ram_base + plan->ram_size;
    if (top > DEVICE_TREE_LIMIT)
        top = DEVICE_TREE_LIMIT;
    if (info_size) {
        top = align_down(top - info_size, 64);
        struct plan_piece record = {"record for the firmware", top, 0, info, info_size};
        if (!plan_add(plan, record, err))
            return false;
        state->dynamic_info = top;
    }
    uint64_t address = align_down(top - state->dtb_size, DEVICE_TREE_ALIGN);
    if (!plan_is_free(plan, address, state->dtb_size))
        address = align_down(top - state->dtb_size, PAGE);
    state->dtb_address = address;
    struct plan_piece tree = {"device tree", address, 0, state->dtb, state->dtb_size};
    return plan_add(plan, tree, err);
}

static bool place_initrd(struct plan *plan, const struct boot_file *initrd, unsigned xlen,
                         const struct boot_state *state, struct error *err)
{
    const uint64_t size = initrd->data.size;
    const uint64_t cap = (xlen == 32 ? 128u : 512u) << 20;
    const uint64_t kernel_end = align_up(plan_end_below(plan, state->dtb_address), PAGE);
    uint64_t address =
        plan->ram_base + align_up(plan->ram_size / 2 < cap ? plan->ram_size / 2 : cap, PAGE);
    if (address < kernel_end || !plan_is_free(plan, address, size))
        address = kernel_end;
    if (!plan_is_free(plan, address, size))
        return error_set(err,
                         "%s: its %" PRIu64 " KiB do not fit into the main memory of %" PRIu64
                         " MiB with the kernel and the device tree (-m makes it larger)",
                         initrd->path, (size >> 10) + 1, plan->ram_size >> 20);
    device_tree_set_initrd(state->dtb, address, address + size);
    return plan_add(plan, (struct plan_piece){initrd->path, address, 0, initrd->data.bytes, size},
                    err);
}

static bool make_plan(struct machine *m, struct plan *plan, uint8_t info[FIRMWARE_INFO_SIZE],
                      struct error *err)
{
    const struct boot_files *files = &m->files;
    const unsigned xlen = m->isa.xlen;
    struct boot_state *state = &m->boot;
    uint64_t kernel_entry = 0;
    size_t info_size = 0;
    boot_state_free(state);
    *plan = (struct plan){.ram_base = m->bus.ram_base, .ram_size = m->bus.ram_size};
    state->entry = plan->ram_base;
    if (files->firmware.path && !firmware_plan(plan, &files->firmware, xlen, &state->entry, err))
        return false;
    if (files->kernel.path && !place_kernel(plan, &files->kernel, xlen, &kernel_entry, err))
        return false;
    if (!files->kernel.path)
        kernel_entry = m->flash_entry;
    if (files->firmware.path) {
        info_size = firmware_info(info, xlen, kernel_entry);
    } else if (kernel_entry) {
        state->supervisor = true;
        state->entry = kernel_entry;
    }
    return device_tree_make(m, &state->dtb, &state->dtb_size, err) &&
           place_device_tree(plan, state, info, info_size, err) &&
           (!files->initrd.path || place_initrd(plan, &files->initrd, xlen, state, err));
}

bool boot_prepare(struct machine *m, struct error *err)
{
    struct plan plan;
    uint8_t info[FIRMWARE_INFO_SIZE];
    return make_plan(m, &plan, info, err);
}

bool boot_load(struct machine *m, struct error *err)
{
    struct plan plan;
    uint8_t info[FIRMWARE_INFO_SIZE];
    if (!make_plan(m, &plan, info, err))
        return false;
    memory_clear(&m->ram, m->bus.ram_size);
    plan_write(&plan, m->bus.ram);
    for (unsigned i = 0; i < plan.count; i++)
        log_line(m->log, LOG_INFO, "0x%" PRIx64 " to 0x%" PRIx64 ": %s", plan.pieces[i].address,
                 plan.pieces[i].address + plan.pieces[i].span - 1, plan.pieces[i].name);
    log_line(m->log, LOG_INFO, "start at 0x%" PRIx64 " in %c-mode", m->boot.entry,
             m->boot.supervisor ? 'S' : 'M');
    return true;
}
