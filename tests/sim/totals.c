/* The total of the one namespace that there is (owed/sums.h), and what must hold of it.
 *
 * What a transaction adds to keys it adds to the total. Where no key is ever refused, no copy of the server is ever
 * seen with the one and without the other. Where some are, what the process says to be owed makes up the difference at
 * the end. */
#include "sim/sim.h"

static int64_t keys_sum_of(const struct life *l, uint32_t copy)
{
    int64_t sum = 0;

    for (uint32_t k = 0; k < SIM_KEYS_MAX; k++)
        sum += (int64_t)l->copies[copy][k];
    return sum;
}

bool totals_has(struct slice redis_key) { return memmem(redis_key.at, redis_key.bytes, "!total:", 7); }

/* As of a key: one copy refused it, and another did not, in the same batch. */
void totals_excuse_divided(const struct sim *s, struct life *l, int64_t delta)
{
    const struct seen_batch *b = s->executing;

    if (b && b->executed >= 2 && b->refused_keys >> SIM_KEYS_MAX & 1)
        l->total_excused += delta > 0 ? delta : -delta;
}

/* An ACL may take INCRBY away between queueing and EXEC, and a total, unlike a key, is not looked at. */
void totals_told(struct life *l, int64_t delta, bool told)
{
    *(told ? &l->total_told : &l->total_excused) += delta > 0 ? delta : -delta;
}

bool totals_added(struct sim *s, uint32_t copy, uint32_t tag, struct slice redis_key, int64_t delta)
{
    if (!totals_has(redis_key))
        return false;
    if (tag < s->lives_count) {
        totals_excuse_divided(s, &s->lives[tag], delta);
        s->lives[tag].totals[copy] += delta;
    }
    sim_note(s, "the total of process %u: %+" PRId64, tag, delta);
    return true;
}

void totals_check(struct sim *s, uint32_t number)
{
    const struct life *l = &s->lives[number];

    for (uint32_t c = 0; c < SIM_COPIES_MAX && !s->rates.refuses; c++) {
        if (l->totals[c] != keys_sum_of(l, c))
            sim_fail(s, "copy %u has %" PRId64 " in the total of process %u, and %" PRId64 " in its keys", c,
                     l->totals[c], number, keys_sum_of(l, c));
    }
}

static int64_t owed_of(const struct process *p)
{
    const struct sums *sums = core_sums(p->core);
    int64_t owed = 0;

    for (uint32_t i = 0; i < sums_count(sums) * sums_partitions(sums); i++)
        owed += sums_at(sums, 0, i)->owed;
    return owed;
}

void totals_check_end(struct sim *s, const struct process *p)
{
    const struct life *l = process_life(p);
    int64_t doubt = (int64_t)(l->excused_sum + l->destroyed_sum), has = l->totals[s->cluster.leads] + owed_of(p);
    uint64_t told = l->reborn ? (uint64_t)l->total_told : 0;

    for (uint32_t k = 0; k < SIM_KEYS_MAX && l->reborn; k++) /* killed when it had read so, but before it knew */
        told += l->told[k];
    doubt += (int64_t)told + l->total_excused;
    int64_t lacks = (int64_t)l->applied_sum - has;

    /* Nobody knows then what a server has that was told of refusals. */
    if (s->rates.refuses && (p->stats.alarms_identity_taken || p->stats.alarms_ledger_missing || l->gave_up ||
                             (l->reborn && s->cluster.forgot)))
        return;
    if (lacks > doubt || -lacks > doubt)
        sim_fail(s, "process %u has %" PRIu64 " hits in keys, %" PRId64 " in the total, and owes it %" PRId64, p->life,
                 l->applied_sum, l->totals[s->cluster.leads], owed_of(p));
}
