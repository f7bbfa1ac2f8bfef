/* Values that are asked for while all goes on, and what may be answered. */
#include "sim/sim.h"

void process_answered(void *ctx, struct question *question)
{
    struct process *p = ctx;
    const struct answer *r = &question->results[0];
    int64_t now;

    if (question->kind != ASK_READ) {
        process_wrote(p, question);
        return;
    }

    p->reads--;
    /* Between asking and now it only grew, unless the server forgot. */
    uint32_t key = (uint32_t)strtoul(r->name + 2, NULL, 10);
    if (r->state == ANSWER_FOUND && !world_forgot(p->sim, key) && !p->sim->rates.poison && !p->sim->rates.writes &&
        model_integer(world_model(p->sim, key), world_redis_key(p->sim, key), &now) && r->stored > now)
        sim_fail(p->sim, "process %u reads %" PRId64 " of key %u, which holds %" PRId64, p->life, r->stored, key, now);
    free(question);
}

void process_read(struct process *p)
{
    if (p->reads == SIM_READS_MAX || !core_has_room(p->core))
        return;
    struct question *question = calloc(1, sizeof(*question) + sizeof(question->results[0]));
    struct answer *r = &question->results[0];

    question->count = 1;
    question->deadline_ms = p->sim->now_us / 1000 + 400;
    r->name_bytes = (uint16_t)snprintf(r->name, sizeof(r->name), "n/%02u",
                                       (unsigned)chance_below(&p->sim->chance, p->sim->rates.keys));
    p->reads++;
    core_ask(p->core, question);
    world_heard(p->sim, p->life);
}
