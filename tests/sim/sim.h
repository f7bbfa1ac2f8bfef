#pragma once
/* One seed: a server or a cluster of them, a network, one or two processes with the production flush core, faults, and
 * what must hold.
 *
 * Thread: one. Everything that happens follows from the seed; one event a step, what must hold is checked after each.
 *   world.c     the processes: their clock, chance, log, hits and reads; what they may see of the rest
 *   faults.c    what befalls them, at rates that each seed draws for itself
 *   oracle.c    who added what to which key, and the laws
 *   farewell.c  those that end in order
 *   sim.c       the order of events: trouble, healing, draining, the last of the zombies */

#include <inttypes.h>
#include <stdio.h>

#include "flush/core.h"
#include "recovery/recovery.h"
#include "redis/access.h"
#include "sim/cluster.h"
#include "sim/net.h"
#include "support/state_memory.h"

#define SIM_KEYS_MAX 24
#define SIM_TALLY_KEYS_MAX 64
#define SIM_LIVES_MAX 12
#define SIM_PROCESSES_MAX 2
#define SIM_BATCHES_MAX 1024
#define SIM_READS_MAX 8
#define SIM_WORKERS_MAX 3
#define SIM_WRITES_MAX 64
#define SIM_COPIES_MAX 3
#define SIM_MARKS_MAX 512
#define NEWS_US 25000000      /* who has nothing to send hears by then that the server forgot */
#define BELIEF_US 25000000    /* and in a cluster believes it by then, though nobody else says so */
#define SIM_NAME_BYTES_MAX 24 /* of a key on the server */

/* How often what a seed is for was met, so that a run without violations is seen to have tried something. */
#define SIM_MET(X)                                                                                                     \
    X(batches, "batches")                                                                                              \
    X(retried, "sent again")                                                                                           \
    X(unseen, "found applied")                                                                                         \
    X(refused_by_watch, "copies refused by the WATCH")                                                                 \
    X(late, "transactions that arrived late")                                                                          \
    X(poisoned, "keys refused")                                                                                        \
    X(rollbacks, "rollbacks noticed")                                                                                  \
    X(missing, "ledgers missed")                                                                                       \
    X(renamed, "identities changed")                                                                                   \
    X(crashes, "processes killed")                                                                                     \
    X(reconnects, "connections lost")                                                                                  \
    X(moves, "slots moved")                                                                                            \
    X(takeovers, "masters replaced")                                                                                   \
    X(flaps, "names led to another copy")                                                                              \
    X(copies, "copies made of the store")                                                                              \
    X(found, "batches found on another copy")                                                                          \
    X(killed_in_moves, "processes killed inside a move")                                                               \
    X(heirs, "lives that went on from another")                                                                        \
    X(writes, "PUT and DELETE done")                                                                                   \
    X(replaced, "refused hits replaced by them")                                                                       \
    X(clones, "twins with equal randomness")                                                                           \
    X(live_copies, "live states copied")                                                                               \
    X(forgotten, "keys forgotten")                                                                                     \
    X(farewells, "processes that ended in order")

struct sim_met {
#define SIM_MET_FIELD(name, text) uint64_t name;
    SIM_MET(SIM_MET_FIELD)
#undef SIM_MET_FIELD
};

/* When how many hits were accepted. */
struct mark {
    uint64_t us, accepted;
};

/* One run of one process: what it accepted, and what the server did for it. A life ends with its process, but its
 * bytes may still arrive. */
struct life {
    uint64_t accepted[SIM_KEYS_MAX];
    uint64_t applied[SIM_KEYS_MAX];
    uint64_t excused[SIM_KEYS_MAX]; /* refused inside an EXEC whose answer was lost: may be taken as stored (chain.h) */
    uint64_t
        destroyed[SIM_KEYS_MAX]; /* of what was in flight when the key was overwritten: may be added again (chain.h) */
    uint64_t forgotten[SIM_KEYS_MAX];              /* by the server */
    uint64_t copies[SIM_COPIES_MAX][SIM_KEYS_MAX]; /* applied, by copy of the server */
    int64_t totals[SIM_COPIES_MAX];                /* of the namespace, likewise */
    int64_t total_excused, total_told;             /* of what was refused of it, as for keys */
    uint32_t refusals[SIM_KEYS_MAX];               /* that it was told of */
    uint32_t after_moves[SIM_KEYS_MAX];            /* of those, the first ones after a move */
    uint64_t moves_seen[SIM_KEYS_MAX];             /* how many moves there had been at the last one */
    uint64_t accepted_sum, applied_sum, excused_sum, destroyed_sum, forgotten_sum;
    uint64_t told[SIM_KEYS_MAX]; /* hits refused with its knowledge */
    uint64_t said;               /* hits that earlier processes of it counted as lost or unproved */
    bool said_at_least;          /* or said to be more than they could tell */
    bool gave_up;                /* what was pending, as a store may have it, and said so */
    uint64_t born_us;
    bool dead;
    bool reborn; /* went on after a kill -9, on its state file; its books begin anew */
    struct mark marks[SIM_MARKS_MAX];
    uint32_t marks_count;
};

struct process {
    struct sim *sim;
    bool alive;
    uint32_t life;
    uint32_t workers;
    uint64_t tick_us;    /* when the flusher runs next */
    uint64_t restart_us; /* when dead */
    uint32_t idle_ticks; /* in a row, each asking to be called at once */
    struct env env;
    struct redis_access redis;
    struct flush_options options; /* points to `redis`, `instance` and `state` */
    char instance[UUID_TEXT_BYTES];
    struct tally *tally;
    struct books books;
    struct flusher_stats stats;
    struct core *core;
    struct net_door door;
    struct transport transport;  /* of `env` */
    struct state_file *state;    /* NULL: none */
    struct memory_disk disks[2]; /* of this process and of the next */
    uint32_t disk;
    uint64_t
        answer_us[SIM_WORKERS_MAX]; /* when a worker looks at what the flusher wants of it; NET_NEVER: it need not */
    struct chance memory;           /* what a clone has in common with its twin: the chance of its start */
    bool newborn;
    bool parting, parted; /* it is to end in order, and its ledgers are deleted */
    bool frozen;          /* killed in the middle of something: what the file held then is what counts */
    uint64_t frozen_said; /* hits that it had counted as lost or unproved by then */
    uint64_t logged;      /* hits that its alarms called lost or unproved: before the books, and these die with it */
    uint32_t reads;       /* under way */
    int64_t told[SIM_KEYS_MAX];
};

/* A PUT or DELETE. */
struct sim_write {
    uint32_t life, key;
    bool set;
    bool refused, done; /* what its asker was told */
    uint32_t executed;  /* so often, by any copy */
    uint64_t owed;      /* hits that were answered before */
};

/* What one server's watcher knows. */
struct oracle_view {
    struct sim *sim;
    uint32_t copy;
};

/* A batch as it was seen on the wire. */
struct seen_batch {
    uint64_t key_hash, seq_nonce_hash, bytes_hash;
    uint32_t executed;     /* so often: by several copies */
    uint32_t refused_keys; /* a bit each, and one for the total: by any of them */
};

struct rates {
    uint32_t keys, processes, steps;
    uint32_t partitions; /* of a cluster; 0: a single server */
    uint32_t flush_interval_ms, batch_keys_max;
    uint32_t flush_interval_max_ms; /* of keys with few hits; 0: as all others */
    uint64_t hit_gap_us, fault_gap_us;
    uint32_t hits_max;
    bool tops; /* the highest keys are kept */
    bool reads, twins, password, poison;
    bool refuses; /* a key, or one command of a transaction, may be refused */
    bool writes;
    bool clones;     /* the twins draw the same at their start */
    bool live_copy;  /* the second process starts on a copy of the first one's state file */
    uint32_t copies; /* of a single server, behind one name */
    bool calm;       /* nothing befalls it but kill -9 */
    bool state;
    uint32_t dies_in_steps;   /* at one in so many of its journal; 0: never there */
    uint32_t farewell_one_in; /* ends in order at one hit in so many; 0: never */
    uint32_t replay_window_ms;
    uint32_t key_idle_ms; /* 0: nothing is forgotten */
    enum ledger_loss on_ledger_loss;
    uint32_t faults[32]; /* weights, by enum fault */
    uint32_t faults_sum;
};

struct sim {
    uint64_t seed;
    struct chance chance;
    struct chance aside; /* of what was added later, so that what each seed drew before stays */
    struct chance farewells;
    uint64_t now_us;
    uint64_t steps;
    struct rates rates;
    struct model models[NET_NODES_MAX];
    struct net net;
    struct cluster cluster;
    struct keyspace space;
    char names[SIM_KEYS_MAX][SIM_NAME_BYTES_MAX]; /* on the server */
    uint8_t units[SIM_KEYS_MAX];
    struct life lives[SIM_LIVES_MAX];
    uint32_t lives_count;
    struct process processes[SIM_PROCESSES_MAX];
    struct model_client outsider; /* other programs that use the same server */
    struct buf outsider_answers;
    uint64_t hit_us, fault_us;
    bool healing;
    uint64_t healed_us;
    bool crashed, touched;
    bool ending;     /* all is drained, and whoever ends in order does */
    uint32_t secret; /* which of the passwords the processes know */
    struct seen_batch batches[SIM_BATCHES_MAX];
    uint32_t batches_count;
    struct seen_batch *executing; /* NULL: none of these */
    struct sim_write writes[SIM_WRITES_MAX];
    uint32_t writes_count;
    struct oracle_view views[NET_NODES_MAX];
    struct sim_met met;
    FILE *trace; /* NULL: none */
    bool failed;
    char failure[400];
};

/* When all that was counted is sent, at the latest. */
static inline uint64_t sim_flush_ms(const struct sim *s)
{
    return s->rates.flush_interval_ms + s->rates.flush_interval_max_ms;
}

/* ---- sim.c ---- */
/* false: a law was broken, sim->failure says which. `sim` keeps its memory for the next seed. */
bool sim_run(struct sim *s, uint64_t seed, FILE *trace);
void sim_step(struct sim *s);
void sim_fini(struct sim *s);
void sim_fail(struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_note(void *ctx, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- world.c ---- */
void world_begin(struct sim *s);
void world_end(struct sim *s);
void process_start(struct process *p);
void process_crash(struct process *p);
void process_tick(struct process *p);
void process_hit(struct process *p, uint32_t key, uint64_t hits);
struct flusher_books process_books(const struct process *p);
/* Hits that it has counted as lost or unproved so far. */
uint64_t process_said(const struct process *p);
struct tally_value process_look(const struct process *p, uint32_t key);
struct life *process_life(const struct process *p);
bool process_is_drained(const struct process *p);
/* The name of a key as the server has it. */
struct slice world_redis_key(const struct sim *s, uint32_t key);
/* The reverse: SIM_KEYS_MAX for others. */
uint32_t world_key_of(struct slice redis_key);
/* The server that has the key. */
struct model *world_model(struct sim *s, uint32_t key);
/* May what was acknowledged of this key have been forgotten? */
bool world_forgot(const struct sim *s, uint32_t key);
/* Another program sends one command to the server that has the key. */
void world_outsider(struct sim *s, uint32_t key, uint32_t count, const struct slice args[]);

/* The process does something soon. */
void world_heard(void *ctx, uint32_t owner);

/* ---- reads.c ---- */
void process_read(struct process *p);
void process_answered(void *ctx, struct question *question);

/* ---- says.c ---- */
void process_log(void *ctx, enum log_level level, const char *event, const struct log_field *fields);

/* ---- copies.c ---- */
void copies_lead(struct sim *s); /* the name leads to another one */
void copies_sync(struct sim *s); /* another one becomes what this one is, or was a moment ago */
void copies_heal(struct sim *s);
void copies_applied(struct sim *s, uint32_t copy, struct life *l, uint32_t key, int64_t delta);
uint64_t copies_most_applied(const struct life *l);
bool copies_refused_info(const struct sim *s); /* once at least */

/* ---- writes.c ---- */
void process_write(struct process *p);
uint32_t writes_of(const struct sim *s, uint32_t life, uint32_t key); /* so many were asked for */
void process_wrote(struct process *p, struct question *question);     /* it is answered */
int64_t oracle_written(void *ctx, uint32_t tag, struct slice redis_key, const int64_t *value);

/* ---- totals.c ---- */
bool totals_has(struct slice redis_key); /* is that the key of one? */
void totals_excuse_divided(const struct sim *s, struct life *l, int64_t delta);
void totals_told(struct life *l, int64_t delta, bool told);
/* false: that key is no total. */
bool totals_added(struct sim *s, uint32_t copy, uint32_t tag, struct slice redis_key, int64_t delta);
void totals_check(struct sim *s, uint32_t life);
void totals_check_end(struct sim *s, const struct process *p); /* when all is drained */

/* ---- tops.c ---- */
#define SIM_TOPS_KEPT 4
void tops_draw(struct sim *s);
bool tops_are_offered(const struct process *p);
void tops_check_end(struct sim *s, const struct process *p); /* when all is drained */

/* ---- forgetting.c ---- */
void forgetting_draw(struct sim *s);
void rests_draw(struct sim *s);
void process_wake(void *ctx, uint32_t worker); /* it has something to answer */
/* The worker whose turn it is answers the flusher. */
void process_answer(struct process *p);
uint64_t process_answer_us(const struct process *p);
void process_asks_nothing(struct process *p);
void check_places(struct sim *s, const struct process *p); /* when all is drained */

/* ---- farewell.c ---- */
void farewell_draw(struct sim *s);
void farewell_maybe(struct process *p); /* at a hit */
bool farewell_said(struct process *p);  /* after a tick: it is over */
void farewell_all(struct sim *s);       /* when all is drained */
void farewell_check(struct sim *s);     /* nothing is left of it */

/* ---- revival.c ---- */
/* The first process's state directory is copied while it runs, and the second one starts on the copy. */
void process_start_on_copy(struct process *p, const struct process *of);
void process_recover(struct process *p);
void process_step(void *ctx, enum env_step step);
void process_die(struct process *p);  /* what the state file holds now is what the next process finds */
void process_bury(struct process *p); /* when its core and tally are gone */

/* ---- faults.c ---- */
void faults_draw(struct sim *s);
void faults_one(struct sim *s);
void faults_heal(struct sim *s);

/* ---- oracle.c ---- */
struct model_watcher oracle_watcher(struct oracle_view *view);
void oracle_told(void *ctx, uint32_t owner, const struct net_refusal *r, bool told);
void oracle_check(struct sim *s);                                /* after every step */
void oracle_check_crash(struct sim *s, const struct process *p); /* when it has just been killed */
void oracle_check_end(struct sim *s);                            /* when all is drained */

/* ---- memory.c ---- */
/* Does the kernel of this seed have membarrier(2)? */
void memory_set_fenced(bool has_membarrier);
