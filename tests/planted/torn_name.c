/* Planted: a name is published, and its cell reported to the flusher, before its last bytes are written. x86 keeps its
 * stores in order, so the order of the program is the wrong one, and it sleeps where another CPU would be slow. */
#include <string.h>
#include <unistd.h>

#include "tally/shard.h"

#define TORN_US 200

uint32_t __real_shard_intern(struct shard *s, struct slice name, uint64_t hash, bool placed);
uint32_t __wrap_shard_intern(struct shard *s, struct slice name, uint64_t hash, bool placed);

uint32_t __wrap_shard_intern(struct shard *s, struct slice name, uint64_t hash, bool placed)
{
    uint32_t cell = __real_shard_intern(s, name, hash, placed);

    if (cell >= SHARD_CELL_NO_SPACE)
        return cell;
    char *tail = (char *)(uintptr_t)shard_name(s, cell).at + name.bytes - 1;
    *tail = '\0';
    shard_add(s, cell, 0);
    usleep(TORN_US);
    *tail = name.at[name.bytes - 1];
    return cell;
}
