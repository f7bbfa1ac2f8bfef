#pragma once
/* Every name that is counted, as the flusher sees it: its cells in the workers' shards, how much of each
 * the store has (the baselines), and whether it waits for a batch.
 *
 * Thread: the flusher's; of the shards only what shard.h allows it.
 * A key is the number of its entry in the totals. It is in one list at most: its partition's DIRTY (for the next batch)
 * or HELD (the store refused it; kept aside until keys_release_held()). Its count never leaves the cells: what is not
 * in a baseline is still to be stored, so an outage costs nothing but these lists.
 * A key whose hits are all stored, and that nobody has anything to do with, may be forgotten (keys_forget.c). Whoever
 * keeps something by key or cell longer than a tick uses the key (keys_use()) as long as that matters, or has a word in
 * keys_may_leave().
 * Failure modes: none after creation; everything is reserved for keys_max then. */

#include <stdbool.h>
#include <stdint.h>

#include "ledger/keyspace.h"
#include "tally/tally.h"

#define KEY_NONE UINT32_MAX

/* A cell of a shard; 0: none. */
typedef uint64_t key_cell;
/* Its shard << 32 | its number there: what it is called in a journal. */
static inline uint64_t keys_cell_number(key_cell cell) { return cell - 1; }
static inline key_cell keys_cell(uint32_t shard, uint32_t cell) { return ((uint64_t)shard << 32 | cell) + 1; }

struct keys;

/* 0 or -ENOMEM; both are the caller's and outlive the keys. */
int keys_create(struct keys **out, struct tally *tally, const struct keyspace *space);
void keys_destroy(struct keys *k);

/* What time it is, for what is touched from now on. */
void keys_set_clock(struct keys *k, uint64_t now_ms);
/* It is used now: not to be forgotten for a while. */
void keys_use(struct keys *k, uint32_t key, uint64_t now_ms);

/* Take what the workers touched since the last call into DIRTY, and make their counts readable. */
void keys_collect(struct keys *k);

uint32_t keys_pop_dirty(struct keys *k, uint32_t partition); /* KEY_NONE: none */
void keys_push_dirty(struct keys *k, uint32_t key);          /* no-op when it is in a list already */
uint32_t keys_dirty(const struct keys *k);                   /* of all partitions */
/* How often a key became dirty. While it stays, no key that was taken by keys_pop_dirty() since is dirty again. */
uint64_t keys_pushes(const struct keys *k);
uint32_t keys_dirty_of(const struct keys *k, uint32_t partition);

/* Keep aside a key of which `hits` were refused; keys_unhold() when it is taken up again tells how many. */
void keys_hold(struct keys *k, uint32_t key, uint64_t hits);
uint64_t keys_unhold(struct keys *k, uint32_t key);
/* Set aside as well what held keys were hit since; how many hits. Its cost grows with the held keys. */
uint64_t keys_sweep_held(struct keys *k);
void keys_release_held(struct keys *k); /* all of HELD becomes DIRTY */
/* Out of HELD, if it is there: it is in a batch. O(held keys). */
void keys_take_held(struct keys *k, uint32_t key);
uint32_t keys_held(const struct keys *k);

uint32_t keys_find(struct keys *k, struct slice name); /* KEY_NONE: this process does not count it */
struct slice keys_name(const struct keys *k, uint32_t key);

key_cell keys_first_cell(const struct keys *k, uint32_t key);
key_cell keys_next_cell(const struct keys *k, key_cell cell);
uint64_t keys_count(const struct keys *k, key_cell cell); /* now */
uint64_t keys_baseline(const struct keys *k, key_cell cell);
void keys_set_baseline(struct keys *k, key_cell cell, uint64_t to);
/* Has the store acknowledged what that cell had counted when it stood at `count`, whatever name it has now? */
bool keys_have_stored(const struct keys *k, uint32_t shard, uint32_t cell, uint64_t count);
/* The key of a cell that was in a batch. */
uint32_t keys_of(const struct keys *k, key_cell cell);
/* The key of a cell that an earlier process had; KEY_NONE: there is no such cell. */
uint32_t keys_of_cell(struct keys *k, uint32_t shard, uint32_t cell, key_cell *out);

/* ---- forgetting (flush/forgetting.h, tally/forget.h) ---- */

uint32_t keys_end(const struct keys *k); /* keys are 0 … one less; some of them may be none */
/* Is all of it stored, in no list, and not used since `idle_ms` ago? */
bool keys_may_leave(const struct keys *k, uint32_t key, uint64_t now_ms, uint64_t idle_ms);
/* From here to keys_settle() it becomes part of no batch. Every cell of it leaves then or stays. */
void keys_leave(struct keys *k, uint32_t key);
/* Its name is gone from the shard. How many places went with it. */
uint32_t keys_cell_parts(struct keys *k, uint32_t key, key_cell cell);
void keys_cell_stays(struct keys *k, key_cell cell);
/* true: it had no more cells, and is none any more. `name` is what it had, `places` what went with its cells. */
bool keys_settle(struct keys *k, uint32_t key, struct slice name, uint32_t places);

/* What the cells hold now is of an earlier process: before the workers start. 0 or -ENOMEM. */
int keys_inherit(struct keys *k);
/* Another process has it, too, and stores it: never send what a partition inherited and has not stored. How many hits.
 */
uint64_t keys_give_up_inherited(struct keys *k, uint32_t partition);

/* What is counted and not known to be stored, whatever list it is in. O(cells). */
uint64_t keys_waiting(const struct keys *k);
/* Likewise, of one partition. */
uint64_t keys_pending_of(const struct keys *k, uint32_t partition);
/* Never send it. How many hits; `unheld`: of those, how many were set aside. */
uint64_t keys_give_up_pending(struct keys *k, uint32_t partition, uint64_t *unheld);

/* Of this process's count of `key`, how much the store has. */
uint64_t keys_base(const struct keys *k, uint32_t key);
/* The store holds `stored` for it, and that contains exactly the baselines. */
void keys_publish(struct keys *k, uint32_t key, int64_t stored, uint64_t now_ms);
/* As keys_publish, when only the growth is known: no-op for a key whose total never was. */
void keys_publish_growth(struct keys *k, uint32_t key, int64_t delta);
