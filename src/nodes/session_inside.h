#pragma once
/* The machine of a connection to a node, which session.c and session_reads.c share.
 *
 * Thread: the flusher's. */

#include "ledger/partition.h"
#include "nodes/session.h"

/*             link ready         work          WATCH, GET, MULTI answered
 *     DOWN ─────────────► UNARMED ─────► ARMING ─────────────────────────► ARMED
 *      ▲                   ▲   ▲          │ ▲ ▲   DISCARD · reads · arm     │ │ │
 *      │                   │   └──────────┘ │ └─────────────────────────────┘ │ │
 *      │ link down         │    refused     │ EXEC answered           a batch │ │
 *      │ (from any)        │                └────────────────── SENT ◄────────┘ │
 *      └───                └──────────────────────────────────────────────────── ┘
 *                                        the armed partition leaves the node          */
enum session_state {
    SESSION_DOWN,
    SESSION_UNARMED,
    SESSION_ARMING,
    SESSION_ARMED,
    SESSION_SENT,
    SESSION_STATES,
};

/* What a reply is the answer to. */
struct session_step {
    struct session *session;
    enum partition_step what;
};

struct member {
    struct session *session;
    struct partition *partition;
};

struct session {
    struct session_config config;
    enum session_state state;
    struct partition *turn; /* armed, being armed, or the last that was. NULL before the first */
    struct partition *sent; /* whose batch is under way, or NULL */
    struct batch *batch;    /* the one under way, or the last that was */
    struct session_step steps[STEPS];
    bool multi_open;
    struct refused refused_read, refused_discard;
    struct buf out;
    uint32_t members_count;
    struct member members[]; /* a member keeps its place while replies for it are due */
};

/* Returns the place of a member, or members_count. */
uint32_t session_find(const struct session *s, const struct partition *p);

/* Appends the reads that may go along. `sure` may read whatever it says of itself, because it reads behind its EXEC.
 * It may be NULL. */
void session_append_reads(struct session *s, const struct partition *sure);
bool session_may_read(const struct session *s); /* Is there any? */
