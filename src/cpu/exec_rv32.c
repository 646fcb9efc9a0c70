/* SPDX-License-Identifier: MPL-2.0 */
/* The interpreter for RV32. */
#define XLEN 32
#define EXEC_TABLE exec_table_rv32
#define EXEC_SLOW_TABLE exec_slow_table_rv32
#include "cpu/exec_rv.h"
