#pragma once
/* Every name that is counted, as the flusher sees it. It knows a name's cells in the workers' shards, how much of each
 * the store has (the baselines), and whether the name waits for a batch.
 *
 * Thread: the flusher's. Of the shards it does only what shard.h allows it.
 * A key is the number of its entry in the totals. It is in one list at most:
 *   - DIRTY, one for each partition: it goes into the next batch.
 *   - HELD: the store refused it, so it is kept aside until keys_release_held().
 *   - RESTING: it has few hits, and may wait for more (keys_let_rest()).
 * Its count never leaves the cells, and what is not in a baseline is still to be stored. So an outage costs nothing but
 * these lists.
 *
 * A key whose hits are all stored, and that nobody has anything to do with, may be forgotten (keys_forget.c). Whoever
 * keeps something by key or cell longer than a tick uses the key (keys_use()) as long as that matters, or has a word in
 * keys_may_leave().
 *
 * Failure modes: none after creation, because everything is reserved for keys_max then. */

#include <stdbool.h>
#include <stdint.h>

#include "owed/keyspace.h"
#include "owed/sums.h"
#include "tally/tally.h"
#include "tally/tops.h"

#define KEY_NONE UINT32_MAX

/* A cell of a shard, or 0. */
typedef uint64_t key_cell;
/* What a cell is called in a journal: its shard << 32 | its number there. */
static inline uint64_t keys_cell_number(key_cell cell) { return cell - 1; }
static inline key_cell keys_cell(uint32_t shard, uint32_t cell) { return ((uint64_t)shard << 32 | cell) + 1; }

struct keys;

/* Both are the caller's, and outlive the keys. Returns 0 or -ENOMEM. */
int keys_create(struct keys **out, struct tally *tally, const struct keyspace *space);
void keys_destroy(struct keys *k);

/* Keep totals of namespaces from now on, before anything is counted. Returns 0 or -ENOMEM. */
int keys_keep_sums(struct keys *k);
struct sums *keys_sums(const struct keys *k);          /* NULL when none are kept */
uint16_t keys_sum(const struct keys *k, uint32_t key); /* the number of its namespace, or SUM_NONE */
/* What of each namespace is counted now and not stored, into `pending` and `looked`. O(cells). */
void keys_look(struct keys *k);
/* Keep the highest keys of the namespaces in a list with commas. After keys_keep_sums(). Returns 0 or -ENOMEM. */
int keys_keep_tops(struct keys *k, const char *namespaces, uint32_t kept);
struct tops *keys_tops(const struct keys *k); /* NULL when none are kept */
/* NULL when they are not kept for the namespace of that key. */
struct top *keys_top(const struct keys *k, uint32_t key);
/* Returns the key of the cell at `*shard` and `*cell`, or of the next one behind it, that an earlier process left in a
 * namespace with highest keys, and moves behind it. KEY_NONE when there is none. */
uint32_t keys_next_inherited_top(struct keys *k, uint32_t *shard, uint32_t *cell);

/* Says what time it is, for what is touched from now on. */
void keys_set_clock(struct keys *k, uint64_t now_ms);
/* The key is used now, so it is not to be forgotten for a while. */
void keys_use(struct keys *k, uint32_t key, uint64_t now_ms);

/* ---- DIRTY, RESTING ---- */
/* Lets a key with few hits rest for so long before it becomes dirty. Before the first collection. 0 or -ENOMEM. */
int keys_let_rest(struct keys *k, uint64_t rest_ms);
/* Moves all of RESTING to DIRTY. */
void keys_wake_all(struct keys *k);
/* Likewise the key of a cell, if it rests. */
void keys_wake_cell(struct keys *k, uint32_t shard, uint32_t cell);
/* Takes what the workers touched since the last call into DIRTY or RESTING, and makes their counts readable. */
void keys_collect(struct keys *k);
uint32_t keys_pop_dirty(struct keys *k, uint32_t partition); /* KEY_NONE when the list is empty */
/* Does nothing when the key is in a list already. */
void keys_push_dirty(struct keys *k, uint32_t key);
uint32_t keys_dirty(const struct keys *k); /* of all partitions */
uint32_t keys_dirty_of(const struct keys *k, uint32_t partition);
/* How often a key became dirty. While that stays, no key that was taken by keys_pop_dirty() since is dirty again. */
uint64_t keys_pushes(const struct keys *k);

/* ---- HELD ---- */
/* Puts a key into HELD, of which `hits` were refused. */
void keys_hold(struct keys *k, uint32_t key, uint64_t hits);
/* The key is taken up again. Returns how many of its hits were held. */
uint64_t keys_unhold(struct keys *k, uint32_t key);
/* Moves the hits that held keys got since the last call to the held amount. Returns how many. O(held keys). */
uint64_t keys_sweep_held(struct keys *k);
/* Moves all of HELD to DIRTY. */
void keys_release_held(struct keys *k);
/* Takes the key out of HELD, if it is there, because it is in a batch. O(held keys). */
void keys_take_held(struct keys *k, uint32_t key);
uint32_t keys_held(const struct keys *k);

/* ---- names and cells ---- */
uint32_t keys_find(struct keys *k, struct slice name);       /* KEY_NONE when this process does not count it */
uint64_t keys_hash(const struct keys *k, struct slice name); /* keyed, so whoever chooses names cannot aim */
struct slice keys_name(const struct keys *k, uint32_t key);
key_cell keys_first_cell(const struct keys *k, uint32_t key);
key_cell keys_next_cell(const struct keys *k, key_cell cell);
uint64_t keys_count(const struct keys *k, key_cell cell); /* now */
uint64_t keys_baseline(const struct keys *k, key_cell cell);
void keys_set_baseline(struct keys *k, key_cell cell, uint64_t to);
/* Has the store acknowledged what that cell had counted when it stood at `count`, whatever name it has now? */
bool keys_have_stored(const struct keys *k, uint32_t shard, uint32_t cell, uint64_t count);
/* Returns the key of a cell that was in a batch. */
uint32_t keys_of(const struct keys *k, key_cell cell);
/* Returns the key of a cell that an earlier process had, or KEY_NONE when there is no such cell. */
uint32_t keys_of_cell(struct keys *k, uint32_t shard, uint32_t cell, key_cell *out);

/* ---- forgetting (flush/forgetting.h, tally/forget.h) ---- */
/* Keys are the numbers from 0 to one less than this. Some of them may be no key. */
uint32_t keys_end(const struct keys *k);
/* Is all of it stored, is it in no list, and was it not used for `idle_ms`? */
bool keys_may_leave(const struct keys *k, uint32_t key, uint64_t now_ms, uint64_t idle_ms);
/* The key becomes part of no batch from here to keys_settle(). Until then each of its cells leaves or stays. */
void keys_leave(struct keys *k, uint32_t key);
/* A cell left, and its name is gone from the shard. Returns how many places went with it. */
uint32_t keys_cell_parts(struct keys *k, uint32_t key, key_cell cell);
void keys_cell_stays(struct keys *k, key_cell cell);
/* Returns whether the key is none any more, because it has no cell left. `name` is what it had, and `places` went with
 * its cells. */
bool keys_settle(struct keys *k, uint32_t key, struct slice name, uint32_t places);

/* ---- what an earlier process left, and giving up ---- */
/* What the cells hold now is of an earlier process. Before the workers start. Returns 0 or -ENOMEM. */
int keys_inherit(struct keys *k);
/* Another process has what a partition inherited, and stores it, so what is not stored of it is never sent. Returns how
 * many hits that is. */
uint64_t keys_give_up_inherited(struct keys *k, uint32_t partition);
/* How many hits are counted and not known to be stored, whatever list their key is in. O(cells). */
uint64_t keys_waiting(const struct keys *k);
uint64_t keys_pending_of(const struct keys *k, uint32_t partition); /* likewise, of one partition */
/* Never send what a partition has pending. Returns how many hits that is, and in `unheld` how many of them were held.
 */
uint64_t keys_give_up_pending(struct keys *k, uint32_t partition, uint64_t *unheld);

/* ---- totals ---- */
/* How much of this process's count of `key` the store has. */
uint64_t keys_base(const struct keys *k, uint32_t key);
/* Publishes that the store holds `stored`, which contains exactly the baselines. */
void keys_publish(struct keys *k, uint32_t key, int64_t stored, uint64_t now_ms);
/* Likewise, when only the growth is known. Does nothing for a key whose total never was. */
void keys_publish_growth(struct keys *k, uint32_t key, int64_t delta);
