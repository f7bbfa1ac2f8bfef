/* Planted: the worker takes the flusher's word that all of a cell is stored, and does not look whether it was hit
 * since. */
#include "tally/shard.h"

bool __real_shard_unlink(struct shard *s, uint32_t cell);
bool __wrap_shard_unlink(struct shard *s, uint32_t cell);

bool __wrap_shard_unlink(struct shard *s, uint32_t cell)
{
    uint32_t touched;

    while (shard_count(s, cell) != shard_baseline(s, cell) && shard_take_touched(s, &touched))
        if (touched == cell)
            shard_set_baseline(s, cell, shard_count(s, cell));
    return __real_shard_unlink(s, cell);
}
