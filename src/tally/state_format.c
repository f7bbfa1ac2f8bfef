#include "tally/state_format.h"

#include <stdio.h>

#include "base/crc32c.h"
#include "tally/shard.h"

uint32_t state_name_sum(uint32_t shard, uint32_t cell, const struct cell *c, const char *name)
{
    const uint32_t place[] = {shard, cell, c->name_at, c->name_bytes};

    return crc32c(crc32c(0, place, sizeof(place)), name, c->name_bytes);
}

static uint64_t pages(uint64_t bytes) { return (bytes + STATE_PAGE - 1) / STATE_PAGE * STATE_PAGE; }

bool state_plan_make(const struct state_geometry *g, struct state_plan *out)
{
    if (g->workers == 0 || g->workers > STATE_WORKERS_MAX || g->partitions == 0 ||
        g->partitions > STATE_PARTITIONS_MAX || g->cells_max == 0 || g->cells_max > SHARD_CELLS_MAX ||
        g->names_units_max == 0 || g->journal_bytes % STATE_PAGE != 0)
        return false;
    out->live = STATE_PAGE;
    out->journals = out->live + pages((1 + (uint64_t)g->workers) * STATE_LINE);
    out->shards = out->journals + (uint64_t)g->partitions * g->journal_bytes;
    out->baselines = pages((uint64_t)g->cells_max * sizeof(struct cell));
    out->names = out->baselines + pages((uint64_t)g->cells_max * sizeof(uint64_t));
    out->shard_bytes = out->names + pages((uint64_t)g->names_units_max * NAME_UNIT);
    out->bytes = out->shards + g->workers * out->shard_bytes;
    return true;
}

static uint32_t header_sum(const struct state_header *h) { return crc32c(0, h, offsetof(struct state_header, sum)); }

void state_header_make(struct state_header *h, const struct state_geometry *g, const char *boot_id,
                       const struct state_origin *origin)
{
    memset(h, 0, sizeof(*h)); /* padding, too: the two headers are compared */
    memcpy(h->magic, STATE_MAGIC, sizeof(h->magic));
    h->format = STATE_FORMAT;
    h->geometry = *g;
    h->origin = *origin;
    snprintf(h->boot_id, sizeof(h->boot_id), "%s", boot_id);
    h->sum = header_sum(h);
}

/* The version comes before the sum: another format may have its sum elsewhere. */
enum state_header_verdict state_header_check(const struct state_header *h)
{
    struct state_plan plan;

    if (memcmp(h->magic, STATE_MAGIC, sizeof(h->magic)) != 0)
        return STATE_HEADER_NOT_OURS;
    if (h->format != STATE_FORMAT)
        return STATE_HEADER_OTHER_FORMAT;
    if (h->sum != header_sum(h) || !memchr(h->boot_id, '\0', sizeof(h->boot_id)) ||
        !state_plan_make(&h->geometry, &plan))
        return STATE_HEADER_DAMAGED;
    return STATE_HEADER_WHOLE;
}
