#pragma once
/* Every name that was ever touched, as the flusher sees it: its cells in the workers' shards, how much of each
 * the store has (the baselines), and whether it waits for a batch.
 *
 * Thread: the flusher's; of the shards only what shard.h allows it.
 * A key is the number of its entry in the totals. It is in one list at most: its partition's DIRTY (for the next batch)
 * or HELD (the store refused it; kept aside until keys_release_held()). Its count never leaves the cells: what is not
 * in a baseline is still to be stored, so an outage costs nothing but these lists.
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

struct keys;

/* 0 or -ENOMEM; both are the caller's and outlive the keys. */
int keys_create(struct keys **out, struct tally *tally, const struct keyspace *space);
void keys_destroy(struct keys *k);

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
/* The key of a cell that was in a batch. */
uint32_t keys_of(const struct keys *k, key_cell cell);
/* The key of a cell that an earlier process had; KEY_NONE: there is no such cell. */
uint32_t keys_of_cell(struct keys *k, uint32_t shard, uint32_t cell, key_cell *out);

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
