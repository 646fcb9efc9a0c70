/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Packets of GDB's remote protocol ("Overview" in that appendix of GDB's manual): $DATA#SUM, with two
 * hexadecimal digits of sum, and what stands between them: + and - for a packet that came well or did
 * not, and the byte 3, which interrupts.
 */
#ifndef RVVM_GDB_PACKET_H
#define RVVM_GDB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GDB_PACKET_SIZE 0x4000 /* bytes of data, at most */

enum gdb_input {
    GDB_NOTHING,   /* more is to come */
    GDB_PACKET,    /* data[0..size) is one; '\0' follows */
    GDB_BROKEN,    /* one has come whose sum is wrong, or that is too long */
    GDB_ACK,       /* + */
    GDB_NAK,       /* - */
    GDB_INTERRUPT, /* 3 */
};

/* What comes in, byte by byte. All zero at first. */
struct gdb_packets {
    enum { GDB_BETWEEN, GDB_DATA, GDB_ESCAPED, GDB_SUM_HIGH, GDB_SUM_LOW } state;
    uint8_t sum, told;
    bool too_long;
    size_t size;
    char data[GDB_PACKET_SIZE + 1];
};

enum gdb_input gdb_packet_take(struct gdb_packets *p, uint8_t byte);

/* What goes out. */
struct gdb_reply {
    size_t size;
    char data[GDB_PACKET_SIZE + 1]; /* '\0' follows */
};

/* They cut what does not fit. */
void gdb_put(struct gdb_reply *reply, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void gdb_put_bytes(struct gdb_reply *reply, const void *bytes, size_t size);
void gdb_put_hex(struct gdb_reply *reply, const void *bytes, size_t size);

/* The whole packet, at most GDB_FRAME_SIZE bytes: how many. */
#define GDB_FRAME_SIZE (2 * GDB_PACKET_SIZE + 4)
size_t gdb_packet_frame(const struct gdb_reply *reply, char *frame);

/*
 * Reading a packet from front to back. A number is hexadecimal.
 */
struct gdb_words {
    const char *at, *end;
};
bool gdb_take_char(struct gdb_words *w, char c);
bool gdb_take_text(struct gdb_words *w, const char *text);
bool gdb_take_number(struct gdb_words *w, uint64_t *value);
/* Two digits a byte. false: they are not all there. */
bool gdb_take_hex(struct gdb_words *w, void *bytes, size_t size);

/* The answer to a qXfer whose words go on with OFFSET,SIZE: that piece of `bytes`. */
void gdb_put_piece(struct gdb_reply *reply, struct gdb_words *w, const void *bytes, size_t size);

#endif
