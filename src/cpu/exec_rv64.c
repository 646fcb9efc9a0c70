/* SPDX-License-Identifier: MPL-2.0 */
/* The interpreter for RV64. */
#define XLEN 64
#define EXEC_TABLE exec_table_rv64
#define EXEC_SLOW_TABLE exec_slow_table_rv64
#include "cpu/exec_rv.h"
