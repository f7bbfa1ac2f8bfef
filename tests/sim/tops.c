/* The highest keys of the one namespace that there is (tally/tops.h), and what must hold of them.
 *
 * When all is drained, every key that a living process has counted, and that holds more than nothing, is in the set of
 * its partition, or as many keys as are kept are there and hold at least as much. That says nothing of keys that others
 * have set, overwritten or deleted, of hits that were lost with a copy of the store, of offers that were lost with a
 * process that had no state file, and of what the server did not say as it refuses commands. */
#include "sim/sim.h"
#include "support/model_sets.h"

void tops_draw(struct sim *s) { s->rates.tops = chance_one_in(&s->aside, 2); }

static struct slice member_of(struct slice redis_key) { return (struct slice){redis_key.at + redis_key.bytes - 2, 2}; }

/* How many keys of the partition are in its set and hold at least that. */
static uint32_t at_least(struct sim *s, struct slice set, uint32_t unit, int64_t total)
{
    uint32_t count = 0;

    for (uint32_t k = 0; k < s->rates.keys; k++) {
        int64_t value, score;
        bool there;
        if (s->units[k] != unit)
            continue;
        model_set_read(world_model(s, k), set, member_of(world_redis_key(s, k)), &there, &score);
        count += there && model_integer(world_model(s, k), world_redis_key(s, k), &value) && value >= total;
    }
    return count;
}

/* Nobody was killed before it offered what it knew, and no server forgot anything. */
static bool tops_are_plain(const struct sim *s, const struct process *p)
{
    return !s->crashed && !s->rates.farewell_one_in && !p->stats.alarms_rollback && !p->stats.alarms_ledger_missing &&
           !s->cluster.forgot;
}

static void check_key(struct sim *s, const struct process *p, uint32_t k)
{
    struct buf set = {0};
    int64_t value = 0, score;
    bool there;

    keyspace_append_top_key(&set, keyspace_prefix(&s->space, s->units[k]), s->units[k], SLICE("n"));
    model_set_read(world_model(s, k), buf_slice(&set), member_of(world_redis_key(s, k)), &there, &score);
    model_integer(world_model(s, k), world_redis_key(s, k), &value);
    if (value > 0 && !there && at_least(s, buf_slice(&set), s->units[k], value) < SIM_TOPS_KEPT)
        sim_fail(s, "process %u has counted key %u, which holds %" PRId64 " and is not among the highest", p->life, k,
                 value);
    if (there && score != value && tops_are_plain(s, p) &&
        at_least(s, buf_slice(&set), s->units[k], value) <= SIM_TOPS_KEPT)
        sim_fail(s, "key %u holds %" PRId64 ", and the set of the highest says %" PRId64, k, value, score);
    buf_fini(&set);
}

/* Where commands or keys are refused it may never come to that. */
bool tops_are_offered(const struct process *p)
{
    const struct tops *tops = core_tops(p->core);

    return p->sim->rates.refuses || p->sim->rates.poison || p->sim->touched ||
           (!tops_are_due(tops) && !tops_are_unsure(tops));
}

/* Keys that were above others hold less since, and it is not known which have come up for it. */
static bool something_was_lost(const struct sim *s)
{
    bool lost = false;

    for (const struct process *p = s->processes; p < s->processes + SIM_PROCESSES_MAX && !lost; p++)
        lost = p->alive && (process_said(p) || process_life(p)->said);
    return lost;
}

void tops_check_end(struct sim *s, const struct process *p)
{
    const struct life *l = process_life(p);

    if (!s->rates.tops || s->rates.refuses || s->rates.poison || s->rates.writes || s->touched ||
        something_was_lost(s) || (s->crashed && !s->rates.state))
        return;
    for (uint32_t k = 0; k < s->rates.keys; k++)
        if (l->applied[k] && (!l->reborn || process_look(p, k).counted))
            check_key(s, p, k);
}
