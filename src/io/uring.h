#pragma once
/* The io_uring engine's own state; private to uring.c and uring_open.c, the only files with liburing.
 *
 * Thread: the engine's. */

#include <liburing.h>

#include "io/engine_ops.h"

#define URING_BUFFER_GROUP 0

enum {
    SLOT_OPEN = 1,
    SLOT_RECV_ARMED = 2,
    SLOT_RECV_PAUSED = 4,
    SLOT_RECV_ENDED = 8,
    SLOT_CLOSING = 16,
    SLOT_STARVED = 32
};

struct slot {
    const char *send_data; /* borrowed from the connection until sent() */
    uint32_t send_bytes;
    uint32_t generation; /* 24 bits count in the tags */
    uint8_t flags;
    uint8_t in_flight; /* send, shutdown and close that have not completed */
};

enum accept_state { ACCEPT_ARMED, ACCEPT_PAUSED, ACCEPT_STOPPING, ACCEPT_ENDED };

struct uring {
    struct engine base;
    struct io_uring ring;
    struct io_uring_buf_ring *buf_ring;
    char *buffers;      /* recv_buffers × recv_buffer_bytes, owned */
    struct slot *slots; /* conns_max, owned */
    uint32_t *starved;  /* slots whose receive found no buffer in this batch, owned */
    uint32_t starved_count;
    uint32_t open;         /* slots in use */
    unsigned buffers_back; /* returned in this batch, not yet published to the kernel */
    enum accept_state accept;
    bool accept_in_flight; /* the multishot accept has not ended */
    uint64_t wake_value;
};

static inline struct uring *uring_of(struct engine *e) { return (struct uring *)e; }

/* Everything that uring_run() needs: ring, buffers, tables. 0 or -errno with the remedy. */
int uring_create(struct engine **out, const struct engine_config *config, int wake_fd, struct error *err);
void uring_destroy(struct engine *e);
/* Gives a receive buffer back; the kernel sees it after uring_buffers_publish(). */
void uring_buffer_return(struct uring *u, unsigned id);
void uring_buffers_publish(struct uring *u);
