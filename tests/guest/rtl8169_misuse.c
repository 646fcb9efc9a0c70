/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A driver of an RTL8169 without a driver's manners (rtl8169.test): it fills the rings with whatever a
 * random generator says, writes registers that it has no business with, and resets the card in the
 * middle. From time to time, and in the end, the card must send a frame as if nothing had been.
 *
 *     rtl8169_misuse DEVICE ROUNDS SEED       DEVICE: /sys/bus/pci/devices/0000:00:01.0
 *
 * The card must have no driver. Ends with 0 when all was as it should be, and says what was not.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define fail(...) \
    (printf("rtl8169_misuse: " __VA_ARGS__), printf(" (%s)\n", strerror(errno)), exit(1))

#define PAGE 4096
#define PAGES 16
#define ENTRIES 64
#define OWN 0x80000000u
#define EOR 0x40000000u
#define FS 0x20000000u
#define LS 0x10000000u
enum { TX = 0, TX_HIGH = 1, RX = 2, BYTES = 3 }; /* pages; all from BYTES on are buffers */

struct descriptor {
    uint32_t opts1, opts2;
    uint64_t address;
};

static volatile uint8_t *registers;
static uint8_t *memory;
static uint64_t addresses[PAGES];
static uint64_t state;

static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static unsigned below(unsigned limit)
{
    return (unsigned)(draw() >> 20) % limit;
}

static void write32(unsigned reg, uint32_t value)
{
    *(volatile uint32_t *)(registers + reg) = value;
}

static void open_card(const char *device)
{
    char path[256];
    uint16_t command = 7;
    snprintf(path, sizeof(path), "%s/config", device);
    int fd = open(path, O_RDWR);
    if (fd < 0 || pwrite(fd, &command, 2, 4) != 2)
        fail("%s", path);
    close(fd);
    snprintf(path, sizeof(path), "%s/resource1", device);
    fd = open(path, O_RDWR | O_SYNC);
    void *bar = fd < 0 ? MAP_FAILED : mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (bar == MAP_FAILED)
        fail("%s", path);
    registers = bar;
}

static void find_memory(void)
{
    memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);
    int fd = open("/proc/self/pagemap", O_RDONLY);
    if (memory == MAP_FAILED || fd < 0)
        fail("memory");
    for (unsigned i = 0; i < PAGES; i++) {
        uint64_t entry;
        memory[i * PAGE] = 0;
        off_t at = (off_t)((uintptr_t)memory / PAGE + i) * 8;
        if (pread(fd, &entry, 8, at) != 8 || !(entry >> 63) || !(entry << 9))
            fail("no address of page %u", i);
        addresses[i] = (entry & ((UINT64_C(1) << 55) - 1)) * PAGE;
    }
    close(fd);
}

static void wait_for(const volatile uint8_t *byte, uint8_t bits, const char *what)
{
    time_t end = time(NULL) + 60;
    while (*byte & bits)
        if (time(NULL) > end)
            fail("%s", what);
}

static void reset(void)
{
    registers[0x37] = 0x10;
    wait_for(registers + 0x37, 0x10, "the reset does not end");
}

static void set_up(void)
{
    static const uint8_t bases[] = {0x20, 0x28, 0xe4};
    for (unsigned ring = 0; ring < 3; ring++) {
        write32(bases[ring] + 4u, (uint32_t)(addresses[ring] >> 32));
        write32(bases[ring], (uint32_t)addresses[ring]);
    }
    registers[0x37] = 0x0c;
    write32(0x44, 0xe73f);
}

/* Mostly ours; sometimes where nothing is, or where its end is not ours any more. Never another's memory:
 * this is to be the card's undoing, not the kernel's. */
static uint64_t any_address(uint32_t *size)
{
    static const uint64_t nowhere[] = {0, 0x10000000, 0x7ffffff0, UINT64_MAX - 8,
                                       0x123456789abcdef0};
    if (!below(16))
        return nowhere[below(5)];
    unsigned offset = below(PAGE);
    if (*size > PAGE - offset)
        *size = PAGE - offset;
    return addresses[BYTES + below(PAGES - BYTES)] + offset;
}

static void any_descriptor(unsigned ring)
{
    struct descriptor *d = (struct descriptor *)(memory + ring * PAGE) + below(ENTRIES);
    uint32_t size = below(4) ? below(200) : below(PAGE), bits = (uint32_t)draw();
    d->address = any_address(&size);
    d->opts2 = (uint32_t)draw();
    bits &= below(2) ? 0x3fff0000 : 0x30000000;
    if (ring == RX) {
        size &= 0x3fff;
        bits &= 0x70000000;
    }
    if (below(3))
        bits |= FS | LS;
    if (!below(ENTRIES))
        bits |= EOR;
    __atomic_store_n(&d->opts1, OWN | bits | size, __ATOMIC_RELEASE);
}

/* An IPv4 packet, more or less. */
static void any_bytes(void)
{
    uint8_t *at = memory + BYTES * PAGE + below((PAGES - BYTES) * PAGE - 64);
    static const uint8_t head[] = {0x52, 0x54, 0, 0x12, 0x34, 0x56, 2, 0, 0,  0, 0, 1, 8, 0,
                                   0x45, 0,    0, 0,    0,    0,    0, 0, 64, 6, 0, 0, 10};
    memcpy(at, head, sizeof(head));
    at[14 + below(12)] = (uint8_t)draw();
    at[16] = (uint8_t)below(8);
    at[17] = (uint8_t)draw();
}

/* Any register but those that say where rings and counters are. */
static void any_register(void)
{
    unsigned reg = below(256);
    if ((reg >= 0x10 && reg < 0x30) || reg >= 0xe4 || reg == 0x37)
        return;
    registers[reg] = (uint8_t)draw();
}

static void misuse(void)
{
    set_up();
    for (unsigned i = below(100); i; i--) {
        switch (below(8)) {
        case 0:
            any_register();
            break;
        case 1:
            any_bytes();
            break;
        case 2:
            registers[0x38] = (uint8_t)draw() & 0xc0;
            break;
        case 3:
            write32(0x40, below(2) ? 0x60000 : 0); /* what is sent comes back */
            break;
        default:
            any_descriptor(below(3));
        }
    }
    registers[0x38] = 0xc0;
}

static void must_send(void)
{
    struct descriptor *d = (struct descriptor *)(memory + TX * PAGE);
    reset();
    memset(memory, 0, BYTES * PAGE);
    set_up();
    write32(0x40, 0);
    d->address = addresses[BYTES];
    __atomic_store_n(&d->opts1, OWN | EOR | FS | LS | 60, __ATOMIC_RELEASE);
    registers[0x38] = 0x40;
    wait_for((uint8_t *)&d->opts1 + 3, 0x80, "a frame is not sent");
    reset();
}

int main(int argc, char **argv)
{
    if (argc != 4)
        fail("DEVICE ROUNDS SEED");
    open_card(argv[1]);
    find_memory();
    state = strtoull(argv[3], NULL, 0) * 2 + 1;
    for (unsigned long round = strtoul(argv[2], NULL, 0); round; round--) {
        misuse();
        if (!(round % 16))
            must_send();
    }
    must_send();
    printf("rtl8169_misuse: it still works\n");
    return 0;
}
