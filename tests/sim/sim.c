#include "sim/sim.h"

#include <inttypes.h>
#include <stdarg.h>

#define DRAIN_US 20000000          /* the deadline of a silent connection, back-off, and the flush */
#define DRAIN_POISONED_US 62000000 /* and a key that was refused is tried again after a minute */
#define STEPS_MAX 200000

void sim_fail(struct sim *s, const char *format, ...)
{
    va_list args;

    if (s->failed)
        return;
    s->failed = true;
    va_start(args, format);
    vsnprintf(s->failure, sizeof(s->failure), format, args);
    va_end(args);
    sim_note(s, "VIOLATION: %s", s->failure);
}

void sim_note(void *ctx, const char *format, ...)
{
    struct sim *s = ctx;
    char line[300];
    va_list args;

    if (!s->trace)
        return;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    for (char *c = line; *c; c++)
        *c = *c == '\r' || *c == '\n' ? ' ' : *c;
    fprintf(s->trace, "%5" PRIu64 " %4" PRIu64 ".%06" PRIu64 " %s\n", s->steps, s->now_us / 1000000,
            s->now_us % 1000000, line);
}

/* ---- events ---- */

enum event { EVENT_NET, EVENT_TICK, EVENT_ANSWER, EVENT_RESTART, EVENT_HIT, EVENT_FAULT, EVENT_CLUSTER };

struct due {
    uint64_t us;
    enum event event;
    struct process *process;
};

static void due_earlier(struct due *d, uint64_t us, enum event event, struct process *p)
{
    if (us < d->us)
        *d = (struct due){us, event, p};
}

static struct due sim_due(struct sim *s)
{
    struct due d = {net_next_us(&s->net), EVENT_NET, NULL};

    for (struct process *p = s->processes; p < s->processes + s->rates.processes; p++) {
        due_earlier(&d, p->alive ? p->tick_us : p->restart_us, p->alive ? EVENT_TICK : EVENT_RESTART, p);
        due_earlier(&d, p->alive ? process_answer_us(p) : NET_NEVER, EVENT_ANSWER, p);
    }
    due_earlier(&d, cluster_next_us(&s->cluster), EVENT_CLUSTER, NULL);
    if (!s->healing) {
        due_earlier(&d, s->hit_us, EVENT_HIT, NULL);
        due_earlier(&d, s->fault_us, EVENT_FAULT, NULL);
    }
    return d;
}

/* Some keys are hit far more often than others. */
static void sim_hit(struct sim *s)
{
    struct process *p = &s->processes[chance_below(&s->chance, s->rates.processes)];
    uint64_t key = chance_below(&s->chance, 1 + chance_below(&s->chance, s->rates.keys));
    uint64_t hits = 1 + chance_below(&s->chance, s->rates.hits_max);

    s->hit_us = s->now_us + chance_below(&s->chance, 2 * s->rates.hit_gap_us + 1);
    if (!p->alive || p->frozen || p->parting)
        return;
    farewell_maybe(p);
    process_hit(p, (uint32_t)key, hits);
    if (s->rates.reads && chance_one_in(&s->chance, 4))
        process_read(p);
    if (s->rates.writes && chance_one_in(&s->chance, 16))
        process_write(p);
}

void sim_step(struct sim *s)
{
    struct due d = sim_due(s);

    if (d.us > s->now_us)
        s->now_us = d.us;
    s->steps++;
    switch (d.event) {
    case EVENT_NET: net_step(&s->net); break;
    case EVENT_TICK: process_tick(d.process); break;
    case EVENT_ANSWER: process_answer(d.process); break;
    case EVENT_RESTART: process_start(d.process); break;
    case EVENT_HIT: sim_hit(s); break;
    case EVENT_CLUSTER: cluster_step(&s->cluster); break;
    case EVENT_FAULT:
        s->fault_us = s->now_us + chance_below(&s->chance, 2 * s->rates.fault_gap_us + 1);
        faults_one(s);
        break;
    }
    oracle_check(s);
}

/* ---- a seed ---- */

static bool sim_is_drained(const struct sim *s)
{
    for (const struct process *p = s->processes; p < s->processes + s->rates.processes; p++) {
        if (!process_is_drained(p))
            return false;
    }
    return true;
}

static void sim_explain_undrained(struct sim *s)
{
    for (const struct process *p = s->processes; p < s->processes + s->rates.processes; p++) {
        struct flusher_books b = process_books(p);
        if (!process_is_drained(p))
            sim_fail(s,
                     "not drained: process %u accepted %" PRIu64 ", stored %" PRIu64 ", in flight %" PRIu64
                     ", poisoned %" PRIu64 ", lost %" PRIu64,
                     p->life, process_life(p)->accepted_sum, b.stored, b.in_flight, b.poisoned, b.lost);
    }
}

static void sim_drain(struct sim *s)
{
    bool aside = false;

    for (struct process *p = s->processes; p < s->processes + s->rates.processes; p++)
        aside |= s->rates.poison || (p->alive && p->stats.keys_poisoned);
    aside |= s->rates.flush_interval_ms >= 250; /* any seed that may deny a key */
    uint64_t until = s->now_us + DRAIN_US + (aside ? DRAIN_POISONED_US : 0) + (s->rates.partitions ? BELIEF_US : 0);
    while (!s->failed && !sim_is_drained(s) && s->now_us < until && s->steps < STEPS_MAX)
        sim_step(s);
    sim_explain_undrained(s);
}

/* Whatever still travels arrives, and must change nothing. */
static void sim_bury_zombies(struct sim *s)
{
    uint64_t until = s->now_us + 1000000 + 2 * sim_flush_ms(s) * 1000;

    if (s->cluster.forgot)
        until += NEWS_US + (s->rates.partitions ? BELIEF_US : 0);

    while (!s->failed && s->steps < STEPS_MAX && s->now_us < until && sim_due(s).us != NET_NEVER) {
        uint64_t next = net_next_us(&s->net);
        if (next != NET_NEVER && next + 1000 > until)
            until = next + 1000;
        sim_step(s);
    }
}

bool sim_run(struct sim *s, uint64_t seed, FILE *trace)
{
    s->seed = seed;
    s->chance.state = seed * 0xd1342543de82ef95;
    s->aside.state = ~s->chance.state;
    s->now_us = 1000000;
    s->healed_us = 0;
    s->steps = 0;
    s->lives_count = 0;
    s->batches_count = 0;
    s->executing = NULL;
    s->writes_count = 0;
    s->healing = s->crashed = s->touched = s->ending = s->failed = false;
    s->secret = 0;
    s->trace = trace;
    s->failure[0] = '\0';
    s->met = (struct sim_met){0};
    world_begin(s);
    s->hit_us = s->fault_us = s->now_us;
    while (!s->failed && s->steps < s->rates.steps)
        sim_step(s);
    s->healing = true;
    s->healed_us = s->now_us;
    faults_heal(s);
    sim_drain(s);
    farewell_all(s);
    sim_bury_zombies(s);
    if (!s->failed)
        oracle_check_end(s);
    world_end(s);
    return !s->failed;
}

void sim_fini(struct sim *s)
{
    net_fini(&s->net);
    model_client_fini(&s->outsider);
    buf_fini(&s->outsider_answers);
    for (uint32_t i = 0; i < NET_NODES_MAX; i++)
        model_fini(&s->models[i]);
}
