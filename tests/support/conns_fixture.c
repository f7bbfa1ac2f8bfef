#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/conns_fixture.h"

static struct fixture *fixture_of(struct engine *e) { return (struct fixture *)e; }

static void fake_send(struct engine *e, uint32_t slot, const void *data, size_t bytes)
{
    struct fake_slot *s = &fixture_of(e)->slots[slot];
    assert_null(s->data);
    s->data = data;
    s->bytes = bytes;
    s->sends++;
}

static void fake_pause(struct engine *e, uint32_t slot) { fixture_of(e)->slots[slot].pauses++; }

static void fake_resume(struct engine *e, uint32_t slot) { fixture_of(e)->slots[slot].resumes++; }

static void fake_shutdown(struct engine *e, uint32_t slot) { fixture_of(e)->slots[slot].shutdowns++; }

static void fake_close(struct engine *e, uint32_t slot) { fixture_of(e)->slots[slot].closes++; }

static void fake_accept_stop(struct engine *e) { fixture_of(e)->accept_stopped = true; }

static void fake_peer_ask(struct engine *e, uint32_t slot) { fixture_of(e)->slots[slot].asked++; }

static const struct engine_ops fake_ops = {
    .name = "fake",
    .send = fake_send,
    .recv_pause = fake_pause,
    .recv_resume = fake_resume,
    .shutdown = fake_shutdown,
    .close = fake_close,
    .accept_stop = fake_accept_stop,
    .peer_ask = fake_peer_ask,
};

static bool wants_body(void *ctx, const struct http_request *r)
{
    (void)ctx;
    return slice_equals(r->path, SLICE("/wanted"));
}

enum handler_result handle(void *ctx, const struct http_request *r, struct reply *reply)
{
    struct fixture *f = ctx;
    f->ticket = reply->ticket;
    f->expired = reply->expired;
    if (f->waits > 0) {
        f->waits--;
        reply->waiting = f;
        reply->wait_ms = 500;
        return WAITING;
    }
    f->handled++;
    strncat(f->bodies, r->body.at ? r->body.at : "", r->body.bytes);
    if (slice_equals(r->path, SLICE("/big")))
        for (int i = 0; i < 1000; i++)
            buf_append_slice(reply->out, SLICE("0123456789"));
    buf_append(reply->out, "<", 1);
    buf_append_slice(reply->out, r->path);
    if (reply->close)
        buf_append(reply->out, "!", 1);
    buf_append(reply->out, ">", 1);
    return HANDLED;
}

static void forget(void *ctx, void *waiting)
{
    struct fixture *f = ctx;
    assert_ptr_equal(waiting, f);
    f->forgotten++;
}

static void refused(void *ctx, int status, const char *reason)
{
    struct fixture *f = ctx;
    assert_non_null(reason);
    f->refused_status = status;
}

int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->engine = (struct engine){.ops = &fake_ops, .now_ms = 1000000};
    f->cs.engine = &f->engine;
    f->cs.max = MAX;
    f->cs.limits = http_limits_default;
    f->cs.timeouts = (struct worker_timeouts){10000, 10000, 15000, 75000, 2000};
    f->cs.handler = (struct handler){
        .wants_body = wants_body, .handle = handle, .resume = handle, .forget = forget, .refused = refused, .ctx = f};
    assert_int_equal(conns_init(&f->cs, f->engine.now_ms), 0);
    *state = f;
    return 0;
}

int teardown(void **state)
{
    struct fixture *f = *state;
    conns_fini(&f->cs);
    for (int i = 0; i < MAX; i++)
        buf_fini(&f->slots[i].wire);
    free(f);
    return 0;
}

void accept_slot(struct fixture *f, uint32_t slot) { conns_events.accepted(&f->cs, slot); }

void batch_end(struct fixture *f) { conns_events.batch_end(&f->cs); }

void receive(struct fixture *f, uint32_t slot, const char *text)
{
    /* A copy that ends where the bytes do: reading on is an error that ASan sees. */
    size_t bytes = strlen(text);
    char *copy = malloc(bytes);
    memcpy(copy, text, bytes);
    conns_events.received(&f->cs, slot, copy, bytes);
    free(copy);
}

void fin(struct fixture *f, uint32_t slot) { conns_events.received(&f->cs, slot, NULL, 0); }

bool take(struct fixture *f, uint32_t slot)
{
    struct fake_slot *s = &f->slots[slot];
    if (!s->data)
        return false;
    buf_append(&s->wire, s->data, s->bytes);
    s->data = NULL;
    conns_events.sent(&f->cs, slot, 0);
    batch_end(f);
    return true;
}

void closed(struct fixture *f, uint32_t slot) { conns_events.closed(&f->cs, slot); }

void pass(struct fixture *f, uint64_t ms)
{
    for (uint64_t end = f->engine.now_ms + ms; f->engine.now_ms < end;) {
        f->engine.now_ms += 100;
        conns_events.tick(&f->cs, f->engine.now_ms);
        batch_end(f);
    }
}

void assert_wire(struct fixture *f, uint32_t slot, const char *expected)
{
    struct buf *wire = &f->slots[slot].wire;
    assert_int_equal(wire->bytes, strlen(expected));
    assert_memory_equal(wire->data ? wire->data : "", expected, wire->bytes);
}
