/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Registers: bytes of which some can be written, some do something, and some are made when they are
 * read. Accesses are of 1, 2 or 4 bytes and aligned; a register may be written in parts.
 */
#include "dev/rtl8169/card.h"

#include "host/clock.h"
#include <string.h>

#define BYTES_2(n) [n] = 0xff, [(n) + 1] = 0xff
#define BYTES_4(n) BYTES_2(n), BYTES_2((n) + 2)
#define BYTES_6(n) BYTES_4(n), BYTES_2((n) + 4)
#define BYTES_8(n) BYTES_6(n), BYTES_2((n) + 6)
#define ADDRESS(n, low) [n] = (low), [(n) + 1] = 0xff, BYTES_6((n) + 2)
#define WORD_4(n, bits) \
    [n] = (uint8_t)(bits), [(n) + 1] = (uint8_t)((bits) >> 8), \
    [(n) + 2] = (uint8_t)((bits) >> 16), [(n) + 3] = (uint8_t)((bits) >> 24)

/* Bits that keep what is written to them. Those of IDR and CONFIGn only when they are unlocked. */
static const uint8_t writable[RTL_REGISTERS] = {
    BYTES_6(RTL_IDR),
    BYTES_8(RTL_MAR),
    ADDRESS(RTL_DTCCR, 0xc0),
    ADDRESS(RTL_TNPDS, 0),
    ADDRESS(RTL_THPDS, 0),
    [RTL_CR] = CR_TE | CR_RE,
    BYTES_2(RTL_IMR),
    WORD_4(RTL_TCR, TCR_WRITABLE),
    WORD_4(RTL_RCR, RCR_WRITABLE),
    [RTL_9346CR] = 0xce,
    /* LEDs, power management, wake-up: nothing comes of them */
    [RTL_CONFIG1] = 0xf1,
    [RTL_CONFIG3] = 0x70,
    [RTL_CONFIG4] = 0xff,
    [RTL_CONFIG5] = 0x7f,
    BYTES_4(RTL_TIMERINT),
    [RTL_WAKEUP... RTL_WAKEUP_END - 1] = 0xff,
    [RTL_RMS] = 0xff,
    [RTL_RMS + 1] = 0x3f,
    BYTES_4(RTL_CPCR), /* and RTL_MITIGATE */
    ADDRESS(RTL_RDSAR, 0),
    [RTL_ETTHR] = 0x3f,
    [RTL_FER... RTL_REGISTERS - 1] = 0xff,
};

void rtl_registers_reset(struct rtl8169 *c)
{
    rtl_set(c, RTL_CR, 1, 0);
    rtl_set(c, RTL_IMR, 4, 0); /* and ISR */
    rtl_set(c, RTL_TCR, 4, TCR_VERSION);
    rtl_set(c, RTL_RCR, 4, 0);
    rtl_set(c, RTL_TIMERINT, 4, 0);
    rtl_set(c, RTL_MPC, 4, 0);
    c->rung = c->running = 0;
    for (unsigned i = 0; i < RTL_RINGS; i++)
        c->epoch[i]++;
    rtl_update_interrupts(c);
    rtl_arm_timer(c);
}

static void load_eeprom(struct rtl8169 *c)
{
    memcpy(&c->registers[RTL_IDR], c->mac, sizeof(c->mac));
    c->registers[RTL_CONFIG1] = 0x8d; /* both BARs, power management */
    c->registers[RTL_CONFIG2] = 0x00; /* a 32-bit bus of 33 MHz */
    c->registers[RTL_CONFIG3] = c->registers[RTL_CONFIG4] = c->registers[RTL_CONFIG5] = 0;
}

void rtl_registers_power_on(struct rtl8169 *c)
{
    memset(c->registers, 0, sizeof(c->registers));
    memset(&c->tally, 0, sizeof(c->tally));
    c->eeprom = (struct rtl_eeprom){.out = true};
    c->timer_start = clock_monotonic_ns();
    load_eeprom(c);
    rtl_set(c, RTL_MAR, 4, UINT32_MAX);
    rtl_set(c, RTL_MAR + 4, 4, UINT32_MAX);
    rtl_set(c, RTL_RMS, 2, 0x3fff);
    rtl_phy_power_on(&c->phy);
    rtl_registers_reset(c);
}

/* A register of `length` bytes whose bytes some of an access's are. */
static bool touches(unsigned offset, unsigned size, unsigned reg, unsigned length)
{
    return offset < reg + length && reg < offset + size;
}

/* Before a read: what is not simply there. */
static void refresh(struct rtl8169 *c, unsigned offset, unsigned size)
{
    if (touches(offset, size, RTL_CR, 2)) {
        c->registers[RTL_CR] =
            (uint8_t)((c->registers[RTL_CR] & (CR_TE | CR_RE)) | (c->resetting ? CR_RST : 0));
        c->registers[RTL_TPPOLL] = c->rung | c->running;
    }
    if (touches(offset, size, RTL_TCTR, 4))
        rtl_set(c, RTL_TCTR, 4, rtl_timer_count(c));
    if (touches(offset, size, RTL_9346CR, 1))
        c->registers[RTL_9346CR] =
            (uint8_t)((c->registers[RTL_9346CR] & ~EE_DO) | (c->eeprom.out ? EE_DO : 0));
    if (touches(offset, size, RTL_PHYSTATUS, 1))
        c->registers[RTL_PHYSTATUS] = rtl_phy_status(&c->phy);
}

uint32_t rtl_read(struct rtl8169 *c, unsigned offset, unsigned size)
{
    pthread_mutex_lock(&c->lock);
    refresh(c, offset, size);
    uint32_t value = rtl_get(c, offset, size);
    pthread_mutex_unlock(&c->lock);
    return value;
}

/*
 * Writes that do something. true: the network's thread shall look.
 */

static bool write_command(struct rtl8169 *c, uint8_t value, uint8_t before)
{
    if (value & CR_RST) {
        rtl_registers_reset(c);
        c->resetting = true;
        return true;
    }
    uint8_t begun = value & ~before;
    if (begun & CR_TE) {
        c->epoch[RTL_TX_NORMAL]++;
        c->epoch[RTL_TX_HIGH]++;
    }
    if (begun & CR_RE)
        c->epoch[RTL_RX]++;
    return begun;
}

static bool write_poll(struct rtl8169 *c, uint8_t value)
{
    c->rung |= value & (TPPOLL_HPQ | TPPOLL_NPQ);
    if (value & TPPOLL_FSWINT)
        rtl_raise(c, ISR_SWINT);
    return value & (TPPOLL_HPQ | TPPOLL_NPQ);
}

static void write_eeprom(struct rtl8169 *c, uint8_t value)
{
    switch (value >> EEM_SHIFT) {
    case EEM_LOAD:
        load_eeprom(c);
        c->registers[RTL_9346CR] = 0;
        break;
    case EEM_PROGRAM:
        rtl_eeprom_drive(&c->eeprom, c->mac, value);
        break;
    default:
        rtl_eeprom_drive(&c->eeprom, c->mac, 0);
    }
}

static void write_phy(struct rtl8169 *c, uint32_t value)
{
    unsigned reg = value >> 16 & 0x1f;
    uint8_t before = rtl_phy_status(&c->phy);
    if (value & PHYAR_FLAG) {
        bool settling = c->phy.settling;
        rtl_phy_write(&c->phy, reg, (uint16_t)value);
        if (c->phy.settling && !settling)
            event_timer_set(&c->settle, clock_monotonic_ns() + RTL_SETTLE);
        rtl_set(c, RTL_PHYAR, 4, value & ~PHYAR_FLAG);
    } else {
        rtl_set(c, RTL_PHYAR, 4, PHYAR_FLAG | reg << 16 | rtl_phy_read(&c->phy, reg));
    }
    if (before != rtl_phy_status(&c->phy))
        rtl_raise(c, ISR_LINKCHG);
}

static void write_counters(struct rtl8169 *c, uint32_t value)
{
    uint64_t address = (uint64_t)rtl_get(c, RTL_DTCCR + 4, 4) << 32 | (value & ~UINT32_C(63));
    if (value & DTCCR_RESET)
        memset(&c->tally, 0, sizeof(c->tally));
    if (value & DTCCR_DUMP && !pci_dma_write(c->pci, address, &c->tally, sizeof(c->tally))) {
        log_line(pci_log(c->pci), LOG_GUEST, "rtl8169: counters: no memory at 0x%llx",
                 (unsigned long long)address);
        rtl_raise(c, ISR_SERR);
    }
}

/* The value is as wide as the access and stands at its place. */
static bool act(struct rtl8169 *c, unsigned offset, unsigned size, uint32_t value,
                uint8_t old_command)
{
    bool look = false;
    for (unsigned i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)(value >> 8 * i);
        switch (offset + i) {
        case RTL_CR:
            look |= write_command(c, byte, old_command);
            break;
        case RTL_TPPOLL:
            look |= write_poll(c, byte);
            break;
        case RTL_9346CR:
            write_eeprom(c, byte);
            break;
        }
    }
    for (unsigned ring = 0; ring < RTL_RINGS; ring++) {
        static const uint8_t bases[] = {RTL_TNPDS, RTL_THPDS, RTL_RDSAR};
        c->epoch[ring] += touches(offset, size, bases[ring], 8);
    }
    if (touches(offset, size, RTL_TCTR, 4))
        c->timer_start = clock_monotonic_ns();
    if (touches(offset, size, RTL_TCTR, 4) || touches(offset, size, RTL_TIMERINT, 4))
        rtl_arm_timer(c);
    if (touches(offset, size, RTL_MPC, 3))
        rtl_set(c, RTL_MPC, 4, 0);
    if (offset == RTL_PHYAR && size == 4)
        write_phy(c, value);
    if (offset == RTL_DTCCR && size == 4)
        write_counters(c, value);
    return look;
}

static void write_isr(struct rtl8169 *c, unsigned offset, unsigned size, uint32_t value)
{
    for (unsigned i = 0; i < size; i++)
        if (touches(offset + i, 1, RTL_ISR, 2))
            c->registers[offset + i] &= (uint8_t) ~(value >> 8 * i);
}

static uint8_t writable_now(const struct rtl8169 *c, unsigned offset)
{
    bool locked =
        offset < RTL_IDR + NET_ADDRESS_SIZE || (offset >= RTL_CONFIG0 && offset <= RTL_CONFIG5);
    bool unlocked = c->registers[RTL_9346CR] >> EEM_SHIFT == EEM_UNLOCK;
    return locked && !unlocked ? 0 : writable[offset];
}

void rtl_write(struct rtl8169 *c, unsigned offset, unsigned size, uint32_t value)
{
    bool interrupts = touches(offset, size, RTL_IMR, 4);
    pthread_mutex_lock(&c->lock);
    uint8_t old_command = c->registers[RTL_CR];
    for (unsigned i = 0; i < size; i++) {
        uint8_t bits = writable_now(c, offset + i), byte = (uint8_t)(value >> 8 * i);
        uint8_t *reg = &c->registers[offset + i];
        *reg = (uint8_t)((*reg & ~bits) | (byte & bits));
    }
    bool look = act(c, offset, size, value, old_command);
    if (interrupts) {
        write_isr(c, offset, size, value);
        rtl_update_interrupts(c);
    } else if (offset != RTL_TPPOLL) {
        atomic_fetch_add(&c->version, 1);
    }
    pthread_mutex_unlock(&c->lock);
    /* The driver has been at work: it may have given descriptors back. Nothing else tells of it. */
    if (look || (interrupts && atomic_load(&c->stalled)))
        event_call_post(&c->work);
}
