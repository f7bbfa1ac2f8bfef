#include "redis/link.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/backoff.h"
#include "protocol/words.h"
#include "redis/greeting.h"

#define RECV_BYTES 65536
#define IDLE_MS_MIN 1000
#define RECV_ROUNDS_MAX 64 /* then others get a turn */

struct link {
    struct link_config config;
    struct link_user user;
    enum link_state state;
    struct stream *stream;      /* owned; NULL when DOWN */
    struct resp_reader *reader; /* owned */
    struct greeting greeting;
    struct buf out;
    size_t out_sent;
    struct expects expects;
    uint64_t now_ms; /* of the tick under way */
    uint64_t ready_since_ms;
    uint64_t deadline_ms; /* CONNECTING: until when; DOWN: the next attempt */
    uint32_t attempts;    /* that ended, since the link last proved itself */
    bool failing;         /* `reason` is set and the connection is to end */
    bool failed_by_other; /* the last attempt was */
    bool by_other;        /* the attempt under way, or the next one, is by the other host */
    struct error reason;
    int reason_code;
    bool ended_idle;
    struct link_traffic traffic;
    char received[RECV_BYTES];
    uint64_t greeted_ms;           /* when this connection was opened */
    struct buf secret;             /* the password that this connection has sent; wiped at its end */
    char first_words[WORDS_BYTES]; /* of the first reply, if it was an error */
};

void link_fail(struct link *l, int code, const char *format, ...)
{
    va_list args;

    if (l->failing || l->state == LINK_DOWN)
        return;
    va_start(args, format);
    vsnprintf(l->reason.text, sizeof(l->reason.text), format, args);
    va_end(args);
    l->reason_code = code;
    l->failing = true;
}

void link_proved(struct link *l) { l->attempts = 0; }

static bool link_has_other(const struct link *l) { return l->config.other_host && *l->config.other_host; }

static const char *link_host_of(const struct link *l, bool other)
{
    return other && link_has_other(l) ? l->config.other_host : l->config.host;
}

static bool link_is_idle(const struct link *l)
{
    return l->state == LINK_READY && l->expects.count == 0 && l->out_sent == l->out.bytes &&
           l->now_ms - l->ready_since_ms >= IDLE_MS_MIN;
}

bool link_may_repeat(const struct link *l, const char *words) { return !words_reveal(words, buf_slice(&l->secret)); }

static void link_refused(struct link *l, enum redis_error_class class, const char *command, const char *words)
{
    const struct redis_refusal what = {class, command, link_may_repeat(l, words) ? words : ""};

    l->user.refused(l->user.ctx, &what);
}

static void link_close(struct link *l)
{
    words_forget(&l->secret);
    l->ended_idle = link_is_idle(l) && l->reason_code == -ECONNRESET;
    if (l->ended_idle || (l->state == LINK_READY && l->now_ms - l->ready_since_ms >= l->config.backoff_max_ms))
        link_proved(l);
    if (l->stream)
        l->config.transport.ops->close(l->stream);
    l->stream = NULL;
    l->failed_by_other = l->by_other;
    if (l->state != LINK_READY)
        l->by_other = !l->by_other && link_has_other(l);
    l->state = LINK_DOWN;
    l->failing = false;
    expects_clear(&l->expects);
    buf_fini(&l->out);
    l->out_sent = 0;
    l->deadline_ms = l->now_ms + backoff_ms(l->attempts, l->config.backoff_min_ms, l->config.backoff_max_ms,
                                            l->config.random(l->config.random_ctx));
    l->attempts++;
    l->user.down(l->user.ctx);
}

/* ---- what is due ---- */

void link_expect(struct link *l, uint32_t count, link_reply_fn fn, void *ctx)
{
    if (count == 0)
        return;
    expects_push(&l->expects, count, fn, ctx, l->now_ms);
    l->traffic.commands += count;
}

void link_send(struct link *l, struct slice bytes)
{
    assert(l->state >= LINK_GREETING);
    buf_append_slice(&l->out, bytes);
    if (l->out.failed)
        link_fail(l, -ENOMEM, "no memory for %zu bytes to send", bytes.bytes);
}

/* ---- bytes ---- */

/* The server refused us with the first thing that it said (it is full, say) and closed, whatever that answered. */
static void link_fail_refused(struct link *l)
{
    struct slice words = {l->first_words, strlen(l->first_words)};

    link_refused(l, redis_error_classify(words), "connect", l->first_words);
    link_fail(l, -EKEYREJECTED, "the server refused the connection");
}

static void link_fail_stream(struct link *l, int code, const char *what)
{
    if (l->state == LINK_GREETING && l->first_words[0] && !l->failing)
        link_fail_refused(l);
    const struct transport_ops *ops = l->config.transport.ops;
    const char *reason = ops->reason ? ops->reason(l->stream) : "";

    link_fail(l, code, "%s", *reason ? reason : what);
}

static void link_parse(struct link *l)
{
    const struct reply *reply;
    int got = 0;

    while (!l->failing && (got = resp_next(l->reader, &reply)) == 1) {
        if (!expects_deliver(&l->expects, reply))
            link_fail(l, -EPROTO, "a reply that nothing was asked for");
    }
    if (got < 0)
        link_fail(l, got, "bytes that are no Redis reply, or one too large");
}

static void link_receive(struct link *l)
{
    for (int round = 0; round < RECV_ROUNDS_MAX && !l->failing; round++) {
        ssize_t n = l->config.transport.ops->try_recv(l->stream, l->received, sizeof(l->received));
        if (n == -EAGAIN)
            return;
        if (n == 0) {
            link_fail_stream(l, -ECONNRESET, "the server closed the connection");
            return;
        }
        if (n < 0) {
            link_fail_stream(l, (int)n, "receiving failed");
            return;
        }
        l->traffic.bytes_in += (uint64_t)n;
        l->expects.moved_ms = l->now_ms;
        if (resp_feed(l->reader, l->received, (size_t)n) < 0)
            link_fail(l, -EPROTO, "no memory for replies");
        link_parse(l);
    }
}

void link_flush(struct link *l)
{
    if (l->state < LINK_GREETING)
        return;
    while (!l->failing && l->out_sent < l->out.bytes) {
        ssize_t n = l->config.transport.ops->try_send(l->stream, l->out.data + l->out_sent, l->out.bytes - l->out_sent);
        if (n == -EAGAIN)
            return;
        if (n < 0) {
            if (l->state == LINK_GREETING)
                link_receive(l); /* it may have said why before it closed */
            link_fail_stream(l, (int)n, "sending failed");
            return;
        }
        l->out_sent += (size_t)n;
        l->expects.moved_ms = l->now_ms;
        l->traffic.bytes_out += (uint64_t)n;
    }
    if (l->out_sent == l->out.bytes) {
        buf_clear(&l->out);
        l->out_sent = 0;
    }
}

static void link_check_deadline(struct link *l)
{
    if (l->now_ms >= expects_deadline_ms(&l->expects))
        link_fail(l, -ETIMEDOUT, "no whole reply: %u ms without a byte, or %u ms in all", l->config.reply_timeout_ms,
                  l->config.reply_timeout_max_ms);
}

/* ---- states ---- */

static void link_on_greeting(void *ctx, const struct reply *reply, uint32_t index)
{
    struct link *l = ctx;
    char words[WORDS_BYTES];

    if (index == 0 && reply->type == REPLY_ERROR)
        words_take(l->first_words, reply->text);
    switch (greeting_take(&l->greeting, reply)) {
    case GREETING_GOES_ON: return;
    case GREETING_REFUSED:
        words[0] = '\0';
        if (reply->type == REPLY_ERROR)
            words_take(words, reply->text);
        link_refused(l, l->greeting.error, l->greeting.command, words);
        link_fail(l, -EKEYREJECTED, "%s", l->greeting.reason);
        return;
    case GREETING_DONE: break;
    }
    if (l->greeting.policy.bytes)
        l->user.evicts(l->user.ctx, l->greeting.policy);
    l->state = LINK_READY;
    l->ready_since_ms = l->now_ms;
    l->user.ready(l->user.ctx);
}

/* false: the link has failed. */
static bool link_password(struct link *l, const char **password)
{
    const struct credentials *c = &l->config.credentials;
    struct error err;

    *password = c->password ? c->password(c->ctx, &err) : NULL;
    if (*password || !c->password)
        return true;
    link_fail(l, -EACCES, "%s", err.text);
    return false;
}

static void link_greet(struct link *l)
{
    const char *password;

    if (!link_password(l, &password))
        return;
    const struct greeting_config config = {
        .user = l->config.user,
        .password = password,
        .db = l->config.db,
        .any_role = l->config.any_role,
        .client_name = l->config.client_name,
    };

    l->state = LINK_GREETING;
    l->greeted_ms = l->now_ms;
    l->first_words[0] = '\0';
    if (password)
        buf_append_slice(&l->secret, (struct slice){password, strlen(password)});
    l->traffic.connects++;
    resp_reset(l->reader);
    uint32_t replies = greeting_compose(&l->greeting, &config, &l->out);
    link_expect(l, replies, link_on_greeting, l);
    if (l->out.failed || l->secret.failed)
        link_fail(l, -ENOMEM, "no memory for the greeting");
}

static void link_connect(struct link *l)
{
    l->state = LINK_CONNECTING;
    l->deadline_ms = l->now_ms + l->config.connect_timeout_ms;
    const struct transport_ops *ops = l->config.transport.ops;
    const char *host = link_host_of(l, l->by_other), *other = link_host_of(l, !l->by_other);
    int failed = ops->open(l->config.transport.ctx, host, l->config.port, &l->stream);
    if (failed)
        link_fail(l, failed, "%s", transport_open_failure(failed));
    else if (ops->accept_name && link_has_other(l))
        ops->accept_name(l->stream, other);
}

static void link_check_connected(struct link *l)
{
    int status = l->config.transport.ops->status(l->stream);

    if (status == 0)
        link_greet(l);
    else if (status != -EINPROGRESS)
        link_fail_stream(l, status, "connecting failed");
    else if (l->now_ms >= l->deadline_ms)
        link_fail_stream(l, -ETIMEDOUT, "not connected in time");
}

/* Between transactions: no reply is due, so nothing can be in doubt. */
static void link_renew(struct link *l)
{
    uint64_t life_ms = l->config.credentials.reconnect_ms;

    if (life_ms && l->state == LINK_READY && l->expects.count == 0 && l->now_ms - l->greeted_ms >= life_ms)
        link_fail(l, -ECANCELED, "the connection is renewed before its credentials end");
}

void link_tick(struct link *l, uint64_t now_ms)
{
    l->now_ms = now_ms;
    if (l->state == LINK_DOWN && now_ms >= l->deadline_ms)
        link_connect(l);
    if (l->state == LINK_CONNECTING && !l->failing)
        link_check_connected(l);
    if (l->state >= LINK_GREETING && !l->failing) {
        link_flush(l);
        link_receive(l);
        link_flush(l);
        link_check_deadline(l);
    }
    link_renew(l);
    if (l->failing)
        link_close(l);
}

/* ---- life ---- */

int link_create(struct link **out, const struct link_config *config, const struct link_user *user)
{
    struct link *l = calloc(1, sizeof(*l));

    if (!l)
        return -ENOMEM;
    l->config = *config;
    l->user = *user;
    l->expects.pause_ms = config->reply_timeout_ms;
    l->expects.ceiling_ms = config->reply_timeout_max_ms;
    if (resp_create(&l->reader, &config->limits) < 0) {
        free(l);
        return -ENOMEM;
    }
    *out = l;
    return 0;
}

void link_destroy(struct link *l)
{
    if (!l)
        return;
    if (l->stream)
        l->config.transport.ops->close(l->stream);
    words_forget(&l->secret);
    buf_fini(&l->out);
    resp_destroy(l->reader);
    free(l);
}

void link_set_address(struct link *l, const char *host, const char *other_host, uint16_t port)
{
    l->config.host = host;
    l->config.other_host = other_host;
    l->by_other = false;
    l->config.port = port;
}

enum link_state link_state(const struct link *l) { return l->state; }
bool link_turns_to_other(const struct link *l) { return l->by_other && !l->failed_by_other; }

const char *link_host(const struct link *l)
{
    return link_host_of(l, l->state == LINK_DOWN ? l->failed_by_other : l->by_other);
}

uint16_t link_port(const struct link *l) { return l->config.port; }
const char *link_reason(const struct link *l) { return l->reason.text; }
bool link_ended_idle(const struct link *l) { return l->ended_idle; }
int link_reason_code(const struct link *l) { return l->reason_code; }
uint64_t link_lineage(const struct link *l) { return l->greeting.lineage; }

const struct link_traffic *link_traffic(const struct link *l) { return &l->traffic; }

void link_poll(const struct link *l, struct pollfd *out)
{
    *out = (struct pollfd){.fd = -1};
    if (l->stream)
        out->fd = l->config.transport.ops->pollable(l->stream, l->out_sent < l->out.bytes, &out->events);
}

uint64_t link_wake_ms(const struct link *l)
{
    if (l->failing)
        return 0;
    if (l->state <= LINK_CONNECTING)
        return l->deadline_ms;
    return expects_deadline_ms(&l->expects);
}
