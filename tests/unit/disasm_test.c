/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The disassembler against GNU objdump, and its CSR names against the CSRs that a hart has.
 *
 * The texts are what objdump (binutils 2.40) -d -M no-aliases printed for the encodings, with a space for
 * the tab; targets of jumps are moved to PC. Newer extensions, which it does not know, come last.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "isa/decode.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define PC 0x80000000u

struct sample {
    uint32_t bits;
    const char *text;
};

static const struct sample rv64[] = {
    {0xb0ece237, "lui tp,0xb0ece"},
    {0x10458a17, "auipc s4,0x10458"},
    {0xc120c9ef, "jal s3,0x7ff0c412"},
    {0x39b982e7, "jalr t0,923(s3)"},
    {0xe6a50ce3, "beq a0,a0,0x7ffffe78"},
    {0xc1edf7e3, "bgeu s11,t5,0x7ffffc0e"},
    {0x9bbf8183, "lb gp,-1605(t6)"},
    {0x7e6a9383, "lh t2,2022(s5)"},
    {0xd6972683, "lw a3,-663(a4)"},
    {0x5ac63583, "ld a1,1452(a2)"},
    {0x0587c403, "lbu s0,88(a5)"},
    {0xd4acd803, "lhu a6,-694(s9)"},
    {0x5f376403, "lwu s0,1523(a4)"},
    {0x656b8ca3, "sb s6,1625(s7)"},
    {0xcef612a3, "sh a5,-795(a2)"},
    {0x14cd2623, "sw a2,332(s10)"},
    {0xd04f3423, "sd tp,-760(t5)"},
    {0x349f0513, "addi a0,t5,841"},
    {0x9f83a213, "slti tp,t2,-1544"},
    {0x7d55b213, "sltiu tp,a1,2005"},
    {0xb2274293, "xori t0,a4,-1246"},
    {0x69336913, "ori s2,t1,1683"},
    {0x4b5e7313, "andi t1,t3,1205"},
    {0x01671393, "slli t2,a4,0x16"},
    {0x00ed5c13, "srli s8,s10,0xe"},
    {0x42445a13, "srai s4,s0,0x24"},
    {0x01120d33, "add s10,tp,a7"},
    {0x406407b3, "sub a5,s0,t1"},
    {0x01852933, "slt s2,a0,s8"},
    {0x0047b5b3, "sltu a1,a5,tp"},
    {0x01e675b3, "and a1,a2,t5"},
    {0x9ed6801b, "addiw zero,a3,-1555"},
    {0x00be179b, "slliw a5,t3,0xb"},
    {0x411ad21b, "sraiw tp,s5,0x11"},
    {0x019e073b, "addw a4,t3,s9"},
    {0x006154bb, "srlw s1,sp,t1"},
    {0x00000073, "ecall"},
    {0x00100073, "ebreak"},
    {0x03d304b3, "mul s1,t1,t4"},
    {0x037127b3, "mulhsu a5,sp,s7"},
    {0x029a5ebb, "divuw t4,s4,s1"},
    {0x10032daf, "lr.w s11,(t1)"},
    {0x1209a4af, "lr.w.rl s1,(s3)"},
    {0x140bafaf, "lr.w.aq t6,(s7)"},
    {0x1209b0af, "lr.d.rl ra,(s3)"},
    {0x1a78212f, "sc.w.rl sp,t2,(a6)"},
    {0x1c133aaf, "sc.d.aq s5,ra,(t1)"},
    {0x09752daf, "amoswap.w s11,s7,(a0)"},
    {0x0f4aa42f, "amoswap.w.aqrl s0,s4,(s5)"},
    {0x0ca8a52f, "amoswap.w.aq a0,a0,(a7)"},
    {0x00e230af, "amoadd.d ra,a4,(tp)"},
    {0xe52b2daf, "amomaxu.w.aq s11,s2,(s6)"},
    {0xd918a507, "flw fa0,-623(a7)"},
    {0x05593ca7, "fsd fs5,89(s2)"},
    {0xe0040053, "fmv.x.w zero,fs0"},
    {0xf20a8753, "fmv.d.x fa4,s5"},
    {0x488110c3, "fmadd.s ft1,ft2,fs0,fs1,rtz"},
    {0xf3cb22cb, "fnmsub.d ft5,fs6,ft8,ft10,rdn"},
    {0x017b8953, "fadd.s fs2,fs7,fs7,rne"},
    {0x000985d3, "fadd.s fa1,fs3,ft0,rne"},
    {0x00350153, "fadd.s ft2,fa0,ft3,rne"},
    {0x1ab602d3, "fdiv.d ft5,fa2,fa1,rne"},
    {0x5a099d53, "fsqrt.d fs10,fs3,rtz"},
    {0x2175a153, "fsgnjx.s ft2,fa1,fs7"},
    {0xa3bc8953, "fle.d s2,fs9,fs11"},
    {0xe0069153, "fclass.s sp,fa3"},
    {0xc00bf853, "fcvt.w.s a6,fs7"},
    {0xc0027153, "fcvt.w.s sp,ft4"},
    {0xc00f7ad3, "fcvt.w.s s5,ft10"},
    {0xc235c3d3, "fcvt.lu.d t2,fa1,rmm"},
    {0xd023ff53, "fcvt.s.l ft10,t2"},
    {0x4017ba53, "fcvt.s.d fs4,fa5,rup"},
    {0x44090c53, "fcvt.h.s fs8,fs2,rne"},
    {0xe6e41287, "flh ft5,-402(s0)"},
    {0x21a826b3, "sh1add a3,a6,s10"},
    {0x0829989b, "slli.uw a7,s3,0x2"},
    {0x4182ff33, "andn t5,t0,s8"},
    {0x6007939b, "clzw t2,a5"},
    {0x080f423b, "zext.h tp,t5"},
    {0x60f01d33, "rol s10,zero,a5"},
    {0x632ad693, "rori a3,s5,0x32"},
    {0x6062549b, "roriw s1,tp,0x6"},
    {0x2870d913, "orc.b s2,ra"},
    {0x6b82dd93, "rev8 s11,t0"},
    {0x0ae4a8b3, "clmulr a7,s1,a4"},
    {0x29cf1333, "bset t1,t5,t3"},
    {0x4ae6d713, "bexti a4,a3,0x2e"},
    {0xde4d91f3, "csrrw gp,0xde4,s11"},
    {0x2ae56ff3, "csrrsi t6,0x2ae,10"},
    {0x10200073, "sret"},
    {0x30200073, "mret"},
    {0x10500073, "wfi"},
    {0x12ec0073, "sfence.vma s8,a4"},
    {0x16518073, "sinval.vma gp,t0"},
    {0x0016a00f, "cbo.clean (a3)"},
    {0x0041200f, "cbo.zero (sp)"},
    {0x00d00073, "wrs.nto"},
    {0x0330000f, "fence rw,rw"},
    {0x0000100f, "fence.i"},
    /* compressed: as their expansions */
    {0x157d, "addi a0,a0,-1"},
    {0x47fd, "addi a5,zero,31"},
    {0x842e, "add s0,zero,a1"},
    {0x40b2, "lw ra,12(sp)"},
    {0xf426, "sd s1,40(sp)"},
    {0x7605, "lui a2,0xfffe1"},
    {0xa081, "jal zero,0x80000040"},
    {0xdb65, "beq a4,zero,0x7ffffff0"},
    {0x8082, "jalr zero,0(ra)"},
    {0x9302, "jalr ra,0(t1)"},
    {0x7139, "addi sp,sp,-64"},
    {0x0814, "addi a3,sp,16"},
    {0x6690, "ld a2,8(a3)"},
    {0xac22, "fsd fs0,24(sp)"},
    {0x9002, "ebreak"},
    {0x94fd, "srai s1,s1,0x3f"},
    {0x9d2d, "addw a0,a0,a1"},
    /* what that objdump does not know */
    {0x0100000f, "pause"},
    {0x0e875633, "czero.eqz a2,a4,s0"},
    {0x0f60042f, "amoswap.b.aqrl s0,s6,(zero)"},
    {0x2c8a342f, "amocas.d.aq s0,s0,(s4)"},
    {0xf0180553, "fli.s fa0,16"},
    {0x46056013, "prefetch.i 1120(a0)"},
    {0x7c001073, "csrrw zero,0x7c0,zero"},
    /* exact whatever the mode: it leaves rne out */
    {0xd21783d3, "fcvt.d.wu ft7,a5,rne"},
};

static const struct sample rv32[] = {
    {0x080147b3, "zext.h a5,sp"},    {0x6985db93, "rev8 s7,a1"},
    {0x01899293, "slli t0,s3,0x18"}, {0xe2150553, "fmvh.x.d a0,fa0"},
    {0x2000, "fld fs0,0(s0)"},       {0x6000, "flw fs0,0(s0)"},
    {0x2001, "jal ra,0x80000000"},   {0x2886352f, "amocas.d a0,s0,(a2)"},
};

static void compare(const char *cpu, const struct sample *samples, size_t count)
{
    struct isa isa;
    struct error err = {""};
    assert_true(isa_parse(&isa, cpu, &err));
    struct decoder *decoder = decoder_new(&isa);
    assert_non_null(decoder);
    for (size_t i = 0; i < count; i++) {
        struct decoded d;
        char text[64];
        if (!isa_decode(decoder, samples[i].bits, &d))
            fail_msg("%08x: does not decode; expected %s", samples[i].bits, samples[i].text);
        size_t length = isa_disassemble(&d, PC, text, sizeof text);
        assert_string_equal(text, samples[i].text);
        assert_int_equal(length, strlen(text));
    }
    decoder_free(decoder);
}

static void agrees_with_objdump(void **state)
{
    (void)state;
    compare("rv64", rv64, sizeof rv64 / sizeof *rv64);
    compare("rv32", rv32, sizeof rv32 / sizeof *rv32);
}

static void text_is_cut_to_its_room(void **state)
{
    (void)state;
    struct decoded d = {.id = INSN_csrrw, .length = 4, .rd = 10, .imm = 0x300, .rs1 = 11};
    const char whole[] = "csrrw a0,mstatus,a1";

    for (size_t size = 0; size <= sizeof whole; size++) {
        char *text = test_malloc(size + 1); /* overflows are found when it is freed */
        size_t length = isa_disassemble(&d, 0, text, size);
        assert_int_equal(length,
                         size ? size - 1 < sizeof whole - 1 ? size - 1 : sizeof whole - 1 : 0);
        if (size) {
            assert_memory_equal(text, whole, length);
            assert_int_equal(text[length], 0);
        }
        test_free(text);
    }
}

static void check_name(unsigned number, const char *upper)
{
    struct decoded d = {.id = INSN_csrrs, .length = 4, .imm = (int32_t)number};
    char text[64], expected[64], name[32];
    size_t i = 0;

    for (; upper[i]; i++)
        name[i] = (char)tolower((unsigned char)upper[i]);
    name[i] = 0;
    snprintf(expected, sizeof expected, "csrrs zero,%s,zero", name);
    isa_disassemble(&d, 0, text, sizeof text);
    assert_string_equal(text, expected);
}

/* The name in csr.def is that of the first of a run; the rest at least have one. */
static void check_names(unsigned first, unsigned last, const char *upper)
{
    check_name(first, upper);
    for (unsigned n = first; n <= last; n++) {
        struct decoded d = {.id = INSN_csrrs, .length = 4, .imm = (int32_t)n};
        char text[64];
        isa_disassemble(&d, 0, text, sizeof text);
        assert_null(strstr(text, "0x"));
    }
}

static void every_csr_has_its_name(void **state)
{
    (void)state;
#define CSR(first, last, name, need, flags, check, read, write) check_names(first, last, #name);
#define CSR_PLAIN(number, name, need, field, mask) check_names(number, number, #name);
#include "cpu/csr.def"
#undef CSR
#undef CSR_PLAIN
    check_name(0x3a2, "pmpcfg2");
    check_name(0x3ef, "pmpaddr63");
    check_name(0xc1f, "hpmcounter31");
    check_name(0xb84, "mhpmcounter4h");
    check_name(0x73f, "mhpmevent31h");
    check_name(0x7a2, "tdata2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_objdump),
        cmocka_unit_test(text_is_cut_to_its_room),
        cmocka_unit_test(every_csr_has_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
