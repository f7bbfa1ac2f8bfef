#pragma once
/* A sequence lock over ck_sequence. Readers retry until they have read what it guards as a whole.
 *
 * Thread: one writer, any number of readers.
 * Readers wait while the writer is between begin and end, so only a few stores belong there. Both sides touch what it
 * guards with load_relaxed_… and store_relaxed_… only. Loads after a read that needed no retry are ordered after it. */

#include <ck_sequence.h>
#include <stdbool.h>

struct seqlock {
    struct ck_sequence s;
};

static inline void seqlock_init(struct seqlock *l) { ck_sequence_init(&l->s); }
static inline void seqlock_write_begin(struct seqlock *l) { ck_sequence_write_begin(&l->s); }
static inline void seqlock_write_end(struct seqlock *l) { ck_sequence_write_end(&l->s); }
static inline unsigned seqlock_read_begin(const struct seqlock *l) { return ck_sequence_read_begin(&l->s); }
static inline bool seqlock_read_retry(const struct seqlock *l, unsigned v) { return ck_sequence_read_retry(&l->s, v); }
