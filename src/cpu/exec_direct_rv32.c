/* SPDX-License-Identifier: MPL-2.0 */
/* The interpreter for RV32 programs that run in the host's memory. */
#define XLEN 32
#define DIRECT
#define EXEC_TABLE exec_direct_table_rv32
#include "cpu/exec_rv.h"
