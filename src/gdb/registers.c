/* SPDX-License-Identifier: MPL-2.0 */
/* Registers by number. CSRs are reached as M-mode reaches them, whatever mode the hart is in; of a program they are
 * those that it may have. */
#include "gdb/registers.h"

#include "cpu/hart.h"
#include "isa/decode.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CSR_FP_FIRST = 1, CSR_FP_LAST = 3 };

/*
 * CSRs
 */

static bool is_fp_csr(unsigned csr)
{
    return csr >= CSR_FP_FIRST && csr <= CSR_FP_LAST;
}

/* What FP being off hides is there all the same. */
static enum csr_result access_csr(struct hart *h, unsigned csr, bool write, uint64_t *value)
{
    const uint8_t priv = h->priv;
    const bool hidden = is_fp_csr(csr) && !(h->csr.mstatus & MSTATUS_FS);
    h->priv = h->direct ? PRIV_U : PRIV_M;
    if (hidden)
        h->csr.mstatus |= MSTATUS_FS;
    enum csr_result result = csr_access(h, csr, CSR_WRITE, *value, !write, write, value);
    h->priv = priv;
    if (hidden)
        h->csr.mstatus &= ~MSTATUS_FS;
    if (write && !h->direct)
        tlb_context_changed(h);
    return result;
}

static bool read_csr(struct hart *h, unsigned csr, uint64_t *value)
{
    /* What seed gives nobody gets again. */
    return csr != CSR_SEED && access_csr(h, csr, false, value) == CSR_OK;
}

static bool has_csr(struct hart *h, unsigned csr)
{
    uint64_t value = 0;
    return read_csr(h, csr, &value);
}

/*
 * All of them
 */

unsigned register_size(struct hart *h, unsigned n)
{
    if (n <= REGISTER_PC)
        return h->xlen / 8;
    if (n < REGISTER_CSR0)
        return isa_has(&h->isa, EXT_D) ? 8 : isa_has(&h->isa, EXT_F) ? 4 : 0;
    if (is_fp_csr(n - REGISTER_CSR0))
        return isa_has(&h->isa, EXT_F) ? 4 : 0;
    if (n < REGISTER_PRIV)
        return has_csr(h, n - REGISTER_CSR0) ? h->xlen / 8 : 0;
    return n == REGISTER_PRIV && !h->direct ? h->xlen / 8 : 0;
}

bool register_read(struct hart *h, unsigned n, uint64_t *value)
{
    if (!register_size(h, n))
        return false;
    *value = 0;
    if (n < REGISTER_PC)
        *value = h->x[n];
    else if (n == REGISTER_PC)
        *value = h->pc;
    else if (n < REGISTER_CSR0)
        *value = h->f[n - REGISTER_F0];
    else if (n < REGISTER_PRIV)
        return read_csr(h, n - REGISTER_CSR0, value);
    else
        *value = h->priv;
    return true;
}

static void write_x(struct hart *h, unsigned n, uint64_t value)
{
    if (n)
        h->x[n] = h->xlen == 32 ? (uint64_t)(int32_t)value : value;
}

static void write_f(struct hart *h, unsigned n, uint64_t value)
{
    h->f[n] = isa_has(&h->isa, EXT_D) ? value : value | UINT64_C(0xffffffff) << 32;
    /* So that the guest's kernel saves it. */
    if (h->csr.mstatus & MSTATUS_FS)
        h->csr.mstatus |= MSTATUS_FS;
}

static bool write_priv(struct hart *h, uint64_t value)
{
    if (value != PRIV_U && value != PRIV_S && value != PRIV_M)
        return false;
    h->priv = (uint8_t)value;
    tlb_context_changed(h);
    return true;
}

bool register_write(struct hart *h, unsigned n, uint64_t value)
{
    if (!register_size(h, n))
        return false;
    if (n < REGISTER_PC)
        write_x(h, n, value);
    else if (n == REGISTER_PC)
        h->pc = (h->xlen == 32 ? (uint32_t)value : value) & ~UINT64_C(1);
    else if (n < REGISTER_CSR0)
        write_f(h, n - REGISTER_F0, value);
    else if (n < REGISTER_PRIV)
        return access_csr(h, n - REGISTER_CSR0, true, &value) != CSR_ILLEGAL;
    else
        return write_priv(h, value);
    return true;
}

/*
 * The description
 */

struct text {
    char *at; /* NULL: out of memory */
    size_t size, room;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *format, ...)
{
    va_list args;
    char line[256];
    va_start(args, format);
    int length = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (!t->at || length < 0 || (size_t)length >= sizeof(line))
        return;
    if (t->size + (size_t)length >= t->room) {
        char *more = realloc(t->at, 2 * t->room);
        if (!more)
            free(t->at);
        t->at = more;
        t->room *= 2;
    }
    if (t->at) {
        memcpy(t->at + t->size, line, (size_t)length + 1);
        t->size += (size_t)length;
    }
}

static void put_feature(struct text *t, const char *name)
{
    put(t, "<feature name=\"org.gnu.gdb.riscv.%s\">\n", name);
}

static void put_register(struct text *t, const char *name, unsigned bits, unsigned n,
                         const char *more)
{
    put(t, "<reg name=\"%s\" bitsize=\"%u\" regnum=\"%u\"%s/>\n", name, bits, n, more);
}

static void put_cpu(struct text *t, const struct hart *h)
{
    static const char *const names[] = {
        "zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "fp", "s1", "a0",
        "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
        "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
    };
    put_feature(t, "cpu");
    for (unsigned i = 0; i < 32; i++)
        put_register(t, names[i], h->xlen, i,
                     i == 2 || i == 8 ? " type=\"data_ptr\""
                     : i == 1         ? " type=\"code_ptr\""
                                      : " type=\"int\"");
    put_register(t, "pc", h->xlen, REGISTER_PC, " type=\"code_ptr\"");
    put(t, "</feature>\n");
}

static void put_fpu(struct text *t, struct hart *h)
{
    static const char *const names[] = {
        "ft0", "ft1", "ft2", "ft3", "ft4",  "ft5",  "ft6", "ft7", "fs0",  "fs1",  "fa0",
        "fa1", "fa2", "fa3", "fa4", "fa5",  "fa6",  "fa7", "fs2", "fs3",  "fs4",  "fs5",
        "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
    };
    static const char *const csrs[] = {"fflags", "frm", "fcsr"};
    const bool wide = isa_has(&h->isa, EXT_D);
    if (!isa_has(&h->isa, EXT_F))
        return;
    put_feature(t, "fpu");
    if (wide)
        put(t, "<union id=\"riscv_double\"><field name=\"float\" type=\"ieee_single\"/>"
               "<field name=\"double\" type=\"ieee_double\"/></union>\n");
    for (unsigned i = 0; i < 32; i++)
        put_register(t, names[i], wide ? 64 : 32, REGISTER_F0 + i,
                     wide ? " type=\"riscv_double\"" : " type=\"ieee_single\"");
    for (unsigned i = 0; i < 3; i++)
        put_register(t, csrs[i], 32, REGISTER_CSR0 + CSR_FP_FIRST + i,
                     " type=\"int\" group=\"float\"");
    put(t, "</feature>\n");
}

static void put_csrs(struct text *t, struct hart *h)
{
    char name[32];
    put_feature(t, "csr");
    for (unsigned csr = 0; csr < 4096; csr++)
        if (!is_fp_csr(csr) && has_csr(h, csr)) {
            isa_csr_name(csr, name, sizeof(name));
            put_register(t, name, h->xlen, REGISTER_CSR0 + csr, " type=\"int\" group=\"csr\"");
        }
    put(t, "</feature>\n");
    if (h->direct)
        return;
    put_feature(t, "virtual");
    put_register(t, "priv", h->xlen, REGISTER_PRIV, " type=\"int\"");
    put(t, "</feature>\n");
}

char *registers_describe(struct hart *h)
{
    struct text t = {.at = malloc(4096), .room = 4096};
    put(&t,
        "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
        "<target version=\"1.0\">\n<architecture>riscv:rv%u</architecture>\n%s",
        h->xlen, h->direct ? "<osabi>GNU/Linux</osabi>\n" : "");
    put_cpu(&t, h);
    put_fpu(&t, h);
    put_csrs(&t, h);
    put(&t, "</target>\n");
    return t.at;
}
