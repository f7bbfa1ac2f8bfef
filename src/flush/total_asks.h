#pragma once
/* "What was counted in this namespace?" (ledger/sums.h)
 *
 * Thread: the flusher's.
 * An ask has a result for each partition, whose names total_asks_begin() writes. What the store holds of each comes
 * from the last batch that added to it, or, where that is too old for the asker, from the store like any name. Then the
 * hits that are not stored yet are added, which takes a look at every cell. When many look, or there are many cells, a
 * look is used again for as long as LOOK_PARTS times what it took. */

#include "ledger/env.h"
#include "ledger/keys.h"
#include "ledger/question.h"

struct total_asks {
    const struct env *env;
    struct keys *keys;
    struct answers *answers; /* where totals are published, under the name of the first partition's */
    bool embedded;           /* no store but ourselves */
    uint64_t looked_us, took_us;
};

/* question->kind is ASK_TOTAL, with the namespace in results[0] and a result for each partition. Returns whether the
 * store must be asked before total_asks_end(). */
bool total_asks_begin(const struct total_asks *t, struct question *question);
/* The names of `op` are answered, or none was asked for. */
void total_asks_end(struct total_asks *t, struct question *question);
