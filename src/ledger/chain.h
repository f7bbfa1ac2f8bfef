#pragma once
/* The chain of batches that one identity writes, one at a time, each counted by the ledger (DESIGN 4.2).
 *
 * Thread: the flusher's. Knows nothing of connections: the partition sends, the chain keeps the accounts.
 * Happy path: chain_make_batch(), of what chain_prepare() has made meanwhile; the batch is sent (batch->copies says how
 * often without a known fate); the EXEC array comes: chain_answered(). After anything else the server's ledger decides:
 * chain_reconcile(). Failure modes:
 *   - a key that may not be touched: chain_replace() puts an empty batch of the same seq in the batch's place; once it
 *     is applied no copy of the old bytes can be, and its keys go back;
 *   - the ledger is that of another batch of ours, as another copy of the store answers: ledger/moves.h goes there;
 *     missing: the on-ledger-loss policy; foreign: a new identity. Each raises an alarm, and waits until the server
 *     has shown that it takes writes (CHAIN_ASKS): a replica, or a master without its replicas, is no copy to go to;
 *   - the answer to an EXEC is lost: the ledger says that the batch was applied, but not whether single keys were
 *     refused inside it. So its keys are looked at before it is resolved (chain->proved). What INCRBY was applied to
 *     is an integer until another program overwrites it, and then our hits are gone with what was overwritten: the
 *     hits of a key that is something else now are kept for later, and no key ever holds too much.
 *
 * One more limit, of several copies of the store: a batch whose answer was lost is sent again, and then to another
 * copy. Where one of the two refuses a key and the other does not, the same ledger means two things, and the hits of
 * that key may be stored twice on the one or be missing on the other.
 *
 * Known limits of that look, all for a lost answer and another program that writes to the key between EXEC and look:
 * put right (deleted), a refused key counts as stored; changed by INCRBYFLOAT or APPEND, it holds our hits and gets
 * them again once it is an integer. And without any other program: a key refused for overflow counts as stored, as a
 * number near the limit does not tell whether ours is in it, and so does an empty string, which looks like no key. No
 * answer to a read could do better; to write the outcome into the transaction would take a second write a key in every
 * flush. */

#include <stdbool.h>
#include <stdint.h>

#include "ledger/history.h"

struct chain_config {
    struct history_config history;
    /* How long the ledger must look lost or rolled back before it is believed: when chain_vouch() was called since it
     * does, and when it was not. */
    uint32_t loss_vouched_ms, loss_alone_ms;
};

enum chain_news {
    CHAIN_UNCHANGED,
    CHAIN_RESOLVED, /* the batch, or the one it replaces, was applied */
    CHAIN_GIVEN_UP, /* the batch will never be applied; its keys are dirty again */
    CHAIN_RENAMED,  /* likewise, and the ledger key is another one now */
    CHAIN_DOUBTED,  /* the ledger looks lost or rolled back, but for too short a time: look again */
    CHAIN_ASKS,     /* likewise, but nobody knows yet whether the server takes writes: chain_probe(), and look again */
    CHAIN_PROVED,   /* the batch was applied, with or without all its keys: look at them, then at the ledger again */
    CHAIN_HALTED,   /* by the on-ledger-loss policy */
};

#define CHAIN_BATCHES 3

struct chain {
    struct chain_config config;
    struct history history;
    struct batch *batch;    /* unresolved; NULL: none */
    struct batch *replaced; /* what `batch`, an empty one, is to make impossible; NULL: none */
    struct batch *proved;   /* one of these, of which the keys are to be looked at; NULL: none */
    struct batch *next;     /* filled, but without a ledger, so never sent; NULL: none. No key is in two of these */
    struct batch batches[CHAIN_BATCHES];
    struct batch probe;    /* what a server is asked with */
    bool takes_writes;     /* the server that was asked, when its ledger was that of `probe` */
    uint32_t keys_max;     /* of the next batch; less than configured on a link that the last one did not pass */
    bool wrote;            /* the batch that was made last held a write */
    uint64_t loss_seen_ms; /* since when it looks lost or rolled back; 0: it does not */
    uint64_t asked_ms;     /* when the question went out of which the answer comes next; likewise the vouching one */
    uint64_t vouched_ms;
    uint64_t lineage;        /* of the server that is asked; 0: not known */
    uint64_t stored_lineage; /* of the one that stored the last batch */
};

/* With what an earlier process left open. 0 or -ENOMEM. */
int chain_init(struct chain *c, const struct chain_config *config);
void chain_fini(struct chain *c);
/* Make `batch` of the write that waits, or of what is dirty, if anything is, or an empty one when the ledger gets old.
 * 0 or -ENOMEM. */
int chain_make_batch(struct chain *c, uint64_t now_ms);
/* While the server works on `batch`: make ready what goes next. */
void chain_prepare(struct chain *c);
bool chain_has_writes(const struct chain *c);
/* Is there anything to send besides writes? */
bool chain_has_hits(const struct chain *c);
/* Is the ledger old, so that it should be written again though nothing is dirty? */
bool chain_is_old(const struct chain *c, uint64_t now_ms);
/* When the ledger is to be read again though there is nothing to send, if it was read at `looked_ms`: what the server
 * forgets must be heard of while the replay window still has it. UINT64_MAX: not at all. */
uint64_t chain_look_ms(const struct chain *c, uint64_t looked_ms);
/* The batch under way, of 4 keys at least, did not pass within the link's deadline; or a batch did. */
void chain_shrink(struct chain *c);
void chain_grow(struct chain *c);
int chain_replace(struct chain *c); /* 0 or -ENOMEM: nothing changed */
/* The batch was executed, and knows what EXEC said of it. `ledger_set` is false when all but the ledger was written,
 * and is returned. */
bool chain_answered(struct chain *c, bool ledger_set);
/* Keys are about to be forgotten: nothing may say any more in which cells a batch was that is stored. */
void chain_cover(struct chain *c);
/* The ledger is asked for, of a server whose data are of that lineage (redis/greeting.h). An answer may have waited
 * long: what it says is no older than this. */
void chain_ask(struct chain *c, uint64_t lineage);
/* `server` NULL: there is no ledger key. */
enum chain_news chain_reconcile(struct chain *c, const struct ledger *server);
/* A transaction that changes nothing and that a server refuses if it would refuse a batch: the ledger, if there is one,
 * is set to what it holds. NULL: no memory. Only after CHAIN_ASKS. */
struct batch *chain_probe(struct chain *c);
/* It was executed. */
void chain_probed(struct chain *c);
/* The key is there and holds no ledger. */
enum chain_news chain_reconcile_nonsense(struct chain *c);
/* Another node than the one that has the ledger, asked then, says that this is where it belongs. */
void chain_vouch(struct chain *c, uint64_t asked_ms);
/* The connection has ended: the next one may lead to a server that takes no writes. */
void chain_unlink(struct chain *c);
/* What was seen of the ledger was seen on another node than the one that is asked from now on. */
void chain_leave(struct chain *c);
/* The fate of every copy is known, so what the server holds now fits the baselines. */
bool chain_is_sure(const struct chain *c);
