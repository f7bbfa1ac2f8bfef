#pragma once
/* The ledger is one key for each instance and partition. It says which batch was stored last (DESIGN 4.2).
 *
 * Thread: pure functions.
 * The key is "<prefix>!ledger:<uuid>:<partition>". The value is "<seq> <nonce>", a decimal number and 16 hex digits.
 * A seq counts batches. The nonce tells apart two batches that claim the same seq. */

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define LEDGER_VALUE_BYTES_MAX 40
/* A ledger expires so long after its last batch. A state file may wait 30 days for its next process. Without one it is
 * a day. Then a process that has ended in order has deleted its ledgers, so one that grows old tells of one that has
 * not. */
#define LEDGER_EXPIRES_S "2592000"
#define LEDGER_EXPIRES_ALONE_S "86400"

struct ledger {
    uint64_t seq; /* 0 when nothing was ever stored, and there is no key then */
    uint64_t nonce;
};

enum ledger_verdict {
    LEDGER_AS_ACKED, /* the batch in doubt was not applied */
    LEDGER_BATCH_APPLIED,
    LEDGER_REPLACED_APPLIED, /* the batch that the one in doubt was to replace came through after all */
    LEDGER_MISSING,
    LEDGER_BEHIND,  /* the server rolled back */
    LEDGER_FOREIGN, /* someone else writes under our identity, or the value makes no sense */
};

/* A batch that was stored. */
struct ledger_entry {
    struct ledger ledger;
    uint64_t hits;
};

/* What to do about a missing ledger. Begin a new one and go on, replay what the window has because the store lost all,
 * or stop until someone has looked. */
enum ledger_loss { LEDGER_LOSS_RESUME, LEDGER_LOSS_REPLAY, LEDGER_LOSS_HALT };

/* Writes the value with a NUL, and returns its bytes without the NUL. */
size_t ledger_format(const struct ledger *l, char out[LEDGER_VALUE_BYTES_MAX]);
bool ledger_parse(struct slice value, struct ledger *out);
static inline bool ledger_equals(const struct ledger *a, const struct ledger *b)
{
    return a->seq == b->seq && a->nonce == b->nonce;
}

/* Says what the server's ledger means to one who last saw `acked`. `batch` and `replaced` may be NULL. `server` is NULL
 * when there is no key. The caller confirms LEDGER_BEHIND, by asking whether that nonce was
 * ever ours. */
enum ledger_verdict ledger_judge(const struct ledger *acked, const struct ledger *batch, const struct ledger *replaced,
                                 const struct ledger *server);
