#pragma once
/* "What was counted in this namespace?" (owed/sums.h)
 *
 * Thread: the flusher's.
 * An ask has a result for each partition, whose names total_asks_begin() writes. What the store holds of each comes
 * from the last batch that added to it, or, where that is too old for the asker, from the store like any name. Then the
 * hits that are not stored yet are added, which takes a look at every cell. An answer has all hits that were answered
 * before it was asked for, so the look begins after the question came. When many ask, or there are many cells, looks
 * take a tenth of the flusher's time, and those who come in between share the next one. */

#include "owed/env.h"
#include "owed/keys.h"
#include "owed/question.h"

struct total_asks {
    const struct env *env;
    struct keys *keys;
    struct answers *answers; /* where totals are published, under the name of the first partition's */
    struct asker asker;
    bool embedded; /* no store but ourselves */
    uint64_t looked_us, took_us;
    struct question *waiting; /* for the next look. The last that came is the first */
};

/* question->kind is ASK_TOTAL, with the namespace in results[0] and a result for each partition. Returns whether the
 * store must be asked before total_asks_end(). */
bool total_asks_begin(const struct total_asks *t, struct question *question);
/* The names of `question` are answered, or none was asked for. It is answered now, or by a later total_asks_tick(). */
void total_asks_end(struct total_asks *t, struct question *question);
void total_asks_tick(struct total_asks *t);
/* Returns when total_asks_tick() has something to do, or UINT64_MAX. */
uint64_t total_asks_wake_us(const struct total_asks *t);
/* Answers all that wait, now. */
void total_asks_finish(struct total_asks *t);
