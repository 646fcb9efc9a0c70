/* SPDX-License-Identifier: MPL-2.0 */
/* The interpreter for RV64 programs that run in the host's memory. */
#define XLEN 64
#define DIRECT
#define EXEC_TABLE exec_direct_table_rv64
#include "cpu/exec_rv.h"
