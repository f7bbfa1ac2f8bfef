#include <inttypes.h>

#include "sim/sim.h"

static uint64_t hash_of(struct slice bytes) /* FNV-1a */
{
    uint64_t hash = 14695981039346656037ULL;

    for (size_t i = 0; i < bytes.bytes; i++)
        hash = (hash ^ (uint8_t)bytes.at[i]) * 1099511628211ULL;
    return hash;
}

/* ---- what the server does ---- */

static void oracle_added(void *ctx, uint32_t tag, struct slice redis_key, int64_t delta, bool in_exec)
{
    struct sim *s = ctx;
    uint32_t key = world_key_of(redis_key);

    if (tag >= s->lives_count || key == SIM_KEYS_MAX)
        return;
    struct life *l = &s->lives[tag];
    if (!in_exec)
        sim_fail(s, "INCRBY outside a transaction");
    sim_note(s, "key %u of process %u: %+" PRId64, key, tag, delta);
    l->applied[key] += (uint64_t)delta;
    l->applied_sum += (uint64_t)delta;
    if (delta < 0) {
        l->forgotten[key] += (uint64_t)-delta;
        l->forgotten_sum += (uint64_t)-delta;
    }
}

static void oracle_refused(void *ctx, uint32_t tag, struct slice redis_key, int64_t delta)
{
    struct sim *s = ctx;
    struct stream *stream = s->net.serving;
    uint32_t key = world_key_of(redis_key);

    if (tag >= s->lives_count || key == SIM_KEYS_MAX || !stream)
        return;
    if (stream->refusals_count == NET_REFUSALS_MAX) {
        sim_fail(s, "too many refusals at once for the oracle");
        return;
    }
    stream->refusals[stream->refusals_count++] = (struct net_refusal){key, (uint64_t)delta, NET_NEVER};
}

static void oracle_exec_answered(void *ctx)
{
    struct sim *s = ctx;
    struct stream *stream = s->net.serving;

    for (uint32_t i = 0; stream && i < stream->refusals_count; i++) {
        if (stream->refusals[i].answer_end == NET_NEVER)
            stream->refusals[i].answer_end = stream->down.done + stream->down.bytes.bytes;
    }
}

void oracle_told(void *ctx, uint32_t owner, const struct net_refusal *r, bool told)
{
    struct sim *s = ctx;
    struct life *l = &s->lives[owner];

    sim_note(s, "key %u of process %u: %" PRIu64 " hits refused%s", r->key, owner, r->delta, told ? "" : " unheard");
    if (told) {
        l->refusals[r->key]++;
        l->told[r->key] += r->delta;
        s->met.poisoned++;
        return;
    }
    l->excused[r->key] += r->delta;
    l->excused_sum += r->delta;
}

/* The same seq and nonce must always mean the same bytes. */
static void oracle_exec(void *ctx, uint32_t tag, struct slice commands, bool refused)
{
    struct sim *s = ctx;
    const struct stream *stream = s->net.serving;
    struct model_command cmd = {0};

    if (tag >= s->lives_count)
        return;
    s->met.refused_by_watch += refused;
    s->met.late += stream && (!stream->client_open || stream->ending != NET_OPEN);
    for (size_t at = 0; model_parse(commands, &at, &cmd) == 1;)
        continue;
    if (cmd.count < 3 || cmd.count == 6 || !slice_equals(cmd.args[0], SLICE("SET"))) /* six: nothing but a question */
        return;
    struct seen_batch b = {hash_of(cmd.args[1]), hash_of(cmd.args[2]), hash_of(commands)};
    for (uint32_t i = 0; i < s->batches_count; i++) {
        const struct seen_batch *seen = &s->batches[i];
        if (seen->key_hash != b.key_hash || seen->seq_nonce_hash != b.seq_nonce_hash)
            continue;
        if (seen->bytes_hash != b.bytes_hash)
            sim_fail(s, "other bytes under the same seq and nonce %.*s", (int)cmd.args[2].bytes, cmd.args[2].at);
        return;
    }
    if (s->batches_count < SIM_BATCHES_MAX)
        s->batches[s->batches_count++] = b;
}

struct model_watcher oracle_watcher(struct sim *s)
{
    return (struct model_watcher){s, oracle_added, oracle_refused, oracle_exec, oracle_exec_answered};
}

/* ---- laws ---- */

/* Nothing is ever stored that was not accepted: of the living and of the dead. */
static void check_not_doubled(struct sim *s, uint32_t number)
{
    const struct life *l = &s->lives[number];

    for (uint32_t k = 0; k < s->rates.keys; k++) {
        if (l->applied[k] > l->accepted[k] + l->destroyed[k])
            sim_fail(s, "doubled: process %u accepted %" PRIu64 " hits of key %u, the server added %" PRIu64, number,
                     l->accepted[k], k, l->applied[k]);
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
    if (b.stored > l->applied_sum + l->excused_sum + l->forgotten_sum)
        sim_fail(s, "lost: process %u has %" PRIu64 " in its books as stored, the server added %" PRIu64, p->life,
                 b.stored, l->applied_sum);
    if (l->applied_sum > b.stored + b.in_flight + l->destroyed_sum)
        sim_fail(s, "process %u has %" PRIu64 " stored and %" PRIu64 " in flight, the server added %" PRIu64, p->life,
                 b.stored, b.in_flight, l->applied_sum);
}

/* A number that is shown never goes backwards and never exceeds what there is. */
static void check_shown(struct sim *s, struct process *p, uint32_t key)
{
    const struct life *l = process_life(p);
    struct tally_value v = process_look(p, key);

    if (world_forgot(s, key) || s->rates.poison || l->excused_sum || !v.known)
        return;
    if (v.value < p->told[key])
        sim_fail(s, "process %u shows %" PRId64 " for key %u after %" PRId64, p->life, v.value, key, p->told[key]);
    p->told[key] = v.value;
    if (s->lives_count == 1 && !s->touched && (uint64_t)v.value != l->accepted[key])
        sim_fail(s, "process %u shows %" PRId64 " for key %u, it has %" PRIu64, p->life, v.value, key,
                 l->accepted[key]);
}

/* A key that the server refuses is tried again once a minute, and when another copy of the store may take it. */
static void check_patience(struct sim *s, const struct process *p)
{
    const struct life *l = process_life(p);
    uint64_t minutes = (s->now_us - l->born_us) / 60000000;
    uint64_t copies = p->stats.alarms_rollback + p->stats.alarms_ledger_missing;

    for (uint32_t k = 0; k < s->rates.keys; k++) {
        if (l->refusals[k] > 2 + minutes + copies + world_model(s, k)->step / 1000)
            sim_fail(s, "process %u had key %u refused %u times in %" PRIu64 " minutes", p->life, k, l->refusals[k],
                     minutes);
    }
}

/* One link a node, and the scout's. */
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
    for (uint32_t i = 0; i < s->lives_count; i++)
        check_not_doubled(s, i);
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
 * which is one interval old. */
void oracle_check_crash(struct sim *s, const struct process *p)
{
    const struct life *l = process_life(p);
    uint64_t slack_us = 10 * s->net.latency_us + 700000; /* the flusher does not always run at once */
    uint64_t bound_us = s->rates.flush_interval_ms * 1100ULL * 2 + slack_us, due = 0;

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

/* Where the server forgot nothing, every key has what was accepted. */
static void check_key(struct sim *s, const struct process *p, uint32_t k)
{
    const struct life *l = process_life(p);
    uint64_t maybe = l->reborn ? l->told[k] : 0; /* killed when it had read so, but before it knew */

    maybe += world_forgot(s, k) ? l->forgotten[k] : 0;
    if (l->applied[k] > l->accepted[k] + l->destroyed[k] || l->applied[k] + l->excused[k] + maybe < l->accepted[k])
        sim_fail(s,
                 "%s: process %u accepted %" PRIu64 " hits of key %u, the server added %" PRIu64 ", refused %" PRIu64
                 " unheard, and may lack %" PRIu64,
                 l->applied[k] < l->accepted[k] ? "lost" : "doubled", p->life, l->accepted[k], k, l->applied[k],
                 l->excused[k], maybe);
}

/* What the server forgot may be missing, and is in the books as lost; where even the ledger is gone, nobody can tell.
 * A process without a replay window that has nothing to send does not hear of it on a connection that stayed, or broke
 * in silence. */
static void check_lost(struct sim *s, const struct process *p)
{
    const struct life *l = process_life(p);
    struct flusher_books b = process_books(p);
    bool hears =
        s->rates.replay_window_ms || (!s->cluster.emptied && !s->rates.partitions && !net_is_silent(&s->net, p->life));

    if (p->stats.alarms_identity_taken || l->reborn)
        return;
    if (s->rates.replay_window_ms && s->now_us - l->born_us < s->rates.replay_window_ms * 1000ULL && b.lost)
        sim_fail(s, "process %u counts %" PRIu64 " hits as lost that it could have replayed", p->life, b.lost);
    if (!hears || l->excused_sum + l->destroyed_sum)
        return;
    if (!p->stats.alarms_ledger_missing && l->applied_sum + b.lost != l->accepted_sum)
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
    for (const struct process *p = s->processes; p < s->processes + SIM_PROCESSES_MAX; p++) {
        if (!p->alive)
            continue;
        check_alarms(s, p);
        check_patience(s, p);
        for (uint32_t k = 0; k < s->rates.keys; k++)
            check_key(s, p, k);
        if (s->cluster.forgot)
            check_lost(s, p);
    }
}
