/* SPDX-License-Identifier: MPL-2.0 */
/* Operations done by a pool: see io_finished.h. */
#include "host/io_finished.h"

#include "host/file_io.h"

void io_finished_perform(struct io_finished *f, struct io_op *op)
{
    op->result = file_io(op->fd, op->kind == IO_WRITE, op->offset, op->iov, op->iovcnt);
    op->next = atomic_load(&f->last);
    while (!atomic_compare_exchange_weak(&f->last, &op->next, op))
        ;
}

unsigned io_finished_reap(struct io_finished *f)
{
    unsigned count = 0;
    if (!io_finished_any(f))
        return 0;
    struct io_op *op = atomic_exchange(&f->last, NULL), *next;
    for (; op; op = next, count++) {
        next = op->next;
        op->done(op);
    }
    return count;
}
