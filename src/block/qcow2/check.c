/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Checking and repairing: see check.h. Repair does not patch refcounts: it writes all of them anew
 * behind the end of the file and then has the header point there, so that it may be interrupted at
 * any moment, and so that nothing which is damaged is used.
 */
#include "block/qcow2/check.h"

#include "block/qcow2/snapshot.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLUSTERS_MAX (1ull << 30)
#define SAID_MAX 100 /* findings that are shown */

/* What a cluster holds, besides data. */
enum { FIXED = 1 /* header, L1 tables, snapshot table */, L2_TABLE = 2 };

struct check {
    struct qcow2 *q;
    struct qcow2_report *report;
    bool repair;       /* clear entries that cannot be */
    uint32_t *counts;  /* of each cluster: how often it is used */
    uint64_t clusters; /* of the file */
    uint8_t *holds;    /* of each cluster: FIXED or L2_TABLE */
    bool hopeless;     /* what is fixed lies in the same place twice, or nowhere */
    uint8_t *table;    /* room for an L2 table or a refcount block */
    uint64_t said;
    int error; /* of reading or writing the file */
};

static void say(struct check *c, const char *format, ...)
{
    char line[256];
    if (!c->report->say || c->said++ >= SAID_MAX)
        return;
    va_list ap;
    va_start(ap, format);
    vsnprintf(line, sizeof(line), format, ap);
    va_end(ap);
    c->report->say(c->report->ctx, line);
    if (c->said == SAID_MAX)
        c->report->say(c->report->ctx, "and so on");
}

static bool in_file(const struct check *c, uint64_t offset, uint64_t bytes)
{
    uint64_t end = c->clusters << c->q->cluster_bits;
    return offset <= end && bytes <= end - offset;
}

/* They are in the file. */
static void count(struct check *c, uint64_t offset, uint64_t bytes)
{
    if (!bytes)
        return;
    uint64_t last = (offset + bytes - 1) >> c->q->cluster_bits;
    for (uint64_t cluster = offset >> c->q->cluster_bits; cluster <= last; cluster++)
        if (c->counts[cluster] < UINT32_MAX)
            c->counts[cluster]++;
}

static void count_table(struct check *c, const char *what, uint64_t offset, uint64_t bytes)
{
    if (!bytes || in_file(c, offset, bytes)) {
        count(c, offset, bytes);
        return;
    }
    c->report->corruptions++;
    say(c, "%s at 0x%" PRIx64 " ends beyond the end of the file", what, offset);
}

/* What lies where the header says: there can be nothing else. */
static void count_fixed(struct check *c, const char *what, uint64_t offset, uint64_t bytes)
{
    unsigned bits = c->q->cluster_bits;
    count_table(c, what, offset, bytes);
    c->hopeless |= bytes && !in_file(c, offset, bytes);
    for (uint64_t at = offset >> bits; bytes && at <= (offset + bytes - 1) >> bits; at++) {
        if (at >= c->clusters)
            return;
        if (c->holds[at] & FIXED) {
            c->hopeless = true;
            c->report->corruptions++;
            say(c, "%s at 0x%" PRIx64 " lies over another table", what, offset);
            return;
        }
        c->holds[at] |= FIXED;
    }
}

static bool holds(const struct check *c, uint64_t offset, uint64_t bytes)
{
    unsigned bits = c->q->cluster_bits;
    for (uint64_t at = offset >> bits; at <= (offset + bytes - 1) >> bits; at++)
        if (c->holds[at])
            return true;
    return false;
}

static bool read_table(struct check *c, uint64_t offset)
{
    int error = image_file_read(&c->q->image.file, offset, c->table, c->q->cluster_size);
    if (error)
        c->error = error;
    return !error;
}

static void write_bytes(struct check *c, uint64_t offset, const void *bytes, size_t size)
{
    int error = image_file_write(&c->q->image.file, offset, bytes, size);
    if (error)
        c->error = error;
}

/* L2 */

/* Is there anything wrong with it? Counts what it uses if not. */
static const char *count_entry(struct check *c, uint64_t entry, uint64_t bitmap)
{
    struct qcow2 *q = c->q;
    uint64_t offset;
    if (entry & ENTRY_COMPRESSED) {
        unsigned clusters = qcow2_entry_clusters(q, entry, &offset);
        if (!in_file(c, offset, (uint64_t)clusters << q->cluster_bits))
            return "compressed data beyond the end of the file";
        if (holds(c, offset, (uint64_t)clusters << q->cluster_bits))
            return "compressed data in a table";
        count(c, offset, (uint64_t)clusters << q->cluster_bits);
        c->report->compressed_clusters++;
        return NULL;
    }
    offset = entry & ENTRY_OFFSET;
    if (q->extended && ((bitmap >> 32) & bitmap))
        return "subclusters with data that are zeroes";
    if (q->extended && !offset && (uint32_t)bitmap)
        return "subclusters with data that are nowhere";
    if (!offset)
        return NULL;
    if (offset & (q->cluster_size - 1))
        return "it points into a cluster";
    if (!in_file(c, offset, q->cluster_size))
        return "it points beyond the end of the file";
    if (holds(c, offset, q->cluster_size))
        return "it points to a table";
    count(c, offset, q->cluster_size);
    c->report->data_clusters++;
    return NULL;
}

static void count_l2(struct check *c, uint64_t offset, unsigned l1_index)
{
    unsigned size = c->q->entry_size, entries = 1u << c->q->l2_bits;
    if (!read_table(c, offset))
        return;
    bool changed = false;
    for (unsigned i = 0; i < entries; i++) {
        uint8_t *at = c->table + (size_t)i * size;
        uint64_t entry = get_be64(at);
        const char *wrong = count_entry(c, entry, size > 8 ? get_be64(at + 8) : 0);
        if (!wrong)
            continue;
        c->report->corruptions++;
        say(c, "L1 entry %u, L2 entry %u is 0x%016" PRIx64 ": %s%s", l1_index, i, entry, wrong,
            c->repair ? "; cleared" : "");
        memset(at, 0, size);
        changed = true;
    }
    if (changed && c->repair)
        write_bytes(c, offset, c->table, c->q->cluster_size);
}

/* L1 */

struct l1_table {
    uint64_t offset;
    unsigned size;
    uint8_t *bytes;
};

static bool read_l1(struct check *c, struct l1_table *l1)
{
    if (!in_file(c, l1->offset, (uint64_t)l1->size * 8))
        return false; /* it was said */
    l1->bytes = malloc((size_t)l1->size * 8 + 1);
    int error =
        l1->bytes ? image_file_read(&c->q->image.file, l1->offset, l1->bytes, (size_t)l1->size * 8)
                  : ENOMEM;
    if (error)
        c->error = error;
    return !error;
}

/* Why an L1 entry cannot be, or NULL. */
static const char *wrong_l1_entry(const struct check *c, uint64_t offset)
{
    if (offset & (c->q->cluster_size - 1))
        return "it points into a cluster";
    if (!in_file(c, offset, c->q->cluster_size))
        return "it points beyond the end of the file";
    return c->holds[offset >> c->q->cluster_bits] & FIXED ? "it points to another table" : NULL;
}

/* Which clusters are L2 tables, before anything that may point to them by mistake is looked at. */
static void mark_l2(struct check *c, struct l1_table l1)
{
    if (read_l1(c, &l1)) {
        for (unsigned i = 0; i < l1.size; i++) {
            uint64_t offset = get_be64(l1.bytes + (size_t)i * 8) & ENTRY_OFFSET;
            if (offset && !wrong_l1_entry(c, offset))
                c->holds[offset >> c->q->cluster_bits] |= L2_TABLE;
        }
    }
    free(l1.bytes);
}

static void clear_l1_entry(struct check *c, const struct l1_table *l1, unsigned index)
{
    write_bytes(c, l1->offset + index * 8ull, (uint8_t[8]){0}, 8);
    if (l1->offset == c->q->l1_offset)
        c->q->l1[index] = 0;
}

/* nth: it is the nth L1 table, and each names an L2 table once at most. */
static void count_l1(struct check *c, struct l1_table l1, unsigned nth)
{
    struct qcow2 *q = c->q;
    if (!read_l1(c, &l1)) {
        free(l1.bytes);
        return;
    }
    for (unsigned i = 0; i < l1.size && !c->error; i++) {
        uint64_t entry = get_be64(l1.bytes + (size_t)i * 8), offset = entry & ENTRY_OFFSET;
        if (!offset)
            continue;
        const char *wrong = wrong_l1_entry(c, offset);
        if (!wrong && c->counts[offset >> q->cluster_bits] >= nth)
            wrong = "its table is used already";
        if (!wrong) {
            count(c, offset, q->cluster_size);
            count_l2(c, offset, i);
            continue;
        }
        c->report->corruptions++;
        say(c, "L1 entry %u is 0x%016" PRIx64 ": %s%s", i, entry, wrong,
            c->repair ? "; cleared" : "");
        if (c->repair)
            clear_l1_entry(c, &l1, i);
    }
    free(l1.bytes);
}

static void count_tables(struct check *c, const struct snapshot *list)
{
    struct qcow2 *q = c->q;
    struct l1_table active = {.offset = q->l1_offset, .size = q->l1_size};
    count_fixed(c, "the header", 0, q->cluster_size);
    count_fixed(c, "the L1 table", q->l1_offset, q->l1_size * 8ull);
    count_fixed(c, "the snapshot table", q->snapshots_offset, q->snapshots_size);
    for (unsigned i = 0; i < q->snapshot_count && !c->hopeless; i++)
        count_fixed(c, "a snapshot's L1 table", list[i].l1_offset, list[i].l1_size * 8ull);
    /* A small file can name one large table many times, and reading all of them would take for ever. */
    if (c->hopeless)
        return;
    mark_l2(c, active);
    for (unsigned i = 0; i < q->snapshot_count && !c->error; i++)
        mark_l2(c, (struct l1_table){.offset = list[i].l1_offset, .size = list[i].l1_size});
    count_l1(c, active, 1);
    for (unsigned i = 0; i < q->snapshot_count && !c->error; i++)
        count_l1(c, (struct l1_table){.offset = list[i].l1_offset, .size = list[i].l1_size}, i + 2);
}

/* All that is used, but for the refcounts themselves. */
static bool count_all(struct check *c, struct error *err)
{
    struct qcow2 *q = c->q;
    struct snapshot *list;
    if (!qcow2_read_snapshots(q, &list, err))
        return false;
    count_tables(c, list);
    qcow2_free_snapshots(list, q->snapshot_count);
    return !c->error ||
           error_set(err, "%s: cannot check it: %s", q->image.file.path, strerror(c->error));
}

/* Refcounts */

static void count_refcounts(struct check *c)
{
    struct qcow2 *q = c->q;
    count_table(c, "the refcount table", q->reftable_offset, (uint64_t)q->reftable_size * 8);
    for (unsigned i = 0; i < q->reftable_size; i++) {
        uint64_t offset = q->reftable[i] & REFTABLE_OFFSET;
        if (!offset)
            continue;
        if ((offset & (q->cluster_size - 1)) || !in_file(c, offset, q->cluster_size)) {
            c->report->corruptions++;
            say(c, "refcount block %u at 0x%" PRIx64 " is nowhere", i, offset);
            q->reftable[i] = 0;
        } else if (c->counts[offset >> q->cluster_bits]) {
            c->report->corruptions++;
            say(c, "refcount block %u at 0x%" PRIx64 " is something else, too", i, offset);
            q->reftable[i] = 0;
        } else {
            count(c, offset, q->cluster_size);
        }
    }
}

static void compare(struct check *c, uint64_t cluster, uint64_t stored)
{
    uint64_t counted = cluster < c->clusters ? c->counts[cluster] : 0;
    if (stored == counted)
        return;
    say(c, "cluster %" PRIu64 " is used %" PRIu64 " times, its refcount is %" PRIu64, cluster,
        counted, stored);
    if (stored < counted)
        c->report->corruptions++;
    else
        c->report->leaks++;
}

static void compare_all(struct check *c)
{
    struct qcow2 *q = c->q;
    uint64_t per_block = 1ull << qcow2_refblock_bits(q);
    uint64_t blocks = (c->clusters + per_block - 1) / per_block;
    if (blocks < q->reftable_size)
        blocks = q->reftable_size;
    for (uint64_t i = 0; i < blocks && !c->error; i++) {
        uint64_t offset = i < q->reftable_size ? q->reftable[i] & REFTABLE_OFFSET : 0;
        if (offset && !read_table(c, offset))
            return;
        if (!offset && i * per_block >= c->clusters)
            continue;
        for (uint64_t j = 0; j < per_block; j++)
            compare(c, i * per_block + j,
                    offset ? refcount_get(c->table, q->refcount_order, j) : 0);
    }
}

/* COPIED says that the refcount is 1, in the tables of the active disk */

static bool is_flag_wrong(const struct check *c, uint64_t entry, uint64_t offset)
{
    bool single = c->counts[offset >> c->q->cluster_bits] == 1;
    return offset && !(entry & ENTRY_COPIED) == single;
}

static void check_flags_of_l2(struct check *c, uint64_t offset, bool mend)
{
    bool changed = false;
    if (!read_table(c, offset))
        return;
    for (size_t at = 0; at < c->q->cluster_size; at += c->q->entry_size) {
        uint64_t entry = get_be64(c->table + at), host = entry & ENTRY_OFFSET;
        if ((entry & ENTRY_COMPRESSED) || (host & (c->q->cluster_size - 1)) ||
            !in_file(c, host, c->q->cluster_size) || !is_flag_wrong(c, entry, host))
            continue;
        if (!mend) {
            c->report->corruptions++;
            say(c, "the L2 entry of cluster 0x%" PRIx64 " has a wrong flag COPIED", host);
        }
        put_be64(c->table + at, entry ^ ENTRY_COPIED);
        changed = true;
    }
    if (changed && mend)
        write_bytes(c, offset, c->table, c->q->cluster_size);
}

static void check_flags(struct check *c, bool mend)
{
    struct qcow2 *q = c->q;
    for (unsigned i = 0; i < q->l1_size && !c->error; i++) {
        uint64_t entry = q->l1[i], offset = entry & ENTRY_OFFSET;
        if (!offset || (offset & (q->cluster_size - 1)) || !in_file(c, offset, q->cluster_size))
            continue;
        if (is_flag_wrong(c, entry, offset)) {
            uint8_t bytes[8];
            if (!mend) {
                c->report->corruptions++;
                say(c, "L1 entry %u has a wrong flag COPIED", i);
            } else {
                q->l1[i] = entry ^ ENTRY_COPIED;
                put_be64(bytes, q->l1[i]);
                write_bytes(c, q->l1_offset + i * 8ull, bytes, 8);
            }
        }
        check_flags_of_l2(c, offset, mend);
    }
}

/* Refcounts anew */

static int write_block(struct check *c, uint64_t index, uint64_t offset, uint64_t all)
{
    struct qcow2 *q = c->q;
    uint64_t per_block = 1ull << qcow2_refblock_bits(q);
    memset(c->table, 0, q->cluster_size);
    for (uint64_t i = 0; i < per_block && index * per_block + i < all; i++) {
        uint64_t cluster = index * per_block + i;
        uint64_t value = cluster < c->clusters ? c->counts[cluster] : 1;
        if (value > qcow2_refcount_max(q))
            return EOVERFLOW;
        refcount_put(c->table, q->refcount_order, i, value);
    }
    return image_file_write(&q->image.file, offset, c->table, q->cluster_size);
}

static int point_header_to(struct qcow2 *q, uint64_t offset, uint64_t clusters)
{
    uint8_t field[12];
    put_be64(field, offset);
    put_be32(field + 8, (uint32_t)clusters);
    int error = image_file_sync(&q->image.file);
    if (!error)
        error = image_file_write(&q->image.file, HEADER_REFTABLE_OFFSET, field, sizeof(field));
    if (!error)
        error = image_file_sync(&q->image.file);
    if (error)
        return error;
    q->features[0] &= ~(INCOMPATIBLE_DIRTY | INCOMPATIBLE_CORRUPT);
    q->features[2] = 0;
    error = qcow2_write_features(q);
    return error ? error : image_file_sync(&q->image.file);
}

/* counts are those of everything but refcounts. */
static int write_refcounts(struct check *c)
{
    struct qcow2 *q = c->q;
    unsigned bits = qcow2_refblock_bits(q), entries_bits = q->cluster_bits - 3;
    uint64_t blocks = 1, table = 1, all;
    while ((all = c->clusters + blocks + table) > blocks << bits)
        blocks = ((all - 1) >> bits) + 1, table = ((blocks - 1) >> entries_bits) + 1;
    if (table << q->cluster_bits > REFTABLE_BYTES_MAX)
        return EFBIG;
    uint64_t start = c->clusters << q->cluster_bits, size = table << entries_bits;
    uint64_t *entries = calloc(size, 8);
    uint8_t *bytes = malloc(size * 8);
    int error = entries && bytes ? 0 : ENOMEM;
    for (uint64_t i = 0; i < blocks && !error; i++) {
        entries[i] = start + (i << q->cluster_bits);
        error = write_block(c, i, entries[i], all);
    }
    for (uint64_t i = 0; i < size && !error; i++)
        put_be64(bytes + i * 8, entries[i]);
    uint64_t place = start + (blocks << q->cluster_bits);
    if (!error)
        error = image_file_write(&q->image.file, place, bytes, size * 8);
    if (!error)
        error = point_header_to(q, place, table);
    free(bytes);
    if (error) {
        free(entries);
        return error;
    }
    free(q->reftable);
    q->reftable = entries;
    q->reftable_offset = place;
    q->reftable_size = (unsigned)size;
    q->virgin_from = q->image.file.is_device ? UINT64_MAX : all << q->cluster_bits;
    return 0;
}

/* The interface */

static bool begin(struct check *c, struct error *err)
{
    struct qcow2 *q = c->q;
    uint64_t end;
    int error = image_file_size(&q->image.file, &end);
    if (error)
        return error_set(err, "%s: cannot tell its size: %s", q->image.file.path, strerror(error));
    c->clusters = round_up(end, q->cluster_size) >> q->cluster_bits;
    if (c->clusters > CLUSTERS_MAX)
        return error_set(err, "%s: a file of %" PRIu64 " clusters is too large to check",
                         q->image.file.path, c->clusters);
    /* Most of a sparse file's counts are never touched and cost nothing. */
    c->counts = calloc(c->clusters + 1, sizeof(c->counts[0]));
    c->holds = calloc(c->clusters + 1, 1);
    c->table = malloc(q->cluster_size);
    if (c->counts && c->holds && c->table)
        return true;
    return error_set(err, "%s: not enough memory to check it", q->image.file.path);
}

static void end(struct check *c)
{
    free(c->counts);
    free(c->holds);
    free(c->table);
}

static bool examine(struct check *c, struct error *err)
{
    if (!begin(c, err) || !count_all(c, err))
        return false;
    if (c->hopeless)
        return true; /* and what the tables say means nothing */
    count_refcounts(c);
    compare_all(c);
    check_flags(c, false);
    for (uint64_t i = c->clusters; i && !c->report->end; i--)
        if (c->counts[i - 1])
            c->report->end = i << c->q->cluster_bits;
    return !c->error ||
           error_set(err, "%s: cannot check it: %s", c->q->image.file.path, strerror(c->error));
}

/* What was found was said: this time entries are cleared and refcounts written. */
static bool mend(struct qcow2 *q, bool clear_entries, struct error *err)
{
    struct qcow2_report again = {0};
    struct check c = {.q = q, .report = &again, .repair = clear_entries};
    bool ok = begin(&c, err) && count_all(&c, err);
    if (ok && c.hopeless) {
        ok = error_set(
            err, "%s: damaged beyond repair: its tables lie over each other or beyond its end",
            q->image.file.path);
    } else if (ok && again.corruptions && !clear_entries) {
        ok = error_set(err, "%s: damaged: repair it (rvvm img check -r), or say ro",
                       q->image.file.path);
    } else if (ok) {
        int error = write_refcounts(&c);
        if (!error)
            check_flags(&c, true);
        error = error ? error : c.error ? c.error : image_file_sync(&q->image.file);
        ok = !error ||
             error_set(err, "%s: cannot repair it: %s", q->image.file.path, strerror(error));
    }
    end(&c);
    return ok;
}

bool qcow2_check(struct qcow2 *q, bool repair, struct qcow2_report *report, struct error *err)
{
    struct check c = {.q = q, .report = report};
    bool ok = examine(&c, err);
    end(&c);
    bool marked = q->features[0] & (INCOMPATIBLE_DIRTY | INCOMPATIBLE_CORRUPT);
    if (!ok || !repair || (!report->corruptions && !report->leaks && !marked))
        return ok;
    return mend(q, true, err);
}

bool qcow2_rebuild(struct qcow2 *q, struct error *err)
{
    log_line(q->image.log, LOG_INFO, "%s: was not closed: counting what is in use",
             q->image.file.path);
    return mend(q, false, err);
}
