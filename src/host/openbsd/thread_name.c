/* SPDX-License-Identifier: MPL-2.0 */
/* Names of threads: see thread.h (pthread_set_name_np(3) of OpenBSD). */
#include "host/thread.h"

#include <pthread_np.h>

void thread_set_name(const char *name)
{
    pthread_set_name_np(pthread_self(), name);
}
