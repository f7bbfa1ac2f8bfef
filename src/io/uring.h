#pragma once
/* The io_uring engine's own state. It is private to uring*.c, the only files that know liburing.
 *
 * Thread: the engine's. */

#include <liburing.h>
#include <netinet/in.h>

#include "io/engine_ops.h"

#define URING_BUFFER_GROUP 0

enum {
    SLOT_OPEN = 1,
    SLOT_RECV_ARMED = 2,
    SLOT_RECV_PAUSED = 4,
    SLOT_RECV_ENDED = 8,
    SLOT_CLOSING = 16,
    SLOT_REARM = 32 /* in `rearm` */
};

struct slot {
    const char *send_data; /* borrowed from the connection until sent() */
    uint32_t send_bytes;
    uint32_t generation; /* of the connection that is there, or of the next. Tags hold 24 bits of it */
    int fd;              /* an ordinary one is owned, a direct one is the slot's own number */
    uint8_t flags;
    uint8_t in_flight; /* send and shutdown that have not completed */
};

enum op { OP_ACCEPT = 1, OP_RECV, OP_SEND, OP_SHUTDOWN, OP_CANCEL_OR_CLOSE, OP_WAKE, OP_PEER };

enum accept_state { ACCEPT_ARMED, ACCEPT_PAUSED, ACCEPT_STOPPING, ACCEPT_ENDED };

struct uring {
    struct engine base;
    struct io_uring ring;
    struct io_uring_buf_ring *buf_ring;
    char *buffers;      /* recv_buffers × recv_buffer_bytes, owned */
    struct slot *slots; /* conns_max, owned */
    bool direct;        /* descriptors live in the ring only (uring_open.c) */
    uint32_t recv_max;  /* bytes after which a multishot receive ends. 0 when the kernel knows no such limit */
    uint32_t *rearm;    /* slots whose receive has ended in this batch and may be armed again, owned */
    uint32_t rearm_count;
    uint32_t *closing; /* slots to close at the end of this batch, without waiting for anything of theirs, owned */
    uint32_t closing_count;
    uint32_t *vacant; /* slots not in use, owned. The kernel itself gives out direct ones */
    uint32_t vacant_count;
    uint32_t open;              /* slots in use */
    struct sockaddr_in6 *peers; /* owned, by slot. The kernel writes who is there. NULL once it cannot */
    uint32_t peer_bytes;        /* of such an address. The kernel wants to hear its very size */
    unsigned buffers_back;      /* returned in this batch, not yet published to the kernel */
    enum accept_state accept;
    bool accept_in_flight; /* the multishot accept has not ended */
    uint64_t wake_value;
};

static inline struct uring *uring_of(struct engine *e) { return (struct uring *)e; }

/* Makes the ring, its buffers and the tables that uring_run() needs. Returns 0, or -errno with the remedy. */
int uring_create(struct engine **out, const struct engine_config *config, int wake_fd, struct error *err);
void uring_destroy(struct engine *e);
/* Sets `recv_max`, by trying it on the enabled ring. */
void uring_probe_recv_max(struct uring *u);
/* Limits the ring to what the engine needs, and to this thread. Returns 0 or -errno. */
int uring_limit(struct uring *u);
/* Gives a receive buffer back. The kernel sees it after uring_buffers_publish(). */
void uring_buffer_return(struct uring *u, unsigned id);
void uring_buffers_publish(struct uring *u);

/* ---- tags of operation, generation and slot ---- */

static inline uint64_t tag_make(enum op op, uint32_t generation, uint32_t slot)
{
    return (uint64_t)op << 56 | (uint64_t)(generation & 0xffffff) << 32 | slot;
}
static inline enum op tag_op(uint64_t tag) { return (enum op)(tag >> 56); }
static inline uint32_t tag_generation(uint64_t tag) { return tag >> 32 & 0xffffff; }
static inline uint32_t tag_slot(uint64_t tag) { return (uint32_t)tag; }

static inline uint64_t slot_tag(const struct uring *u, enum op op, uint32_t slot)
{
    return tag_make(op, u->slots[slot].generation, slot);
}

/* ---- what is asked of the kernel (uring_sqe.c) ---- */
void uring_recv_arm(struct uring *u, uint32_t slot);
void uring_send_arm(struct uring *u, uint32_t slot);
/* Asks who is at the other end of a direct descriptor, which no system call can name. */
void uring_peer_arm(struct uring *u, uint32_t slot);
void uring_shutdown_arm(struct uring *u, uint32_t slot);
/* Closes, and says nothing when that succeeds. */
void uring_close_arm(struct uring *u, uint32_t slot);
/* Arms a multishot accept, or a single one where a multishot could take more than there is room for. */
void uring_accept_arm(struct uring *u, bool multishot);
void uring_wake_arm(struct uring *u);
void uring_cancel(struct uring *u, uint64_t tag);

/* ---- accepting (uring_accept.c) ---- */
void uring_accept_begin(struct uring *u);
void uring_accept_completed(struct uring *u, const struct io_uring_cqe *cqe);
/* A slot may be free again, or descriptors. */
void uring_accept_retry(struct uring *u);
void uring_accept_stop(struct engine *e);
