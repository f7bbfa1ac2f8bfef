#include "admin/balance.h"
#include "tally/shard.h"

#include <time.h>

#define SCANS_MAX 5
#define SCAN_PAUSE_NS 5000000

static uint64_t accepted_sum(const struct sources *s)
{
    uint64_t sum = s->recovered_hits;
    for (uint32_t i = 0; i < s->workers_count; i++)
        sum += stat_read(&api_stats(s->api, i)->hits_accepted);
    return sum;
}

static uint64_t cells_sum(const struct sources *s)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < s->workers_count; i++) {
        const struct shard *shard = tally_shard(s->tally, i);
        uint32_t cells = shard_cells(shard);
        for (uint32_t cell = 0; cell < cells; cell++)
            sum += shard_count(shard, cell);
    }
    return sum;
}

void balance_read(const struct sources *s, struct balance *out)
{
    struct flusher_books f;
    flusher_books(s->flusher, &f);
    /* After the flusher's: what it has taken was accepted before. */
    uint64_t accepted = accepted_sum(s), taken = f.stored + f.in_flight + f.poisoned + f.lost;
    if (accepted < taken)
        accepted = taken;
    *out = (struct balance){.accepted = accepted + s->state_lost_hits,
                            .stored = f.stored,
                            .in_flight = f.in_flight,
                            .pending = accepted - taken,
                            .poisoned = f.poisoned,
                            .lost = f.lost + s->state_lost_hits,
                            .rolled_back = f.rolled_back};
}

int64_t balance_compare(uint64_t accepted_before, uint64_t cells, uint64_t accepted_after)
{
    if (cells < accepted_before)
        return (int64_t)(accepted_before - cells);
    return cells > accepted_after ? -(int64_t)(cells - accepted_after) : 0;
}

int64_t balance_gap(const struct sources *s)
{
    int64_t imbalance = 0;
    /* A worker that is just between its cell and its hits_accepted shows one hit too many; it is past that
     * when looked at again. What is really wrong stays wrong. */
    for (int scan = 0; scan < SCANS_MAX; scan++) {
        uint64_t before = accepted_sum(s), cells = cells_sum(s);
        imbalance = balance_compare(before, cells, accepted_sum(s));
        if (imbalance == 0)
            break;
        nanosleep(&(struct timespec){.tv_nsec = SCAN_PAUSE_NS}, NULL);
    }
    return imbalance;
}
