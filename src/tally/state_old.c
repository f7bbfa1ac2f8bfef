#include "tally/state_old.h"

#include <errno.h>
#include <inttypes.h>

#include "base/region.h"
#include "tally/name.h"
#include "tally/seal.h"

/* ---- loading ---- */

static int header_of(struct state_old *o, struct error *err)
{
    static const char *const why[] = {
        [STATE_HEADER_WHOLE] = "",
        [STATE_HEADER_NOT_OURS] = "it is no state file of tallyd",
        [STATE_HEADER_OTHER_FORMAT] = "another version of tallyd wrote it, in another format",
        [STATE_HEADER_DAMAGED] = "its header is damaged",
    };
    enum state_header_verdict verdict = STATE_HEADER_DAMAGED;
    uint64_t place = 0;

    for (; place <= STATE_PAGE / 2; place += STATE_PAGE / 2) {
        if (place + sizeof(o->header) > o->bytes)
            break;
        memcpy(&o->header, o->base + place, sizeof(o->header));
        enum state_header_verdict v = state_header_check(&o->header);
        if (v == STATE_HEADER_WHOLE) {
            o->header_damaged |= place > 0;
            return 0;
        }
        /* What the first one says is why; a second with another reason is one more damage. */
        verdict = place == 0 ? v : verdict;
    }
    return error_set(err, -EBADMSG, "%s", o->bytes < sizeof(o->header) ? "it is too short" : why[verdict]);
}

/* Of a file that says it is huge only the start is read before its header says how long it may be. */
static int load_part(struct state_old *o, const struct state_disk *disk, uint64_t bytes)
{
    o->region_bytes = bytes > STATE_PAGE ? bytes : STATE_PAGE;
    o->base = region_reserve(o->region_bytes);
    o->bytes = bytes;
    return o->base ? disk->old_read(disk->ctx, o->base, bytes) : -ENOMEM;
}

static uint64_t smaller(uint64_t a, uint64_t b) { return a < b ? a : b; }

static bool second_header_damaged(const struct state_old *o)
{
    struct state_header second;

    if (o->bytes < STATE_PAGE / 2 + sizeof(second))
        return true;
    memcpy(&second, o->base + STATE_PAGE / 2, sizeof(second));
    return memcmp(&second, &o->header, sizeof(second)) != 0;
}

int state_old_load(struct state_old *o, const struct state_disk *disk, struct error *err)
{
    int64_t bytes = disk->old_bytes(disk->ctx);

    *o = (struct state_old){0};
    if (bytes == -EISDIR || bytes == -EINVAL || bytes == -ELOOP)
        return error_set(err, -EBADMSG, "it is no regular file");
    if (bytes < 0)
        return error_set(err, (int)bytes, "%s", strerror((int)-bytes));
    int failed = load_part(o, disk, smaller((uint64_t)bytes, STATE_PAGE));
    if (!failed)
        failed = header_of(o, err);
    else
        error_set(err, failed, "it cannot be read: %s", strerror(-failed));
    if (!failed) {
        bool damaged = o->header_damaged || second_header_damaged(o);
        region_release(o->base, o->region_bytes);
        state_plan_make(&o->header.geometry, &o->plan);
        failed = load_part(o, disk, smaller((uint64_t)bytes, o->plan.bytes));
        o->header_damaged = damaged;
        if (failed)
            error_set(err, failed, "it cannot be read: %s", strerror(-failed));
    }
    if (failed) {
        state_old_free(o);
        return failed;
    }
    uint64_t mark;
    bool there = o->plan.live + sizeof(mark) <= o->bytes;
    memcpy(&mark, o->base + (there ? o->plan.live : 0), sizeof(mark));
    o->orderly = there && mark == seal(1);
    return 0;
}

void state_old_free(struct state_old *o)
{
    region_release(o->base, o->region_bytes);
    o->base = NULL;
}

/* ---- reading ---- */

/* NULL: not there. */
static char *part(const struct state_old *o, uint64_t at, uint64_t bytes)
{
    return at <= o->bytes && bytes <= o->bytes - at ? o->base + at : NULL;
}

static uint64_t *baseline_of(const struct state_old *o, uint32_t shard, uint32_t cell)
{
    uint64_t at = state_shard_at(&o->plan, shard) + o->plan.baselines + cell * sizeof(uint64_t);

    return (uint64_t *)(void *)part(o, at, sizeof(uint64_t));
}

static struct cell *cell_of(const struct state_old *o, uint32_t shard, uint32_t cell)
{
    if (shard >= o->header.geometry.workers || cell >= o->header.geometry.cells_max)
        return NULL;
    uint64_t at = state_shard_at(&o->plan, shard) + cell * sizeof(struct cell);
    return (struct cell *)(void *)part(o, at, sizeof(struct cell));
}

uint32_t state_old_cells(const struct state_old *o, uint32_t shard, bool *whole)
{
    const char *at = part(o, state_live_at(&o->plan, 1 + shard), sizeof(uint64_t));
    uint32_t cells_max = o->header.geometry.cells_max;
    uint64_t word = 0, start = state_shard_at(&o->plan, shard), there;

    if (at)
        memcpy(&word, at, sizeof(word));
    *whole = seal_is_whole(word) && seal_number(word) <= cells_max;
    if (*whole)
        return (uint32_t)seal_number(word);
    there = o->bytes > start ? (o->bytes - start) / sizeof(struct cell) : 0;
    return (uint32_t)smaller(there, cells_max);
}

struct slice state_old_name(const struct state_old *o, uint32_t shard, uint32_t cell)
{
    const struct cell *c = cell_of(o, shard, cell);
    struct slice none = {0};
    uint32_t sum;

    if (!c || c->name_bytes == 0 || c->name_bytes > NAME_BYTES_MAX || c->name_at == 0 ||
        c->name_at >= o->header.geometry.names_units_max)
        return none;
    uint64_t at = state_shard_at(&o->plan, shard) + o->plan.names + (uint64_t)(c->name_at - 1) * NAME_UNIT;
    const char *name = part(o, at, sizeof(sum) + c->name_bytes);
    if (!name)
        return none;
    memcpy(&sum, name, sizeof(sum));
    name += sizeof(sum);
    return sum == state_name_sum(shard, cell, c, name) ? (struct slice){name, c->name_bytes} : none;
}

static bool all_zero(const struct cell *c)
{
    static const struct cell zero;

    return memcmp(c, &zero, sizeof(zero)) == 0;
}

/* Its name was forgotten. One damaged byte cannot make it look so. */
static bool is_vacant(const struct cell *c) { return c->name_at == 0 && c->name_bytes == 0; }

enum state_cell state_old_cell(const struct state_old *o, uint32_t shard, uint32_t cell, struct state_cell_view *out)
{
    const struct cell *c = cell_of(o, shard, cell);
    const uint64_t *baseline = baseline_of(o, shard, cell);
    bool known;

    if (c && all_zero(c))
        return cell < state_old_cells(o, shard, &known) && known ? STATE_CELL_DAMAGED : STATE_CELL_EMPTY;
    if (!c || !baseline || !seal_is_whole(c->count) || !seal_is_whole(*baseline))
        return STATE_CELL_DAMAGED;
    if (is_vacant(c) && c->count == *baseline)
        return STATE_CELL_EMPTY;
    *out = (struct state_cell_view){state_old_name(o, shard, cell), seal_number(c->count), seal_number(*baseline),
                                    c->flags & CELL_REUSED};
    return out->name.bytes && out->count >= out->baseline ? STATE_CELL_WHOLE : STATE_CELL_DAMAGED;
}

bool state_old_prove(struct state_old *o, uint32_t shard, uint32_t cell, uint64_t from, uint64_t to)
{
    struct cell *c = cell_of(o, shard, cell);
    uint64_t *baseline = baseline_of(o, shard, cell);

    if (!c || !baseline || from > to)
        return false;
    if (!seal_is_whole(c->count)) {
        c->count = seal(to);
        o->lower_bounds++;
    }
    *baseline = seal(from);
    return seal_number(c->count) >= to;
}

struct slice state_old_journal(const struct state_old *o, uint32_t partition)
{
    uint64_t at = o->plan.journals + (uint64_t)partition * o->header.geometry.journal_bytes;
    uint64_t there = o->bytes > at ? o->bytes - at : 0;

    return (struct slice){o->base + (there ? at : 0), smaller(there, o->header.geometry.journal_bytes)};
}
