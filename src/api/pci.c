/* SPDX-License-Identifier: MPL-2.0 */
/* PCI functions of the program's own (rvvm/pci.h), over dev/pci/pci.h. */
#include <rvvm/pci.h>

#include "api/machine.h"
#include "dev/pci/pci.h"
#include "machine/boot/plan.h"
#include <stdlib.h>
#include <string.h>

#define VECTOR_BYTES 16 /* of the table */
#define ALIGN_BITS 8    /* of the table and the pending bits in their BAR */

_Static_assert((int)RVVM_BAR_NONE == PCI_BAR_NONE && (int)RVVM_BAR_IO == PCI_BAR_IO &&
                   (int)RVVM_BAR_MEMORY32 == PCI_BAR_MEM32 &&
                   (int)RVVM_BAR_MEMORY64 == PCI_BAR_MEM64 &&
                   (int)RVVM_BAR_MEMORY64_PREFETCHABLE == PCI_BAR_MEM64_PREFETCH &&
                   RVVM_PCI_BARS == PCI_BARS,
               "BARs are passed on as they are");

struct rvvm_pci_function {
    struct rvvm_pci how; /* name is the one below */
    char *name;
    struct pci_function_ops ops;
    struct pci_function *pci;
};

static uint64_t function_read(void *state, unsigned bar, uint64_t offset, unsigned size)
{
    struct rvvm_pci_function *f = state;
    return f->how.read ? f->how.read(f->how.state, bar, offset, size) : 0;
}

static void function_write(void *state, unsigned bar, uint64_t offset, unsigned size,
                           uint64_t value)
{
    struct rvvm_pci_function *f = state;
    if (f->how.write)
        f->how.write(f->how.state, bar, offset, size, value);
}

static void function_reset(void *state)
{
    struct rvvm_pci_function *f = state;
    if (f->how.reset)
        f->how.reset(f->how.state);
}

static void function_remove(void *state)
{
    struct rvvm_pci_function *f = state;
    if (f->how.remove)
        f->how.remove(f->how.state);
    free(f->name);
    free(f);
}

/* Where the pending bits begin: behind the table, which begins the BAR. */
static uint32_t pending_offset(unsigned vectors)
{
    return (uint32_t)align_up(vectors * VECTOR_BYTES, 1u << ALIGN_BITS);
}

static uint64_t vector_bar_size(unsigned vectors)
{
    uint64_t used = pending_offset(vectors) + (vectors + 63) / 64 * 8, size = 4096;
    while (size < used)
        size *= 2;
    return size;
}

static bool add_vector_bar(struct pci_bar *bars, const struct rvvm_pci *how, struct error *err)
{
    const unsigned n = how->vector_bar;
    if (!how->vectors)
        return true;
    if (how->vectors > PCI_MSIX_VECTORS_MAX)
        return error_set(err, "%s: %u vectors: at most %d", how->name, how->vectors,
                         PCI_MSIX_VECTORS_MAX);
    if (n >= PCI_BARS || bars[n].kind != PCI_BAR_NONE)
        return error_set(err, "%s: BAR %u cannot be that of the vectors", how->name, n);
    bars[n] = (struct pci_bar){PCI_BAR_MEM32, vector_bar_size(how->vectors), 4, 8};
    return true;
}

static bool make(struct rvvm_pci_function *f, struct error *err)
{
    const struct rvvm_pci *how = &f->how;
    struct pci_function_config config = {
        .ops = &f->ops,
        .state = f,
        .ids = {.vendor = how->vendor,
                .device = how->device,
                .subsystem_vendor = how->subsystem_vendor,
                .subsystem = how->subsystem,
                .class_code = how->class_code & 0xffffff,
                .revision = how->revision},
        .interrupt_pin = how->wire ? 1 : 0,
    };
    for (unsigned i = 0; i < PCI_BARS; i++) {
        const struct rvvm_bar *bar = &how->bars[i];
        config.bars[i] = (struct pci_bar){(enum pci_bar_kind)bar->kind, bar->size,
                                          bar->access_min ? bar->access_min : 1,
                                          bar->access_max ? bar->access_max : 8};
        if (bar->kind > RVVM_BAR_MEMORY64_PREFETCHABLE)
            return error_set(err, "%s: BAR %u is of no kind that there is", how->name, i);
    }
    if (!add_vector_bar(config.bars, how, err))
        return false;
    f->pci = pci_function_new(&config, err);
    return f->pci &&
           (!how->vectors ||
            pci_msix_init(f->pci, how->vectors, how->vector_bar, 0, pending_offset(how->vectors)) ||
            error_set(err, "%s: no room for its vectors", how->name));
}

static bool init(struct rvvm_machine *rv, struct rvvm_pci_function *f, struct error *err)
{
    f->name = strdup(f->how.name ? f->how.name : "a PCI function");
    if (!f->name)
        return error_set(err, "out of memory");
    f->how.name = f->name;
    f->ops = (struct pci_function_ops){
        .name = f->name,
        .bar_read = function_read,
        .bar_write = function_write,
        .reset = function_reset,
        .remove = function_remove,
    };
    return api_is_off(rv, f->name, err) && make(f, err);
}

struct rvvm_pci_function *rvvm_machine_add_pci(struct rvvm_machine *rv, const struct rvvm_pci *how,
                                               struct rvvm_error *error)
{
    struct error err;
    struct rvvm_pci_function *f = calloc(1, sizeof(*f));
    if (!f) {
        error_set(&err, "out of memory");
    } else if (!api_take(&f->how, sizeof(f->how), how, "struct rvvm_pci", &err)) {
        free(f); /* whose remove is not known */
    } else if (!init(rv, f, &err)) {
        if (f->pci)
            pci_function_free(f->pci);
        else
            function_remove(f);
    } else if (pci_plug(rv->machine->pci, f->pci, &err)) {
        return f;
    }
    api_fail(error, &err);
    return NULL;
}

void rvvm_pci_interrupt(struct rvvm_pci_function *f, unsigned vector)
{
    pci_interrupt(f->pci, vector);
}

void rvvm_pci_wire(struct rvvm_pci_function *f, bool high)
{
    pci_intx_set(f->pci, high);
}

bool rvvm_pci_read_memory(struct rvvm_pci_function *f, uint64_t address, void *bytes, size_t size)
{
    return pci_dma_read(f->pci, address, bytes, size);
}

bool rvvm_pci_write_memory(struct rvvm_pci_function *f, uint64_t address, const void *bytes,
                           size_t size)
{
    return pci_dma_write(f->pci, address, bytes, size);
}
