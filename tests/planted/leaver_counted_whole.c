/* Planted: a reader takes the whole count of a cell that is leaving, though the base of its entry covers it no more. */
#include "tally/totals.h"

bool __wrap_totals_covers(const struct totals *t, uint32_t shard, uint32_t cell);

bool __wrap_totals_covers(const struct totals *t, uint32_t shard, uint32_t cell)
{
    return totals_of_cell(t, shard, cell) != TOTALS_NONE;
}
