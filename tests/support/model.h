#pragma once
/* A Redis server without sockets: bytes of commands in, bytes of replies out, byte for byte as redis-server 7.0 says
 * them (sim/check_model.c holds the two side by side). Only what tallyd uses and what may befall it. The simulator and
 * the unit tests (fake_redis.h) have this one.
 *
 * Thread: one.
 * It also keeps its history, a step a transaction or single write, so that it can forget the latest part of it: a
 * restart from an old append-only file, a replica promoted with lag. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

#define MODEL_KEYS_FEW 256 /* for model_init(), of a server that few names are counted on */
#define MODEL_NAME_BYTES_MAX 96
#define MODEL_VALUE_BYTES_MAX 240
#define MODEL_ARGS_MAX 64
#define MODEL_WATCHES_MAX 8
#define MODEL_NO_KEY UINT32_MAX

enum model_type { MODEL_NONE, MODEL_STRING, MODEL_LIST, MODEL_SET };

struct model_value {
    uint8_t type; /* enum model_type */
    uint8_t bytes;
    char text[MODEL_VALUE_BYTES_MAX]; /* of a list: its length; of a set: model_sets.c */
    uint32_t expires_s;               /* 0: never */
};

struct model_key {
    uint8_t name_bytes; /* 0: nothing here */
    char name[MODEL_NAME_BYTES_MAX];
    struct model_value value;
    uint64_t version; /* grows with every touch that a WATCH notices */
};

/* What a server as a whole may refuse for a while. */
enum model_mood {
    MODEL_FINE,
    MODEL_OOM,
    MODEL_MISCONF,
    MODEL_NOREPLICAS,
    MODEL_READONLY,
    MODEL_MASTERDOWN,
    MODEL_LOADING,
    MODEL_BUSY,
    MODEL_MOODS,
};

/* What a node of a cluster thinks of a hash slot. */
struct model_slot {
    const char *owner;     /* "host:port"; NULL: nobody serves it */
    const char *migrating; /* to whom; NULL: it is not */
    bool mine;
};

struct model_cluster {
    void *ctx;
    bool down; /* cluster_state:fail */
    struct model_slot (*slot)(void *ctx, uint16_t slot);
    void (*slots)(void *ctx, struct buf *out); /* the answer to CLUSTER SLOTS */
};

/* Who wants to know what is executed; any may be NULL. `tag` is the client's. */
struct model_watcher {
    void *ctx;
    /* INCRBY or INCR of a key; negative when history is taken back. */
    void (*added)(void *ctx, uint32_t tag, struct slice key, int64_t delta, bool in_exec);
    /* Likewise refused inside a transaction that is executed. */
    void (*refused)(void *ctx, uint32_t tag, struct slice key, int64_t delta);
    /* EXEC of a transaction of which every command was queued, whether or not the WATCH lets it through. */
    void (*exec)(void *ctx, uint32_t tag, struct slice commands, bool refused);
    /* SET (its value; 0 when it is none) or DEL (NULL). Returns what an INCRBY before it had to add and could not. */
    int64_t (*written)(void *ctx, uint32_t tag, struct slice key, const int64_t *value);
    void (*exec_answered)(void *ctx); /* its answer ends where the answers end now */
};

struct model_undo {
    uint32_t key;
    uint32_t tag;
    int64_t delta;
    uint64_t step;
    struct model_value before;
};

struct model {
    struct model_watcher watcher;
    enum model_mood mood;
    bool replica;                 /* what INFO says */
    uint64_t lineage;             /* likewise, its replication id; 0: it does not */
    const char *password;         /* NULL: none asked for */
    const char *denied_command;   /* lower case; NULL: none (the ACL of every user) */
    struct slice denied_key;      /* empty: none */
    struct model_cluster cluster; /* slot NULL: it is none */
    bool deposed;                 /* another node has its place, so what it does now is forgotten already */
    bool info_refused;            /* once at least */
    const char *policy;           /* what INFO says of eviction; NULL: noeviction */
    struct model_key *keys;       /* owned */
    uint32_t keys_max;
    struct model_undo *undo; /* owned */
    uint32_t undo_count, undo_capacity;
    uint32_t undo_floor; /* so much of it cannot be forgotten one by one */
    uint64_t step;
    bool in_exec;
};

struct model_watch {
    uint32_t key;
    uint64_t version;
};

struct model_client {
    uint32_t tag;
    bool authed, multi, aborted;
    bool skip_next, skipping;         /* CLIENT REPLY SKIP */
    unsigned queued_has, queued_lack; /* what any of the queued commands is, and is not (enum trait) */
    uint32_t queued;
    struct buf queue;    /* commands as they came */
    size_t queued_bytes; /* of them, those that Redis keeps */
    struct buf in;
    struct model_watch watches[MODEL_WATCHES_MAX];
    uint32_t watched;
};

struct model_command {
    struct slice args[MODEL_ARGS_MAX];
    uint32_t count;
    struct slice raw;
};

/* Of `keys_max` names, a power of two. A model that was used before begins anew and keeps its memory. */
void model_init(struct model *m, uint32_t keys_max);
void model_fini(struct model *m);

/* ---- model_keys.c ---- */
uint32_t model_find(struct model *m, struct slice name, bool make); /* MODEL_NO_KEY */
bool model_has(struct model *m, struct slice name);
/* Every change goes through here; `delta` and `tag` are for the watcher, should it be taken back. */
void model_write(struct model *m, uint32_t key, const struct model_value *value, uint32_t tag, int64_t delta);
struct model_value model_string(struct slice text);
bool model_parse_integer(struct slice text, int64_t *out);
/* What an INCR or INCRBY adds. false: another command, or no number. */
bool model_delta(const struct model_command *cmd, int64_t *delta);
/* false: not an integer. Of a key that is not there: 0. */
bool model_integer(struct model *m, struct slice name, int64_t *out);
/* Forget the last `steps`; how many there were to forget. */
uint64_t model_roll_back(struct model *m, uint64_t steps);
void model_flushall(struct model *m);
/* `to` becomes a copy, history and all. Who watches a key there sees it change. */
void model_copy(struct model *to, const struct model *from);
/* A key moves, with its history; false: there is none in this slot. */
bool model_migrate(struct model *from, struct model *to, uint16_t slot);

/* ---- model_route.c ---- */
/* Why the keys of a command, or of all that is queued for EXEC, are not for this node of a cluster: an error line
 * without its end, in `out` or constant; NULL: they are. */
const char *model_redirect(struct model *m, const struct model_client *c, const struct model_command *cmd, bool exec,
                           char out[64]);

/* ---- model_commands.c ---- */
void model_execute(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out);

/* ---- model.c ---- */
/* Takes bytes from a client and appends the replies of the commands that are complete. false: they are no commands. */
bool model_feed(struct model *m, struct model_client *c, struct slice bytes, struct buf *out);
bool model_has_key(const struct model_command *cmd);
/* One command from `bytes` at `*at`, which moves behind it. 1, 0: incomplete, -1: no command. */
int model_parse(struct slice bytes, size_t *at, struct model_command *out);
/* As DISCARD does: the transaction and what is watched are forgotten. */
void model_client_discard(struct model_client *c);
void model_client_fini(struct model_client *c);
