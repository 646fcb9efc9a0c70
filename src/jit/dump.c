/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the translator made, for people and tools/show-code: a line that begins with "block" for each
 * block, then for each guest instruction its text, its operations and the host's bytes.
 */
#include "jit/block.h"

#include <inttypes.h>
#include <stdio.h>

#define HOST_BYTES_A_LINE 32

static void say(const struct jit *jit, enum jit_dump kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void say(const struct jit *jit, enum jit_dump kind, const char *format, ...)
{
    char line[256];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    jit->dump_line(jit->dump_ctx, kind, line);
}

static void dump_host(const struct jit *jit, const uint8_t *from, uint32_t size)
{
    char text[3 * HOST_BYTES_A_LINE + 1];
    for (uint32_t at = 0; at < size; at += HOST_BYTES_A_LINE) {
        char *to = text;
        for (uint32_t i = at; i < size && i < at + HOST_BYTES_A_LINE; i++)
            to += sprintf(to, " %02x", from[i]);
        say(jit, JIT_DUMP_OUT, "    host%s", text);
    }
}

static void dump_insn(struct jit_hart *jh, const struct jit_block *block, unsigned n, uint64_t pc)
{
    const struct jit *jit = jh->jit;
    const struct ir_guest *guest = &jh->ir.guests[n];
    const struct jit_map *map = jh->map;
    if (jit->dump & JIT_DUMP_IN) {
        char text[64];
        isa_disassemble(&guest->insn, pc + guest->offset, text, sizeof(text));
        if (jit->dump & JIT_DUMP_OUT)
            say(jit, JIT_DUMP_IN, "  %" PRIx64 "  %-36s ; %u", pc + guest->offset, text,
                map->insns[n]);
        else
            say(jit, JIT_DUMP_IN, "  %" PRIx64 "  %s", pc + guest->offset, text);
    }
    if (jit->dump & JIT_DUMP_IR) {
        unsigned end = ir_guest_start(&jh->ir, n + 1);
        for (unsigned i = guest->first; i < end; i++) {
            char text[128];
            ir_print_insn(&jh->ir, (ir_ref)i, text, sizeof(text));
            say(jit, JIT_DUMP_IR, "    %s", text);
        }
    }
    if (jit->dump & JIT_DUMP_OUT)
        dump_host(jit, block->entry + map->start[n], map->start[n + 1] - map->start[n]);
}

void jit_dump(struct jit_hart *jh, const struct jit_block *block, uint64_t pc)
{
    const struct jit *jit = jh->jit;
    const struct jit_map *map = jh->map;
    unsigned n = block->insns;
    if (jit->dump & JIT_DUMP_PERF)
        say(jit, JIT_DUMP_PERF, "%" PRIxPTR " %x guest_%" PRIx64 "%s", (uintptr_t)block->entry,
            map->start[n], pc, block->is_region ? "_loop" : "");
    if (!(jit->dump & ~(unsigned)JIT_DUMP_PERF))
        return;
    say(jit, JIT_DUMP_IN, "%s %" PRIx64 " at %p: %u instructions, %u bytes of host code%s",
        block->is_region ? "region" : "block", pc, (const void *)block->entry, n,
        map->start[n] + map->cold_size,
        block->variant == JIT_SINGLE ? ", accesses one by one" : "");
    if (jit->dump & JIT_DUMP_OUT)
        dump_host(jit, block->entry, map->start[0]);
    if (block->is_region) /* its guest instructions know their place in the page */
        pc -= (uintptr_t)block->code & ~PAGE_MASK;
    for (unsigned i = 0; i < n; i++)
        dump_insn(jh, block, i, pc);
    if (jit->dump & JIT_DUMP_OUT) {
        say(jit, JIT_DUMP_OUT, "  out of the way ; %u", map->insns[n]);
        dump_host(jit, map->cold, map->cold_size);
    }
}
