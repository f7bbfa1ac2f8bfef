#pragma once
/* The total of each namespace, and how much of it every partition of the store has (DESIGN 4.6).
 *
 * Thread: the flusher's.
 * The store keeps one number for each namespace and partition, "<prefix>{<tag>}!total:<partition>:<ns>". Every batch
 * adds to it, in the same transaction, what its items add to their keys. So whatever becomes of the batch, the number
 * and the keys agree. They are applied, refused, forgotten and brought back together. Only an item that is refused
 * inside EXEC parts them, or the number itself when it is refused. What the number lacks then is owed, or is less than
 * 0 when it has too much. The next batch with hits of the namespace adds it. What is owed is in the journal's
 * acknowledgement (ledger/journal.h), which is written at once with the fate of the batch.
 *
 * Failure modes:
 *   - More than SUMS_NAMESPACES_MAX namespaces: those that come last have no total. Who asks for one of them is told so
 *     (sums_is_late()), and a log line and a metric say how many they are (flush/total_watch.h).
 *   - The number is refused, because it is something else or the user may not touch it: it rests until held keys are
 *     tried again, and what it lacks is owed.
 *   - More than JOURNAL_OWED_MAX of a partition are owed something: a kill forgets what the others are owed. */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"
#include "tally/name.h"

#define SUMS_NAMESPACES_MAX 256
#define SUM_NONE UINT16_MAX /* no namespace with a total */
#define SUMS_LATE_MAX 1024  /* namespaces without a total that are told apart */

/* Of one namespace in one partition. */
struct sum {
    int64_t owed;        /* to the number in the store */
    int64_t stored;      /* hits that this process has stored there, less those that the store forgot */
    int64_t known;       /* what the number was, with what was owed to it then */
    int64_t stored_then; /* `stored` when it was */
    uint64_t as_of_ms;   /* monotonic. 0 when it was never seen */
};

struct sum_namespace {
    char name[NAME_NS_BYTES_MAX];
    uint8_t name_bytes;
    bool rests;       /* its number was refused, and is not sent for a while */
    uint16_t slot;    /* in the batch that is looked at (owed/batch_sums.c) */
    uint64_t pending; /* hits that were not stored when somebody looked … */
    int64_t looked;   /* … and the sum of `stored` then */
};

struct sums;

int sums_create(struct sums **out, uint32_t partitions); /* 0 or -ENOMEM */
void sums_destroy(struct sums *s);                       /* NULL is allowed */
uint16_t sums_find(const struct sums *s, struct slice ns);
/* SUM_NONE when there are as many as there may be. */
uint16_t sums_intern(struct sums *s, struct slice ns);
/* Was it turned away by sums_intern()? Beyond SUMS_LATE_MAX of them, every name without a number counts as one. */
bool sums_is_late(const struct sums *s, struct slice ns);
uint32_t sums_late(const struct sums *s);  /* how many were turned away, at most SUMS_LATE_MAX */
uint32_t sums_count(const struct sums *s); /* they are 0 … one less */
uint32_t sums_partitions(const struct sums *s);
struct sum_namespace *sums_namespace(const struct sums *s, uint16_t ns);
struct slice sums_name(const struct sums *s, uint16_t ns);
struct sum *sums_at(const struct sums *s, uint16_t ns, uint32_t partition);
/* How many numbers of the partition are owed something. */
uint32_t sums_owing(const struct sums *s, uint32_t partition);
/* The store holds `total` for it, and that contains exactly what `stored` says. */
void sum_publish(struct sum *s, int64_t total, uint64_t now_ms);
/* What the store has for it now, as far as is known. */
static inline int64_t sum_value(const struct sum *s) { return s->known + (s->stored - s->stored_then); }
/* The server of that partition lost everything, so nothing is owed to it any more. */
void sums_begin_anew(struct sums *s, uint32_t partition); /* NULL is allowed */
/* Numbers that were refused are tried again. */
void sums_retry(struct sums *s);
