/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The drives on a bus as firmware names them: OpenFirmware paths, as EDK2's boot order takes them (the
 * unit address is device,function; the name of the root is fixed).
 */
#include "dev/pci/function.h"
#include "dev/pci/regs.h"
#include <stdio.h>
#include <string.h>

#define CLASS_STORAGE 0x01
#define PATH_SIZE_MAX 128 /* that of a drive some bridges down is 60 */

static bool is_storage(const struct pci_function *f)
{
    return pci_config_get(f, PCI_CLASS_CODE + 2, 1) == CLASS_STORAGE;
}

static void walk(const struct pci_bus *bus, const char *above, char *text, size_t size)
{
    for (unsigned devfn = 0; devfn < PCI_DEVFN_MAX; devfn++) {
        const struct pci_function *f = bus->functions[devfn];
        char path[PATH_SIZE_MAX];
        if (!f || !(f->secondary || is_storage(f)))
            continue;
        int length = snprintf(path, sizeof(path), "%s/%s@%x,%x", above,
                              f->secondary ? "pci-bridge" : "storage", devfn >> 3, devfn & 7);
        size_t used = strlen(text);
        if (length >= (int)sizeof(path) || used + 1 + (size_t)length >= size)
            continue;
        if (f->secondary)
            walk(f->secondary, path, text, size);
        else
            sprintf(text + used, "%s%s", used ? "\n" : "", path);
    }
}

void pci_boot_order(const struct pci_bus *root, char *text, size_t size)
{
    text[0] = '\0';
    walk(root, "/pci@i0cf8", text, size);
}
