#pragma once
/* A process with a state file and a store that is a model: names, their sums, and one ledger. No network, no thread:
 * batches are made, sent, answered and reconciled by calls. */

#include <string.h>

#include "ledger/history.h"
#include "recovery/recovery.h"
#include "redis/access.h"
#include "support/state_memory.h"

#define RUN_NAMES 8
#define RUN_PREFIX "t:"

struct run_model {
    char instance[UUID_TEXT_BYTES]; /* whose ledger the store has */
    struct ledger ledger;
    uint64_t stored[RUN_NAMES];
    uint64_t written[RUN_NAMES]; /* all hits that were ever answered */
};

struct run_config {
    uint32_t workers, keys_max, batch_keys_max;
    bool embedded;
    const char *prefix, *boot_id;
};

struct run_process {
    struct memory_disk disk;
    struct env env;
    struct redis_access access;
    struct flush_options options;
    uint64_t seed;
    struct recovery recovery;
    struct keyspace space;
    struct keys *keys;
    struct books books;
    struct flusher_stats stats;
    struct accounts accounts;
    struct history history;
    struct batch batch, replaced;
    bool open, replaces;
};

struct slice run_name(uint32_t i);
struct recovery_config run_recovery_config(struct run_process *p, const struct run_config *c);
/* On p->disk, which the caller has prepared. 0 or -errno. */
int run_start(struct run_process *p, const struct run_config *c, uint64_t seed, struct error *err);
void run_end(struct run_process *p);
enum tally_result run_hit(struct run_process *p, struct run_model *m, uint32_t worker, uint32_t name, uint64_t n);
/* Make a batch of what is dirty and note it; it may be sent now. false: nothing is dirty. */
bool run_intend(struct run_process *p);
/* The store takes `b`, as EXEC would: only over the ledger that it must find. */
bool run_store(const struct run_process *p, struct run_model *m, const struct batch *b);
void run_answered(struct run_process *p, struct batch *b);
/* Everything that is pending goes to the store. */
void run_drain(struct run_process *p, struct run_model *m);
