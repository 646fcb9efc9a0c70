/* SPDX-License-Identifier: MPL-2.0 */
/*
 * An interrupt domain of the APLIC, between the parts of it: aplic.c has the devices, aplic_delivery.c
 * what becomes of a source, aplic_registers.c the registers (Advanced Interrupt Architecture 1.0,
 * chapter 4, whose section numbers these files give). All functions run under aplic.lock.
 */
#ifndef RVVM_DEV_APLIC_DOMAIN_H
#define RVVM_DEV_APLIC_DOMAIN_H

#include "dev/aplic.h"

#define APLIC_WORDS (APLIC_SOURCES / 32 + 1)
#define APLIC_PRIORITY_MAX 0xff /* IPRIOLEN is 8 */

#define DOMAINCFG_IE (1u << 8)
#define DOMAINCFG_DM (1u << 2)
#define SOURCECFG_D (1u << 10)
enum { SM_INACTIVE, SM_DETACHED, SM_EDGE1 = 4, SM_EDGE0, SM_LEVEL1, SM_LEVEL0 };
#define TARGET_HART_SHIFT 18
#define TARGET_EIID 0x7ffu

struct idc {
    bool idelivery, iforce;
    uint8_t ithreshold;
};

struct domain {
    struct device device;
    struct aplic *aplic;
    bool is_root;
    uint32_t domaincfg; /* IE and DM */
    uint32_t genmsi;
    uint16_t sourcecfg[APLIC_SOURCES + 1];
    uint32_t target[APLIC_SOURCES + 1];
    uint32_t pending[APLIC_WORDS], enabled[APLIC_WORDS];
    struct idc idc[HART_WIRES_MAX];
};

struct aplic {
    struct hart_wires wires;
    bool messages;
    pthread_mutex_t lock; /* all below */
    uint32_t level[APLIC_WORDS];
    struct domain root, child;
};

static inline bool bit_of(const uint32_t *words, unsigned n)
{
    return words[n / 32] >> (n % 32) & 1;
}

static inline void set_bit(uint32_t *words, unsigned n, bool value)
{
    uint32_t bit = 1u << (n % 32);
    words[n / 32] = value ? words[n / 32] | bit : words[n / 32] & ~bit;
}

static inline bool is_source(uint32_t n)
{
    return n >= 1 && n <= APLIC_SOURCES;
}

static inline bool is_delegated(const struct aplic *a, unsigned source)
{
    return a->root.sourcecfg[source] & SOURCECFG_D;
}

/* The source mode, inactive also for a source that is not this domain's. */
static inline unsigned mode_of(const struct domain *d, unsigned source)
{
    if (d->is_root == is_delegated(d->aplic, source))
        return SM_INACTIVE;
    return d->sourcecfg[source];
}

static inline bool is_level(unsigned mode)
{
    return mode == SM_LEVEL1 || mode == SM_LEVEL0;
}

/* "Rectified input value", 4.5.2 */
static inline bool input_of(const struct domain *d, unsigned source)
{
    bool level = bit_of(d->aplic->level, source);
    switch (mode_of(d, source)) {
    case SM_EDGE1:
    case SM_LEVEL1:
        return level;
    case SM_EDGE0:
    case SM_LEVEL0:
        return !level;
    default:
        return false;
    }
}

static inline bool by_messages(const struct domain *d)
{
    return d->domaincfg & DOMAINCFG_DM;
}

static inline unsigned hart_of(const struct domain *d, unsigned source)
{
    return d->target[source] >> TARGET_HART_SHIFT;
}

/* 4.5.16: zero is no priority. */
static inline unsigned priority_of(const struct domain *d, unsigned source)
{
    unsigned priority = d->target[source] & APLIC_PRIORITY_MAX;
    return priority ? priority : 1;
}

/* Sends messages that are due, or sets the wires, as the domain is configured. */
void domain_update(struct domain *d);
/* The wires to the harts as they should be: down, when messages are used. */
void domain_set_wires(struct domain *d);
/* A message of this domain's level to the hart and with the identity that `target` names. */
void domain_send(struct domain *d, uint32_t target);
/* topi (4.8.1.4): the source that goes first for that hart and its priority, 0 for none. */
uint32_t domain_top(const struct domain *d, unsigned hart);

/* Pending bits (4.7): by software, and after the line or what it means has changed. */
void domain_set_pending(struct domain *d, unsigned source);
void domain_clear_pending(struct domain *d, unsigned source);
void domain_input_changed(struct domain *d, unsigned source);

/* The source becomes inactive here. */
void domain_deactivate(struct domain *d, unsigned source);

/* offset is a multiple of 4 below APLIC_SIZE. A write is followed by domain_update of both domains. */
uint32_t domain_read_register(struct domain *d, uint64_t offset);
void domain_write_register(struct domain *d, uint64_t offset, uint32_t value);
void domain_write_sourcecfg(struct domain *d, unsigned source, uint32_t value);

#endif
