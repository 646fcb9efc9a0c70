/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Set Features and Get Features (sections 5.21 and 5.13). None is saved: what a host sets holds until
 * the next reset of the controller.
 */
#include "dev/nvme/controller.h"

#include "host/clock.h"
#include <string.h>

enum { SELECT_CURRENT, SELECT_DEFAULT, SELECT_SAVED, SELECT_CAPABILITIES };
enum { CAPABILITY_PER_NAMESPACE = 1 << 1, CAPABILITY_CHANGEABLE = 1 << 2 };
enum { ASYNC_SMART_TEMPERATURE = 1 << 1 };
enum { THRESHOLD_OVER = 0, THRESHOLD_UNDER = 1 };

/* Figure 296, the Timestamp data structure. */
enum { TIMESTAMP_BY_HOST = 1 << 1 };

void nvme_features_reset(struct nvme *c)
{
    c->features = (struct nvme_features){
        .arbitration = 6, /* bursts of 64 */
        .write_cache = 1,
        .over_temperature = NVME_TEMPERATURE_WARNING,
        .timestamp_set = clock_monotonic_ns(),
    };
}

bool nvme_is_hot(const struct nvme *c)
{
    return NVME_TEMPERATURE >= c->features.over_temperature ||
           NVME_TEMPERATURE <= c->features.under_temperature;
}

static void tell_temperature(struct nvme *c)
{
    if (nvme_is_hot(c) && (c->features.async_events & ASYNC_SMART_TEMPERATURE))
        nvme_async_event(c, EVENT_SMART, EVENT_SMART_TEMPERATURE, LOG_PAGE_SMART);
}

/* THSEL and TMPSEL of dword 11. Sensor 0 is the composite; 15 means all; there are no others. */
static uint16_t *threshold(struct nvme_features *f, uint32_t dword, bool all_allowed)
{
    unsigned sensor = dword >> 16 & 0xf, type = dword >> 20 & 3;
    if (sensor && !(all_allowed && sensor == 0xf))
        return NULL;
    if (type == THRESHOLD_OVER)
        return &f->over_temperature;
    return type == THRESHOLD_UNDER ? &f->under_temperature : NULL;
}

static uint64_t timestamp_now(const struct nvme_features *f)
{
    uint64_t ms = f->timestamp + (clock_monotonic_ns() - f->timestamp_set) / 1000000;
    return (ms & UINT64_C(0xffffffffffff)) |
           (uint64_t)(f->timestamp_by_host ? TIMESTAMP_BY_HOST : 0) << 48;
}

/* The one feature that each namespace has for itself. */
static unsigned get_error_recovery(struct nvme_request *request, const struct nvme_features *f)
{
    const struct nvme_namespace *ns = nvme_namespace(request->nvme, request->command.nsid);
    if (!ns)
        return STATUS_INVALID_NAMESPACE;
    request->result = f->error_recovery[ns->nsid - 1];
    return STATUS_SUCCESS;
}

/* The value that goes into completion dword 0. */
static unsigned get_value(struct nvme_request *request, struct nvme_features *f)
{
    const struct nvme_command *command = &request->command;
    switch (command->cdw10 & 0xff) {
    case FEATURE_ARBITRATION:
        request->result = f->arbitration;
        return STATUS_SUCCESS;
    case FEATURE_POWER_MANAGEMENT:
        request->result = f->power_state;
        return STATUS_SUCCESS;
    case FEATURE_TEMPERATURE_THRESHOLD: {
        const uint16_t *value = threshold(f, command->cdw11, false);
        request->result = value ? *value : 0;
        return value ? STATUS_SUCCESS : STATUS_INVALID_FIELD;
    }
    case FEATURE_ERROR_RECOVERY:
        return get_error_recovery(request, f);
    case FEATURE_VOLATILE_WRITE_CACHE:
        request->result = f->write_cache;
        return STATUS_SUCCESS;
    case FEATURE_QUEUE_COUNT:
        request->result = (NVME_IO_QUEUES - 1) << 16 | (NVME_IO_QUEUES - 1);
        return STATUS_SUCCESS;
    case FEATURE_INTERRUPT_COALESCING:
        request->result = f->coalescing;
        return STATUS_SUCCESS;
    case FEATURE_INTERRUPT_VECTOR: {
        unsigned vector = command->cdw11 & 0xffff;
        if (vector >= NVME_QUEUES)
            return STATUS_INVALID_FIELD;
        request->result = vector | (uint32_t)f->vector_uncoalesced[vector] << 16;
        return STATUS_SUCCESS;
    }
    case FEATURE_WRITE_ATOMICITY:
        request->result = f->write_atomicity;
        return STATUS_SUCCESS;
    case FEATURE_ASYNC_EVENTS:
        request->result = f->async_events;
        return STATUS_SUCCESS;
    case FEATURE_TIMESTAMP: {
        uint64_t now = timestamp_now(f);
        return nvme_send(request, &now, sizeof(now));
    }
    default:
        return STATUS_INVALID_FIELD;
    }
}

/* What Get Features answers when asked about a feature instead of for its value. */
static unsigned capabilities(struct nvme_request *request)
{
    switch (request->command.cdw10 & 0xff) {
    case FEATURE_ARBITRATION:
    case FEATURE_POWER_MANAGEMENT:
    case FEATURE_TEMPERATURE_THRESHOLD:
    case FEATURE_VOLATILE_WRITE_CACHE:
    case FEATURE_QUEUE_COUNT:
    case FEATURE_INTERRUPT_COALESCING:
    case FEATURE_INTERRUPT_VECTOR:
    case FEATURE_WRITE_ATOMICITY:
    case FEATURE_ASYNC_EVENTS:
    case FEATURE_TIMESTAMP:
        request->result = CAPABILITY_CHANGEABLE;
        return STATUS_SUCCESS;
    case FEATURE_ERROR_RECOVERY:
        request->result = CAPABILITY_CHANGEABLE | CAPABILITY_PER_NAMESPACE;
        return STATUS_SUCCESS;
    default:
        return STATUS_INVALID_FIELD;
    }
}

unsigned nvme_get_features(struct nvme_request *request)
{
    struct nvme *c = request->nvme;
    struct nvme_features current = c->features;
    unsigned status;
    switch (request->command.cdw10 >> 8 & 7) {
    case SELECT_CURRENT:
        return get_value(request, &c->features);
    case SELECT_DEFAULT:
    case SELECT_SAVED: /* nothing is saved: the default stands for it */
        nvme_features_reset(c);
        status = get_value(request, &c->features);
        c->features = current;
        return status;
    case SELECT_CAPABILITIES:
        return capabilities(request);
    default:
        return STATUS_INVALID_FIELD;
    }
}

/* Both numbers are zero-based; there are always as many as there can be. */
static unsigned set_queue_count(struct nvme_request *request)
{
    struct nvme *c = request->nvme;
    uint32_t wanted = request->command.cdw11;
    if ((wanted & 0xffff) == 0xffff || wanted >> 16 == 0xffff)
        return STATUS_INVALID_FIELD;
    for (unsigned i = 1; i < NVME_QUEUES; i++)
        if (c->sq[i].size || c->cq[i].size)
            return STATUS_SEQUENCE_ERROR;
    request->result = (NVME_IO_QUEUES - 1) << 16 | (NVME_IO_QUEUES - 1);
    return STATUS_SUCCESS;
}

static unsigned set_error_recovery(struct nvme_request *request)
{
    struct nvme *c = request->nvme;
    uint32_t value = request->command.cdw11, nsid = request->command.nsid;
    if (!nvme_namespace(c, nsid) && nsid != NVME_NSID_ALL)
        return STATUS_INVALID_NAMESPACE;
    if (value & 1 << 16) /* errors for deallocated blocks: DULBE is not offered */
        return STATUS_INVALID_FIELD;
    for (unsigned i = 0; i < c->namespace_count; i++)
        if (nsid == NVME_NSID_ALL || nsid == c->namespaces[i].nsid)
            c->features.error_recovery[i] = (uint16_t)value;
    return STATUS_SUCCESS;
}

/* What the cache holds when it is switched off is written before the command ends. */
static unsigned set_write_cache(struct nvme_request *request)
{
    struct nvme_features *f = &request->nvme->features;
    bool was_on = f->write_cache;
    f->write_cache = request->command.cdw11 & 1;
    if (!was_on || f->write_cache)
        return STATUS_SUCCESS;
    nvme_flush_command(request);
    return NVME_LATER;
}

static unsigned set_timestamp(struct nvme_request *request)
{
    struct nvme_features *f = &request->nvme->features;
    uint64_t value;
    unsigned status = nvme_receive(request, &value, sizeof(value));
    if (status)
        return status;
    f->timestamp = value & UINT64_C(0xffffffffffff);
    f->timestamp_set = clock_monotonic_ns();
    f->timestamp_by_host = true;
    return STATUS_SUCCESS;
}

unsigned nvme_set_features(struct nvme_request *request)
{
    const struct nvme_command *command = &request->command;
    struct nvme *c = request->nvme;
    struct nvme_features *f = &c->features;
    uint32_t value = command->cdw11;
    if (command->cdw10 >> 31)
        return STATUS_FEATURE_NOT_SAVEABLE;
    switch (command->cdw10 & 0xff) {
    case FEATURE_ARBITRATION:
        f->arbitration = value;
        return STATUS_SUCCESS;
    case FEATURE_POWER_MANAGEMENT: /* there is one state */
        if (value & 0x1f)
            return STATUS_INVALID_FIELD;
        f->power_state = value & 0xe0;
        return STATUS_SUCCESS;
    case FEATURE_TEMPERATURE_THRESHOLD: {
        uint16_t *limit = threshold(f, value, true);
        if (!limit)
            return STATUS_INVALID_FIELD;
        *limit = (uint16_t)value;
        tell_temperature(c);
        return STATUS_SUCCESS;
    }
    case FEATURE_ERROR_RECOVERY:
        return set_error_recovery(request);
    case FEATURE_VOLATILE_WRITE_CACHE:
        return set_write_cache(request);
    case FEATURE_QUEUE_COUNT:
        return set_queue_count(request);
    case FEATURE_INTERRUPT_COALESCING: /* a recommendation; completions of a run share one anyway */
        f->coalescing = value & 0xffff;
        return STATUS_SUCCESS;
    case FEATURE_INTERRUPT_VECTOR:
        if ((value & 0xffff) >= NVME_QUEUES)
            return STATUS_INVALID_FIELD;
        f->vector_uncoalesced[value & 0xffff] = value >> 16 & 1;
        return STATUS_SUCCESS;
    case FEATURE_WRITE_ATOMICITY:
        f->write_atomicity = value & 1;
        return STATUS_SUCCESS;
    case FEATURE_ASYNC_EVENTS:
        f->async_events = value & 0xff;
        tell_temperature(c);
        return STATUS_SUCCESS;
    case FEATURE_TIMESTAMP:
        return set_timestamp(request);
    default:
        return STATUS_INVALID_FIELD;
    }
}
