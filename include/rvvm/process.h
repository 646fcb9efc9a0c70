/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Linux programs for RISC-V that run as processes of this host, as rvvm-user(1) runs them: with its files, its
 * network, its users, and the rights of who starts them.
 *
 *     char *words[] = {"ls", "-l", NULL};
 *     struct rvvm_process_config config;
 *     rvvm_process_config_init(&config);
 *     config.program = "/srv/riscv64/bin/ls";
 *     config.sysroot = "/srv/riscv64";
 *     config.argv = words;
 *     int status;
 *     struct rvvm_process *process = rvvm_process_start(&config, &error);
 *     if (process && rvvm_process_wait(process, &status, &error))
 *         ...
 *
 * An address of the program's is one of its process's, so each has a process with nothing else in it: the
 * command rvvm-user, which the library starts. To run a function and no program: rvvm/sandbox.h. On hosts
 * that are not Linux there are no such processes; they are not started, and error says so.
 */
#ifndef RVVM_PROCESS_H
#define RVVM_PROCESS_H

#include <rvvm/config.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rvvm_process;

/* Fill it with rvvm_process_config_init, which sets what stands behind the semicolons. */
struct rvvm_process_config {
    size_t struct_size; /* set by rvvm_process_config_init */

    const char *program;   /* an ELF file for riscv64 or riscv32, or a script */
    char *const *argv;     /* ends with NULL; NULL: the program's name alone */
    char *const *envp;     /* ends with NULL; NULL: this process's environment */
    const char *sysroot;   /* the program's absolute paths are looked for there first; NULL */
    int files[3];          /* what it has as 0, 1 and 2; {-1, -1, -1}: what this process has */
    const char *cpu;       /* as rvvm_config.cpu; NULL: what the program is for */
    enum rvvm_jit jit;     /* not RVVM_JIT_CHECK; RVVM_JIT_ON */
    uint64_t stack;        /* bytes of the first thread's; 0: the host's limit */
    bool strace;           /* its system calls are printed to its standard error; false */
    const char *gdb;       /* where it waits for a debugger, as rvvm_config.gdb; NULL: nowhere */
    const char *rvvm_user; /* the command's path; NULL: "rvvm-user", looked for in PATH */
};

RVVM_API void rvvm_process_config_init(struct rvvm_process_config *config);

/*
 * Any thread. Starts the program; files that are not marked close-on-exec are its too, as are ignored and
 * blocked signals (execve(2)). NULL: rvvm-user cannot be started, and error says why. What is no program
 * is found out by rvvm-user, which says so on the process's standard error and ends with status 126.
 */
RVVM_API struct rvvm_process *rvvm_process_start(const struct rvvm_process_config *config,
                                                 struct rvvm_error *error);

/* Its number on the host: for kill(2), /proc. It stays its own until rvvm_process_wait. */
RVVM_API int64_t rvvm_process_id(const struct rvvm_process *process);

/*
 * Waits for its end and frees it. *status: 0 to 255 as it ended; minus the number of the signal that killed
 * it. false: somebody else has waited for it (or ignores SIGCHLD); it is freed all the same.
 */
RVVM_API bool rvvm_process_wait(struct rvvm_process *process, int *status,
                                struct rvvm_error *error);

#ifdef __cplusplus
}
#endif

#endif
