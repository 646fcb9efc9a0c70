/* SPDX-License-Identifier: MPL-2.0 */
/* Names of threads: POSIX has none. */
#include "host/thread.h"

void thread_set_name(const char *name)
{
    (void)name;
}
