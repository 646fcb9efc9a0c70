/* SPDX-License-Identifier: GPL-3.0-only */
/* A machine that runs a program of a few words, by the public interface alone. */
#ifndef RVVM_TESTS_API_RIG_H
#define RVVM_TESTS_API_RIG_H

#include "api_programs.h"
#include <rvvm/rvvm.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SMALL (4u << 20) /* bytes of main memory */

/* Fills config in; more may be set before rig_new. */
#define RIG_CONFIG(config, program) rig_config(config, program, sizeof(program))

static inline void rig_config(struct rvvm_config *config, const void *program, size_t size)
{
    rvvm_config_init(config);
    config->memory = SMALL;
    config->firmware_bytes = (struct rvvm_bytes){program, size};
}

static inline struct rvvm_machine *rig_new(const struct rvvm_config *config)
{
    struct rvvm_error error = {""};
    struct rvvm_machine *machine = rvvm_machine_new(config, &error);
    if (!machine)
        fail_msg("%s", error.text);
    return machine;
}

/* Its exit status. */
static inline int rig_run(struct rvvm_machine *machine)
{
    struct rvvm_error error = {""};
    int status;
    if (!rvvm_machine_run(machine, &status, &error))
        fail_msg("%s", error.text);
    return status;
}

#endif
