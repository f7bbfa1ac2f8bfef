/* Clients: parsing, what is refused before it is run, and transactions. */
#include "support/model.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* What the server's table of commands says of each. */
enum trait {
    WRITES = 1,
    GROWS = 2, /* "denyoom" */
    WHEN_LOADING = 4,
    WHEN_STALE = 8,
    WHEN_BUSY = 16,
    WHEN_UNKNOWN = 32, /* before AUTH */
    NOT_QUEUED = 64,
};

static const struct row {
    const char *name, *lower;
    unsigned traits;
} rows[] = {
    {"INCRBY", "incrby", WRITES | GROWS},
    {"INCR", "incr", WRITES | GROWS},
    {"SET", "set", WRITES | GROWS},
    {"LPUSH", "lpush", WRITES | GROWS},
    {"DEL", "del", WRITES},
    {"ZADD", "zadd", WRITES | GROWS},
    {"ZREM", "zrem", WRITES},
    {"ZREMRANGEBYRANK", "zremrangebyrank", WRITES},
    {"ZCOUNT", "zcount", 0},
    {"ZREVRANGE", "zrevrange", 0},
    {"GET", "get", 0},
    {"GETRANGE", "getrange", 0},
    {"WATCH", "watch", WHEN_LOADING | WHEN_STALE | WHEN_BUSY | NOT_QUEUED},
    {"UNWATCH", "unwatch", WHEN_LOADING | WHEN_STALE | WHEN_BUSY},
    {"MULTI", "multi", WHEN_LOADING | WHEN_STALE | WHEN_BUSY | NOT_QUEUED},
    {"EXEC", "exec", WHEN_LOADING | WHEN_STALE | NOT_QUEUED},
    {"DISCARD", "discard", WHEN_LOADING | WHEN_STALE | WHEN_BUSY | NOT_QUEUED},
    {"INFO", "info", WHEN_LOADING | WHEN_STALE},
    {"SELECT", "select", WHEN_LOADING | WHEN_STALE},
    {"CLIENT", "client|setname", WHEN_LOADING | WHEN_STALE},
    {"CLUSTER", "cluster|slots", WHEN_STALE},
    {"AUTH", "auth", WHEN_LOADING | WHEN_STALE | WHEN_BUSY | WHEN_UNKNOWN},
};

static const struct row *row_of(struct slice name)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (slice_equals(name, (struct slice){rows[i].name, strlen(rows[i].name)}))
            return &rows[i];
    }
    return NULL;
}

/* ---- refusals ---- */

static bool has_key(const struct row *row)
{
    return row->traits & WRITES || row->lower[0] == 'g' || row->lower[0] == 'w' || row->lower[0] == 'z';
}

bool model_has_key(const struct model_command *cmd)
{
    const struct row *row = row_of(cmd->args[0]);

    return row && has_key(row) && cmd->count > 1;
}

/* NULL: not denied. */
static const char *denied(const struct model *m, const struct row *row, const struct model_command *cmd, char out[128])
{
    if (row->traits & WHEN_UNKNOWN)
        return NULL;
    if (m->denied_command && strcmp(m->denied_command, row->lower) == 0) {
        snprintf(out, 128, "-NOPERM this user has no permissions to run the '%s' command", row->lower);
        return out;
    }
    if (m->denied_key.bytes && has_key(row) && cmd->count > 1 && slice_equals(cmd->args[1], m->denied_key))
        return "-NOPERM this user has no permissions to access one of the keys used as arguments";
    return NULL;
}

/* The mood refuses a transaction for what is queued in it. */
static const char *mood_refuses(enum model_mood mood, unsigned traits, bool writes)
{
    switch (mood) {
    case MODEL_OOM: return writes ? "-OOM command not allowed when used memory > 'maxmemory'." : NULL;
    case MODEL_MISCONF:
        return writes ? "-MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to "
                        "disk. Commands that may modify the data set are disabled, because this instance is "
                        "configured to report errors during writes if RDB snapshotting fails "
                        "(stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB "
                        "error."
                      : NULL;
    case MODEL_NOREPLICAS: return writes ? "-NOREPLICAS Not enough good replicas to write." : NULL;
    case MODEL_READONLY: return writes ? "-READONLY You can't write against a read only replica." : NULL;
    case MODEL_MASTERDOWN:
        if (writes)
            return "-READONLY You can't write against a read only replica.";
        return traits & WHEN_STALE
                   ? NULL
                   : "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
    case MODEL_LOADING: return traits & WHEN_LOADING ? NULL : "-LOADING Redis is loading the dataset in memory";
    case MODEL_BUSY:
        return traits & WHEN_BUSY
                   ? NULL
                   : "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";
    case MODEL_FINE:
    case MODEL_MOODS: return NULL;
    }
    return NULL;
}

/* Who may not. */
static const char *login_refuses(const struct model *m, const struct model_client *c, const struct row *row,
                                 const struct model_command *cmd, char text[128])
{
    if (m->password && !c->authed && !(row->traits & WHEN_UNKNOWN))
        return "-NOAUTH Authentication required.";
    return denied(m, row, cmd, text);
}

/* What may not be done now. */
static const char *refusal_of(const struct model *m, const struct model_client *c, const struct row *row)
{
    bool exec = c->multi && row->lower[0] == 'e';
    unsigned has = row->traits | (exec ? c->queued_has : 0);
    bool writes = has & (m->mood == MODEL_OOM ? GROWS : WRITES);
    /* Queueing takes memory, whatever is queued. */
    writes |= m->mood == MODEL_OOM && c->multi && !exec && strcmp(row->lower, "discard") != 0;
    unsigned traits = row->traits;

    if (exec) /* may run when all that is queued may */
        traits &= ~(c->queued_lack & (WHEN_LOADING | WHEN_STALE));
    return mood_refuses(m->mood, traits, writes);
}

/* ---- transactions ---- */

void model_client_discard(struct model_client *c)
{
    c->multi = false;
    c->aborted = false;
    c->queued_lack = 0;
    c->queued_has = 0;
    c->queued = 0;
    c->queued_bytes = 0;
    c->watched = 0;
    buf_clear(&c->queue);
}

static bool client_watch_broken(const struct model *m, const struct model_client *c)
{
    for (uint32_t i = 0; i < c->watched; i++) {
        if (m->keys[c->watches[i].key].version != c->watches[i].version)
            return true;
    }
    return false;
}

static void model_run_queued(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out)
{
    char text[128];
    const char *why = denied(m, row_of(cmd->args[0]), cmd, text);

    if (!why) {
        model_execute(m, c, cmd, out);
        return;
    }
    buf_printf(out,
               "-NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This "
               "command is no longer allowed for the following reason: %s\r\n",
               strstr(why, "keys") ? "no permission to touch the specified keys"
                                   : "no permission to execute the command or subcommand");
    int64_t delta;
    if (m->watcher.refused && model_delta(cmd, &delta))
        m->watcher.refused(m->watcher.ctx, c->tag, cmd->args[1], delta);
}

static void model_exec(struct model *m, struct model_client *c, struct buf *out)
{
    struct model_command cmd;
    bool broken = client_watch_broken(m, c);

    if (m->watcher.exec && !c->aborted)
        m->watcher.exec(m->watcher.ctx, c->tag, buf_slice(&c->queue), broken);
    if (c->aborted) {
        buf_printf(out, "-EXECABORT Transaction discarded because of previous errors.\r\n");
    } else if (broken) {
        buf_printf(out, "*-1\r\n");
    } else {
        buf_printf(out, "*%u\r\n", c->queued);
        c->watched = 0;
        m->in_exec = true;
        m->step++;
        for (size_t at = 0; model_parse(buf_slice(&c->queue), &at, &cmd) == 1;)
            model_run_queued(m, c, &cmd, out);
        m->in_exec = false;
        if (m->watcher.exec_answered)
            m->watcher.exec_answered(m->watcher.ctx);
    }
    model_client_discard(c);
}

static void model_queue(const struct model *m, struct model_client *c, const struct row *row,
                        const struct model_command *cmd, struct buf *out)
{
    c->queued++;
    buf_append_slice(&c->queue, cmd->raw);
    if (!c->aborted && !client_watch_broken(m, c)) { /* else Redis says QUEUED and forgets it */
        c->queued_lack |= ~row->traits;
        c->queued_has |= row->traits;
        c->queued_bytes = c->queue.bytes;
    }
    buf_printf(out, "+QUEUED\r\n");
}

/* ---- commands ---- */

static void model_reject(struct model_client *c, const struct row *row, const char *why, struct buf *out)
{
    bool exec = strcmp(row->lower, "exec") == 0;

    c->aborted |= c->multi;
    if (!exec) {
        buf_printf(out, "%s\r\n", why);
        return;
    }
    buf_printf(out, "-EXECABORT Transaction discarded because of: %s\r\n", why + 1);
    model_client_discard(c);
}

static void model_control(struct model *m, struct model_client *c, const struct row *row,
                          const struct model_command *cmd, struct buf *out)
{
    switch (row->lower[0]) {
    case 'm':
        buf_printf(out, c->multi ? "-ERR MULTI calls can not be nested\r\n" : "+OK\r\n");
        c->multi = true;
        return;
    case 'w':
        if (c->multi)
            buf_printf(out, "-ERR WATCH inside MULTI is not allowed\r\n");
        else
            model_execute(m, c, cmd, out);
        return;
    case 'd':
        buf_printf(out, c->multi ? "+OK\r\n" : "-ERR DISCARD without MULTI\r\n");
        if (c->multi)
            model_client_discard(c);
        return;
    default:
        if (c->multi)
            model_exec(m, c, out);
        else
            buf_printf(out, "-ERR EXEC without MULTI\r\n");
    }
}

/* Not by its own name, as other refusals of EXEC are. */
static void model_send_away(struct model_client *c, bool exec, const char *where, struct buf *out)
{
    c->aborted |= c->multi;
    buf_printf(out, "%s\r\n", where);
    if (exec)
        model_client_discard(c);
}

static void model_command(struct model *m, struct model_client *c, const struct model_command *cmd, struct buf *out)
{
    const struct row *row = row_of(cmd->args[0]);
    bool exec = row && c->multi && row->lower[0] == 'e';
    char text[128];

    if (!row) {
        buf_printf(out, "-ERR unknown command '%.*s'\r\n", (int)cmd->args[0].bytes, cmd->args[0].at);
        return;
    }
    const char *why = login_refuses(m, c, row, cmd, text);
    const char *where = why ? NULL : model_redirect(m, c, cmd, exec, text);
    if (where) {
        model_send_away(c, exec, where, out);
        return;
    }
    why = why ? why : refusal_of(m, c, row);
    m->info_refused |= why && strcmp(row->lower, "info") == 0;
    if (why)
        model_reject(c, row, why, out);
    else if (row->traits & NOT_QUEUED)
        model_control(m, c, row, cmd, out);
    else if (c->multi)
        model_queue(m, c, row, cmd, out);
    else
        model_execute(m, c, cmd, out);
}

/* ---- bytes ---- */

/* "<kind><number>\r\n"; 1, 0: incomplete, -1: not that. */
static int parse_count(struct slice bytes, size_t *at, char kind, size_t *n)
{
    size_t i = *at;

    if (i >= bytes.bytes)
        return 0;
    if (bytes.at[i++] != kind)
        return -1;
    for (*n = 0; i < bytes.bytes && bytes.at[i] >= '0' && bytes.at[i] <= '9' && *n < 1000000; i++)
        *n = *n * 10 + (size_t)(bytes.at[i] - '0');
    if (i < bytes.bytes && bytes.at[i] != '\r')
        return -1;
    if (i + 2 > bytes.bytes)
        return 0;
    *at = i + 2;
    return 1;
}

int model_parse(struct slice bytes, size_t *at, struct model_command *out)
{
    size_t i = *at, count, length;
    int got = parse_count(bytes, &i, '*', &count);

    if (got <= 0)
        return got;
    if (count == 0 || count > MODEL_ARGS_MAX)
        return -1;
    for (out->count = 0; out->count < count; out->count++) {
        got = parse_count(bytes, &i, '$', &length);
        if (got <= 0)
            return got;
        if (bytes.bytes - i < length + 2)
            return 0;
        out->args[out->count] = (struct slice){bytes.at + i, length};
        i += length + 2;
    }
    out->raw = (struct slice){bytes.at + *at, i - *at};
    *at = i;
    return 1;
}

bool model_feed(struct model *m, struct model_client *c, struct slice bytes, struct buf *out)
{
    struct model_command cmd;
    size_t at = 0;
    int got;

    buf_append_slice(&c->in, bytes);
    while ((got = model_parse(buf_slice(&c->in), &at, &cmd)) == 1) {
        size_t before = out->bytes;
        c->skipping = c->skip_next;
        c->skip_next = false;
        model_command(m, c, &cmd, out);
        if (c->skipping)
            out->bytes = before;
    }
    buf_consume(&c->in, at);
    return got == 0;
}

/* ---- life ---- */

void model_init(struct model *m, uint32_t keys_max)
{
    const struct model before = *m;

    *m = (struct model){.undo = before.undo, .undo_capacity = before.undo_capacity, .keys_max = keys_max};
    if (before.keys_max == keys_max) {
        m->keys = before.keys;
        memset(m->keys, 0, keys_max * sizeof(*m->keys));
        return;
    }
    free(before.keys);
    m->keys = calloc(keys_max, sizeof(*m->keys));
    assert(m->keys);
}

void model_fini(struct model *m)
{
    free(m->undo);
    free(m->keys);
    *m = (struct model){0};
}

void model_client_fini(struct model_client *c)
{
    buf_fini(&c->in);
    buf_fini(&c->queue);
}
