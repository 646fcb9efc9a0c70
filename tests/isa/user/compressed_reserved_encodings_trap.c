/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Reserved compressed encodings are illegal instructions: the all-zero parcel, a zero immediate
 * where the format forbids it, x0 as destination of stack loads, and what no extension uses
 * (unprivileged specification, "RVC Instruction Set Listings"). tval is the parcel alone or 0.
 *
 * rerun: tests/isa/isa.test compressed_reserved
 */
#include "test.h"

void test_main(void)
{
    RUN_ILLEGAL(MODE_M, ".2byte 0x0000");
    RUN_ILLEGAL(MODE_U, ".2byte 0x0000");
    RUN_ILLEGAL(MODE_M, ".2byte 0x0004"); /* c.addi4spn with nzuimm 0 */
    RUN_ILLEGAL(MODE_M, ".2byte 0x6101"); /* c.addi16sp with nzimm 0 */
    RUN_ILLEGAL(MODE_M, ".2byte 0x6501"); /* c.lui a0 with nzimm 0 */
    RUN_ILLEGAL(MODE_M, ".2byte 0x4002"); /* c.lwsp x0 */
    RUN_ILLEGAL(MODE_M, ".2byte 0x8002"); /* c.jr x0 */
#if RV64
    RUN_ILLEGAL(MODE_M, ".2byte 0x6002"); /* c.ldsp x0 */
    RUN_ILLEGAL(MODE_M, ".2byte 0x2001"); /* c.addiw x0 */
    RUN_ILLEGAL(MODE_M, ".2byte 0x9c79"); /* two rows of that page no extension uses */
    RUN_ILLEGAL(MODE_M, ".2byte 0x9c7d");
#else
    RUN_ILLEGAL(MODE_M, ".2byte 0x9c01"); /* c.subw is of RV64 only */
    RUN_ILLEGAL(MODE_M, ".2byte 0x9c21"); /* and c.addw */
#endif
}
