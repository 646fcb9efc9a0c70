/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The backs that serial.c chooses from: rest is what follows the colon in words such as
 * file:PATH, NULL for those without. NULL: err says why.
 */
#ifndef RVVM_UI_SERIAL_BACKS_H
#define RVVM_UI_SERIAL_BACKS_H

#include "ui/serial.h"

typedef struct chardev *serial_open_fn(const char *rest, const struct serial_config *config,
                                       struct error *err);

serial_open_fn serial_stdio_open;
serial_open_fn serial_null_open;
serial_open_fn serial_pty_open;
serial_open_fn serial_file_open;
serial_open_fn serial_unix_open;
serial_open_fn serial_tcp_open;

#endif
