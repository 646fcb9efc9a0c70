/* SPDX-License-Identifier: MPL-2.0 */
/* The snapshot table: see snapshot.h. Entries have different sizes; each is checked as it comes. */
#include "block/qcow2/snapshot.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define EXTRA_MAX 1024u
#define TABLE_BYTES_MAX (64u << 20)

static char *read_text(struct qcow2 *q, uint64_t offset, unsigned size)
{
    char *text = malloc((size_t)size + 1);
    if (!text || image_file_read(&q->image.file, offset, text, size)) {
        free(text);
        return NULL;
    }
    for (unsigned i = 0; i < size; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            text[i] = '?';
    text[size] = 0;
    return text;
}

static bool bad(const struct qcow2 *q, unsigned index, const char *what, struct error *err)
{
    return error_set(err, "%s: damaged: snapshot %u %s", q->image.file.path, index, what);
}

/* *at moves behind the entry. */
static bool read_entry(struct qcow2 *q, unsigned index, uint64_t *at, struct snapshot *s,
                       struct error *err)
{
    uint8_t fixed[SNAPSHOT_FIXED], extra[EXTRA_MAX];
    if (image_file_read(&q->image.file, *at, fixed, sizeof(fixed)))
        return bad(q, index, "cannot be read", err);
    uint32_t extra_size = get_be32(fixed + SNAPSHOT_EXTRA_SIZE);
    unsigned id_size = get_be16(fixed + SNAPSHOT_ID_SIZE);
    unsigned name_size = get_be16(fixed + SNAPSHOT_NAME_SIZE);
    if (extra_size > EXTRA_MAX)
        return bad(q, index, "has more extra data than there can be", err);
    if (image_file_read(&q->image.file, *at + SNAPSHOT_FIXED, extra, extra_size))
        return bad(q, index, "cannot be read", err);
    s->l1_offset = get_be64(fixed + SNAPSHOT_L1_OFFSET);
    s->l1_size = get_be32(fixed + SNAPSHOT_L1_SIZE);
    s->seconds = get_be32(fixed + SNAPSHOT_SECONDS);
    s->state_size = get_be32(fixed + SNAPSHOT_STATE_SIZE);
    if (extra_size >= 8)
        s->state_size = get_be64(extra);
    s->disk_size = extra_size >= SNAPSHOT_EXTRA_DISK_SIZE + 8
                       ? get_be64(extra + SNAPSHOT_EXTRA_DISK_SIZE)
                       : q->image.size;
    uint64_t text = *at + SNAPSHOT_FIXED + extra_size;
    s->id = read_text(q, text, id_size);
    s->name = read_text(q, text + id_size, name_size);
    if (!s->id || !s->name)
        return bad(q, index, "has no name that can be read", err);
    *at = round_up(text + id_size + name_size, 8);
    uint64_t span = qcow2_l2_span(q);
    if ((uint64_t)s->l1_size * 8 > L1_BYTES_MAX ||
        s->disk_size > (uint64_t)(L1_BYTES_MAX / 8) * span ||
        s->l1_size < (s->disk_size + span - 1) / span)
        return bad(q, index, "has an impossible L1 table", err);
    return qcow2_check_table(q, "a snapshot's L1 table", s->l1_offset, (uint64_t)s->l1_size * 8,
                             err);
}

bool qcow2_read_snapshots(struct qcow2 *q, struct snapshot **list, struct error *err)
{
    *list = NULL;
    q->snapshots_size = 0;
    if (!q->snapshot_count)
        return true;
    uint64_t at = q->snapshots_offset, end;
    if (image_file_size(&q->image.file, &end) || at > end ||
        (uint64_t)q->snapshot_count * SNAPSHOT_FIXED > end - at || at % q->cluster_size)
        return error_set(err, "%s: damaged: the snapshot table at 0x%" PRIx64, q->image.file.path,
                         at);
    struct snapshot *all = calloc(q->snapshot_count, sizeof(*all));
    bool ok = all || error_set(err, "%s: out of memory", q->image.file.path);
    for (unsigned i = 0; ok && i < q->snapshot_count; i++) {
        ok = read_entry(q, i, &at, &all[i], err);
        if (ok && at - q->snapshots_offset > TABLE_BYTES_MAX)
            ok = bad(q, i, "lies beyond what a table can be", err);
    }
    if (!ok) {
        qcow2_free_snapshots(all, q->snapshot_count);
        return false;
    }
    q->snapshots_size = at - q->snapshots_offset;
    *list = all;
    return true;
}

void qcow2_free_snapshots(struct snapshot *list, unsigned count)
{
    for (unsigned i = 0; list && i < count; i++) {
        free(list[i].id);
        free(list[i].name);
    }
    free(list);
}

bool qcow2_choose_snapshot(struct qcow2 *q, const char *which, struct error *err)
{
    struct snapshot *list, *found = NULL;
    if (!qcow2_read_snapshots(q, &list, err))
        return false;
    for (unsigned i = 0; i < q->snapshot_count && !found; i++)
        if (!strcmp(list[i].name, which))
            found = &list[i];
    for (unsigned i = 0; i < q->snapshot_count && !found; i++)
        if (!strcmp(list[i].id, which))
            found = &list[i];
    if (found) {
        q->l1_offset = found->l1_offset;
        q->l1_size = found->l1_size;
        q->image.size = round_up(found->disk_size, DISK_SECTOR);
    } else {
        error_set(err, "%s: has no snapshot '%s'", q->image.file.path, which);
    }
    qcow2_free_snapshots(list, q->snapshot_count);
    return found != NULL;
}
