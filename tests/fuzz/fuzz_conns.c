/* The connections of a worker above an engine that the input plays: which bytes come when, when sends end, when time
 * passes, who resets, when waiting requests may go on. The input is a run of moves, each a byte of what and on which
 * slot, and a byte of how much; the bytes that clients send follow a move that needs them.
 *
 * Asserted on the way: what the engine's contract demands (one send at a time, its bytes untouched until it ends,
 * nothing asked of a slot that was closed), output and what is carried stay bounded, every waiting request is forgotten
 * or finished, and once all ends have come, no connection is left.
 * At the end the bytes of slot 0 are played once more in one piece, to a peer that takes everything: the answers must
 * be the same, when nothing but cuts stood between. */

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/engine_ops.h"
#include "net/conns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum {
    SLOTS = 3,
    BUDGET_BYTES = 160 * 1024,
    WAITS_MAX = 8,
    ANSWER_BYTES_MAX = 40 * 1024,
    ROUNDS_MAX = 2000,
    START_MS = 1000000
};

struct play_slot {
    bool open, closing, fin, paused, shut;
    const char *data; /* in the engine's hands */
    size_t bytes;
    uint32_t sum; /* of them */
    struct buf wire, came;
};

struct play {
    struct engine engine;
    struct budget budget;
    struct conns cs;
    struct play_slot slots[SLOTS];
    bool accept_stopped, disturbed; /* disturbed: something other than cuts decided what happened on slot 0 */
    int waiting;
    struct ticket tickets[WAITS_MAX];
    uint32_t tickets_count;
};

static struct play *play_of(struct engine *e) { return (struct play *)e; }

static uint32_t sum_of(const char *data, size_t bytes)
{
    uint32_t sum = 2166136261u; /* FNV-1a */

    for (size_t i = 0; i < bytes; i++)
        sum = (sum ^ (unsigned char)data[i]) * 16777619u;
    return sum;
}

/* ---- the engine ---- */

static struct play_slot *asked(struct engine *e, uint32_t slot)
{
    struct play_slot *s = &play_of(e)->slots[slot];

    assert(slot < SLOTS && s->open && !s->closing);
    return s;
}

static void play_send(struct engine *e, uint32_t slot, const void *data, size_t bytes)
{
    struct play_slot *s = asked(e, slot);

    assert(!s->data && bytes > 0 && bytes <= OUT_HIGH + ANSWER_BYTES_MAX && !s->shut);
    s->data = data;
    s->bytes = bytes;
    s->sum = sum_of(data, bytes);
}

static void play_pause(struct engine *e, uint32_t slot) { asked(e, slot)->paused = true; }
static void play_resume(struct engine *e, uint32_t slot) { asked(e, slot)->paused = false; }
static void play_shutdown(struct engine *e, uint32_t slot) { asked(e, slot)->shut = true; }
static void play_accept_stop(struct engine *e) { play_of(e)->accept_stopped = true; }

static void play_close(struct engine *e, uint32_t slot)
{
    assert(play_of(e)->slots[slot].open);
    play_of(e)->slots[slot].closing = true;
}

static const struct engine_ops play_ops = {
    .name = "play",
    .send = play_send,
    .recv_pause = play_pause,
    .recv_resume = play_resume,
    .shutdown = play_shutdown,
    .close = play_close,
    .accept_stop = play_accept_stop,
};

/* ---- the handler: what it answers depends on the request alone ---- */

static bool path_starts(const struct http_request *r, const char *text)
{
    return r->path.bytes >= strlen(text) && memcmp(r->path.at, text, strlen(text)) == 0;
}

static bool wants_body(void *ctx, const struct http_request *r)
{
    (void)ctx;
    return r->method == HTTP_POST;
}

static enum handler_result handle(void *ctx, const struct http_request *r, struct reply *reply)
{
    static const char block[ANSWER_BYTES_MAX / 2];
    struct play *p = ctx;

    assert(p->slots[reply->ticket.slot].open && !p->slots[reply->ticket.slot].closing);
    if (path_starts(r, "/w") && !reply->waiting && p->tickets_count < WAITS_MAX) {
        p->waiting++;
        p->tickets[p->tickets_count++] = reply->ticket;
        reply->waiting = p;
        reply->wait_ms = 500;
        return WAITING;
    }
    p->waiting -= reply->waiting != NULL;
    p->disturbed |= reply->expired;
    buf_printf(reply->out, "<%d %zu:%08x body %zu:%08x", r->method, r->path.bytes, sum_of(r->path.at, r->path.bytes),
               r->body.bytes, sum_of(r->body.at, r->body.bytes));
    if (path_starts(r, "/b"))
        buf_append(reply->out, block, sizeof(block));
    buf_printf(reply->out, "%s>\n", reply->close ? " close" : "");
    return HANDLED;
}

static void forget(void *ctx, void *waiting)
{
    struct play *p = ctx;

    assert(waiting == p && p->waiting > 0);
    p->waiting--;
}

static void refused(void *ctx, int status, const char *reason)
{
    (void)ctx;
    assert(status >= 400 && status <= 505 && reason);
}

/* ---- moves ---- */

static void play_start(struct play *p)
{
    *p = (struct play){.engine = {.ops = &play_ops, .now_ms = START_MS}};
    budget_init(&p->budget, BUDGET_BYTES);
    p->cs.purse.budget = &p->budget;
    p->cs.engine = &p->engine;
    p->cs.max = SLOTS;
    p->cs.limits = http_limits_default;
    p->cs.timeouts = (struct worker_timeouts){10000, 10000, 15000, 75000, 2000};
    p->cs.handler = (struct handler){
        .wants_body = wants_body, .handle = handle, .resume = handle, .forget = forget, .refused = refused, .ctx = p};
    int failed = conns_init(&p->cs, p->engine.now_ms);
    assert(!failed);
}

static void batch_end(struct play *p)
{
    uint64_t held = 0;
    conns_events.batch_end(&p->cs);
    for (uint32_t i = 0; i < SLOTS; i++)
        held += p->cs.conns[i].held;
    assert(held <= p->cs.purse.used && p->cs.purse.used <= BUDGET_BYTES);
    for (uint32_t i = 0; i < SLOTS; i++) {
        const struct conn *c = &p->cs.conns[i];
        struct play_slot *s = &p->slots[i];
        assert(c->out.bytes <= OUT_HIGH + ANSWER_BYTES_MAX);
        bool must_wait = c->carry.bytes > 0 && (conn_blocked(&p->cs, c) || c->state == CONN_WAITING);
        assert(!must_wait || s->paused || s->fin || !s->open || s->closing);
        if (!s->open || !s->closing)
            continue;
        /* closed() ends whatever was in flight. */
        s->open = s->closing = false;
        s->data = NULL;
        conns_events.closed(&p->cs, i);
        assert(c->state == CONN_FREE);
    }
}

static void slot_accept(struct play *p, uint32_t slot)
{
    struct play_slot *s = &p->slots[slot];

    if (s->open || p->accept_stopped)
        return;
    p->disturbed |= slot == 0 && s->came.bytes > 0; /* a second connection on it */
    s->open = true;
    s->fin = s->paused = s->shut = false;
    conns_events.accepted(&p->cs, slot);
}

static void slot_receive(struct play *p, uint32_t slot, const uint8_t *data, size_t bytes)
{
    struct play_slot *s = &p->slots[slot];

    if (!s->open || s->closing || s->fin || s->paused || bytes == 0)
        return;
    char *copy = malloc(bytes); /* ends where the bytes do */
    assert(copy);
    memcpy(copy, data, bytes);
    buf_append(&s->came, data, bytes);
    conns_events.received(&p->cs, slot, copy, bytes);
    free(copy);
}

static void slot_take(struct play *p, uint32_t slot)
{
    struct play_slot *s = &p->slots[slot];

    if (!s->open || s->closing || !s->data)
        return;
    assert(sum_of(s->data, s->bytes) == s->sum);
    buf_append(&s->wire, s->data, s->bytes);
    s->data = NULL;
    conns_events.sent(&p->cs, slot, 0);
}

static void slot_fin(struct play *p, uint32_t slot)
{
    struct play_slot *s = &p->slots[slot];

    if (!s->open || s->closing || s->fin || s->paused)
        return;
    s->fin = true;
    conns_events.received(&p->cs, slot, NULL, 0);
}

static void slot_fail(struct play *p, uint32_t slot, bool sending)
{
    struct play_slot *s = &p->slots[slot];

    if (!s->open || s->closing || (sending && !s->data))
        return;
    p->disturbed |= slot == 0;
    if (sending) {
        s->data = NULL;
        conns_events.sent(&p->cs, slot, -104);
    } else {
        conns_events.failed(&p->cs, slot, -104);
    }
}

static void time_pass(struct play *p, uint32_t ticks)
{
    while (ticks-- > 0) {
        p->engine.now_ms += 100;
        conns_events.tick(&p->cs, p->engine.now_ms);
        batch_end(p);
        /* From here on a time-out may decide, the sooner the more places are taken (net/room.h). That of a head is the
         * shortest, and that of a waiting request is seen by its handler. */
        p->disturbed |= p->engine.now_ms - START_MS + 1000 >= p->cs.patience.head_ms;
    }
}

static void resume_one(struct play *p)
{
    if (p->tickets_count > 0)
        conns_resume(&p->cs, p->tickets[--p->tickets_count]);
}

enum move { MOVE_RECEIVE, MOVE_RECEIVE_MORE, MOVE_TAKE, MOVE_END_BATCH, MOVE_FIN, MOVE_TIME, MOVE_RESUME, MOVE_RARE };

static void move_rare(struct play *p, uint32_t slot, uint8_t how)
{
    switch (how % 4) {
    case 0: slot_fail(p, slot, false); break;
    case 1: slot_fail(p, slot, true); break;
    case 2: time_pass(p, 4 * how); break;
    default: p->disturbed = true; conns_drain(&p->cs);
    }
}

/* Plays one move; how many bytes of the input it was. */
static size_t move_play(struct play *p, const uint8_t *data, size_t bytes)
{
    uint32_t slot = data[0] / 8 % SLOTS;
    uint8_t how = data[1];
    size_t wanted = how;

    switch ((enum move)(data[0] % 8)) {
    case MOVE_RECEIVE_MORE: wanted *= 16; /* fall through */
    case MOVE_RECEIVE:
        wanted = wanted < bytes - 2 ? wanted : bytes - 2;
        slot_accept(p, slot);
        slot_receive(p, slot, data + 2, wanted);
        return 2 + wanted;
    case MOVE_TAKE: slot_take(p, slot); break;
    case MOVE_END_BATCH: batch_end(p); break;
    case MOVE_FIN: slot_fin(p, slot); break;
    case MOVE_TIME: time_pass(p, how % 4); break;
    case MOVE_RESUME: resume_one(p); break;
    case MOVE_RARE: move_rare(p, slot, how); break;
    }
    return 2;
}

/* ---- the end ---- */

static bool anything_open(const struct play *p)
{
    for (uint32_t i = 0; i < SLOTS; i++)
        if (p->slots[i].open)
            return true;
    return false;
}

/* Every waiting request goes on, every peer takes what it is sent, and then says FIN. */
static void play_out(struct play *p)
{
    int rounds = 0;

    while (anything_open(p)) {
        assert(rounds++ < ROUNDS_MAX);
        while (p->tickets_count > 0)
            resume_one(p);
        batch_end(p);
        for (uint32_t i = 0; i < SLOTS; i++) {
            slot_take(p, i);
            if (!p->slots[i].data)
                slot_fin(p, i);
        }
        batch_end(p);
    }
}

static void play_end(struct play *p)
{
    conns_fini(&p->cs);
    assert(p->waiting == 0 && p->cs.stats.conns_open == 0);
    for (uint32_t i = 0; i < SLOTS; i++) {
        buf_fini(&p->slots[i].wire);
        buf_fini(&p->slots[i].came);
    }
}

/* Takes every run of `drop` bytes that starts with `text` out of the wire. */
static void wire_drop(struct buf *wire, const char *text, size_t drop)
{
    char *at = wire->data;

    while (at && (at = memmem(at, (size_t)(wire->data + wire->bytes - at), text, strlen(text))) != NULL) {
        memmove(at, at + drop, (size_t)(wire->data + wire->bytes - at) - drop);
        wire->bytes -= drop;
    }
}

/* What may differ: the second, and whether a client is told to go on, for it is not when its body is there already. */
static void wire_settle(struct buf *wire)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n", date[] = "\r\nDate: ";

    wire_drop(wire, go_on, sizeof(go_on) - 1);
    wire_drop(wire, date, sizeof(date) - 1 + HTTP_DATE_BYTES);
}

static void check_same_in_one_piece(struct play *first)
{
    struct buf *came = &first->slots[0].came;
    struct play second;

    if (first->disturbed || came->bytes == 0)
        return;
    play_start(&second);
    slot_accept(&second, 0);
    slot_receive(&second, 0, (const uint8_t *)came->data, came->bytes);
    play_out(&second);
    struct buf *one = &first->slots[0].wire, *other = &second.slots[0].wire;
    wire_settle(one);
    wire_settle(other);
    if (!slice_equals(buf_slice(one), buf_slice(other))) {
        fprintf(stderr, "cut:\n%.*s\nwhole:\n%.*s\n", (int)one->bytes, one->data, (int)other->bytes, other->data);
        abort();
    }
    play_end(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct play p;

    play_start(&p);
    for (size_t at = 0; at + 2 <= bytes;)
        at += move_play(&p, data + at, bytes - at);
    play_out(&p);
    check_same_in_one_piece(&p);
    play_end(&p);
    return 0;
}
