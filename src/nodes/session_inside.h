#pragma once
/* The machine of a connection to a node, which session.c and session_reads.c share.
 *
 * Thread: the flusher's. */

#include "ledger/partition.h"
#include "nodes/session.h"

/*             link ready         work          WATCH, GET, MULTI answered
 *     DOWN ─────────────► UNARMED ─────► ARMING ─────────────────────────► ARMED
 *      ▲                   ▲ ▲ ▲          │ ▲ ▲   DISCARD · reads · arm     │ │ │
 *      │                   │ │ └──────────┘ │ └─────────────────────────────┘ │ │
 *      │ link down         │ │  refused     │ EXEC answered, and    a batch   │ │
 *      │ (from any)        │ │              │ an arm follows                  │ │
 *      └───                │ │              └────────────────── SENT ◄────────┘ │
 *                          │ └──────────────────────────────────┘               │
 *                          │       EXEC answered, and nothing follows           │
 *                          └────────────────────────────────────────────────────┘
 *                                        the armed partition leaves the node
 *
 * READING comes before UNARMED where reads or a look at a ledger are due that nothing follows: from UNARMED, from ARMED
 * by DISCARD, and from SENT. */
enum session_state {
    SESSION_DOWN,
    SESSION_UNARMED,
    SESSION_READING,
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
    bool arm_follows;   /* SENT: an arm is on its way behind the batch */
    uint32_t reads_due; /* answers to reads and looks */
    bool parts, parted; /* ledgers are to be deleted, and that is said */
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
/* Is it time to look at a ledger, in no transaction? */
bool session_may_look(const struct session *s, uint64_t now_ms);
/* Appends looks at all ledgers of which it is time. */
void session_append_ledger_looks(struct session *s, uint64_t now_ms);
/* Likewise the deletion of the ledgers that are left behind. */
bool session_has_farewell(const struct session *s);
void session_append_farewell(struct session *s);
/* Only from may_move's table, and into a lawful state. */
void session_move(struct session *s, enum session_state to);
