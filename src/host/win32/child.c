/* SPDX-License-Identifier: MPL-2.0 */
/* What would be started are Linux programs, which this system cannot run. See host/child.h. */
#include "host/child.h"

bool child_start(const struct child_config *config, int64_t *id, struct error *err)
{
    (void)id;
    return error_set(err, "%s: Linux programs run on Linux hosts", config->program);
}

bool child_wait(int64_t id, int *status, struct error *err)
{
    (void)status;
    return error_set(err, "process %lld: there is none", (long long)id);
}
