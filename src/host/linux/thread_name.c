/* SPDX-License-Identifier: MPL-2.0 */
/* Names of threads: see thread.h. The kernel refuses longer ones. */
#define _GNU_SOURCE
#include "host/thread.h"

#include <stdio.h>

void thread_set_name(const char *name)
{
    char shown[16];
    snprintf(shown, sizeof(shown), "%s", name);
    pthread_setname_np(pthread_self(), shown);
}
