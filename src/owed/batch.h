#pragma once
/* One fenced transaction. It says which keys grow by how much, and has its exact bytes.
 *
 * Thread: the flusher's.
 * Happy path: batch_fill() takes dirty keys of one partition and notes for each cell the counts from…to.
 * batch_compose() makes the bytes "INCRBY k d … · SET L "<seq> <nonce>" EX … · EXEC". Then follows exactly one of
 * batch_item_applied() for every item, or batch_give_back(). Nothing in the batch changes between batch_compose() and
 * its end, so the same seq and nonce always mean the same bytes.
 *
 * An item is one key. The growth of all its cells is one INCRBY, at most INT64_MAX, or one INCR when it is 1.
 * Failure modes: without memory batch_fill() takes fewer keys, and batch_compose() returns -ENOMEM. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "owed/keys.h"
#include "owed/ledger.h"
#include "owed/question.h"
#include "protocol/redis_error.h"

struct batch_part {
    key_cell cell;
    uint64_t from, to;
};

struct batch_item {
    uint32_t key;
    uint32_t parts_first, parts_count;
    enum redis_error_class refused; /* why the server will not take it, as far as is known */
    bool applied;                   /* the store has it */
    bool told;                      /* `total` is */
    int64_t delta;
    int64_t total; /* what the key holds after it, once EXEC or a look has said so */
};

/* What it adds to the total of a namespace (owed/sums.h). */
struct batch_sum {
    uint16_t ns;
    bool told;                      /* EXEC has said what the number is now, … */
    enum redis_error_class refused; /* … or why it is not */
    key_cell cell;                  /* of an item of that namespace, for who has no name of it */
    int64_t hits;                   /* what those items add */
    int64_t lacks;                  /* of them, what was refused */
    int64_t delta;                  /* `hits`, and what was owed. When 0 there is no command */
    int64_t total;                  /* what the number is after it */
    int64_t change;                 /* of what is owed, once the batch has ended */
};

/* A command to the set of the highest keys of a namespace (tally/tops.h). All are answered by a number. */
enum batch_top_command {
    BATCH_TOP_RAISE,  /* offers */
    BATCH_TOP_LOWER,  /* likewise, of keys that had more once */
    BATCH_TOP_PUT,    /* what the write sets, … */
    BATCH_TOP_REMOVE, /* … or removes */
    BATCH_TOP_TRIM,
    BATCH_TOP_COUNT, /* Are as many as `expected` at `lowest` or above? */
};

struct batch_top {
    uint16_t ns;
    uint8_t command; /* enum batch_top_command */
    bool told;
    enum redis_error_class refused;
    int64_t expected, lowest, answer;
};

/* What a batch may hold besides hits (owed/writes.h). The journal says no more of it than that it is there. */
struct batch_write {
    bool there;
    bool refused; /* the server would not queue it */
    bool done;    /* EXEC has said so */
    bool set;     /* SET, else DEL */
    int64_t value;
    uint32_t key;              /* KEY_NONE when this process does not count it */
    struct question *question; /* has the name. It is read until the bytes are made, and by owed/writes.h */
};

struct batch {
    struct ledger ledger;     /* what the server's ledger is once this is applied */
    struct batch_item *items; /* owned */
    uint32_t items_count, items_max;
    struct batch_part *parts; /* owned */
    uint32_t parts_count, parts_capacity, parts_max;
    struct batch_sum *sums; /* owned. Those with a command come first, once `sums_settled` */
    uint32_t sums_count, sums_capacity, sums_sent;
    bool sums_settled;      /* it is known what they add */
    struct batch_top *tops; /* owned */
    uint32_t tops_count, tops_capacity;
    uint32_t partition; /* whose totals and tops they are of */
    uint64_t hits;      /* sum of the deltas */
    uint64_t unheld;    /* of those, how many were set aside before */
    uint64_t found;     /* hits beside the deltas: what keys of a revived one have not pending any more */
    uint32_t refused;   /* items, the write, the sums, and the tops */
    struct batch_write write;
    bool overwrites;              /* its write replaces what its items add, also what was refused of them */
    bool inherited;               /* an earlier process made it */
    bool revived;                 /* given up once, and then shown by a server's ledger. It is never sent again */
    bool examined;                /* proved to be applied, and its keys were looked at since */
    bool prepared;                /* the bytes of its items are there */
    bool replaces;                /* it has nothing that could be refused, as another was */
    bool is_probe;                /* it sets the ledger to what it is, if there is one */
    uint64_t pushes;              /* keys_pushes() before it was filled */
    uint64_t parent;              /* the number of the batch before it in the window, or WINDOW_NONE */
    uint32_t sends;               /* how often it was sent */
    uint32_t copies;              /* sent with an unknown fate, so the server may still execute them */
    const char *ledger_expires_s; /* LEDGER_EXPIRES_S, unless told otherwise after batch_init() */
    struct buf bytes;
};

/* `parts_max` bounds the parts of all its items together. It is at least the number of workers. Returns 0 or -ENOMEM.
 */
int batch_init(struct batch *b, uint32_t items_max, uint32_t parts_max);
void batch_fini(struct batch *b);
/* Makes it empty, for `ledger`. */
void batch_begin(struct batch *b, const struct ledger *ledger);
/* Takes dirty keys of that partition, as many as there is room for. */
void batch_fill(struct batch *b, struct keys *keys, uint32_t partition);
/* Takes all that there is to store of one key, wherever it waits. Returns false when there is no room, and then takes
 * nothing. */
bool batch_take_key(struct batch *b, struct keys *keys, uint32_t key);
/* How many commands there are between MULTI and the SET of the ledger. The items' come first, then the write, then the
 * sums', then the tops'. */
static inline uint32_t batch_commands(const struct batch *b)
{
    return b->items_count + b->write.there + b->sums_sent + b->tops_count;
}
/* The index of the first sum's command. */
static inline uint32_t batch_sums_at(const struct batch *b) { return b->items_count + b->write.there; }
/* The index of the first top's command. */
static inline uint32_t batch_tops_at(const struct batch *b) { return batch_sums_at(b) + b->sums_sent; }
/* The name of the command with that index, as an ACL rule has it. */
const char *batch_command(const struct batch *b, uint32_t index);
/* Appends a part as it was recorded, to a batch that an earlier process made. A part of another key begins a new item.
 * Returns 0 or -ENOMEM. */
int batch_restore_part(struct batch *b, uint32_t key, const struct batch_part *part);
/* The item's key holds `total` now, or more since. */
static inline void batch_told(struct batch *b, uint32_t index, int64_t total)
{
    b->items[index].told = true;
    b->items[index].total = total;
}
void batch_refuse(struct batch *b, uint32_t index, enum redis_error_class why);
void batch_refuse_write(struct batch *b);
void batch_refuse_sum(struct batch *b, uint32_t index, enum redis_error_class why);
void batch_refuse_top(struct batch *b, uint32_t index, enum redis_error_class why);
void batch_forget_refusals(struct batch *b);
/* Makes the bytes of the items ahead of batch_compose(), when the ledger is not known yet. Returns 0 or -ENOMEM. */
int batch_prepare(struct batch *b, const struct keys *keys, struct slice prefix);
int batch_compose(struct batch *b, const struct keys *keys, struct slice prefix, struct slice ledger_key);

/* Makes a probe instead, which sets the ledger, if there is one, to what it is. Returns 0 or -ENOMEM. */
int batch_compose_probe(struct batch *b, struct slice ledger_key);

/* The store has the item, so its baselines advance. */
void batch_item_applied(const struct batch *b, struct keys *keys, struct batch_item *item);
/* None of it was applied and none ever will be. Refused items are held, and the others are dirty again. */
void batch_give_back(const struct batch *b, struct keys *keys);
uint64_t batch_refused_hits(const struct batch *b);

/* Appends "<prefix><ns>:<key>" of an internal name, or the key of a total (tally/name.h). */
void batch_append_redis_key(struct buf *out, struct slice prefix, struct slice name);

/* ---- totals of namespaces (batch_sums.c). Without keys_sums() none of it does anything ---- */
/* Adds the item, whose parts are there, to what its namespace gets. Returns false when there is no room. */
bool batch_sum_item(struct batch *b, const struct keys *keys, const struct batch_item *item);
/* Says what each number gets. Called just before the bytes are made, when what is owed is known. */
void batch_settle_sums(struct batch *b, const struct keys *keys, uint32_t partition);
void batch_compose_sums(struct batch *b, const struct keys *keys, struct slice prefix);
/* For a batch that was made before. The first says what it adds to the number of a namespace, of which `cell` is one.
 * The second says what its items add to each, when all of its parts and numbers are there. Both return 0 or -ENOMEM. */
int batch_restore_sum(struct batch *b, const struct keys *keys, uint16_t ns, key_cell cell, int64_t delta);
int batch_restore_sums(struct batch *b, const struct keys *keys);
/* Puts those with a command first. */
void batch_order_sums(struct batch *b, const struct keys *keys);
/* The store has what its items say to be applied, and the numbers that were not refused. */
void batch_end_sums(struct batch *b, const struct keys *keys, uint64_t now_ms);

/* ---- the highest keys of namespaces (batch_tops.c). Without keys_tops() none of it does anything ---- */
/* Says what goes to each set. Called just before the bytes are made, when totals are settled. */
void batch_settle_tops(struct batch *b, const struct keys *keys, uint32_t partition);
void batch_compose_tops(struct batch *b, const struct keys *keys, struct slice prefix);
/* The store has it. What its items say to be applied and told is noted. `written`: its write, too. */
void batch_end_tops(const struct batch *b, const struct keys *keys, bool written);
/* None of it was applied, and what it offers is due again. */
void batch_give_back_tops(const struct batch *b, const struct keys *keys);
