/* The io_uring engine.
 *
 * Happy path: a multishot accept fills the table of direct descriptors (the index is the slot), one
 * multishot receive a connection takes buffers from a ring shared with the kernel, one send a connection
 * and batch, and one io_uring_enter(2) a batch submits all of it and waits for the next.
 *
 * Failure modes: a receive that finds no buffer (ENOBUFS), or has brought ENGINE_RECV_MAX bytes, is armed again after
 * the batch, which has returned its buffers and knows who is paused; an accept that finds no room is armed again on
 * the next close or tick, never at once (ENFILE, EMFILE); completions that outlive their connection are told by their
 * generation and dropped, their buffer returned. A pending receive holds the file and so the FIN: it is cancelled in
 * the same submission that closes, and its last word is one of those. Linux (6.18 still, one time in some thousands)
 * says nothing of a reset that comes on the heels of bytes to a multishot receive
 * (github.com/axboe/liburing/issues/1549 is its like): whoever uses the engine gives every connection a deadline; a
 * send to such a peer fails at once. */

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/probes.h"
#include "io/poison.h"
#include "io/uring.h"
#include "sync/atomic.h"

/* A longer wait pays when completions come in crowds: wait for BATCH_FULL of them, but only while the last batch was
 * that many: a lone request is never held back, nor a dozen clients in step, of whom so many can never come. */
#define BATCH_FULL 32
/* No more than these before answers go out: whoever floods must not hold up the others' answers for long. */
#define BATCH_MAX 256

/* ---- the interface's calls ---- */

static void uring_send(struct engine *e, uint32_t slot, const void *data, size_t bytes)
{
    struct uring *u = uring_of(e);
    struct slot *s = &u->slots[slot];
    assert((s->flags & (SLOT_OPEN | SLOT_CLOSING)) == SLOT_OPEN && !s->send_data && bytes > 0 && bytes <= INT_MAX);
    s->send_data = data;
    s->send_bytes = (uint32_t)bytes;
    uring_send_arm(u, slot);
}

static void uring_recv_pause(struct engine *e, uint32_t slot)
{
    struct uring *u = uring_of(e);
    struct slot *s = &u->slots[slot];
    if (s->flags & SLOT_RECV_PAUSED)
        return;
    s->flags |= SLOT_RECV_PAUSED;
    if (s->flags & SLOT_RECV_ARMED)
        uring_cancel(u, slot_tag(u, OP_RECV, slot));
}

static void uring_recv_resume(struct engine *e, uint32_t slot)
{
    struct uring *u = uring_of(e);
    struct slot *s = &u->slots[slot];
    s->flags &= (uint8_t)~SLOT_RECV_PAUSED;
    if (!(s->flags & (SLOT_RECV_ARMED | SLOT_RECV_ENDED | SLOT_CLOSING | SLOT_REARM)))
        uring_recv_arm(u, slot); /* else: armed again when the cancelled one has ended */
}

static void uring_shutdown(struct engine *e, uint32_t slot) { uring_shutdown_arm(uring_of(e), slot); }

/* A send keeps its bytes until it completes; nothing else has to be waited for. */
static void close_when_quiet(struct uring *u, uint32_t slot)
{
    struct slot *s = &u->slots[slot];
    if (s->flags & SLOT_CLOSING && s->in_flight == 0)
        u->closing[u->closing_count++] = slot;
}

static void uring_close(struct engine *e, uint32_t slot)
{
    struct uring *u = uring_of(e);
    struct slot *s = &u->slots[slot];
    if (s->flags & SLOT_CLOSING)
        return;
    s->flags |= SLOT_CLOSING;
    if (s->send_data)
        uring_cancel(u, slot_tag(u, OP_SEND, slot));
    close_when_quiet(u, slot);
}

static void uring_peer_ask(struct engine *e, uint32_t slot)
{
    struct uring *u = uring_of(e);
    if (u->peers && !(u->slots[slot].flags & SLOT_CLOSING))
        uring_peer_arm(u, slot);
}

static int uring_descriptor(const struct engine *e, uint32_t slot) { return ((const struct uring *)e)->slots[slot].fd; }

/* ---- completions ---- */

static void recv_ended(struct uring *u, uint32_t slot, int res)
{
    struct slot *s = &u->slots[slot];
    s->flags &= (uint8_t)~SLOT_RECV_ARMED;
    if (s->flags & SLOT_CLOSING)
        return;
    if (res == 0 || (res < 0 && res != -ECANCELED && res != -ENOBUFS)) {
        s->flags |= SLOT_RECV_ENDED;
        if (res < 0)
            u->base.events->failed(u->base.ctx, slot, res);
        return;
    }
    s->flags |= SLOT_REARM;
    u->rearm[u->rearm_count++] = slot;
    stat_add(&u->base.stats.recv_no_buffers, res == -ENOBUFS);
}

static void on_recv(struct uring *u, const struct io_uring_cqe *cqe, uint32_t slot)
{
    struct slot *s = &u->slots[slot];
    bool has_buffer = cqe->flags & IORING_CQE_F_BUFFER;
    unsigned id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
    int res = cqe->res;
    uint32_t flags = cqe->flags;
    if (res >= 0 && !(s->flags & SLOT_CLOSING)) {
        char *data = u->buffers + (size_t)id * u->base.config.recv_buffer_bytes;
        if (res > 0)
            unpoison(data, (size_t)res);
        u->base.events->received(u->base.ctx, slot, res > 0 ? data : NULL, (size_t)res);
    }
    if (has_buffer)
        uring_buffer_return(u, id);
    if (!(flags & IORING_CQE_F_MORE))
        recv_ended(u, slot, res);
}

static void on_send(struct uring *u, int res, uint32_t slot)
{
    struct slot *s = &u->slots[slot];
    s->in_flight--;
    /* MSG_WAITALL finishes partial sends itself; an interruption may still cut one short. */
    if (res > 0 && (uint32_t)res < s->send_bytes && !(s->flags & SLOT_CLOSING)) {
        s->send_data += res;
        s->send_bytes -= (uint32_t)res;
        uring_send_arm(u, slot);
        return;
    }
    s->send_data = NULL;
    if (s->flags & SLOT_CLOSING)
        close_when_quiet(u, slot);
    else
        u->base.events->sent(u->base.ctx, slot, res < 0 ? res : 0);
}

/* Before Linux 6.7 there is no such question, and none is asked again. One that has gone is ENOTCONN. */
static void on_peer(struct uring *u, int res, uint32_t slot)
{
    struct sockaddr_storage peer = {0};
    if (res == -EOPNOTSUPP) {
        free(u->peers);
        u->peers = NULL;
    }
    if (res < 0 || !u->peers || u->slots[slot].flags & SLOT_CLOSING)
        return;
    memcpy(&peer, &u->peers[slot], sizeof(*u->peers));
    u->base.events->peer_told(u->base.ctx, slot, &peer);
}

/* Once the closes are prepared the slots are vacant: an accept that finds one came after its close. */
static void closes_finish(struct uring *u)
{
    for (uint32_t i = 0; i < u->closing_count; i++) {
        uint32_t slot = u->closing[i];
        struct slot *s = &u->slots[slot];
        if (s->flags & SLOT_RECV_ARMED)
            uring_cancel(u, slot_tag(u, OP_RECV, slot));
        uring_close_arm(u, slot);
        *s = (struct slot){.generation = s->generation + 1};
        if (!u->direct)
            u->vacant[u->vacant_count++] = slot;
        u->open--;
        u->base.events->closed(u->base.ctx, slot);
    }
    u->closing_count = 0;
}

static void on_wake(struct uring *u)
{
    if (!load_acquire_u32(&u->base.stopping)) { /* partner: engine_stop() */
        uring_wake_arm(u);
        u->base.events->woken(u->base.ctx);
    }
}

static void on_slot(struct uring *u, const struct io_uring_cqe *cqe)
{
    uint32_t slot = tag_slot(cqe->user_data);
    enum op op = tag_op(cqe->user_data);
    if (tag_generation(cqe->user_data) != (u->slots[slot].generation & 0xffffff)) {
        stat_add(&u->base.stats.stale_completions, cqe->res >= 0); /* not the last word of what was cancelled */
        if (cqe->flags & IORING_CQE_F_BUFFER)
            uring_buffer_return(u, cqe->flags >> IORING_CQE_BUFFER_SHIFT);
        return;
    }
    switch (op) {
    case OP_RECV: on_recv(u, cqe, slot); break;
    case OP_SEND: on_send(u, cqe->res, slot); break;
    case OP_SHUTDOWN:
        u->slots[slot].in_flight--;
        close_when_quiet(u, slot);
        break;
    case OP_PEER: on_peer(u, cqe->res, slot); break;
    default: break;
    }
}

static void on_completion(struct uring *u, const struct io_uring_cqe *cqe)
{
    switch (tag_op(cqe->user_data)) {
    case OP_ACCEPT: uring_accept_completed(u, cqe); break;
    case OP_WAKE: on_wake(u); break;
    case OP_CANCEL_OR_CLOSE: break; /* only on failure: what was to be cancelled has ended by itself */
    default: on_slot(u, cqe); break;
    }
}

/* After the buffers are back, for some found none; and after the batch, which may have paused its connections. */
static void recv_rearm(struct uring *u)
{
    for (uint32_t i = 0; i < u->rearm_count; i++) {
        struct slot *s = &u->slots[u->rearm[i]];
        s->flags &= (uint8_t)~SLOT_REARM;
        if ((s->flags & (SLOT_OPEN | SLOT_CLOSING | SLOT_RECV_ARMED | SLOT_RECV_PAUSED)) == SLOT_OPEN)
            uring_recv_arm(u, u->rearm[i]);
    }
    u->rearm_count = 0;
}

static unsigned batch_take(struct uring *u)
{
    unsigned head, taken = 0;
    struct io_uring_cqe *cqe;
    io_uring_for_each_cqe(&u->ring, head, cqe)
    {
        if (taken == BATCH_MAX)
            break;
        on_completion(u, cqe);
        taken++;
    }
    io_uring_cq_advance(&u->ring, taken);
    uring_buffers_publish(u);
    return taken;
}

static int batch_wait(struct uring *u, unsigned last)
{
    struct io_uring_cqe *cqe;
    uint32_t wait_us = u->base.config.batch_wait_us;
    if (wait_us > 0 && last >= BATCH_FULL) {
        struct __kernel_timespec ts = {.tv_nsec = (long long)wait_us * 1000};
        int r = io_uring_submit_and_wait_timeout(&u->ring, &cqe, BATCH_FULL, &ts, NULL);
        if (r != -ETIME)
            return r;
        if (io_uring_cq_ready(&u->ring) > 0)
            return 0;
    }
    /* Without connections nothing can time out: sleep until something happens. */
    struct __kernel_timespec ts = {.tv_nsec = ENGINE_TICK_MS * 1000000LL};
    return io_uring_submit_and_wait_timeout(&u->ring, &cqe, 1, u->open > 0 || u->accept == ACCEPT_PAUSED ? &ts : NULL,
                                            NULL);
}

static int uring_run(struct engine *e)
{
    struct uring *u = uring_of(e);
    unsigned last = 0;
    uring_wake_arm(u);
    uring_accept_begin(u);
    while (!load_relaxed_u32(&e->stopping)) { /* partner: engine_stop(), which wakes us */
        int r = batch_wait(u, last);
        if (r < 0 && r != -ETIME && r != -EINTR && r != -EBUSY && r != -EAGAIN)
            return r;
        engine_batch_begin(e);
        if (io_uring_cq_has_overflow(&u->ring))
            stat_add(&e->stats.cq_overflows, 1);
        last = batch_take(u);
        e->events->batch_end(e->ctx);
        recv_rearm(u);
        closes_finish(u);
        uring_accept_retry(u);
        stat_add(&e->stats.batches, 1);
        stat_add(&e->stats.completions, last);
        PROBE(batch, last);
    }
    io_uring_submit_and_get_events(
        &u->ring); /* the last closes: the peers should not wait for the end of the process */
    return 0;
}

const struct engine_ops uring_ops = {
    .name = "uring",
    .create = uring_create,
    .destroy = uring_destroy,
    .run = uring_run,
    .send = uring_send,
    .recv_pause = uring_recv_pause,
    .recv_resume = uring_recv_resume,
    .shutdown = uring_shutdown,
    .close = uring_close,
    .accept_stop = uring_accept_stop,
    .peer_ask = uring_peer_ask,
    .descriptor = uring_descriptor,
};
