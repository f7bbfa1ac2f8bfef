/* Processes without a state file that end in order: all is stored, then their ledgers are deleted, then they are gone.
 * In some seeds in the middle of trouble, and in those always at the end, when copies of batches may still be under
 * way. */
#include "sim/sim.h"

#define ONE_SEED_IN 5
#define PART_US_MAX 60000000

void farewell_draw(struct sim *s)
{
    /* By the number, so that the other seeds stay what they were. */
    s->rates.farewell_one_in =
        !s->rates.state && s->seed % ONE_SEED_IN == 2 ? 4 + (uint32_t)(s->seed / ONE_SEED_IN % 60) : 0;
    s->farewells.state = s->seed ^ 0x9e3779b97f4a7c15;
}

/* Its workers have ended. */
static void process_begin_to_end(struct process *p)
{
    sim_note(p->sim, "process %u is to end", p->life);
    p->parting = true;
    core_drain(p->core);
    p->tick_us = p->sim->now_us;
}

void farewell_maybe(struct process *p)
{
    struct sim *s = p->sim;

    if (s->rates.farewell_one_in && s->lives_count + SIM_PROCESSES_MAX <= SIM_LIVES_MAX &&
        chance_one_in(&s->farewells, s->rates.farewell_one_in)) {
        process_begin_to_end(p);
    }
}

/* Where it would be looked for. */
static bool has_ledger(const struct sim *s, const struct process *p)
{
    char key[KEYSPACE_PREFIX_BYTES_MAX + UUID_TEXT_BYTES + 24];

    for (uint32_t unit = 0; unit < (s->rates.partitions ? s->rates.partitions : 1); unit++) {
        struct slice prefix = keyspace_prefix(&s->space, unit);
        int bytes = snprintf(key, sizeof(key), "%.*s!ledger:%s:%u", (int)prefix.bytes, prefix.at, p->instance, unit);
        struct slice name = {key, (size_t)bytes};
        if (model_has(cluster_model(&s->cluster, unit, name), name))
            return true;
    }
    return false;
}

/* As the flusher's thread has it. */
static bool is_over(const struct process *p)
{
    return core_is_idle(p->core) && (process_books(p).poisoned || core_try_part(p->core));
}

bool farewell_said(struct process *p)
{
    if (!p->parting || p->parted || !is_over(p))
        return p->parted;
    p->parted = true;
    p->sim->met.farewells++;
    sim_note(p->sim, "process %u has said farewell", p->life);
    return true;
}

static bool all_parted(const struct sim *s)
{
    for (const struct process *p = s->processes; p < s->processes + s->rates.processes; p++)
        if (p->alive && !p->parted)
            return false;
    return true;
}

/* Until it has heard of all that was forgotten; whoever is gone does not hear. */
static void await_news(struct sim *s)
{
    uint64_t until = s->now_us + NEWS_US + (s->rates.partitions ? BELIEF_US : 0);

    while (s->cluster.forgot && !s->failed && s->now_us < until)
        sim_step(s);
}

void farewell_all(struct sim *s)
{
    if (!s->rates.farewell_one_in)
        return;
    await_news(s);
    s->ending = true;
    uint64_t until = s->now_us + PART_US_MAX;
    for (struct process *p = s->processes; p < s->processes + s->rates.processes; p++)
        if (p->alive)
            process_begin_to_end(p);
    while (!s->failed && !all_parted(s) && s->now_us < until)
        sim_step(s);
    if (!s->failed && !all_parted(s))
        sim_fail(s, "a process that is to end does not");
}

/* Where nothing befalls it: what is not met any more, or on a link that has just broken, is left to time. */
void farewell_check(struct sim *s)
{
    for (const struct process *p = s->processes; p < s->processes + s->rates.processes && s->rates.calm; p++)
        if (p->alive && p->parted && !s->rates.twins && has_ledger(s, p))
            sim_fail(s, "process %u has left a ledger behind", p->life);
}
