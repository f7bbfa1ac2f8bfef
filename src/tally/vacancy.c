#include "tally/vacancy.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/region.h"

int vacancy_init(struct vacancy *v, char *names, uint32_t cells_max)
{
    *v =
        (struct vacancy){.names = names, .next = region_reserve(cells_max * sizeof(v->next[0])), .next_max = cells_max};
    return v->next ? 0 : -ENOMEM;
}

void vacancy_fini(struct vacancy *v) { region_release(v->next, v->next_max * sizeof(v->next[0])); }

/* ---- cells ---- */

uint32_t vacancy_cell(const struct vacancy *v) { return v->cell - 1; } /* 0 - 1 is VACANCY_NONE */

void vacancy_take_cell(struct vacancy *v) { v->cell = v->next[v->cell - 1]; }

void vacancy_put_cell(struct vacancy *v, uint32_t cell)
{
    assert(cell < v->next_max);
    v->next[cell] = v->cell;
    v->cell = cell + 1;
}

/* ---- names ---- */

static char *room_at(const struct vacancy *v, uint32_t at) { return v->names + (size_t)at * NAME_UNIT; }

uint32_t vacancy_take_room(struct vacancy *v, uint32_t units)
{
    uint32_t at = v->room[units] - 1;

    if (at != VACANCY_NONE)
        memcpy(&v->room[units], room_at(v, at), sizeof(v->room[units]));
    return at;
}

uint32_t vacancy_split_room(struct vacancy *v, uint32_t units)
{
    uint32_t larger = units + 1;

    while (larger <= VACANCY_UNITS_MAX && !v->room[larger])
        larger++;
    if (larger > VACANCY_UNITS_MAX)
        return VACANCY_NONE;
    uint32_t at = vacancy_take_room(v, larger);
    vacancy_put_room(v, at + units, larger - units);
    return at;
}

void vacancy_put_room(struct vacancy *v, uint32_t at, uint32_t units)
{
    assert(units > 0 && units <= VACANCY_UNITS_MAX);
    memcpy(room_at(v, at), &v->room[units], sizeof(v->room[units]));
    v->room[units] = at + 1;
}
