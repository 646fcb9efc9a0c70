/* SPDX-License-Identifier: MPL-2.0 */
/*
 * CODE_ABI: of functions that translated code calls, and of pointers to translated code. The translator knows
 * one calling convention for each processor, that of most systems: on x86-64 that of the System V ABI. Where
 * the system's own is another one, the compiler makes such functions and calls as is said here.
 */
#ifndef RVVM_HOST_CODE_ABI_H
#define RVVM_HOST_CODE_ABI_H

#if defined(_WIN32) && defined(__x86_64__)
#define CODE_ABI __attribute__((sysv_abi))
#else
#define CODE_ABI
#endif

#endif
