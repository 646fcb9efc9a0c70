/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Puts fragments of IPv4 together (RFC 791, 3.2; RFC 815), for backends that want datagrams whole. libslirp
 * could do it, but a guest with fragments of its own making ends the process there (4.7). What is not as a
 * sender makes it is dropped, with the rest of its datagram: fragments that overlap, that leave no 8 bytes
 * between two, that go beyond 64 KiB.
 *
 *     if (reassembly_is_fragment(frame, size))
 *         frame = reassembly_add(r, frame, size, now, &size);      NULL: there is more to come
 */
#ifndef RVVM_NET_REASSEMBLY_H
#define RVVM_NET_REASSEMBLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reassembly;

#define REASSEMBLY_DATAGRAMS 16                    /* at a time; the oldest gives way */
#define REASSEMBLY_NS (UINT64_C(30) * 1000000000u) /* how long one waits for its fragments */

/* NULL: out of memory. */
struct reassembly *reassembly_new(void);
/* r may be NULL. */
void reassembly_free(struct reassembly *r);

/* Whether an Ethernet frame has part of a datagram. */
bool reassembly_is_fragment(const uint8_t *frame, size_t size);
/* A frame with the whole datagram, good until the next call; NULL: it is not whole yet, or dropped. */
const uint8_t *reassembly_add(struct reassembly *r, const uint8_t *frame, size_t size, uint64_t now,
                              size_t *whole_size);

#endif
