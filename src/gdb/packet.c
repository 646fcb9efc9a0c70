/* SPDX-License-Identifier: MPL-2.0 */
/* Taking packets apart and putting them together. */
#include "gdb/packet.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ESCAPE '}'
#define ESCAPE_BIT 0x20 /* an escaped byte is this bit's opposite */

static const char digits[] = "0123456789abcdef";

/* -1: it is none. */
static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static void begin(struct gdb_packets *p)
{
    p->state = GDB_DATA;
    p->sum = 0;
    p->size = 0;
    p->too_long = false;
}

static void add(struct gdb_packets *p, uint8_t byte)
{
    if (p->size < GDB_PACKET_SIZE)
        p->data[p->size++] = (char)byte;
    else
        p->too_long = true;
}

static enum gdb_input between(struct gdb_packets *p, uint8_t byte)
{
    switch (byte) {
    case '$':
        begin(p);
        return GDB_NOTHING;
    case '+':
        return GDB_ACK;
    case '-':
        return GDB_NAK;
    case 3:
        return GDB_INTERRUPT;
    default:
        return GDB_NOTHING;
    }
}

enum gdb_input gdb_packet_take(struct gdb_packets *p, uint8_t byte)
{
    int value;
    switch (p->state) {
    case GDB_BETWEEN:
        return between(p, byte);
    case GDB_DATA:
        if (byte == '#') {
            p->state = GDB_SUM_HIGH;
            break;
        }
        if (byte == '$') { /* the rest of the last one was lost */
            begin(p);
            break;
        }
        p->sum += byte;
        if (byte == ESCAPE)
            p->state = GDB_ESCAPED;
        else
            add(p, byte);
        break;
    case GDB_ESCAPED:
        p->sum += byte;
        add(p, byte ^ ESCAPE_BIT);
        p->state = GDB_DATA;
        break;
    case GDB_SUM_HIGH:
        value = digit((char)byte);
        p->told = (uint8_t)((unsigned)value << 4);
        p->too_long |= value < 0;
        p->state = GDB_SUM_LOW;
        break;
    case GDB_SUM_LOW:
        value = digit((char)byte);
        p->state = GDB_BETWEEN;
        p->data[p->size] = '\0';
        return value < 0 || p->too_long || (p->told | value) != p->sum ? GDB_BROKEN : GDB_PACKET;
    }
    return GDB_NOTHING;
}

void gdb_put_bytes(struct gdb_reply *r, const void *bytes, size_t size)
{
    size_t room = GDB_PACKET_SIZE - r->size;
    if (size > room)
        size = room;
    memcpy(r->data + r->size, bytes, size);
    r->size += size;
    r->data[r->size] = '\0';
}

void gdb_put(struct gdb_reply *r, const char *format, ...)
{
    size_t room = GDB_PACKET_SIZE - r->size;
    va_list args;
    va_start(args, format);
    int length = vsnprintf(r->data + r->size, room + 1, format, args);
    va_end(args);
    if (length > 0)
        r->size += (size_t)length < room ? (size_t)length : room;
}

void gdb_put_hex(struct gdb_reply *r, const void *bytes, size_t size)
{
    const uint8_t *b = bytes;
    for (size_t i = 0; i < size; i++)
        gdb_put_bytes(r, (char[]){digits[b[i] >> 4], digits[b[i] & 15]}, 2);
}

size_t gdb_packet_frame(const struct gdb_reply *r, char *frame)
{
    char *to = frame;
    uint8_t sum = 0;
    *to++ = '$';
    for (size_t i = 0; i < r->size; i++) {
        char c = r->data[i];
        if (c == '$' || c == '#' || c == '*' || c == ESCAPE) {
            sum += ESCAPE;
            *to++ = ESCAPE;
            c ^= ESCAPE_BIT;
        }
        sum += (uint8_t)c;
        *to++ = c;
    }
    *to++ = '#';
    *to++ = digits[sum >> 4];
    *to++ = digits[sum & 15];
    return (size_t)(to - frame);
}

bool gdb_take_char(struct gdb_words *w, char c)
{
    if (w->at == w->end || *w->at != c)
        return false;
    w->at++;
    return true;
}

bool gdb_take_text(struct gdb_words *w, const char *text)
{
    size_t length = strlen(text);
    if ((size_t)(w->end - w->at) < length || memcmp(w->at, text, length))
        return false;
    w->at += length;
    return true;
}

bool gdb_take_number(struct gdb_words *w, uint64_t *value)
{
    const char *start = w->at;
    *value = 0;
    for (; w->at < w->end && digit(*w->at) >= 0; w->at++) {
        if (*value >> 60)
            return false;
        *value = *value << 4 | (unsigned)digit(*w->at);
    }
    return w->at > start;
}

bool gdb_take_hex(struct gdb_words *w, void *bytes, size_t size)
{
    uint8_t *to = bytes;
    if ((size_t)(w->end - w->at) / 2 < size)
        return false;
    for (size_t i = 0; i < size; i++) {
        int high = digit(w->at[0]), low = digit(w->at[1]);
        if (high < 0 || low < 0)
            return false;
        to[i] = (uint8_t)(high << 4 | low);
        w->at += 2;
    }
    return true;
}

void gdb_put_piece(struct gdb_reply *r, struct gdb_words *w, const void *bytes, size_t size)
{
    const uint64_t room = GDB_PACKET_SIZE / 2;
    uint64_t offset, most;
    if (!gdb_take_number(w, &offset) || !gdb_take_char(w, ',') || !gdb_take_number(w, &most)) {
        gdb_put(r, "E22");
        return;
    }
    offset = offset < size ? offset : size;
    most = most < room ? most : room;
    bool more = most < size - offset;
    gdb_put(r, more ? "m" : "l");
    gdb_put_bytes(r, (const uint8_t *)bytes + offset, more ? most : size - offset);
}
