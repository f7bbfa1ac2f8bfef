#pragma once
/* What is moved from one data set to another: counters and totals of namespaces, by the names of their keys.
 *
 * Thread: pure functions.
 * An entry's text is what stands behind prefix and tag in the old data set, "blog:hello" or "!total:3:blog". Beside the
 * new key, in the same slot, lies its mark, which says how much of the old number is in the new one:
 *   old   <prefix>{tag}blog:hello
 *   new   <to>{tag}blog:hello
 *   mark  <to>{tag}!moved:blog:hello
 * The total of old partition p goes to that of new partition p modulo their number, since only the sum over all
 * partitions means anything. Of each new partition p <to>{tag}!move:p says from where it is filled (moving/settle.h).
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "owed/keyspace.h"

#define ENTRY_TEXT_BYTES_MAX (NAME_BYTES_MAX + 16)

struct entry {
    struct slice text;
    bool total;
    uint32_t from, to; /* partitions */
};

enum entry_kind {
    ENTRY_NONE, /* of another program, or another data set */
    ENTRY_LEDGER,
    ENTRY_THERE,
};

/* Reads a key of the old data set. `text` points into `key`. */
enum entry_kind entry_of_key(const struct keyspace *from, const struct keyspace *to, struct slice key,
                             struct entry *out);
/* Reads a key of the new data set. Is it a mark? */
bool entry_of_mark(const struct keyspace *from, const struct keyspace *to, struct slice key, struct entry *out);

void entry_append_old(struct buf *out, const struct keyspace *from, const struct entry *e);
void entry_append_new(struct buf *out, const struct keyspace *to, const struct entry *e);
void entry_append_mark(struct buf *out, const struct keyspace *to, const struct entry *e);
void entry_append_state(struct buf *out, const struct keyspace *to, uint32_t partition);
/* What SCAN is to MATCH: `behind` is what stands behind prefix and tag, and is no pattern. */
void entry_append_pattern(struct buf *out, const struct keyspace *space, struct slice behind);
