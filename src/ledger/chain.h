#pragma once
/* The chain of batches that one identity writes, one at a time, each counted by the ledger (DESIGN 4.2).
 *
 * Thread: the flusher's. It knows nothing of connections: the partition sends, and the chain keeps the accounts.
 * Happy path: chain_make_batch() makes a batch, partly of what chain_prepare() made ready before. The batch is sent,
 * and batch->copies says how often that was done without a known fate. When the answer to EXEC comes, chain_answered()
 * ends it. After anything else the server's ledger decides by chain_reconcile().
 *
 * Failure modes:
 *   - A key may not be touched: chain_replace() puts an empty batch of the same seq in the batch's place. Once that is
 *     applied no copy of the old bytes can be, and the keys go back.
 *   - The ledger is that of another batch of ours, because another copy of the store answers. ledger/moves.h goes
 *     there.
 *   - The ledger is missing: the on-ledger-loss policy decides.
 *   - The ledger is foreign: the chain takes a new identity.
 *   - The answer to an EXEC is lost: the ledger says that the batch was applied, but not whether single keys were
 *     refused inside it. So its keys are looked at before it is resolved (chain->proved). A key that took the INCRBY
 *     holds an integer until another program overwrites it, and then our hits went with what was overwritten. The hits
 *     of a key that is something else now are kept for later. So no key ever holds too much.
 * The second, third and fourth raise an alarm, and wait until the server has shown that it takes writes (CHAIN_ASKS). A
 * replica, or a master without its replicas, is no copy to go to.
 *
 * There is a limit with several copies of the store. A batch whose answer was lost is sent again, and then to another
 * copy. When one of the two refuses a key and the other does not, the same ledger means two things. The hits of that
 * key may be stored twice on the one or be missing on the other.
 *
 * Limits of the look, each for a lost answer and another program that writes to the key between EXEC and the look:
 *   - A refused key that the program deletes counts as stored.
 *   - A key of ours that it changes by INCRBYFLOAT or APPEND gets our hits once more when it is an integer again.
 * Without another program, a key that was refused for overflow counts as stored, because a number near the limit does
 * not tell whether ours is in it. So does an empty string, which looks like no key. No answer to a read could do
 * better, and to write the outcome into the transaction would take a second write for each key of every flush. */

#include <stdbool.h>
#include <stdint.h>

#include "ledger/history.h"

struct chain_config {
    struct history_config history;
    /* How long the ledger must look lost or rolled back before that is believed. The first holds when chain_vouch() was
     * called since it does, the second when it was not. */
    uint32_t loss_vouched_ms, loss_alone_ms;
};

enum chain_news {
    CHAIN_UNCHANGED,
    CHAIN_RESOLVED, /* the batch, or the one it replaces, was applied */
    CHAIN_GIVEN_UP, /* the batch will never be applied, and its keys are dirty again */
    CHAIN_RENAMED,  /* likewise, and the ledger key is another one now */
    CHAIN_DOUBTED,  /* The ledger looks lost or rolled back, but for too short a time. Look again */
    CHAIN_ASKS,     /* Likewise, but nobody knows yet whether the server takes writes. Send chain_probe(), look again */
    CHAIN_PROVED,   /* The batch was applied, with or without all its keys. Look at them, then at the ledger again */
    CHAIN_HALTED,   /* by the on-ledger-loss policy */
};

#define CHAIN_BATCHES 3

struct chain {
    struct chain_config config;
    struct history history;
    /* Four pointers into `batches`, or NULL. No key is in two of these batches. */
    struct batch *batch;    /* unresolved */
    struct batch *replaced; /* what `batch`, an empty one, is to make impossible */
    struct batch *proved;   /* `batch` or `replaced`, while its keys are looked at */
    struct batch *next;     /* filled, but without a ledger, so it was never sent */
    struct batch batches[CHAIN_BATCHES];
    struct batch probe;      /* what a server is asked with */
    bool takes_writes;       /* so did the server that was asked, when its ledger was that of `probe` */
    uint32_t keys_max;       /* of the next batch. Less than configured on a link that the last one did not pass */
    bool wrote;              /* the batch that was made last held a write */
    uint64_t loss_seen_ms;   /* since when the ledger looks lost or rolled back, or 0 */
    uint64_t asked_ms;       /* when the question went out whose answer comes next */
    uint64_t vouched_ms;     /* likewise of the answer that vouched last */
    uint64_t lineage;        /* of the server that is asked, or 0 when it is not known */
    uint64_t stored_lineage; /* of the server that stored the last batch */
};

/* Begins with what an earlier process left open. Returns 0 or -ENOMEM. */
int chain_init(struct chain *c, const struct chain_config *config);
void chain_fini(struct chain *c);

/* ---- making batches ---- */
/* Makes `batch` of the write that waits, or of what is dirty, if anything is. When the ledger gets old the batch may be
 * empty. Returns 0 or -ENOMEM. */
int chain_make_batch(struct chain *c, uint64_t now_ms);
/* Makes ready what goes next, while the server works on `batch`. */
void chain_prepare(struct chain *c);
/* Puts an empty batch in the place of `batch`. Returns 0, or -ENOMEM when nothing changed. */
int chain_replace(struct chain *c);
/* `batch`, of 4 keys at least, did not pass within the link's deadline, so the next ones are smaller. */
void chain_shrink(struct chain *c);
/* A batch did pass. */
void chain_grow(struct chain *c);

/* ---- what there is to do ---- */
bool chain_has_writes(const struct chain *c);
/* Is there anything to send besides writes? */
bool chain_has_hits(const struct chain *c);
/* Is the ledger so old that it should be written again, though nothing is dirty? */
bool chain_is_old(const struct chain *c, uint64_t now_ms);
/* When the ledger is to be read again though there is nothing to send, if it was read at `looked_ms`. What the server
 * forgets must be heard of while the replay window still has it. UINT64_MAX when it is not to be read again. */
uint64_t chain_look_ms(const struct chain *c, uint64_t looked_ms);
/* Is the fate of every copy known, so that what the server holds now fits the baselines? */
bool chain_is_sure(const struct chain *c);

/* ---- what is heard ---- */
/* The batch was executed, and knows what EXEC said of it. `ledger_set` is false when all but the ledger was written.
 * Returns `ledger_set`. */
bool chain_answered(struct chain *c, bool ledger_set);
/* The ledger is asked for, of a server whose data are of that lineage (redis/greeting.h). An answer may have waited
 * long, but what it says is no older than this. */
void chain_ask(struct chain *c, uint64_t lineage);
/* The ledger was read. `server` is NULL when there is no ledger key. */
enum chain_news chain_reconcile(struct chain *c, const struct ledger *server);
/* Likewise, but the key holds no ledger. */
enum chain_news chain_reconcile_nonsense(struct chain *c);
/* Makes a transaction that changes nothing, and that a server refuses if it would refuse a batch. It sets the ledger,
 * if there is one, to what it holds. Returns NULL without memory. Only after CHAIN_ASKS. */
struct batch *chain_probe(struct chain *c);
/* The probe was executed. */
void chain_probed(struct chain *c);
/* Another node than the one that has the ledger, asked then, says that this is where it belongs. */
void chain_vouch(struct chain *c, uint64_t asked_ms);
/* The connection has ended, and the next one may lead to a server that takes no writes. */
void chain_unlink(struct chain *c);
/* The next question goes to another node than the one where the ledger was seen. */
void chain_leave(struct chain *c);
/* Keys are about to be forgotten, so nothing may say any more in which cells a stored batch was. */
void chain_cover(struct chain *c);
