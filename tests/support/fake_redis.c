#include "support/fake_redis.h"

#define FAKE_KEYS_MAX 8192 /* a power of two */

static struct slice text_slice(const char *text) { return (struct slice){text, strlen(text)}; }

/* ---- keys ---- */

static struct model_key *key_made(struct fake_redis *r, const char *name, uint32_t *at)
{
    *at = model_find(&r->model, text_slice(name), true);
    return &r->model.keys[*at];
}

void fake_set(struct fake_redis *r, const char *name, const char *value)
{
    const struct model_value text = model_string(text_slice(value));
    uint32_t at;

    key_made(r, name, &at);
    model_write(&r->model, at, &text, 0, 0);
}

void fake_delete(struct fake_redis *r, const char *name)
{
    uint32_t at;

    key_made(r, name, &at);
    model_write(&r->model, at, &(struct model_value){0}, 0, 0);
}

void fake_make_list(struct fake_redis *r, const char *name, bool list)
{
    uint32_t at;
    struct model_value value = key_made(r, name, &at)->value;

    if (value.type == MODEL_NONE)
        return;
    value.type = list ? MODEL_LIST : MODEL_STRING;
    model_write(&r->model, at, &value, 0, 0);
}

static struct fake_key key_shown(const struct model_key *k)
{
    struct fake_key shown = {.exists = k->value.type != MODEL_NONE};

    memcpy(shown.name, k->name, k->name_bytes);
    memcpy(shown.value, k->value.text, k->value.bytes);
    return shown;
}

struct fake_key fake_key(struct fake_redis *r, const char *name)
{
    uint32_t at = model_find(&r->model, text_slice(name), false);

    return at == MODEL_NO_KEY ? (struct fake_key){0} : key_shown(&r->model.keys[at]);
}

int64_t fake_value(struct fake_redis *r, const char *name)
{
    int64_t value;
    bool integer = model_integer(&r->model, text_slice(name), &value);

    return integer ? value : 0;
}

struct fake_key fake_ledger_of(struct fake_redis *r, const char *prefix)
{
    for (uint32_t i = r->model.undo_count; i-- > 0;) {
        struct fake_key k = key_shown(&r->model.keys[r->model.undo[i].key]);
        if (k.exists && strstr(k.name, "!ledger:") && strncmp(k.name, prefix, strlen(prefix)) == 0)
            return k;
    }
    return (struct fake_key){0};
}

struct fake_key fake_ledger(struct fake_redis *r) { return fake_ledger_of(r, ""); }

bool fake_is_untouched(const struct fake_redis *r)
{
    uint32_t names = 0;

    for (uint32_t i = 0; i < r->model.keys_max; i++)
        names += r->model.keys[i].name_bytes > 0;
    return names == 0;
}

/* ---- what is executed ---- */

static void fake_added(void *ctx, uint32_t tag, struct slice key, int64_t delta, bool in_exec)
{
    struct fake_redis *r = ctx;
    (void)tag, (void)key, (void)delta;

    r->executed_incrbys++;
    r->executed_outside_multi += !in_exec;
}

static void fake_exec(void *ctx, uint32_t tag, struct slice commands, bool refused)
{
    struct fake_redis *r = ctx;
    (void)tag, (void)commands;

    r->execs += !refused;
}

static bool command_is(const struct model_command *cmd, const char *name)
{
    return slice_equals(cmd->args[0], text_slice(name));
}

static const struct fake_rule *rule_for(const struct fake_redis *r, const struct model_command *cmd)
{
    const bool incr = command_is(cmd, "INCR");

    for (int i = 0; i < r->rules_count; i++) {
        const struct fake_rule *rule = &r->rules[i];
        if (!command_is(cmd, rule->command) && !(incr && strcmp(rule->command, "INCRBY") == 0))
            continue;
        if (!rule->key || (cmd->count > 1 && memmem(cmd->args[1].at, cmd->args[1].bytes, rule->key, strlen(rule->key))))
            return rule;
    }
    return NULL;
}

/* What is refused while commands are queued aborts the transaction. */
static void fake_answer_by_rule(struct stream *s, const struct fake_rule *rule, bool exec)
{
    buf_printf(&s->out, "%s\r\n", rule->answer);
    s->client.aborted |= s->client.multi;
    if (exec)
        model_client_discard(&s->client);
}

static void fake_command(struct stream *s, const struct model_command *cmd)
{
    const struct fake_rule *rule = rule_for(s->redis, cmd);

    if (rule) {
        fake_answer_by_rule(s, rule, command_is(cmd, "EXEC"));
        return;
    }
    s->redis->gets += command_is(cmd, "GET") || command_is(cmd, "GETRANGE");
    bool understood = model_feed(&s->redis->model, &s->client, cmd->raw, &s->out);
    assert(understood);
}

void fake_rule(struct fake_redis *r, struct fake_rule rule)
{
    assert(r->rules_count < FAKE_RULES_MAX);
    r->rules[r->rules_count++] = rule;
}

/* ---- connections ---- */

static void fake_cut(struct stream *s, enum fake_ending ending)
{
    s->cut = true;
    s->ending = ending;
}

/* One whole command from what has arrived, executed; false: it is not there yet. */
static bool fake_serve_one(struct stream *s)
{
    struct model_command cmd;
    size_t bytes = 0, before = s->out.bytes;
    int got = model_parse(buf_slice(&s->in), &bytes, &cmd);

    assert(got >= 0);
    if (got == 0)
        return false;
    bool last = s->redis->cut_after_command && command_is(&cmd, s->redis->cut_after_command);
    fake_command(s, &cmd);
    buf_consume(&s->in, bytes);
    s->replies_lost |= last;
    if (s->replies_lost)
        s->out.bytes = before;
    if (!last)
        return true;
    s->redis->cut_after_command = NULL;
    fake_cut(s, FAKE_RESET);
    return false;
}

void fake_serve(struct stream *s)
{
    while (!s->redis->mute && !s->dead && s->in.bytes && fake_serve_one(s))
        ;
}

void fake_deliver_late(struct fake_redis *r)
{
    for (int i = 0; i < r->conns_count; i++) {
        struct stream *s = r->conns[i];
        if (s->dead || s->late.bytes == 0)
            continue;
        buf_append_slice(&s->in, buf_slice(&s->late));
        buf_clear(&s->late);
        fake_serve(s);
    }
}

void fake_restart(struct fake_redis *r)
{
    for (int i = 0; i < r->conns_count; i++) {
        fake_cut(r->conns[i], FAKE_RESET);
        r->conns[i]->dead = true;
    }
}

bool fake_has_news(const struct fake_redis *r)
{
    for (int i = 0; i < r->conns_count; i++) {
        const struct stream *s = r->conns[i];
        if (s->open && (s->out.bytes || (s->cut && s->ending != FAKE_SILENCE)))
            return true;
    }
    return false;
}

/* ---- the transport ---- */

int fake_open(void *ctx, const char *host, uint16_t port, struct stream **out)
{
    struct fake_redis *r = ctx;
    (void)host, (void)port;

    if (r->open_error)
        return r->open_error;
    assert(r->conns_count < FAKE_CONNS_MAX);
    struct stream *s = calloc(1, sizeof(*s));
    assert(s);
    s->redis = r;
    s->open = true;
    s->in_cut = r->next_in_cut;
    s->out_cut = r->next_out_cut;
    s->ending = r->next_ending;
    r->next_in_cut = FAKE_NO_CUT;
    r->next_out_cut = FAKE_NO_CUT;
    r->conns[r->conns_count++] = s;
    *out = s;
    return 0;
}

int fake_status(struct stream *s)
{
    (void)s;
    return 0;
}

ssize_t fake_try_send(struct stream *s, const void *data, size_t bytes)
{
    size_t arrives = s->cut ? 0 : bytes;

    s->redis->writes++;
    if (s->cut && s->ending == FAKE_RESET && s->late.bytes == 0)
        return -EPIPE;
    if (!s->cut && s->in_cut != FAKE_NO_CUT && s->in_total + bytes >= s->in_cut) {
        arrives = (size_t)(s->in_cut - s->in_total);
        fake_cut(s, s->ending);
    }
    buf_append(&s->in, data, arrives);
    buf_append(&s->late, (const char *)data + arrives, bytes - arrives);
    s->in_total += arrives;
    fake_serve(s);
    return (ssize_t)bytes;
}

static ssize_t fake_end(const struct stream *s)
{
    if (!s->cut || s->ending == FAKE_SILENCE)
        return -EAGAIN;
    return s->ending == FAKE_RESET ? -ECONNRESET : 0;
}

ssize_t fake_try_recv(struct stream *s, void *out, size_t bytes)
{
    size_t n = s->out.bytes < bytes ? s->out.bytes : bytes;

    if (s->out_cut != FAKE_NO_CUT && s->out_total + n >= s->out_cut) {
        n = (size_t)(s->out_cut - s->out_total);
        fake_cut(s, s->ending);
        s->out.bytes = n;
        s->out_cut = FAKE_NO_CUT;
        s->replies_lost = true;
    }
    if (n == 0)
        return fake_end(s);
    memcpy(out, s->out.data, n);
    buf_consume(&s->out, n);
    s->out_total += n;
    return (ssize_t)n;
}

int fake_pollable(const struct stream *s, int sending, short *events)
{
    (void)s, (void)sending;
    *events = 0;
    return -1;
}

void fake_close(struct stream *s) { s->open = false; } /* the server may still get late bytes */

const struct transport_ops fake_ops = {
    .open = fake_open,
    .status = fake_status,
    .try_send = fake_try_send,
    .try_recv = fake_try_recv,
    .pollable = fake_pollable,
    .close = fake_close,
};

/* ---- life ---- */

void fake_init(struct fake_redis *r)
{
    *r = (struct fake_redis){.next_in_cut = FAKE_NO_CUT, .next_out_cut = FAKE_NO_CUT};
    model_init(&r->model, FAKE_KEYS_MAX);
    r->model.watcher = (struct model_watcher){.ctx = r, .added = fake_added, .exec = fake_exec};
}

void fake_fini(struct fake_redis *r)
{
    for (int i = 0; i < r->conns_count; i++) {
        struct stream *s = r->conns[i];
        model_client_fini(&s->client);
        buf_fini(&s->in);
        buf_fini(&s->out);
        buf_fini(&s->late);
        free(s);
    }
    model_fini(&r->model);
}
