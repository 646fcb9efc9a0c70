/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Virtio over PCI (Virtual I/O Device 1.2, 4.1), without the legacy interface. All structures are in
 * one BAR, a page each, so that a guest may map them apart:
 *
 *     0x0000  common configuration
 *     0x1000  ISR status
 *     0x2000  configuration of the kind of device
 *     0x3000  doorbells, 4 bytes each queue
 *     0x4000  MSI-X table, vector 0 first
 *     0x6000  MSI-X pending bits
 *
 * A capability names each, and one more lets firmware reach them through config space alone.
 */
#include "dev/virtio/virtio.h"
#include "dev/virtio/virtio_transport.h"
#include <stdlib.h>
#include <string.h>

#define VENDOR 0x1af4
#define DEVICE_FIRST 0x1040 /* plus the kind of device */
#define SUBSYSTEM 0x1100

enum { BAR = 0, BAR_SIZE = 0x8000 };
enum {
    AT_COMMON = 0x0000,
    AT_ISR = 0x1000,
    AT_DEVICE = 0x2000,
    AT_NOTIFY = 0x3000,
    AT_MSIX_TABLE = 0x4000,
    AT_MSIX_PENDING = 0x6000,
    PAGE = 0x1000,
};
#define NOTIFY_MULTIPLIER 4

/* 4.1.4, the kinds of structure; and of struct virtio_pci_cap the offsets behind its two first bytes. */
enum { CAP_COMMON = 1, CAP_NOTIFY = 2, CAP_ISR = 3, CAP_DEVICE = 4, CAP_PCI = 5 };
enum { CAP_SIZE = 16, CAP_NOTIFY_SIZE = 20, CAP_PCI_SIZE = 20 };
enum { CAP_BAR = 4, CAP_OFFSET = 8, CAP_LENGTH = 12, CAP_DATA = 16 };

/* 4.1.4.3, struct virtio_pci_common_cfg. */
enum common {
    DEVICE_FEATURE_SELECT = 0x00,
    DEVICE_FEATURE = 0x04,
    DRIVER_FEATURE_SELECT = 0x08,
    DRIVER_FEATURE = 0x0c,
    CONFIG_MSIX_VECTOR = 0x10,
    NUM_QUEUES = 0x12,
    DEVICE_STATUS = 0x14,
    CONFIG_GENERATION = 0x15,
    QUEUE_SELECT = 0x16,
    QUEUE_SIZE = 0x18,
    QUEUE_MSIX_VECTOR = 0x1a,
    QUEUE_ENABLE = 0x1c,
    QUEUE_NOTIFY_OFF = 0x1e,
    QUEUE_DESC = 0x20,
    QUEUE_DRIVER = 0x28,
    QUEUE_DEVICE = 0x30,
    QUEUE_NOTIFY_DATA = 0x38,
    QUEUE_RESET = 0x3a,
    COMMON_SIZE = 0x3c,
};

enum { ISR_QUEUE = 1, ISR_CONFIG = 2 };

struct virtio_pci {
    struct virtio *virtio;
    struct pci_function *pci;
    unsigned vectors;
    unsigned window; /* offset in config space of the capability CAP_PCI */

    /* Under virtio.lock. */
    uint32_t device_feature_select, driver_feature_select;
    uint16_t queue_select;
    _Atomic uint16_t config_vector;

    pthread_mutex_t isr_lock; /* isr, and the wire that shows it */
    uint8_t isr;
};

/*
 * Interrupts (4.1.4.5): a message where the guest has messages, else a bit and the wire.
 */

static void interrupt(struct virtio_pci *t, uint16_t vector, uint8_t isr)
{
    if (pci_messages_enabled(t->pci)) {
        if (vector != VIRTIO_NO_VECTOR)
            pci_interrupt(t->pci, vector);
        return;
    }
    pthread_mutex_lock(&t->isr_lock);
    t->isr |= isr;
    pci_intx_set(t->pci, true);
    pthread_mutex_unlock(&t->isr_lock);
}

static void queue_interrupt(void *ctx, struct virtio_queue *q)
{
    interrupt(ctx, atomic_load(&q->vector), ISR_QUEUE);
}

static void config_interrupt(void *ctx)
{
    struct virtio_pci *t = ctx;
    interrupt(t, atomic_load(&t->config_vector), ISR_CONFIG);
}

static uint8_t take_isr(struct virtio_pci *t)
{
    pthread_mutex_lock(&t->isr_lock);
    uint8_t isr = t->isr;
    t->isr = 0;
    pci_intx_set(t->pci, false);
    pthread_mutex_unlock(&t->isr_lock);
    return isr;
}

/*
 * Common configuration. A field is accessed as a whole, the 64-bit ones in halves (4.1.3.1).
 */

static unsigned field_size(unsigned offset)
{
    switch (offset) {
    case DEVICE_STATUS:
    case CONFIG_GENERATION:
        return 1;
    case DEVICE_FEATURE_SELECT:
    case DEVICE_FEATURE:
    case DRIVER_FEATURE_SELECT:
    case DRIVER_FEATURE:
    case QUEUE_DESC:
    case QUEUE_DESC + 4:
    case QUEUE_DRIVER:
    case QUEUE_DRIVER + 4:
    case QUEUE_DEVICE:
    case QUEUE_DEVICE + 4:
        return 4;
    default:
        return 2;
    }
}

static struct virtio_queue *selected(struct virtio_pci *t)
{
    struct virtio *v = t->virtio;
    return t->queue_select < v->queue_count ? &v->queues[t->queue_select] : NULL;
}

static uint32_t read_queue(const struct virtio_queue *q, unsigned offset)
{
    switch (offset) {
    case QUEUE_SIZE:
        return q->size;
    case QUEUE_MSIX_VECTOR:
        return atomic_load(&q->vector);
    case QUEUE_ENABLE:
        return q->enabled;
    case QUEUE_NOTIFY_OFF:
    case QUEUE_NOTIFY_DATA:
        return q->index;
    case QUEUE_RESET:
        return q->resetting;
    case QUEUE_DESC:
        return (uint32_t)q->desc;
    case QUEUE_DESC + 4:
        return (uint32_t)(q->desc >> 32);
    case QUEUE_DRIVER:
        return (uint32_t)q->driver;
    case QUEUE_DRIVER + 4:
        return (uint32_t)(q->driver >> 32);
    case QUEUE_DEVICE:
        return (uint32_t)q->device;
    case QUEUE_DEVICE + 4:
        return (uint32_t)(q->device >> 32);
    default:
        return 0;
    }
}

static uint32_t feature_word(uint64_t features, uint32_t select)
{
    return select < 2 ? (uint32_t)(features >> 32 * select) : 0;
}

static uint32_t read_common(struct virtio_pci *t, unsigned offset)
{
    struct virtio *v = t->virtio;
    struct virtio_queue *q = selected(t);
    switch (offset) {
    case DEVICE_FEATURE_SELECT:
        return t->device_feature_select;
    case DEVICE_FEATURE:
        return feature_word(v->features, t->device_feature_select);
    case DRIVER_FEATURE_SELECT:
        return t->driver_feature_select;
    case DRIVER_FEATURE:
        return feature_word(v->driver_features, t->driver_feature_select);
    case CONFIG_MSIX_VECTOR:
        return atomic_load(&t->config_vector);
    case NUM_QUEUES:
        return v->queue_count;
    case DEVICE_STATUS:
        return v->status;
    case CONFIG_GENERATION:
        return v->generation;
    case QUEUE_SELECT:
        return t->queue_select;
    default:
        return q ? read_queue(q, offset) : 0; /* a size of 0: there is no such queue */
    }
}

/* A vector that there is not reads back as none: so the driver sees that it has failed. */
static uint16_t valid_vector(const struct virtio_pci *t, uint32_t vector)
{
    return vector < t->vectors ? (uint16_t)vector : VIRTIO_NO_VECTOR;
}

static void set_half(uint64_t *field, bool high, uint32_t value)
{
    unsigned shift = high ? 32 : 0;
    *field = (*field & ~((uint64_t)UINT32_MAX << shift)) | (uint64_t)value << shift;
}

/* 4.1.4.3.1: without packed rings the register shows powers of two only. */
static void write_queue_size(struct virtio *v, struct virtio_queue *q, uint32_t value)
{
    const bool fits = v->driver_features & VIRTIO_F_RING_PACKED || !(value & (value - 1));
    if (value && value <= v->queue_size && fits)
        q->size = (uint16_t)value;
    else
        virtio_log_guest(v, "queue %u: a size of %u", q->index, value);
}

static void write_queue(struct virtio_pci *t, struct virtio_queue *q, unsigned offset,
                        uint32_t value)
{
    struct virtio *v = t->virtio;
    switch (offset) {
    case QUEUE_MSIX_VECTOR:
        atomic_store(&q->vector, valid_vector(t, value));
        return;
    case QUEUE_ENABLE: /* 4.1.4.3.2: a driver must not write 0 */
        if (value == 1)
            virtio_enable_queue(v, q);
        return;
    case QUEUE_RESET:
        if (value == 1 && (v->driver_features & VIRTIO_F_RING_RESET))
            virtio_reset_queue(v, q);
        return;
    default:
        break;
    }
    if (q->enabled) {
        virtio_log_guest(v, "queue %u: changed while it is enabled", q->index);
        return;
    }
    if (offset == QUEUE_SIZE)
        write_queue_size(v, q, value);
    else if (offset == QUEUE_DESC || offset == QUEUE_DESC + 4)
        set_half(&q->desc, offset != QUEUE_DESC, value);
    else if (offset == QUEUE_DRIVER || offset == QUEUE_DRIVER + 4)
        set_half(&q->driver, offset != QUEUE_DRIVER, value);
    else if (offset == QUEUE_DEVICE || offset == QUEUE_DEVICE + 4)
        set_half(&q->device, offset != QUEUE_DEVICE, value);
}

static void write_common(struct virtio_pci *t, unsigned offset, uint32_t value)
{
    struct virtio_queue *q = selected(t);
    switch (offset) {
    case DEVICE_FEATURE_SELECT:
        t->device_feature_select = value;
        break;
    case DRIVER_FEATURE_SELECT:
        t->driver_feature_select = value;
        break;
    case DRIVER_FEATURE:
        virtio_set_features(t->virtio, t->driver_feature_select, value);
        break;
    case CONFIG_MSIX_VECTOR:
        atomic_store(&t->config_vector, valid_vector(t, value));
        break;
    case QUEUE_SELECT:
        t->queue_select = (uint16_t)value;
        break;
    default:
        if (q)
            write_queue(t, q, offset, value);
        break;
    }
}

/*
 * The BAR.
 */

static bool is_field(struct virtio_pci *t, uint64_t offset, unsigned size)
{
    if (offset < COMMON_SIZE && size == field_size((unsigned)offset))
        return true;
    virtio_log_guest(t->virtio, "access of %u bytes at 0x%llx is no field", size,
                     (unsigned long long)offset);
    return false;
}

static uint64_t read_bar(struct virtio_pci *t, uint64_t offset, unsigned size)
{
    struct virtio *v = t->virtio;
    uint64_t value = 0;
    if (offset == AT_ISR)
        return take_isr(t);
    pthread_mutex_lock(&v->lock);
    if (offset < AT_ISR)
        value = is_field(t, offset, size) ? read_common(t, (unsigned)offset) : 0;
    else if (offset >= AT_DEVICE && offset < AT_NOTIFY)
        value = virtio_read_config(v, offset - AT_DEVICE, size);
    pthread_mutex_unlock(&v->lock);
    return value;
}

/* A device that may not reach memory cannot serve its queues. */
static void ring_doorbell(struct virtio_pci *t, unsigned queue)
{
    if (pci_is_master(t->pci))
        virtio_kick(t->virtio, queue);
    else
        virtio_log_guest(t->virtio, "a doorbell while bus mastering is off");
}

static void write_bar(struct virtio_pci *t, uint64_t offset, unsigned size, uint64_t value)
{
    struct virtio *v = t->virtio;
    if (offset >= AT_NOTIFY) {
        if (offset < AT_NOTIFY + PAGE)
            ring_doorbell(t, (unsigned)(offset - AT_NOTIFY) / NOTIFY_MULTIPLIER);
        return;
    }
    if (offset == DEVICE_STATUS && size == 1) {
        virtio_set_status(v, (uint8_t)value);
        return;
    }
    pthread_mutex_lock(&v->lock);
    if (offset < AT_ISR) {
        if (is_field(t, offset, size))
            write_common(t, (unsigned)offset, (uint32_t)value);
    } else if (offset >= AT_DEVICE) {
        virtio_write_config(v, offset - AT_DEVICE, size, value);
    }
    pthread_mutex_unlock(&v->lock);
}

static uint64_t bar_read(void *state, unsigned bar, uint64_t offset, unsigned size)
{
    (void)bar;
    return read_bar(state, offset, size);
}

static void bar_write(void *state, unsigned bar, uint64_t offset, unsigned size, uint64_t value)
{
    (void)bar;
    write_bar(state, offset, size, value);
}

/*
 * The window in config space (4.1.4.9): an access to its data is one to the BAR, where the
 * capability's other fields say.
 */

/* Whether the access begins at the data, and where it leads. */
static bool window_leads(struct virtio_pci *t, unsigned offset, uint32_t *at, uint32_t *size)
{
    if (offset != t->window + CAP_DATA)
        return false;
    uint32_t bar = pci_config_get(t->pci, t->window + CAP_BAR, 1);
    *at = pci_config_get(t->pci, t->window + CAP_OFFSET, 4);
    *size = pci_config_get(t->pci, t->window + CAP_LENGTH, 4);
    return bar == BAR && (*size == 1 || *size == 2 || *size == 4) && *at % *size == 0 &&
           *at < AT_MSIX_TABLE;
}

static void config_read(void *state, unsigned offset, unsigned size)
{
    struct virtio_pci *t = state;
    uint32_t at, length;
    (void)size;
    if (window_leads(t, offset, &at, &length))
        pci_config_set(t->pci, t->window + CAP_DATA, length, (uint32_t)read_bar(t, at, length));
}

static void config_written(void *state, unsigned offset, unsigned size)
{
    struct virtio_pci *t = state;
    uint32_t at, length;
    (void)size;
    if (window_leads(t, offset, &at, &length))
        write_bar(t, at, length, pci_config_get(t->pci, t->window + CAP_DATA, length));
}

/*
 * Making and ending it.
 */

static void *map(void *ctx, uint64_t address, size_t size)
{
    struct virtio_pci *t = ctx;
    return pci_dma_map(t->pci, address, size);
}

static void written(void *ctx, const void *bytes, size_t size)
{
    struct virtio_pci *t = ctx;
    pci_dma_written(t->pci, bytes, size);
}

static struct log *get_log(void *ctx)
{
    struct virtio_pci *t = ctx;
    return pci_log(t->pci);
}

/* 4.1.5.1.2.1: a reset unmaps all events. */
static void end_interrupts(void *ctx)
{
    struct virtio_pci *t = ctx;
    atomic_store(&t->config_vector, VIRTIO_NO_VECTOR);
    take_isr(t);
}

static void reset(void *state)
{
    struct virtio_pci *t = state;
    virtio_reset(t->virtio);
    pthread_mutex_lock(&t->virtio->lock);
    t->device_feature_select = t->driver_feature_select = 0;
    t->queue_select = 0;
    pthread_mutex_unlock(&t->virtio->lock);
}

static void remove_function(void *state)
{
    struct virtio_pci *t = state;
    const struct virtio_ops *ops = t->virtio->ops;
    void *device = t->virtio->state;
    virtio_reset(t->virtio);
    ops->remove(device);
    virtio_free(t->virtio);
    pthread_mutex_destroy(&t->isr_lock);
    free(t);
}

static const struct pci_function_ops function_ops = {
    .name = "virtio",
    .bar_read = bar_read,
    .bar_write = bar_write,
    .config_read = config_read,
    .config_written = config_written,
    .reset = reset,
    .remove = remove_function,
};

static void put32(uint8_t *to, uint32_t value)
{
    memcpy(to, &value, sizeof(value));
}

/* body[0] is the byte behind the header of two: cap_len. */
static unsigned add_capability(struct pci_function *pci, unsigned kind, unsigned size, uint32_t at,
                               uint32_t length)
{
    enum { HEADER = 2 };
    uint8_t cap[CAP_PCI_SIZE] = {0}, writable[CAP_PCI_SIZE] = {0};
    cap[2] = (uint8_t)size;
    cap[3] = (uint8_t)kind;
    cap[CAP_BAR] = BAR;
    put32(cap + CAP_OFFSET, at);
    put32(cap + CAP_LENGTH, length);
    if (kind == CAP_NOTIFY)
        put32(cap + CAP_DATA, NOTIFY_MULTIPLIER);
    if (kind == CAP_PCI) {
        writable[CAP_BAR] = 0xff;
        memset(writable + CAP_OFFSET, 0xff, CAP_PCI_SIZE - CAP_OFFSET);
    }
    return pci_capability_add(pci, PCI_CAP_VENDOR, size, cap + HEADER, writable + HEADER);
}

static bool add_capabilities(struct virtio_pci *t, const struct virtio_config *config)
{
    struct pci_function *pci = t->pci;
    if (!add_capability(pci, CAP_COMMON, CAP_SIZE, AT_COMMON, COMMON_SIZE) ||
        !add_capability(pci, CAP_ISR, CAP_SIZE, AT_ISR, 1) ||
        !add_capability(pci, CAP_NOTIFY, CAP_NOTIFY_SIZE, AT_NOTIFY,
                        NOTIFY_MULTIPLIER * config->queues))
        return false;
    if (config->config_size &&
        !add_capability(pci, CAP_DEVICE, CAP_SIZE, AT_DEVICE, config->config_size))
        return false;
    t->window = add_capability(pci, CAP_PCI, CAP_PCI_SIZE, 0, 0);
    return t->window && pci_msix_init(pci, t->vectors, BAR, AT_MSIX_TABLE, AT_MSIX_PENDING);
}

static struct pci_function *new_function(struct virtio_pci *t, const struct virtio_ops *ops,
                                         struct error *err)
{
    struct pci_function_config config = {
        .ops = &function_ops,
        .state = t,
        .ids = {.vendor = VENDOR,
                .device = DEVICE_FIRST + ops->id,
                .subsystem_vendor = VENDOR,
                .subsystem = SUBSYSTEM,
                .class_code = ops->class_code,
                .revision = 1},
        .bars = {[BAR] = {PCI_BAR_MEM64, BAR_SIZE, 1, 4}},
        .interrupt_pin = 1,
    };
    return pci_function_new(&config, err);
}

static bool make_parts(struct virtio_pci *t, const struct virtio_config *config, struct error *err)
{
    struct virtio_transport transport = {
        .queue_interrupt = queue_interrupt,
        .config_interrupt = config_interrupt,
        .reset = end_interrupts,
        .log = get_log,
        .memory = {map, written, t},
        .ctx = t,
    };
    pthread_mutex_init(&t->isr_lock, NULL);
    t->vectors = config->queues + 1;
    t->config_vector = VIRTIO_NO_VECTOR;
    t->virtio = virtio_new(config, &transport, err);
    t->pci = t->virtio ? new_function(t, config->ops, err) : NULL;
    return t->pci;
}

struct pci_function *virtio_pci_new(struct virtio **virtio, const struct virtio_config *config,
                                    struct error *err)
{
    struct virtio_pci *t = calloc(1, sizeof(*t));
    if (t && make_parts(t, config, err)) {
        *virtio = t->virtio;
        if (add_capabilities(t, config))
            return t->pci;
        error_set(err, "%s: no room for its capabilities", config->ops->name);
        pci_function_free(t->pci); /* with all that is in it */
        return NULL;
    }
    if (!t) {
        error_set(err, "%s: out of memory", config->ops->name);
    } else {
        if (t->virtio)
            virtio_free(t->virtio);
        pthread_mutex_destroy(&t->isr_lock);
        free(t);
    }
    config->ops->remove(config->state);
    return NULL;
}
