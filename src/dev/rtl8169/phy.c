/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The transceiver, an RTL8211B, as IEEE 802.3 clauses 22, 28 and 40 see it. The partner at the other
 * end of the cable can do everything.
 *
 * A new negotiation, or another speed, takes the link down for RTL_SETTLE: Linux asks about the speed only
 * when it has seen the link down, and does not look at the latched bit for it.
 */
#include "dev/rtl8169/card.h"

enum {
    PHY_CONTROL,
    PHY_STATUS,
    PHY_ID1,
    PHY_ID2,
    PHY_ADVERTISE,
    PHY_PARTNER,
    PHY_EXPANSION,
    PHY_GIGABIT = 9,
    PHY_GIGABIT_STATUS,
    PHY_EXTENDED_STATUS = 15,
    PHY_SPECIFIC_STATUS = 17,
    PHY_INTERRUPTS,
    PHY_PAGE = 31,
};

#define CONTROL_RESET 0x8000
#define CONTROL_LOOPBACK 0x4000
#define CONTROL_100 0x2000
#define CONTROL_NEGOTIATE 0x1000
#define CONTROL_POWER_DOWN 0x0800
#define CONTROL_ISOLATE 0x0400
#define CONTROL_RESTART 0x0200
#define CONTROL_FULL 0x0100
#define CONTROL_1000 0x0040
#define CONTROL_POWER_ON (CONTROL_NEGOTIATE | CONTROL_FULL | CONTROL_1000)

/* 10 and 100 Mbit/s full and half, more in register 15, abilities of negotiation */
#define STATUS_ABILITIES 0x7949
#define STATUS_NEGOTIATED 0x0020
#define STATUS_LINK 0x0004

/* Bits of what is advertised. */
#define ADVERTISE_100_FULL 0x0100
#define ADVERTISE_100_HALF 0x0080
#define ADVERTISE_10_FULL 0x0040
#define ADVERTISE_10_HALF 0x0020
#define ADVERTISE_PAUSE 0x0400
#define ADVERTISE_POWER_ON 0x0de1
#define PARTNER_ABILITIES 0xcde1
#define GIGABIT_FULL 0x0200
#define GIGABIT_HALF 0x0100

struct outcome {
    unsigned speed; /* Mbit/s; 0: no link */
    bool full;
};

static struct outcome negotiate(const struct rtl_phy *phy)
{
    if (phy->gigabit & (GIGABIT_FULL | GIGABIT_HALF))
        return (struct outcome){1000, phy->gigabit & GIGABIT_FULL};
    if (phy->advertise & (ADVERTISE_100_FULL | ADVERTISE_100_HALF))
        return (struct outcome){100, phy->advertise & ADVERTISE_100_FULL};
    if (phy->advertise & (ADVERTISE_10_FULL | ADVERTISE_10_HALF))
        return (struct outcome){10, phy->advertise & ADVERTISE_10_FULL};
    return (struct outcome){0, false};
}

void rtl_phy_settle(struct rtl_phy *phy)
{
    const uint16_t control = phy->control;
    struct outcome o = {control & CONTROL_1000  ? 1000
                        : control & CONTROL_100 ? 100
                                                : 10,
                        control & CONTROL_FULL};
    if (control & CONTROL_NEGOTIATE)
        o = negotiate(phy);
    phy->speed = o.speed;
    phy->full = o.full;
    phy->settling = false;
}

static struct outcome link_now(const struct rtl_phy *phy)
{
    if (!phy->cable || phy->settling || phy->control & (CONTROL_POWER_DOWN | CONTROL_ISOLATE))
        return (struct outcome){0, false};
    return (struct outcome){phy->speed, phy->full};
}

static bool is_negotiated(const struct rtl_phy *phy)
{
    return phy->control & CONTROL_NEGOTIATE && link_now(phy).speed;
}

uint8_t rtl_phy_status(const struct rtl_phy *phy)
{
    struct outcome link = link_now(phy);
    if (!link.speed)
        return 0;
    uint8_t status = PHYSTATUS_LINK | (link.full ? PHYSTATUS_FULL : 0);
    if (is_negotiated(phy) && link.full && phy->advertise & ADVERTISE_PAUSE)
        status |= PHYSTATUS_RX_FLOW | PHYSTATUS_TX_FLOW;
    return status | (link.speed == 1000  ? PHYSTATUS_1000
                     : link.speed == 100 ? PHYSTATUS_100
                                         : PHYSTATUS_10);
}

bool rtl_phy_loops(const struct rtl_phy *phy)
{
    return phy->control & CONTROL_LOOPBACK;
}

static uint16_t read_status(struct rtl_phy *phy)
{
    bool up = link_now(phy).speed && !phy->was_down;
    phy->was_down = !link_now(phy).speed;
    return STATUS_ABILITIES | (up ? STATUS_LINK : 0) | (is_negotiated(phy) ? STATUS_NEGOTIATED : 0);
}

/* Speed, duplex, both resolved, link. */
static uint16_t specific_status(const struct rtl_phy *phy)
{
    struct outcome link = link_now(phy);
    if (!link.speed)
        return 0;
    unsigned speed = link.speed == 1000 ? 2 : link.speed == 100;
    return (uint16_t)(speed << 14 | (unsigned)link.full << 13 | 1 << 11 | 1 << 10);
}

uint16_t rtl_phy_read(struct rtl_phy *phy, unsigned reg)
{
    if (reg == PHY_PAGE)
        return phy->page;
    if (phy->page) /* the other pages tune what is analogue */
        return 0;
    switch (reg) {
    case PHY_CONTROL:
        return phy->control;
    case PHY_STATUS:
        return read_status(phy);
    case PHY_ID1:
        return 0x001c;
    case PHY_ID2:
        return 0xc912;
    case PHY_ADVERTISE:
        return phy->advertise;
    case PHY_PARTNER:
        return is_negotiated(phy) ? PARTNER_ABILITIES : 0;
    case PHY_EXPANSION: /* both can negotiate, and did */
        return is_negotiated(phy) ? 0x0007 : 0x0004;
    case PHY_GIGABIT:
        return phy->gigabit;
    case PHY_GIGABIT_STATUS: /* receivers are fine; 1000BASE-T in both ways */
        return is_negotiated(phy) ? 0x3c00 : 0;
    case PHY_EXTENDED_STATUS: /* 1000BASE-T in both ways */
        return 0x3000;
    case PHY_SPECIFIC_STATUS:
        return specific_status(phy);
    case PHY_INTERRUPTS:
        return phy->interrupts;
    default:
        return 0;
    }
}

static void write_control(struct rtl_phy *phy, uint16_t value)
{
    const uint16_t before = phy->control;
    if (value & CONTROL_RESET)
        rtl_phy_power_on(phy);
    else
        phy->control = value & ~(CONTROL_RESTART | 0x003f);
    phy->settling |=
        value & (CONTROL_RESET | CONTROL_RESTART) || (before ^ phy->control) & ~CONTROL_LOOPBACK;
}

void rtl_phy_write(struct rtl_phy *phy, unsigned reg, uint16_t value)
{
    bool was_up = link_now(phy).speed;
    if (reg == PHY_PAGE)
        phy->page = value;
    else if (phy->page)
        return;
    else if (reg == PHY_CONTROL)
        write_control(phy, value);
    else if (reg == PHY_ADVERTISE) /* of use in the next negotiation */
        phy->advertise = value;
    else if (reg == PHY_GIGABIT)
        phy->gigabit = value;
    else if (reg == PHY_INTERRUPTS)
        phy->interrupts = value;
    phy->was_down |= was_up && !link_now(phy).speed;
}

void rtl_phy_cable(struct rtl_phy *phy, bool in)
{
    phy->was_down |= !in;
    phy->cable = in;
}

void rtl_phy_power_on(struct rtl_phy *phy)
{
    *phy = (struct rtl_phy){
        .control = CONTROL_POWER_ON,
        .advertise = ADVERTISE_POWER_ON,
        .gigabit = GIGABIT_FULL | GIGABIT_HALF,
        .cable = phy->cable,
        .was_down = true,
    };
    rtl_phy_settle(phy);
}
