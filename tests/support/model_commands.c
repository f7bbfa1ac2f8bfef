/* The commands, one function each, and nothing of transactions. */
#include <inttypes.h>
#include <stdio.h>

#include "support/model.h"
#include "support/model_sets.h"

static void answer(struct buf *out, const char *line) { buf_printf(out, "%s\r\n", line); }
static void answer_integer(struct buf *out, int64_t n) { buf_printf(out, ":%" PRId64 "\r\n", n); }

static void answer_bulk(struct buf *out, struct slice text)
{
    buf_printf(out, "$%zu\r\n", text.bytes);
    buf_append_slice(out, text);
    buf_append(out, "\r\n", 2);
}

static const char wrong_type[] = "-WRONGTYPE Operation against a key holding the wrong kind of value";
static const char not_integer[] = "-ERR value is not an integer or out of range";
static const char overflow[] = "-ERR increment or decrement would overflow";

/* Adds to the key, or says why not. */
static const char *incrby(struct model *m, struct model_client *c, uint32_t key, int64_t delta, int64_t *sum)
{
    const struct model_value *v = &m->keys[key].value;
    char text[24];

    *sum = 0;
    if (v->type == MODEL_LIST || v->type == MODEL_SET)
        return wrong_type;
    if (v->type == MODEL_STRING && !model_parse_integer((struct slice){v->text, v->bytes}, sum))
        return not_integer;
    if (__builtin_add_overflow(*sum, delta, sum))
        return overflow;
    int bytes = snprintf(text, sizeof(text), "%" PRId64, *sum);
    struct model_value grown = model_string((struct slice){text, (size_t)bytes});
    grown.expires_s = v->expires_s;
    model_write(m, key, &grown, c->tag, delta);
    return NULL;
}

bool model_delta(const struct model_command *cmd, int64_t *delta)
{
    *delta = 1;
    return slice_equals(cmd->args[0], SLICE("INCR")) ||
           (slice_equals(cmd->args[0], SLICE("INCRBY")) && model_parse_integer(cmd->args[2], delta));
}

static void do_incrby(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out)
{
    int64_t delta, sum;

    if (!model_delta(cmd, &delta)) {
        answer(out, not_integer);
        return;
    }
    const char *refusal = incrby(m, c, model_find(m, cmd->args[1], true), delta, &sum);
    if (refusal) {
        answer(out, refusal);
        if (m->watcher.refused && m->in_exec)
            m->watcher.refused(m->watcher.ctx, c->tag, cmd->args[1], delta);
        return;
    }
    answer_integer(out, sum);
    if (m->watcher.added)
        m->watcher.added(m->watcher.ctx, c->tag, cmd->args[1], delta, m->in_exec);
    if (m->watcher.added && m->deposed)
        m->watcher.added(m->watcher.ctx, c->tag, cmd->args[1], -delta, m->in_exec);
}

static const struct model_value *value_of(struct model *m, struct slice name)
{
    static const struct model_value none = {0};
    uint32_t key = model_find(m, name, false);

    return key == MODEL_NO_KEY ? &none : &m->keys[key].value;
}

static int64_t tell_written(const struct model *m, const struct model_client *c, struct slice key, const int64_t *value)
{
    int64_t replaced = m->watcher.written ? m->watcher.written(m->watcher.ctx, c->tag, key, value) : 0;

    if (replaced && m->watcher.added && m->deposed)
        m->watcher.added(m->watcher.ctx, c->tag, key, -replaced, true);
    return replaced;
}

static void do_set(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out)
{
    struct model_value v = model_string(cmd->args[2]);
    int64_t expires_s = 0, value = 0;

    if (cmd->count >= 5 && !model_parse_integer(cmd->args[4], &expires_s)) {
        answer(out, not_integer);
        return;
    }
    if (cmd->count == 4 && value_of(m, cmd->args[1])->type != MODEL_NONE) { /* NX */
        answer(out, "$-1");
        return;
    }
    if (cmd->count == 6 && value_of(m, cmd->args[1])->type == MODEL_NONE) { /* XX */
        answer(out, "$-1");
        return;
    }
    v.expires_s = (uint32_t)expires_s;
    model_parse_integer(cmd->args[2], &value);
    model_write(m, model_find(m, cmd->args[1], true), &v, c->tag, tell_written(m, c, cmd->args[1], &value));
    answer(out, "+OK");
}

static void do_get(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out)
{
    const struct model_value *v = value_of(m, cmd->args[1]);
    (void)c;

    if (v->type == MODEL_LIST || v->type == MODEL_SET)
        answer(out, wrong_type);
    else if (v->type == MODEL_NONE)
        answer(out, "$-1");
    else
        answer_bulk(out, (struct slice){v->text, v->bytes});
}

/* Only from 0 to something that is not negative. */
static void do_getrange(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out)
{
    const struct model_value *v = value_of(m, cmd->args[1]);
    int64_t first, last;
    (void)c;

    if (!model_parse_integer(cmd->args[2], &first) || !model_parse_integer(cmd->args[3], &last)) {
        answer(out, not_integer);
        return;
    }
    if (v->type == MODEL_LIST || v->type == MODEL_SET) {
        answer(out, wrong_type);
        return;
    }
    size_t bytes = v->type == MODEL_STRING ? v->bytes : 0;
    answer_bulk(out, (struct slice){v->text, bytes < (size_t)last + 1 ? bytes : (size_t)last + 1});
}

static void do_del(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out)
{
    uint32_t key = model_find(m, cmd->args[1], false);
    bool there = key != MODEL_NO_KEY && m->keys[key].value.type != MODEL_NONE;
    int64_t replaced = tell_written(m, c, cmd->args[1], NULL);

    if (there)
        model_write(m, key, &(struct model_value){0}, c->tag, replaced);
    answer_integer(out, there);
}

static void do_lpush(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out)
{
    uint32_t key = model_find(m, cmd->args[1], true);
    struct model_value v = m->keys[key].value;

    if (v.type == MODEL_STRING || v.type == MODEL_SET) {
        answer(out, wrong_type);
        return;
    }
    v.type = MODEL_LIST;
    v.text[0]++;
    model_write(m, key, &v, c->tag, 0);
    answer_integer(out, v.text[0]);
}

static void answer_replication(const struct model *m, bool replica, struct buf *out)
{
    char text[128];
    int bytes = snprintf(text, sizeof(text), "# Replication\r\nrole:%s\r\nmaster_replid:%016" PRIx64 "%024d\r\n",
                         replica ? "slave" : "master", m->lineage, 0);

    answer_bulk(out, (struct slice){text, (size_t)bytes});
}

static void answer_memory(const struct model *m, struct buf *out)
{
    char text[128];
    int bytes =
        snprintf(text, sizeof(text), "# Memory\r\nmaxmemory_policy:%s\r\n", m->policy ? m->policy : "noeviction");

    answer_bulk(out, (struct slice){text, (size_t)bytes});
}

static void do_info(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out)
{
    bool replica = m->replica || m->mood == MODEL_READONLY || m->mood == MODEL_MASTERDOWN;
    (void)c;

    if (cmd->count == 2 && slice_equals(cmd->args[1], SLICE("replication")))
        answer_replication(m, replica, out);
    else
        answer_memory(m, out);
}

static void do_cluster(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out)
{
    (void)c, (void)cmd;

    if (m->cluster.slots)
        m->cluster.slots(m->cluster.ctx, out);
    else
        answer(out, "-ERR This instance has cluster support disabled");
}

static void do_auth(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out)
{
    struct slice given = cmd->args[cmd->count - 1];

    if (!m->password) {
        answer(out, "-ERR AUTH <password> called without any password configured for the default user. Are you sure "
                    "your configuration is correct?");
        return;
    }
    if (!slice_equals(given, (struct slice){m->password, strlen(m->password)})) {
        answer(out, "-WRONGPASS invalid username-password pair or user is disabled.");
        return;
    }
    c->authed = true;
    answer(out, "+OK");
}

static void do_client(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out)
{
    (void)m;

    if (slice_equals(cmd->args[1], SLICE("REPLY")))
        c->skip_next = true;
    else
        answer(out, "+OK");
}

static void do_watch(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out)
{
    uint32_t key = model_find(m, cmd->args[1], true), i = 0;

    while (i < c->watched && c->watches[i].key != key)
        i++;
    if (i == c->watched && i < MODEL_WATCHES_MAX) /* the first WATCH of a key stands, with what it saw */
        c->watches[c->watched++] = (struct model_watch){key, m->keys[key].version};
    answer(out, "+OK");
}

static void do_unwatch(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out)
{
    (void)m, (void)cmd;
    c->watched = 0;
    answer(out, "+OK");
}

static void do_ok(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out)
{
    (void)m, (void)c, (void)cmd;
    answer(out, "+OK");
}

static const struct {
    const char *name;
    void (*run)(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out);
} commands[] = {
    {"INCRBY", do_incrby},
    {"INCR", do_incrby},
    {"SET", do_set},
    {"GET", do_get},
    {"GETRANGE", do_getrange},
    {"WATCH", do_watch},
    {"INFO", do_info},
    {"AUTH", do_auth},
    {"SELECT", do_ok},
    {"CLIENT", do_client},
    {"DEL", do_del},
    {"LPUSH", do_lpush},
    {"UNWATCH", do_unwatch},
    {"CLUSTER", do_cluster},
    {"ZADD", model_zadd},
    {"ZREM", model_zrem},
    {"ZCOUNT", model_zcount},
    {"ZREVRANGE", model_zrevrange},
    {"ZREMRANGEBYRANK", model_zremrangebyrank},
};

void model_execute(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strlen(commands[i].name) == cmd->args[0].bytes &&
            memcmp(commands[i].name, cmd->args[0].at, cmd->args[0].bytes) == 0) {
            commands[i].run(m, c, cmd, out);
            return;
        }
    }
    answer(out, "-ERR unknown command");
}
