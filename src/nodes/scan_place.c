#include "nodes/scan_place.h"

#include <string.h>

uint32_t place_partition(const struct scan_place *p, uint32_t partitions)
{
    for (uint32_t i = 0; i < partitions; i++)
        if (scan_bit(p->under_way, i) && !scan_bit(p->done, i))
            return i;
    for (uint32_t i = 0; i < partitions; i++)
        if (!scan_bit(p->done, i))
            return i;
    return PARTITIONS_MAX;
}

void place_settle(struct scan_place *p, const uint64_t there[SCAN_PARTITION_WORDS])
{
    bool begins = p->cursor == 0 && p->taken == 0;

    for (uint32_t i = 0; i < SCAN_PARTITION_WORDS; i++)
        p->under_way[i] = there[i] & ~p->done[i] & (begins ? UINT64_MAX : p->under_way[i]);
}

void place_end_node(struct scan_place *p)
{
    for (uint32_t i = 0; i < SCAN_PARTITION_WORDS; i++)
        p->done[i] |= p->under_way[i];
    place_restart_node(p);
}

void place_restart_node(struct scan_place *p)
{
    p->cursor = p->server = 0;
    p->taken = p->sum = 0;
    memset(p->under_way, 0, sizeof(p->under_way));
}
