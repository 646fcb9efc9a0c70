/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Standard input and output for event loops. Consoles and pipes can only be waited for by a call that reads or
 * writes them, so a thread does that for each, and a ring of bytes is between it and the loop. The process has one
 * of each, and so are these; they begin with the first use.
 */
#ifndef RVVM_HOST_WIN32_STANDARD_H
#define RVVM_HOST_WIN32_STANDARD_H

#include "host/stream.h"
#include "host/win32/system.h"

/* What these are as descriptors. */
enum { STANDARD_INPUT = 0, STANDARD_OUTPUT = 1, STANDARD_ERROR = 2 };

/* The system's handle of one of them; NULL: the process has none. */
HANDLE standard_handle(int fd);

/* Starts what is behind it. */
void standard_begin(int fd);

/* A key that came another way. Any thread, once input has begun. */
void standard_type(uint8_t key);

/* As stream_read and stream_write. */
enum stream_result standard_read(void *bytes, size_t size, size_t *done);
enum stream_result standard_write(const void *bytes, size_t size, size_t *done);
/* Whether those would do something now, and an event that is set while it is so. */
bool standard_ready(int fd);
HANDLE standard_event(int fd);

/* Returns when output has been taken, or as good as never will. */
void standard_flush(void);

#endif
