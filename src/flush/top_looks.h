#pragma once
/* Looks at keys whose totals nobody has said since something befell this process or the store (tally/tops.h).
 *
 * Thread: the flusher's.
 * After a rollback, or on another copy of the store, what was known of the highest keys is not true any more. And a
 * batch is acknowledged before its totals are offered, so nobody knows of such offers after a kill. With a state file
 * the next process has those with hits that are not stored. In both cases the store is asked what they hold,
 * TOP_LOOKS_NAMES at a time. A key that was stored and not offered before a kill has its place with its next hit. */

#include <stdbool.h>
#include <stdint.h>

#include "owed/env.h"
#include "owed/keys.h"
#include "owed/question.h"

#define TOP_LOOKS_NAMES 256
#define TOP_LOOKS_PAUSE_US 20000
#define TOP_LOOKS_RETRY_US 1000000 /* after one that was not answered whole */

struct top_looks_at {
    uint32_t shard, cell;
};

struct top_looks {
    const struct env *env;
    struct keys *keys;
    struct top_looks_at next, from; /* among the inherited, and what it was before the question under way */
    bool ended;                     /* all of the inherited were looked at */
    bool asked;                     /* the question is under way */
    struct question *question;      /* owned. NULL when no highest keys are kept */
    uint64_t next_us;
};

/* With `inherits` what an earlier process left is looked at. Returns 0 or -ENOMEM. */
int top_looks_begin(struct top_looks *l, const struct env *env, struct keys *keys, bool inherits);
void top_looks_fini(struct top_looks *l);
/* Returns what is to be asked now, or NULL. */
struct question *top_looks_ask(struct top_looks *l);
bool top_looks_is(const struct top_looks *l, const struct question *question);
/* The question of top_looks_ask() is answered. With `take` that is noted, and what was not answered is asked again. */
void top_looks_answered(struct top_looks *l, bool take);
/* Returns when top_looks_ask() has something, or UINT64_MAX. */
uint64_t top_looks_wake_us(const struct top_looks *l);
