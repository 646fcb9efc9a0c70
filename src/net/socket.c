/* SPDX-License-Identifier: MPL-2.0 */
/* A stream to another machine. */
#include "net/backend.h"
#include "net/options.h"

bool socket_open(struct net_backend *backend, struct net *net, const struct net_options *options,
                 struct error *err)
{
    (void)backend, (void)net, (void)options;
    return error_set(err, "socket: not there yet");
}
