#pragma once
/* One fenced transaction: which keys grow by how much, and its exact bytes.
 *
 * Thread: the flusher's.
 * Happy path: batch_fill() takes dirty keys of one partition and notes for each cell the counts from…to;
 * batch_compose() makes the bytes "INCRBY k d … · SET L "<seq> <nonce>" EX … · EXEC"; then exactly one of
 * batch_item_applied() for every item, or batch_give_back(). The same seq and nonce always mean the same bytes: between
 * compose and its end nothing in it changes. An item is one key: the growth of all its cells is one INCRBY, at most
 * INT64_MAX. Failure modes: without memory batch_fill() takes fewer keys, and batch_compose() gives -ENOMEM. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "flush/keys.h"
#include "flush/ledger.h"
#include "redis/error.h"

struct batch_part {
    key_cell cell;
    uint64_t from, to;
};

struct batch_item {
    uint32_t key;
    uint32_t parts_first, parts_count;
    enum redis_error_class refused; /* why the server will not take it; REDIS_ERROR_NONE: it does, as far as is known */
    bool applied;                   /* the store has it */
    int64_t delta;
};

struct batch {
    struct ledger ledger;     /* what the server's ledger is once this is applied */
    struct batch_item *items; /* owned */
    uint32_t items_count, items_max;
    struct batch_part *parts; /* owned */
    uint32_t parts_count, parts_capacity, parts_max;
    uint64_t hits;    /* sum of the deltas */
    uint64_t unheld;  /* of those, how many were set aside before */
    uint32_t refused; /* items */
    bool inherited;   /* an earlier process made it */
    bool examined;    /* proved to be applied, and its keys were looked at since */
    uint32_t sends;   /* how often it was sent */
    uint32_t copies;  /* sent, and their fate unknown: the server may still execute them */
    struct buf bytes;
};

/* parts_max: of all its items together; at least as many as there are workers. 0 or -ENOMEM. */
int batch_init(struct batch *b, uint32_t items_max, uint32_t parts_max);
void batch_fini(struct batch *b);
/* Empty, for `ledger`. */
void batch_begin(struct batch *b, const struct ledger *ledger);
void batch_fill(struct batch *b, struct keys *keys, uint32_t partition);
/* Append a part as it was recorded, for a batch that an earlier process made: a part of another key begins a new item.
 * 0 or -ENOMEM. */
int batch_restore_part(struct batch *b, uint32_t key, const struct batch_part *part);
void batch_refuse(struct batch *b, uint32_t index, enum redis_error_class why);
void batch_forget_refusals(struct batch *b);
int batch_compose(struct batch *b, const struct keys *keys, struct slice prefix, struct slice ledger_key);

/* The store has it: advance the baselines. */
void batch_item_applied(const struct batch *b, struct keys *keys, struct batch_item *item);
/* None of it was applied and none ever will be: refused items are held, the others dirty again. */
void batch_give_back(const struct batch *b, struct keys *keys);
uint64_t batch_refused_hits(const struct batch *b);

/* Appends "<prefix><ns>:<key>" of an internal name. */
void batch_append_redis_key(struct buf *out, struct slice prefix, struct slice name);
