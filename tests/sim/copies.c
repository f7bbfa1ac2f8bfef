/* Copies of a single server behind one name: each takes its own way, and any of them comes forward again.
 *
 * Happy path: the name leads to copy 0. A copy is a replica that was promoted: it has what another one had, perhaps
 * without the last of it. From then on both take what reaches them. The name leads from one to another; connections to
 * the one before may stay. What the oracle calls applied is what the copy has to which the name leads. */
#include "sim/sim.h"

#define LAG_STEPS_MAX 8

static uint64_t sum_of(const uint64_t hits[SIM_KEYS_MAX])
{
    uint64_t sum = 0;

    for (uint32_t k = 0; k < SIM_KEYS_MAX; k++)
        sum += hits[k];
    return sum;
}

/* What was on `from` and is not on `to` is missing there. */
static void life_lacks(struct life *l, const uint64_t from[SIM_KEYS_MAX], const uint64_t to[SIM_KEYS_MAX])
{
    for (uint32_t k = 0; k < SIM_KEYS_MAX; k++) {
        uint64_t lacks = from[k] > to[k] ? from[k] - to[k] : 0;
        l->forgotten[k] += lacks;
        l->forgotten_sum += lacks;
    }
}

static uint32_t other_copy(struct sim *s, uint32_t than)
{
    return (than + 1 + (uint32_t)chance_below(&s->chance, s->rates.copies - 1)) % s->rates.copies;
}

void copies_applied(struct sim *s, uint32_t copy, struct life *l, uint32_t key, int64_t delta)
{
    l->copies[copy][key] += (uint64_t)delta;
    if (copy != s->cluster.leads)
        return;
    l->applied[key] += (uint64_t)delta;
    l->applied_sum += (uint64_t)delta;
}

uint64_t copies_most_applied(const struct life *l)
{
    uint64_t most = 0;

    for (uint32_t c = 0; c < SIM_COPIES_MAX; c++) {
        uint64_t sum = sum_of(l->copies[c]);
        most = sum > most ? sum : most;
    }
    return most;
}

void copies_lead(struct sim *s)
{
    uint32_t from = s->cluster.leads, to = other_copy(s, from);

    s->cluster.leads = to;
    s->cluster.forgot = 1;
    s->met.flaps++;
    sim_note(s, "the name leads to copy %u", to);
    for (struct life *l = s->lives; l < s->lives + s->lives_count; l++) {
        life_lacks(l, l->copies[from], l->copies[to]);
        memcpy(l->applied, l->copies[to], sizeof(l->applied));
        l->applied_sum = sum_of(l->applied);
    }
    if (!chance_one_in(&s->chance, 3))
        net_kill(&s->net, &s->net.nodes[from]);
}

void copies_sync(struct sim *s)
{
    uint32_t from = s->cluster.leads, to = other_copy(s, from);
    uint64_t lag = chance_one_in(&s->chance, 2) ? chance_below(&s->chance, LAG_STEPS_MAX) : 0;

    net_kill(&s->net, &s->net.nodes[to]);
    model_copy(&s->models[to], &s->models[from]);
    s->cluster.forgot = 1;
    s->met.copies++;
    for (struct life *l = s->lives; l < s->lives + s->lives_count; l++) {
        life_lacks(l, l->copies[to], l->copies[from]);
        memcpy(l->copies[to], l->copies[from], sizeof(l->copies[to]));
        l->totals[to] = l->totals[from];
    }
    uint64_t forgot = model_roll_back(&s->models[to], lag);
    sim_note(s, "copy %u becomes what copy %u is, without its last %u writes", to, from, (unsigned)forgot);
}

/* The name stays where it is, and everybody goes there. */
void copies_heal(struct sim *s)
{
    for (uint32_t i = 0; i < s->rates.copies; i++) {
        if (i != s->cluster.leads)
            net_kill(&s->net, &s->net.nodes[i]);
    }
}

/* By an ACL, or as the server was busy. */
bool copies_refused_info(const struct sim *s)
{
    bool refused = false;

    for (uint32_t i = 0; i < NET_NODES_MAX; i++)
        refused |= s->models[i].info_refused;
    return refused;
}
