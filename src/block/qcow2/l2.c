/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Changes of L1 and L2 tables, all under meta. A table whose L1 entry lacks COPIED belongs to a
 * snapshot too: it is never changed, and so never differs from the file.
 */
#include "block/qcow2/qcow2.h"

#include <stdlib.h>

static int note_changed_l1(struct qcow2 *q, unsigned index)
{
    if (q->changed_l1_count == q->changed_l1_room) {
        unsigned room = q->changed_l1_room ? q->changed_l1_room * 2 : 16;
        unsigned *list = realloc(q->changed_l1, room * sizeof(list[0]));
        if (!list)
            return ENOMEM;
        q->changed_l1 = list;
        q->changed_l1_room = room;
    }
    q->changed_l1[q->changed_l1_count++] = index;
    return 0;
}

/* The new table's bytes go to the file right away: nothing points to them yet. */
static int fill_table(struct qcow2 *q, uint64_t table, uint64_t old, bool virgin)
{
    if (!old)
        return virgin ? 0 : image_file_zero(&q->image.file, table, q->cluster_size, false);
    void *bytes = malloc(q->cluster_size);
    int error = bytes ? image_file_read(&q->image.file, old, bytes, q->cluster_size) : ENOMEM;
    if (!error)
        error = image_file_write(&q->image.file, table, bytes, q->cluster_size);
    free(bytes);
    return error;
}

int qcow2_own_l2(struct qcow2 *q, uint64_t offset)
{
    unsigned index = (unsigned)(offset / qcow2_l2_span(q));
    uint64_t entry = q->l1[index], old = entry & ENTRY_OFFSET, table, got;
    if (old & (q->cluster_size - 1))
        return qcow2_corrupt(q, "L1 entry %u is 0x%016llx", index, (unsigned long long)entry);
    if (old && (entry & ENTRY_COPIED))
        return 0;
    bool virgin;
    int error = qcow2_allocate(q, 1, &table, &got, &virgin);
    if (error)
        return error;
    error = fill_table(q, table, old, virgin);
    if (!error)
        error = note_changed_l1(q, index);
    if (error) {
        qcow2_unallocate(q, table, 1);
        return error;
    }
    atomic_store_explicit(&q->l1[index], table | ENTRY_COPIED, memory_order_release);
    if (old)
        qcow2_free(q, old, 1, true);
    return 0;
}

int qcow2_set_entry(struct qcow2 *q, uint64_t offset, uint64_t entry, uint64_t bitmap,
                    uint64_t *old)
{
    uint64_t span = qcow2_l2_span(q);
    uint64_t in_table = ((offset & (span - 1)) >> q->cluster_bits) * q->entry_size;
    uint64_t place = (q->l1[offset / span] & ENTRY_OFFSET) + in_table / q->l2.size * q->l2.size;
    uint8_t *bytes;
    int error = 0;
    pthread_mutex_lock(&q->l2.lock);
    while (!(bytes = slices_find(&q->l2, place)) && !error)
        error = slices_load(&q->l2, &q->image.file, place);
    if (!error) {
        bytes += in_table % q->l2.size;
        *old = get_be64(bytes);
        put_be64(bytes, entry);
        if (q->extended)
            put_be64(bytes + 8, bitmap);
        slices_set_changed(&q->l2, place);
    }
    pthread_mutex_unlock(&q->l2.lock);
    return error;
}
