/* A worker's connections: what the engine tells, the timers, the end of each. */

#include "net/conns.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/probes.h"
#include "net/hold.h"
#include "net/room.h"
#include "sync/atomic.h"

/* While draining, a keep-alive connection gets this long to bring the request that tells it to close. */
#define DRAIN_IDLE_MS 1000

/* ---- output ---- */

struct buf *conn_out(struct conns *cs, struct conn *c)
{
    if (!c->out.data)
        block_borrow(cs, &c->out); /* without memory the first append fails, and the connection ends */
    if (!c->dirty) {
        c->dirty = true;
        cs->dirty[cs->dirty_count++] = conn_slot(cs, c);
    }
    return &c->out;
}

static void conn_send(struct conns *cs, struct conn *c)
{
    if (c->out.failed) {
        conn_close(cs, c);
        return;
    }
    if (c->sending.data || c->out.bytes == 0)
        return;
    c->sending = c->out;
    c->out = (struct buf){0};
    c->sending_ms = engine_now_ms(cs->engine);
    stat_add(&cs->stats.sends, 1);
    stat_add(&cs->stats.bytes_out, c->sending.bytes);
    engine_send(cs->engine, conn_slot(cs, c), c->sending.data, c->sending.bytes);
}

/* ---- the end, and the clock ---- */

void conn_close(struct conns *cs, struct conn *c)
{
    if (c->state == CONN_CLOSING)
        return;
    conn_move(c, CONN_CLOSING);
    wheel_clear(&cs->wheel, conn_slot(cs, c));
    conn_partial_drop(cs, c);
    engine_close(cs->engine, conn_slot(cs, c));
}

/* The last answer is out. A peer that may still be sending would have its unread bytes answered by a reset,
 * which can overtake the answer: half-close first and read on for a while (RFC 9112 section 9.6). */
static void conn_finish(struct conns *cs, struct conn *c)
{
    if (!c->linger || c->peer_fin) {
        conn_close(cs, c);
        return;
    }
    conn_move(c, CONN_LINGER);
    c->phase_ms = engine_now_ms(cs->engine);
    engine_shutdown(cs->engine, conn_slot(cs, c));
    if (c->paused) {
        c->paused = false;
        engine_recv_resume(cs->engine, conn_slot(cs, c));
    }
}

static uint64_t min_u64(uint64_t a, uint64_t b) { return a < b ? a : b; }

static uint64_t conn_deadline(const struct conns *cs, const struct conn *c)
{
    const struct worker_timeouts *t = &cs->patience;
    uint64_t sending = c->sending.data ? c->sending_ms + t->send_ms : UINT64_MAX;
    switch (c->state) {
    case CONN_HEAD:
        if (c->phase_ms > 0)
            return min_u64(sending, c->phase_ms + t->head_ms);
        return min_u64(sending, c->active_ms + (cs->draining ? min_u64(DRAIN_IDLE_MS, t->idle_ms) : t->idle_ms));
    case CONN_BODY: return min_u64(sending, c->phase_ms + t->body_ms);
    case CONN_WAITING: return min_u64(sending, c->partial->deadline_ms);
    case CONN_LINGER: return c->phase_ms + t->linger_ms;
    default: return sending;
    }
}

/* Stops reading while what came already must wait, and goes on when it has been answered: a peer that reads is
 * never held up by the way, one that does not is read no further. */
static void conn_flow(struct conns *cs, struct conn *c)
{
    bool hold = c->carry.bytes > 0 && (conn_blocked(cs, c) || c->state == CONN_WAITING);
    if (hold == c->paused || c->state == CONN_CLOSING || c->peer_fin)
        return;
    c->paused = hold;
    if (hold)
        engine_recv_pause(cs->engine, conn_slot(cs, c));
    else
        engine_recv_resume(cs->engine, conn_slot(cs, c));
}

/* No more comes, or no more is to be read. */
static void conn_settle_end(struct conns *cs, struct conn *c)
{
    if (c->peer_fin && conn_reads(c) && !conn_blocked(cs, c))
        conn_move(c, CONN_LAST); /* what it began to send will never be whole */
    if (c->peer_fin && c->state == CONN_STREAM)
        conn_close(cs, c); /* who follows a stream has no other way to say that it left */
    if (c->state == CONN_LAST && !c->sending.data && c->out.bytes == 0)
        conn_finish(cs, c);
}

void conn_settle(struct conns *cs, struct conn *c)
{
    if (hold_is_due(c) && c->state != CONN_CLOSING)
        hold_weigh(cs, c);
    if (c->peer_fin || c->state == CONN_LAST)
        conn_settle_end(cs, c);
    if (c->state == CONN_CLOSING)
        return;
    if (c->carry.bytes > 0 || c->paused)
        conn_flow(cs, c);
    uint32_t slot = conn_slot(cs, c);
    uint64_t at = conn_deadline(cs, c);
    if (at < wheel_at(&cs->wheel, slot))
        wheel_set(&cs->wheel, slot, at);
}

static void conn_expired(struct conns *cs, struct conn *c)
{
    if (c->sending.data && c->sending_ms + cs->patience.send_ms <= engine_now_ms(cs->engine)) {
        stat_add(&cs->stats.timeouts_send, 1);
        conn_close(cs, c);
        return;
    }
    switch (c->state) {
    case CONN_HEAD:
        if (c->phase_ms == 0) {
            stat_add(&cs->stats.timeouts_idle, 1);
            conn_close(cs, c);
            return;
        }
        stat_add(&cs->stats.timeouts_head, 1);
        conn_refuse(cs, c, 408, "head_timeout", NULL);
        break;
    case CONN_BODY:
        stat_add(&cs->stats.timeouts_body, 1);
        conn_refuse(cs, c, 408, "body_timeout", NULL);
        break;
    case CONN_WAITING: conn_resume(cs, c, true); break;
    default: conn_close(cs, c); return;
    }
    conn_pump(cs, c);
}

static void on_due(void *ctx, uint32_t slot)
{
    struct conns *cs = ctx;
    struct conn *c = &cs->conns[slot];
    uint64_t at = conn_deadline(cs, c);
    if (at <= engine_now_ms(cs->engine))
        conn_expired(cs, c);
    else if (c->state != CONN_CLOSING)
        wheel_set(&cs->wheel, slot, at);
}

/* ---- what the engine tells ---- */

/* One that is gone already has no address: it will not read its answer. */
static void peer_note(struct conns *cs, uint32_t slot)
{
    struct sockaddr_storage address;
    cs->peers[slot] = (struct ip){0};
    if (engine_peer(cs->engine, slot, &address) == 0)
        ip_from_socket(&address, &cs->peers[slot]);
    cs->conns[slot].proxy_due =
        cs->handler.sends_proxy_header && cs->handler.sends_proxy_header(cs->handler.ctx, &cs->peers[slot]);
}

static void on_accepted(void *ctx, uint32_t slot)
{
    struct conns *cs = ctx;
    struct conn *c = &cs->conns[slot];
    assert(c->state == CONN_FREE);
    *c = (struct conn){.generation = c->generation + 1, .active_ms = engine_now_ms(cs->engine)};
    conn_move(c, CONN_HEAD);
    http_parser_init(&c->parser, &cs->limits);
    if (cs->peers)
        peer_note(cs, slot);
    stat_add(&cs->stats.conns_accepted, 1);
    stat_add(&cs->stats.conns_open, 1);
    PROBE(accept, slot);
    room_accepted(cs, c);
    conn_settle(cs, c);
}

static void on_received(void *ctx, uint32_t slot, const char *data, size_t bytes)
{
    struct conns *cs = ctx;
    struct conn *c = &cs->conns[slot];
    c->active_ms = engine_now_ms(cs->engine);
    stat_add(&cs->stats.bytes_in, bytes);
    if (bytes == 0)
        c->peer_fin = true;
    if (c->state == CONN_LINGER) {
        if (bytes == 0)
            conn_close(cs, c);
    } else if (bytes > 0 && conn_takes(c)) {
        conn_input(cs, c, data, bytes);
    } else {
        c->linger |= bytes > 0;
        conn_settle(cs, c);
    }
}

/* ETIMEDOUT: the kernel gave up on a peer that takes nothing (listener_give_up_after()). */
static void count_end(struct conns *cs, int reason)
{
    stat_add(reason == -ETIMEDOUT ? &cs->stats.timeouts_send : &cs->stats.resets, 1);
}

static void on_sent(void *ctx, uint32_t slot, int result)
{
    struct conns *cs = ctx;
    struct conn *c = &cs->conns[slot];
    block_return(cs, &c->sending);
    if (result < 0) {
        count_end(cs, result);
        conn_close(cs, c);
        return;
    }
    c->active_ms = engine_now_ms(cs->engine);
    if (c->out.bytes > 0)
        conn_out(cs, c);
    conn_pump(cs, c);
}

static void on_failed(void *ctx, uint32_t slot, int result)
{
    struct conns *cs = ctx;
    count_end(cs, result);
    conn_close(cs, &cs->conns[slot]);
}

static void end_when_drained(struct conns *cs)
{
    if (cs->draining && cs->accept_ended && cs->stats.conns_open == 0)
        engine_stop(cs->engine);
}

static void on_closed(void *ctx, uint32_t slot)
{
    struct conns *cs = ctx;
    struct conn *c = &cs->conns[slot];
    buf_fini(&c->carry);
    block_return(cs, &c->out);
    block_return(cs, &c->sending);
    hold_release(cs, c);
    room_closed(cs, c);
    conn_move(c, CONN_FREE);
    stat_add(&cs->stats.conns_open, (uint64_t)-1);
    end_when_drained(cs);
}

static void on_accept_ended(void *ctx)
{
    struct conns *cs = ctx;
    cs->accept_ended = true;
    end_when_drained(cs);
}

/* All requests of a batch have one beginning and one end, so the clock is read once for them. */
static void batch_time(struct conns *cs)
{
    uint64_t answered = cs->stats.requests - cs->requests_timed;
    if (answered == 0)
        return;
    cs->requests_timed = cs->stats.requests;
    histogram_add(&cs->stats.request_time, clock_mono_us() - engine_now_us(cs->engine), answered);
}

/* Sends what the batch has gathered. */
static void on_batch_end(void *ctx)
{
    struct conns *cs = ctx;
    for (uint32_t i = 0; i < cs->dirty_count; i++) {
        struct conn *c = &cs->conns[cs->dirty[i]];
        c->dirty = false;
        if (!conn_is_gone(c))
            conn_send(cs, c);
    }
    cs->dirty_count = 0;
    batch_time(cs);
}

static void on_woken(void *ctx)
{
    struct conns *cs = ctx;
    if (cs->handler.woken)
        cs->handler.woken(cs->handler.ctx);
}

static void date_refresh(struct conns *cs)
{
    int64_t now_ms = clock_wall_ms();
    if (now_ms / 1000 == cs->date_s)
        return;
    cs->date_s = now_ms / 1000;
    http_date_format(now_ms, cs->date);
    if (cs->handler.date_changed)
        cs->handler.date_changed(cs->handler.ctx, cs->date);
}

static void on_tick(void *ctx, uint64_t now_ms)
{
    struct conns *cs = ctx;
    date_refresh(cs);
    hold_tick(cs);
    room_tick(cs);
    if (cs->handler.tick)
        cs->handler.tick(cs->handler.ctx, now_ms);
    wheel_advance(&cs->wheel, now_ms, on_due, cs);
}

const struct engine_events conns_events = {
    .accepted = on_accepted,
    .received = on_received,
    .sent = on_sent,
    .peer_told = room_peer_told,
    .failed = on_failed,
    .closed = on_closed,
    .accept_ended = on_accept_ended,
    .batch_end = on_batch_end,
    .woken = on_woken,
    .tick = on_tick,
};

void conns_drain(struct conns *cs)
{
    if (cs->draining)
        return;
    cs->draining = true;
    engine_accept_stop(cs->engine);
    if (cs->handler.draining)
        cs->handler.draining(cs->handler.ctx);
    for (uint32_t i = 0; i < cs->max; i++)
        if (!conn_is_gone(&cs->conns[i]))
            conn_settle(cs, &cs->conns[i]);
    end_when_drained(cs);
}

int conns_init(struct conns *cs, uint64_t now_ms)
{
    cs->conns = calloc(cs->max, sizeof(*cs->conns));
    cs->dirty = calloc(cs->max, 2 * sizeof(*cs->dirty));
    cs->peers = cs->wants_peers ? calloc(cs->max, sizeof(*cs->peers)) : NULL;
    int r = wheel_init(&cs->wheel, cs->max, now_ms);
    if (hold_init(cs) < 0 || room_init(cs) < 0 || !cs->conns || !cs->dirty || (cs->wants_peers && !cs->peers) ||
        r < 0) {
        conns_fini(cs);
        return -ENOMEM;
    }
    date_refresh(cs);
    return 0;
}

/* After the engine is gone: nothing is in flight any more. */
void conns_fini(struct conns *cs)
{
    for (uint32_t i = 0; cs->conns && i < cs->max; i++) {
        struct conn *c = &cs->conns[i];
        conn_partial_drop(cs, c);
        buf_fini(&c->carry);
        buf_fini(&c->out);
        buf_fini(&c->sending);
    }
    hold_fini(cs);
    room_fini(cs);
    buf_fini(&cs->scratch.data);
    wheel_fini(&cs->wheel);
    free(cs->peers);
    free(cs->dirty);
    free(cs->conns);
}
