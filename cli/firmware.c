/* SPDX-License-Identifier: GPL-3.0-only */
#include "firmware.h"

#include "host/file.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLACES 3

/* XX stands for 32 or 64; a place without a slash in front is in the folder that tools/guest fills. */
struct firmware {
    const char *what, *package;
    unsigned xlen; /* the only width that it exists for; 0: both */
    const char *places[PLACES + 1];
};

static const struct firmware opensbi = {
    "OpenSBI",
    "opensbi",
    0,
    {"/usr/lib/riscvXX-linux-gnu/opensbi/generic/fw_dynamic.bin", "opensbi/riscvXX/fw_dynamic.bin",
     "/usr/share/qemu/opensbi-riscvXX-generic-fw_dynamic.bin"},
};

static const struct firmware u_boot = {
    "U-Boot",
    "u-boot-qemu",
    0,
    {"/usr/lib/u-boot/qemu-riscvXX_smode/u-boot.bin", "u-boot/qemu-riscvXX_smode/u-boot.bin"},
};

static const struct firmware edk2_code = {
    "EDK2",
    "qemu-efi-riscv64",
    64,
    {"/usr/share/qemu-efi-riscv64/RISCV_VIRT_CODE.fd", "edk2/RISCV_VIRT_CODE.fd",
     "/usr/share/edk2/riscv/RISCV_VIRT_CODE.fd"},
};

static const struct firmware edk2_vars = {
    "EDK2's variables",
    "qemu-efi-riscv64",
    64,
    {"/usr/share/qemu-efi-riscv64/RISCV_VIRT_VARS.fd", "edk2/RISCV_VIRT_VARS.fd",
     "/usr/share/edk2/riscv/RISCV_VIRT_VARS.fd"},
};

bool firmware_is_name(struct firmware_choice *choice, const char *word)
{
    static const char with_vars[] = "edk2=";
    if (!strcmp(word, "opensbi"))
        choice->opensbi = true;
    else if (!strcmp(word, "u-boot"))
        choice->u_boot = true;
    else if (!strcmp(word, "edk2"))
        choice->edk2 = true;
    else if (!strncmp(word, with_vars, sizeof(with_vars) - 1)) {
        choice->edk2 = true;
        choice->edk2_vars = word + sizeof(with_vars) - 1;
    } else
        return false;
    return true;
}

/* tools/guest has the same rule. */
static bool guest_folder(char *folder, size_t size)
{
    const char *cache = getenv("RVVM_CACHE"), *xdg = getenv("XDG_CACHE_HOME"),
               *home = getenv("HOME");
    int length;
    if (cache && *cache)
        length = snprintf(folder, size, "%s/guest", cache);
    else if (xdg && *xdg)
        length = snprintf(folder, size, "%s/rvvm/guest", xdg);
    else
        length = snprintf(folder, size, "%s/.cache/rvvm/guest", home && *home ? home : "/var/tmp");
    return length > 0 && (size_t)length < size;
}

/* The place with the width in it, behind the folder if it is in there. */
static bool expand(char *path, size_t size, const char *place, const char *folder, unsigned xlen)
{
    const char *width = strstr(place, "XX");
    size_t before = width ? (size_t)(width - place) : strlen(place);
    char digits[12] = "";
    if (width)
        snprintf(digits, sizeof(digits), "%u", xlen);
    bool inside = *place != '/';
    int length = snprintf(path, size, "%s%s%.*s%s%s", inside ? folder : "", inside ? "/" : "",
                          (int)before, place, digits, width ? width + 2 : "");
    return length > 0 && (size_t)length < size;
}

/* A copy of its own for the caller; NULL: err says which package has it. */
static char *find(const struct firmware *firmware, unsigned xlen, struct error *err)
{
    char folder[PATH_MAX], path[PATH_MAX];
    if (firmware->xlen && firmware->xlen != xlen) {
        error_set(err, "%s: there is none for %u-bit RISC-V", firmware->what, xlen);
        return NULL;
    }
    bool has_folder = guest_folder(folder, sizeof(folder));
    for (unsigned i = 0; firmware->places[i]; i++) {
        if ((firmware->places[i][0] == '/' || has_folder) &&
            expand(path, sizeof(path), firmware->places[i], folder, xlen) && file_is_readable(path))
            return strdup(path);
    }
    error_set(err,
              "%s for %u-bit RISC-V is not here: Debian has it in the package %s, and "
              "`tools/guest firmware` fetches it",
              firmware->what, xlen, firmware->package);
    return NULL;
}

/* The variables begin as the template; under a name of their own only when the copy is whole. */
static bool make_vars(const char *path, const char *template, struct error *err)
{
    struct file_data data;
    char name[PATH_MAX];
    if (file_exists(path))
        return true;
    if (snprintf(name, sizeof(name), "%s.new", path) >= (int)sizeof(name))
        return error_set(err, "%s: a name too long", path);
    if (!file_read(template, 64u << 20, &data, err))
        return false;
    bool ok = file_write(name, data.bytes, data.size, err);
    file_data_free(&data);
    if (ok && !file_rename(name, path)) {
        ok = error_set(err, "%s: cannot make it", path);
        file_remove(name);
    }
    return ok;
}

static bool find_edk2(const struct firmware_choice *choice, struct rvvm_config *config,
                      struct error *err)
{
    char *code = find(&edk2_code, config->xlen, err);
    char *vars = code ? find(&edk2_vars, config->xlen, err) : NULL;
    if (!vars)
        return false;
    config->flash[0] = (struct rvvm_flash){.file = code, .read_only = true};
    config->flash[1] = (struct rvvm_flash){.file = vars, .overlay = true};
    if (!choice->edk2_vars)
        return true;
    config->flash[1] = (struct rvvm_flash){.file = choice->edk2_vars};
    return make_vars(choice->edk2_vars, vars, err);
}

bool firmware_find(const struct firmware_choice *choice, struct rvvm_config *config,
                   struct error *err)
{
    if (choice->opensbi && !(config->firmware = find(&opensbi, config->xlen, err)))
        return false;
    if (choice->u_boot && !(config->kernel = find(&u_boot, config->xlen, err)))
        return false;
    return !choice->edk2 || find_edk2(choice, config, err);
}
