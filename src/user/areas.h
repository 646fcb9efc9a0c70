/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The list of areas of an address space (space.h): which addresses are taken, with which rights. It knows
 * nothing of the host. All under space.lock, all addresses are of pages.
 */
#ifndef RVVM_USER_AREAS_H
#define RVVM_USER_AREAS_H

#include "user/space.h"

/* The first area that ends behind an address; space.count: there is none. */
unsigned areas_from(const struct space *s, uint64_t address);

/* Whether all of it is taken, or none of it. */
bool areas_cover(const struct space *s, uint64_t first, uint64_t end);
bool areas_are_free(const struct space *s, uint64_t first, uint64_t end);

/* Room for as many areas as any one of the changes below can add. false: no memory. */
bool areas_reserve(struct space *s);

/* Takes [first, end) out of the list; puts an area in, where none is. After areas_reserve. */
void areas_cut(struct space *s, uint64_t first, uint64_t end);
void areas_put(struct space *s, const struct area *area);
/* Gives what is taken of [first, end) other rights. */
void areas_set_prot(struct space *s, uint64_t first, uint64_t end, unsigned prot);

/* The highest free place of that size below space.mmap_top; 0: there is none. align: a power of two. */
uint64_t areas_find_room(const struct space *s, uint64_t size, uint64_t align);

#endif
