#include <inttypes.h>

#include "sim/sim.h"

#define HASH_BEGINS 14695981039346656037ULL
#define HEARS_WINDOW_MS 60000 /* a replay window that is longer than what a loss takes to be believed */

/* What is lost beyond it may be a bound. */
static bool is_short(uint32_t window_ms) { return window_ms && window_ms < HEARS_WINDOW_MS; }
static uint64_t hash_on(uint64_t hash, struct slice bytes) /* FNV-1a */
{
    for (size_t i = 0; i < bytes.bytes; i++)
        hash = (hash ^ (uint8_t)bytes.at[i]) * 1099511628211ULL;
    return hash;
}

static uint64_t hash_of(struct slice bytes) { return hash_on(HASH_BEGINS, bytes); }
/* ---- what the server does ---- */

/* One copy refused the key, and another did not, in the same batch (tests/sim/README.md). */
static void excuse_divided(struct sim *s, struct life *l, uint32_t key, uint64_t delta)
{
    const struct seen_batch *b = s->executing;

    if (!b || b->executed < 2 || !(b->refused_keys >> key & 1))
        return;
    l->destroyed[key] += delta;
    l->destroyed_sum += delta;
    l->excused[key] += delta;
    l->excused_sum += delta;
}

static void oracle_added(void *ctx, uint32_t tag, struct slice redis_key, int64_t delta, bool in_exec)
{
    const struct oracle_view *view = ctx;
    struct sim *s = view->sim;
    uint32_t key = world_key_of(redis_key);

    if (totals_added(s, view->copy, tag, redis_key, delta) || tag >= s->lives_count || key == SIM_KEYS_MAX)
        return;
    struct life *l = &s->lives[tag];
    if (!in_exec)
        sim_fail(s, "INCRBY outside a transaction");
    sim_note(s, "key %u of process %u: %+" PRId64, key, tag, delta);
    if (delta > 0)
        excuse_divided(s, l, key, (uint64_t)delta);
    copies_applied(s, view->copy, l, key, delta);
    if (delta < 0) {
        l->forgotten[key] += (uint64_t)-delta;
        l->forgotten_sum += (uint64_t)-delta;
    }
}

static void oracle_refused(void *ctx, uint32_t tag, struct slice redis_key, int64_t delta)
{
    struct sim *s = ((const struct oracle_view *)ctx)->sim;
    struct stream *stream = s->net.serving;
    uint32_t key = world_key_of(redis_key);

    if (tag >= s->lives_count || (key == SIM_KEYS_MAX && !totals_has(redis_key)) || !stream)
        return;
    if (s->executing)
        s->executing->refused_keys |= 1u << key;
    if (key == SIM_KEYS_MAX)
        totals_excuse_divided(s, &s->lives[tag], delta);
    else
        excuse_divided(s, &s->lives[tag], key, (uint64_t)delta);
    if (stream->refusals_count == NET_REFUSALS_MAX) {
        sim_fail(s, "too many refusals at once for the oracle");
        return;
    }
    stream->refusals[stream->refusals_count++] = (struct net_refusal){key, (uint64_t)delta, NET_NEVER};
}

static void oracle_exec_answered(void *ctx)
{
    const struct sim *s = ((const struct oracle_view *)ctx)->sim;
    struct stream *stream = s->net.serving;

    for (uint32_t i = 0; stream && i < stream->refusals_count; i++) {
        if (stream->refusals[i].answer_end == NET_NEVER)
            stream->refusals[i].answer_end = stream->down.done + stream->down.bytes.bytes;
    }
}

static uint64_t moves_of(const struct process *p) { return p->stats.alarms_rollback + p->stats.alarms_ledger_missing; }

/* The first try after a move is another copy's to refuse. */
static void note_refusal(struct sim *s, uint32_t owner, uint32_t key)
{
    struct life *l = &s->lives[owner];

    l->refusals[key]++;
    for (const struct process *p = s->processes; p < s->processes + SIM_PROCESSES_MAX; p++) {
        if (!p->alive || p->life != owner)
            continue;
        l->after_moves[key] += moves_of(p) > l->moves_seen[key];
        l->moves_seen[key] = moves_of(p);
    }
}

void oracle_told(void *ctx, uint32_t owner, const struct net_refusal *r, bool told)
{
    struct sim *s = ctx;
    struct life *l = &s->lives[owner];

    if (r->key == SIM_KEYS_MAX) {
        totals_told(l, (int64_t)r->delta, told);
        return;
    }
    sim_note(s, "key %u of process %u: %" PRIu64 " hits refused%s", r->key, owner, r->delta, told ? "" : " unheard");
    if (told) {
        note_refusal(s, owner, r->key);
        l->told[r->key] += r->delta;
        s->met.poisoned++;
        return;
    }
    l->excused[r->key] += r->delta;
    l->excused_sum += r->delta;
}

static void note_executing(struct sim *s, struct seen_batch *b, bool refused)
{
    s->executing = refused ? NULL : b;
    b->executed += !refused;
}

/* The same seq and nonce must always mean the same bytes. */
static void oracle_exec(void *ctx, uint32_t tag, struct slice commands, bool refused)
{
    struct sim *s = ((const struct oracle_view *)ctx)->sim;
    struct stream *stream = s->net.serving;
    struct model_command cmd = {0};

    s->executing = NULL;
    if (tag >= s->lives_count)
        return;
    s->met.refused_by_watch += refused;
    s->met.late += stream && (!stream->client_open || stream->ending != NET_OPEN);
    uint64_t bytes_hash = HASH_BEGINS; /* without what is said of the highest keys, which no journal has */
    for (size_t at = 0; model_parse(commands, &at, &cmd) == 1;)
        bytes_hash = hash_on(bytes_hash, cmd.args[0].at[0] == 'Z' ? (struct slice){0} : cmd.raw);
    if (stream && !refused && cmd.count >= 5)
        stream->wrote = true; /* the ledger, or the question whether it may be */
    if (cmd.count < 3 || cmd.count == 6 || !slice_equals(cmd.args[0], SLICE("SET"))) /* six: nothing but a question */
        return;
    struct seen_batch b = {
        .key_hash = hash_of(cmd.args[1]), .seq_nonce_hash = hash_of(cmd.args[2]), .bytes_hash = bytes_hash};
    for (uint32_t i = 0; i < s->batches_count; i++) {
        struct seen_batch *seen = &s->batches[i];
        if (seen->key_hash != b.key_hash || seen->seq_nonce_hash != b.seq_nonce_hash)
            continue;
        if (seen->bytes_hash != b.bytes_hash)
            sim_fail(s, "other bytes under the same seq and nonce %.*s", (int)cmd.args[2].bytes, cmd.args[2].at);
        note_executing(s, seen, refused);
        return;
    }
    if (s->batches_count == SIM_BATCHES_MAX)
        return;
    s->batches[s->batches_count] = b;
    note_executing(s, &s->batches[s->batches_count++], refused);
}

struct model_watcher oracle_watcher(struct oracle_view *view)
{
    return (struct model_watcher){view,        oracle_added,   oracle_refused,
                                  oracle_exec, oracle_written, oracle_exec_answered};
}

/* ---- laws ---- */

/* Nothing is ever stored that was not accepted: of the living and of the dead. */
static void check_not_doubled(struct sim *s, uint32_t number)
{
    const struct life *l = &s->lives[number];

    for (uint32_t k = 0; k < s->rates.keys; k++) {
        for (uint32_t c = 0; c < SIM_COPIES_MAX; c++) {
            if (l->copies[c][k] > l->accepted[k] + l->destroyed[k])
                sim_fail(s, "doubled: process %u accepted %" PRIu64 " hits of key %u, copy %u added %" PRIu64, number,
                         l->accepted[k], k, c, l->copies[c][k]);
        }
    }
}

static void check_books(struct sim *s, const struct process *p)
{
    struct flusher_books b = process_books(p);
    const struct life *l = process_life(p);

    if (b.stored + b.in_flight + b.poisoned + b.lost > l->accepted_sum)
        sim_fail(s,
                 "books: stored %" PRIu64 " + in flight %" PRIu64 " + poisoned %" PRIu64 " + lost %" PRIu64
                 " of %" PRIu64 " accepted",
                 b.stored, b.in_flight, b.poisoned, b.lost, l->accepted_sum);
    /* acked ≤ value ≤ acked + in doubt */
    if (b.stored > copies_most_applied(l) + l->excused_sum + l->forgotten_sum + p->stats.unproved_hits)
        sim_fail(s, "lost: process %u has %" PRIu64 " in its books as stored, the server added %" PRIu64, p->life,
                 b.stored, l->applied_sum);
    if (s->rates.copies < 2 && l->applied_sum > b.stored + b.in_flight + l->destroyed_sum)
        sim_fail(s, "process %u has %" PRIu64 " stored and %" PRIu64 " in flight, the server added %" PRIu64, p->life,
                 b.stored, b.in_flight, l->applied_sum);
}

/* A number that is shown never goes backwards and never exceeds what there is. */
static void check_shown(struct sim *s, struct process *p, uint32_t key)
{
    const struct life *l = process_life(p);
    struct tally_value v = process_look(p, key);

    if (world_forgot(s, key) || s->rates.poison || s->rates.writes || l->excused_sum || !v.known)
        return;
    if (v.value < p->told[key])
        sim_fail(s, "process %u shows %" PRId64 " for key %u after %" PRId64, p->life, v.value, key, p->told[key]);
    p->told[key] = v.value;
    if (s->lives_count == 1 && !s->touched && (uint64_t)v.value != l->accepted[key])
        sim_fail(s, "process %u shows %" PRId64 " for key %u, it has %" PRIu64, p->life, v.value, key,
                 l->accepted[key]);
}

/* A key that the server refuses is tried again once a minute, when another copy of the store may take it, and before a
 * write. */
static void check_patience(struct sim *s, const struct process *p)
{
    const struct life *l = process_life(p);
    uint64_t minutes = (s->now_us - l->born_us) / 60000000;

    for (uint32_t k = 0; k < s->rates.keys; k++) {
        if (l->refusals[k] >
            2 + minutes + l->after_moves[k] + writes_of(s, p->life, k) + world_model(s, k)->step / 1000)
            sim_fail(s, "process %u had key %u refused %u times in %" PRIu64 " minutes", p->life, k, l->refusals[k],
                     minutes);
    }
}

/* One link a node, and the topology's. */
static void check_connections(struct sim *s, const struct process *p)
{
    uint32_t most = s->rates.partitions ? 2 : 1, links = 0;

    for (uint32_t i = 0; i < NET_NODES_MAX; i++) {
        uint32_t open = net_open_streams(&s->net, p->life, &s->net.nodes[i]);
        links += open == 2;
        if (open > most || links > 1)
            sim_fail(s, "process %u has %u connections to node %u", p->life, open, i);
    }
}

void oracle_check(struct sim *s)
{
    for (uint32_t i = 0; i < s->lives_count; i++) {
        check_not_doubled(s, i);
        totals_check(s, i);
    }
    for (struct process *p = s->processes; p < s->processes + SIM_PROCESSES_MAX; p++) {
        if (!p->alive)
            continue;
        if (!process_life(p)->reborn)
            check_books(s, p);
        if (!process_life(p)->reborn)
            check_shown(s, p, (uint32_t)(s->steps % s->rates.keys));
        check_connections(s, p);
    }
}

/* Without a state file, what a killed process had not stored is lost: the hits of one interval and the batch under way,
 * which is one interval old, and what was at rest. */
void oracle_check_crash(struct sim *s, const struct process *p)
{
    const struct life *l = process_life(p);
    uint64_t slack_us = 10 * s->net.latency_us + 700000; /* the flusher does not always run at once */
    uint64_t bound_us = s->rates.flush_interval_ms * 1100ULL * 2 + s->rates.flush_interval_max_ms * 1000ULL + slack_us;
    uint64_t due = 0;

    if (!s->rates.calm || l->reborn)
        return;
    for (uint32_t i = 0; i < l->marks_count && l->marks[i].us + bound_us < s->now_us; i++)
        due = l->marks[i].accepted;
    if (l->applied_sum < due)
        sim_fail(s, "process %u died with %" PRIu64 " hits that should have been stored, the server had %" PRIu64,
                 p->life, due, l->applied_sum);
}

/* ---- the end ---- */

static void check_alarms(struct sim *s, const struct process *p)
{
    const struct flusher_stats *stats = &p->stats;

    if ((stats->alarms_identity_taken && !s->rates.twins) || (stats->alarms_rollback && !s->cluster.forgot) ||
        (stats->alarms_ledger_missing && !s->cluster.forgot))
        sim_fail(s, "process %u raised an alarm for nothing", p->life);
}

/* Is all that a copy lacks stored again? */
static bool is_replayed(const struct sim *s, const struct process *p)
{
    const struct life *l = process_life(p);
    /* A copy that never had the ledger is known by its lineage, unless INFO was refused. In a cluster a node may be
     * replaced and take over again, and connections to it stay. */
    bool tells = s->rates.on_ledger_loss == LEDGER_LOSS_RESUME && !s->rates.partitions && !s->cluster.emptied &&
                 !copies_refused_info(s);
    bool knew = !p->stats.alarms_ledger_missing || s->rates.on_ledger_loss == LEDGER_LOSS_REPLAY || tells;

    return s->now_us - l->born_us < s->rates.replay_window_ms * 1000ULL && !l->reborn && knew &&
           !p->stats.alarms_identity_taken;
}

/* Where the server forgot nothing, every key has what was accepted. */
static void check_key(struct sim *s, const struct process *p, uint32_t k)
{
    const struct life *l = process_life(p);
    uint64_t maybe = l->reborn ? l->told[k] : 0; /* killed when it had read so, but before it knew */

    maybe += world_forgot(s, k) ? l->forgotten[k] : 0;
    if (s->rates.copies > 1)
        maybe = is_replayed(s, p) ? 0 : l->accepted[k];
    if (l->reborn && l->gave_up) /* the server went back further than the journal knows */
        maybe = l->accepted[k];
    if (l->applied[k] > l->accepted[k] + l->destroyed[k] || l->applied[k] + l->excused[k] + maybe < l->accepted[k])
        sim_fail(s,
                 "%s: process %u accepted %" PRIu64 " hits of key %u, the server added %" PRIu64 ", refused %" PRIu64
                 " unheard, and may lack %" PRIu64,
                 l->applied[k] < l->accepted[k] ? "lost" : "doubled", p->life, l->accepted[k], k, l->applied[k],
                 l->excused[k], maybe);
}

/* Does it hear by now of all that the server forgot? Without a replay window, or with one that ends before a loss is
 * believed, a process that has nothing to send does not, on a connection that stayed or broke in silence. Who has ended
 * does not. */
static bool hears(const struct sim *s, const struct process *p)
{
    if (p->parted)
        return false;
    return s->rates.replay_window_ms >= HEARS_WINDOW_MS ||
           (!s->cluster.emptied && !s->rates.partitions && !net_is_silent(&s->net, p->life));
}

/* Of all its lives together nothing is missing that none of them counted as lost. What is said of more batches than a
 * journal knows is a bound. */
static void check_lives(struct sim *s, const struct process *p)
{
    const struct life *l = process_life(p);
    uint64_t said = l->said + process_said(p), told = 0;

    for (uint32_t k = 0; k < s->rates.keys; k++)
        told += l->told[k];
    if (l->said_at_least || !hears(s, p) || net_is_silent(&s->net, p->life))
        return;
    if (l->applied_sum + l->excused_sum + told + said < l->accepted_sum)
        sim_fail(s,
                 "lost in silence: the lives of process %u accepted %" PRIu64 " hits, the server has %" PRIu64
                 ", said to be lost %" PRIu64,
                 p->life, l->accepted_sum, l->applied_sum, said);
}

/* What the server forgot may be missing, and is in the books as lost; where even the ledger is gone, nobody can tell.
 */
static void check_lost(struct sim *s, const struct process *p)
{
    const struct life *l = process_life(p);
    struct flusher_books b = process_books(p);

    if (l->reborn) {
        check_lives(s, p);
        return;
    }
    if (p->stats.alarms_identity_taken)
        return;
    if (s->rates.replay_window_ms && s->now_us - l->born_us < s->rates.replay_window_ms * 1000ULL && b.lost)
        sim_fail(s, "process %u counts %" PRIu64 " hits as lost that it could have replayed", p->life, b.lost);
    if (!hears(s, p) || l->excused_sum + l->destroyed_sum || (l->said_at_least && is_short(s->rates.replay_window_ms)))
        return;
    if ((!p->stats.alarms_ledger_missing || is_replayed(s, p)) && l->applied_sum + b.lost != l->accepted_sum)
        sim_fail(s, "process %u accepted %" PRIu64 " hits, the server has %" PRIu64 ", counted as lost %" PRIu64,
                 p->life, l->accepted_sum, l->applied_sum, b.lost);
    if (l->applied_sum + b.lost + p->stats.unproved_hits < l->accepted_sum)
        sim_fail(s,
                 "process %u accepted %" PRIu64 " hits, the server has %" PRIu64 ", lost %" PRIu64
                 " and unproved %" PRIu64,
                 p->life, l->accepted_sum, l->applied_sum, b.lost, p->stats.unproved_hits);
}

void oracle_check_end(struct sim *s)
{
    farewell_check(s);
    for (const struct process *p = s->processes; p < s->processes + SIM_PROCESSES_MAX; p++) {
        if (!p->alive)
            continue;
        check_places(s, p);
        check_alarms(s, p);
        totals_check_end(s, p);
        tops_check_end(s, p);
        check_patience(s, p);
        for (uint32_t k = 0; k < s->rates.keys; k++)
            check_key(s, p, k);
        if (s->cluster.forgot)
            check_lost(s, p);
    }
}
