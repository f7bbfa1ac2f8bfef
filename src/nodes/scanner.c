#include "nodes/scanner.h"

#include <errno.h>
#include <stdlib.h>

#include "base/siphash.h"
#include "nodes/key_value.h"
#include "nodes/refusals.h"
#include "nodes/scan_names.h"
#include "nodes/scan_place.h"
#include "protocol/command.h"

#define SCAN_COUNT "500" /* buckets in one go: less than half a millisecond of the server's time */
#define TREE_NODES_MAX (1 << 15)
#define TREE_TEXT_MAX (1 << 23)

struct scanner {
    struct scanner_config config;
    struct link *link;      /* owned; NULL: nobody has asked lately */
    struct node_address at; /* where it goes */
    bool lost;              /* it is over: destroyed at the next tick */
    uint64_t server;        /* which process answers; 0: not known yet */
    struct question *first; /* all that wait, in order; the first is under way */
    uint32_t waiting;
    uint64_t page_ms; /* when the first began; 0: it has not */
    bool asking;
    bool last;           /* nothing is left behind the names that are being looked at */
    uint32_t looked;     /* names whose value is there */
    uint64_t asked_us;   /* when SCAN left */
    uint64_t may_ask_ms; /* not before */
    uint64_t idle_since_ms;
    struct refused refused;
    struct buf out, scratch;
};

static struct scan *scan_now(const struct scanner *s) { return s->first->scan; }

/* ---- asked and answered ---- */

void scanner_push(struct scanner *s, struct question *question)
{
    struct question **at = &s->first;

    if (s->waiting == SCANNER_WAITING_MAX) {
        question->scan->state = SCAN_BUSY;
        asker_answer(&s->config.asker, question);
        return;
    }
    while (*at)
        at = &(*at)->next;
    question->next = NULL;
    *at = question;
    s->waiting++;
}

static void scanner_answer(struct scanner *s, enum scan_state state)
{
    struct question *question = s->first;

    s->first = question->next;
    s->waiting--;
    s->page_ms = 0;
    question->scan->state = state;
    asker_answer(&s->config.asker, question);
}

static void scanner_answer_all(struct scanner *s, enum scan_state state)
{
    while (s->first)
        scanner_answer(s, state);
}

static void scanner_drop_link(struct scanner *s)
{
    link_destroy(s->link);
    s->link = NULL;
    s->lost = false;
    s->asking = false;
    s->server = 0;
}

void scanner_fail(struct scanner *s)
{
    if (s->link)
        scanner_drop_link(s);
    scanner_answer_all(s, SCAN_UNREACHABLE);
}

/* ---- answers ---- */

static void scanner_refused(struct scanner *s, const char *command, const struct reply *reply)
{
    enum redis_error_class c = redis_error_classify(reply->text);

    accounts_count_error(s->config.accounts, c);
    refused_note(&s->refused, command, reply->text);
    refusals_complain(s->config.accounts->refusals, &s->refused, c, s->link);
    scanner_answer(s, c == REDIS_ERROR_NOPERM || c == REDIS_ERROR_NOPERM_KEY ? SCAN_REFUSED : SCAN_UNREACHABLE);
}

static void scanner_end_step(struct scanner *s)
{
    struct scan *scan = scan_now(s);
    uint64_t now_us = env_now_us(s->config.accounts->env);

    s->asking = false;
    s->may_ask_ms = (now_us + (now_us - s->asked_us) * scan->pause_percent / 100 + 999) / 1000;
    if (s->last && scan->place.taken == 0 && scan->place.cursor == 0) {
        place_end_node(&scan->place);
        scan->ended = place_partition(&scan->place, s->config.space->partitions) == PARTITIONS_MAX;
    }
    if (scan->ended || scan->count >= scan->limit || now_us / 1000 - s->page_ms >= SCANNER_PAGE_MS)
        scanner_answer(s, SCAN_DONE);
}

static void scanner_on_value(void *ctx, const struct reply *reply, uint32_t index)
{
    struct scanner *s = ctx;
    (void)index;

    struct scan_name *name = &scan_now(s)->names[s->looked++];
    enum key_value held = key_value_read(reply, &name->value);
    name->there = held == KEY_VALUE_INTEGER;
    if (held == KEY_VALUE_UNTOLD) /* MOVED, say: none of the page is sure to be whole */
        link_fail(s->link, -EREMOTE, "the server does not say what a counter holds");
    else if (s->looked == scan_now(s)->count)
        scanner_end_step(s);
}

static void scanner_send(struct scanner *s, uint32_t replies, link_reply_fn fn)
{
    s->asking = true;
    link_expect(s->link, replies, fn, s);
    link_send_commands(s->link, &s->out);
}

static void scanner_look(struct scanner *s, uint32_t first)
{
    const struct scan *scan = scan_now(s);

    s->looked = first;
    if (first == scan->count) {
        scanner_end_step(s);
        return;
    }
    buf_clear(&s->out);
    for (uint32_t i = first; i < scan->count; i++) {
        struct slice name = scan_name_at(scan, i);
        struct slice prefix = keyspace_prefix(s->config.space, keyspace_partition(s->config.space, name));
        key_value_append(&s->out, &s->scratch, prefix, name);
    }
    scanner_send(s, scan->count - first, scanner_on_value);
}

static void scanner_on_names(void *ctx, const struct reply *reply, uint32_t index)
{
    struct scanner *s = ctx;
    struct scan *scan = scan_now(s);
    uint32_t first = scan->count;
    uint64_t cursor;
    (void)index;

    if (reply->type == REPLY_ERROR) {
        s->asking = false;
        scanner_refused(s, "scan", reply);
        return;
    }
    refusals_end(s->config.accounts->refusals, &s->refused);
    if (!scan_names_read(scan, s->config.space, reply, &cursor)) {
        link_fail(s->link, -EPROTO, "no answer to SCAN, or no memory for it");
        return;
    }
    s->last = scan_settle(scan, first);
    if (s->last)
        scan->place.cursor = cursor;
    s->last = s->last && cursor == 0;
    scanner_look(s, first);
}

static void scanner_on_info(void *ctx, const struct reply *reply, uint32_t index)
{
    static const struct siphash_key public_key = {0, 0};
    struct scanner *s = ctx;
    struct slice run = reply->type == REPLY_STRING ? scan_run_id(reply->text) : (struct slice){"", 0};
    (void)index;

    s->asking = false;
    s->server = siphash13(&public_key, run.at, run.bytes) | 1;
}

/* ---- questions ---- */

static void scanner_link_ready(void *ctx) { (void)ctx; }
static void scanner_link_evicts(void *ctx, struct slice policy)
{
    (void)ctx, (void)policy; /* the nodes' links say it */
}

static void scanner_link_down(void *ctx)
{
    struct scanner *s = ctx;

    s->lost = true;
}

static void scanner_link_refused(void *ctx, const struct redis_refusal *what)
{
    struct scanner *s = ctx;

    accounts_count_error(s->config.accounts, what->class);
}

static bool scanner_connect(struct scanner *s, const struct node_address *a)
{
    const struct link_user user = {
        .ctx = s,
        .ready = scanner_link_ready,
        .down = scanner_link_down,
        .refused = scanner_link_refused,
        .evicts = scanner_link_evicts,
    };

    if (s->link && node_address_equals(&s->at, a))
        return true;
    if (s->link)
        scanner_drop_link(s);
    s->at = *a;
    struct link_config link = s->config.link;
    link.host = s->at.host;
    link.other_host = s->at.other;
    link.port = s->at.port;
    link.limits = (struct resp_limits){.nodes_max = TREE_NODES_MAX, .text_bytes_max = TREE_TEXT_MAX};
    return link_create(&s->link, &link, &user) == 0;
}

static void scanner_ask_server(struct scanner *s)
{
    buf_clear(&s->out);
    command_append(&s->out, 2, (struct slice[]){SLICE("INFO"), SLICE("server")});
    scanner_send(s, 1, scanner_on_info);
}

static void scanner_ask_names(struct scanner *s)
{
    struct scan *scan = scan_now(s);
    char cursor[BUF_DIGITS_MAX];
    size_t digits = (size_t)(buf_put_u64(cursor, scan->place.cursor) - cursor);

    buf_clear(&s->scratch);
    scan_pattern(&s->scratch, s->config.space, (struct slice){scan->begins, scan->begins_bytes});
    buf_clear(&s->out);
    command_append(&s->out, 6,
                   (struct slice[]){SLICE("SCAN"),
                                    {cursor, digits},
                                    SLICE("MATCH"),
                                    buf_slice(&s->scratch),
                                    SLICE("COUNT"),
                                    SLICE(SCAN_COUNT)});
    s->out.failed |= s->scratch.failed;
    s->asked_us = env_now_us(s->config.accounts->env);
    scanner_send(s, 1, scanner_on_names);
}

/* One step of the walk that is under way. */
static void scanner_step(struct scanner *s)
{
    struct scan_place *p = &scan_now(s)->place;
    uint32_t partition = place_partition(p, s->config.space->partitions);

    if (partition == PARTITIONS_MAX) { /* of a cursor that says so */
        scan_now(s)->ended = true;
        scanner_answer(s, SCAN_DONE);
        return;
    }
    const struct node_address *home = s->config.home(s->config.ctx, partition);
    if (!home || !scanner_connect(s, home)) {
        scanner_answer(s, SCAN_UNREACHABLE);
        return;
    }
    if (link_state(s->link) != LINK_READY)
        return;
    if (!s->server) {
        scanner_ask_server(s);
        return;
    }
    if (p->server != s->server)
        place_restart_node(p);
    p->server = s->server;
    uint64_t there[SCAN_PARTITION_WORDS] = {0};
    for (uint32_t i = 0; i < s->config.space->partitions; i++) {
        const struct node_address *other = s->config.home(s->config.ctx, i);
        if (other && node_address_equals(other, home))
            scan_set_bit(there, i);
    }
    place_settle(p, there);
    scanner_ask_names(s);
}

static void scanner_expire(struct scanner *s, uint64_t now_ms)
{
    if (s->asking && now_ms >= s->first->deadline_ms)
        scanner_drop_link(s);
    while (s->first && now_ms >= s->first->deadline_ms)
        scanner_answer(s, SCAN_UNREACHABLE);
}

void scanner_tick(struct scanner *s, uint64_t now_ms)
{
    if (s->link)
        link_tick(s->link, now_ms);
    if (s->lost) {
        bool fails = s->asking || !s->server; /* else the server ended what was idle, and there will be another */
        scanner_drop_link(s);
        if (fails)
            scanner_answer_all(s, SCAN_UNREACHABLE);
    }
    if (s->first) {
        scanner_expire(s, now_ms);
        s->idle_since_ms = now_ms;
    } else if (s->link && now_ms - s->idle_since_ms >= SCANNER_IDLE_MS) {
        scanner_drop_link(s);
    }
    if (!s->first || s->asking || now_ms < s->may_ask_ms)
        return;
    if (!s->page_ms)
        s->page_ms = now_ms ? now_ms : 1;
    scanner_step(s);
    if (s->link)
        link_tick(s->link, now_ms);
}

bool scanner_poll(const struct scanner *s, struct pollfd *out)
{
    if (s->link)
        link_poll(s->link, out);
    return s->link;
}

uint64_t scanner_wake_ms(const struct scanner *s)
{
    uint64_t wake = s->link ? link_wake_ms(s->link) : UINT64_MAX;

    if (s->lost)
        return 0;
    if (s->first && s->first->deadline_ms < wake)
        wake = s->first->deadline_ms;
    if (!s->first && s->link && s->idle_since_ms + SCANNER_IDLE_MS < wake)
        wake = s->idle_since_ms + SCANNER_IDLE_MS;
    bool ready = !s->link || link_state(s->link) == LINK_READY;
    if (s->first && !s->asking && ready && s->may_ask_ms < wake)
        wake = s->may_ask_ms;
    return wake;
}

/* ---- life ---- */

int scanner_create(struct scanner **out, const struct scanner_config *config)
{
    struct scanner *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->config = *config;
    *out = s;
    return 0;
}

void scanner_destroy(struct scanner *s)
{
    if (!s)
        return;
    refusals_end(s->config.accounts->refusals, &s->refused);
    link_destroy(s->link);
    buf_fini(&s->out);
    buf_fini(&s->scratch);
    free(s);
}
