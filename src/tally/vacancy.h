#pragma once
/* What forgotten names left in the arrays of a shard, which is numbers of cells, and room for names by its size.
 *
 * Thread: the worker's.
 * A name takes the room of one that was as long, then room at the end of the array, then part of larger room. Room is
 * never joined, so names that get longer and longer find none in the end. The array holds the longest of all names for
 * every cell, and names as they are take a tenth of that. */

#include <stdint.h>

#include "tally/name.h"
#include "tally/state_format.h"

#define VACANCY_NONE UINT32_MAX
#define VACANCY_UNITS_MAX (1 + (NAME_BYTES_MAX + NAME_UNIT - 1) / NAME_UNIT)

struct vacancy {
    char *names;       /* the shard's array. The first unit of vacant room says where the next of its size is */
    uint32_t *next;    /* owned region, by cell: its number + 1 */
    uint32_t next_max; /* how many cells there may be */
    uint32_t cell;     /* the first, + 1. 0: none */
    uint32_t room[VACANCY_UNITS_MAX + 1]; /* by size in units: where the first is, in units, + 1 */
};

int vacancy_init(struct vacancy *v, char *names, uint32_t cells_max); /* 0 or -ENOMEM */
void vacancy_fini(struct vacancy *v);

/* Returns a vacant cell, or VACANCY_NONE. vacancy_take_cell() takes the one that vacancy_cell() has shown. */
uint32_t vacancy_cell(const struct vacancy *v);
void vacancy_take_cell(struct vacancy *v);
void vacancy_put_cell(struct vacancy *v, uint32_t cell);

/* Returns where vacant room of that size is, in units, or VACANCY_NONE. */
uint32_t vacancy_take_room(struct vacancy *v, uint32_t units);
/* Likewise, of the smallest room that is larger. The rest of it stays vacant. */
uint32_t vacancy_split_room(struct vacancy *v, uint32_t units);
void vacancy_put_room(struct vacancy *v, uint32_t at, uint32_t units);
