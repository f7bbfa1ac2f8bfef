/* Workers that answer the flusher when it wants keys to be forgotten, each in its own time, and hits in between. */
#include <assert.h>

#include "sim/sim.h"

#define ANSWER_US 3000
#define ANSWER_LATE_US 300000

void process_wake(void *ctx, uint32_t worker)
{
    struct process *p = ctx;
    struct chance *chance = &p->sim->aside;
    uint64_t us = p->sim->now_us + chance_below(chance, chance_one_in(chance, 20) ? ANSWER_LATE_US : ANSWER_US);

    if (us < p->answer_us[worker])
        p->answer_us[worker] = us;
}

static uint32_t next_worker(const struct process *p)
{
    uint32_t next = 0;

    for (uint32_t i = 1; i < p->workers; i++)
        next = p->answer_us[i] < p->answer_us[next] ? i : next;
    return next;
}

uint64_t process_answer_us(const struct process *p) { return p->answer_us[next_worker(p)]; }

void process_answer(struct process *p)
{
    uint32_t worker = next_worker(p);

    p->answer_us[worker] = NET_NEVER;
    tally_answer(p->tally, worker);
}

void process_asks_nothing(struct process *p)
{
    for (uint32_t i = 0; i < SIM_WORKERS_MAX; i++)
        p->answer_us[i] = NET_NEVER;
}

/* Each name has a place. Of several workers two may have taken one for the same name, until the flusher meets both. */
void check_places(struct sim *s, const struct process *p)
{
    uint32_t there = 0, worker, cell;
    char name[16];

    for (uint32_t k = 0; k < s->rates.keys; k++) {
        size_t bytes = (size_t)snprintf(name, sizeof(name), "n/%02u", k);
        there += tally_find(p->tally, (struct slice){name, bytes}, &worker, &cell);
    }
    if (p->workers == 1 && tally_keys(p->tally) != there)
        sim_fail(s, "process %u counts %u names, and has %u", p->life, tally_keys(p->tally), there);
}

/* Small enough for a seed to see keys go and come back; and windows small enough for keys to leave them. */
void forgetting_draw(struct sim *s)
{
    struct rates *r = &s->rates;

    if (!chance_one_in(&s->aside, 2))
        return;
    r->key_idle_ms = (uint32_t)chance_octaves(&s->aside, 10, 2000);
    if (r->replay_window_ms)
        r->replay_window_ms = (uint32_t)chance_octaves(&s->aside, 500, 8000);
}

/* In every fourth seed keys with few hits wait for more. */
void rests_draw(struct sim *s)
{
    struct rates *r = &s->rates;

    r->flush_interval_max_ms = 0;
    if (chance_one_in(&s->aside, 4))
        r->flush_interval_max_ms =
            (uint32_t)chance_octaves(&s->aside, r->flush_interval_ms, 4ULL * r->flush_interval_ms);
}
