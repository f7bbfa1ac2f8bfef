#include "flush/forgetting.h"

#include <errno.h>
#include <stdlib.h>

#include "sync/atomic.h"
#include "tally/answers.h"
#include "tally/forget.h"
#include "tally/totals.h"

#define LOOKED_AT_MAX 16384 /* keys in one go of the hand */
#define STEP_MS 1           /* until the next look at what the workers say */
#define PAUSES_AN_IDLE 8    /* between two turns of the hand */
#define IDLE_PARTS_TIGHT 10 /* of the time that a key may be idle, when there is little room */
#define PAUSE_MS_MIN 50
#define PAUSE_MS_MAX 10000
#define PAUSE_MS_TIGHT 500

/* A key on its way out. */
struct leaver {
    uint32_t key;
    uint32_t places;   /* that went with its cells */
    struct slice name; /* whole until the worker gives the cell away */
};

struct forgetting {
    struct forgetting_config config;
    bool under_way;
    enum forget_step step; /* of the round under way */
    uint64_t wake_ms;
    uint32_t hand;          /* the next key to look at */
    uint32_t desks;         /* of those who answer: the workers, and perhaps a reader */
    struct leaver *leavers; /* owned */
    uint32_t leavers_count;
    uint32_t *leaver_of; /* owned; by worker and place on its desk: which leaver that cell is of */
};

/* ---- which ---- */

static uint64_t longer(uint64_t a, uint64_t b) { return a > b ? a : b; }

static bool is_tight(const struct forgetting *f)
{
    const struct places *p = tally_places(f->config.tally);

    return load_relaxed_u32(&p->taken) >= p->max / 4 * 3; /* partner: places_take(); relaxed as it is only a measure */
}

static uint64_t idle_ms(const struct forgetting *f)
{
    const struct flush_options *o = f->config.options;

    return longer(is_tight(f) ? o->key_idle_ms / IDLE_PARTS_TIGHT : o->key_idle_ms, o->replay_window_ms);
}

static uint64_t pause_ms(const struct forgetting *f)
{
    uint64_t pause = idle_ms(f) / PAUSES_AN_IDLE, most = is_tight(f) ? PAUSE_MS_TIGHT : PAUSE_MS_MAX;

    pause = longer(pause, PAUSE_MS_MIN);
    return pause < most ? pause : most;
}

static struct forget_desk *desk_of(const struct forgetting *f, uint32_t worker)
{
    return tally_desk(f->config.tally, worker);
}

static uint32_t worker_of(key_cell cell) { return (uint32_t)(keys_cell_number(cell) >> 32); }

/* Every cell of a key leaves in the same round. */
static bool has_room(const struct forgetting *f, uint32_t key)
{
    const struct keys *k = f->config.keys;
    bool room = true;

    for (key_cell c = keys_first_cell(k, key); c && room; c = keys_next_cell(k, c))
        room = desk_of(f, worker_of(c))->count < FORGET_CELLS_MAX;
    return room;
}

static void add_leaver(struct forgetting *f, uint32_t key)
{
    struct keys *k = f->config.keys;

    for (key_cell c = keys_first_cell(k, key); c; c = keys_next_cell(k, c)) {
        uint32_t worker = worker_of(c);
        struct forget_desk *d = desk_of(f, worker);
        f->leaver_of[worker * FORGET_CELLS_MAX + d->count] = f->leavers_count;
        d->cells[d->count++] = (uint32_t)keys_cell_number(c);
    }
    keys_leave(k, key);
    f->leavers[f->leavers_count++] = (struct leaver){.key = key};
}

/* true: the hand has gone round. */
static bool pick_leavers(struct forgetting *f, uint64_t now_ms)
{
    uint64_t idle = idle_ms(f);
    uint32_t end = keys_end(f->config.keys);

    for (uint32_t n = 0; n < LOOKED_AT_MAX && f->hand < end; n++, f->hand++) {
        if (!keys_may_leave(f->config.keys, f->hand, now_ms, idle))
            continue;
        if (!has_room(f, f->hand))
            return false;
        add_leaver(f, f->hand);
    }
    if (f->hand < end)
        return false;
    f->hand = 0;
    return true;
}

/* ---- rounds ---- */

static void ask(struct forgetting *f, enum forget_step step)
{
    f->step = step;
    for (uint32_t i = 0; i < f->desks; i++) {
        forget_ask(desk_of(f, i), step);
        f->config.wake(f->config.ctx, i);
    }
}

static bool is_answered(const struct forgetting *f)
{
    bool all = true;

    for (uint32_t i = 0; i < f->desks && all; i++)
        all = forget_is_answered(desk_of(f, i));
    return all;
}

/* A write that waits for its answer keeps its key, and one that is asked for waits until no key is leaving. */
static bool begin_round(struct forgetting *f, uint64_t now_ms)
{
    f->desks = tally_desks(f->config.tally);
    if (!f->desks || writes_keep_keys(f->config.writes))
        return false;
    f->leavers_count = 0;
    for (uint32_t i = 0; i < f->desks; i++)
        desk_of(f, i)->count = 0;
    bool round = pick_leavers(f, now_ms);
    f->under_way = f->leavers_count > 0;
    writes_pause(f->config.writes, f->under_way);
    if (f->under_way)
        ask(f, FORGET_UNLINK);
    return !round;
}

static void resolve_cells(struct forgetting *f, uint32_t worker)
{
    const struct forget_desk *d = desk_of(f, worker);
    struct keys *k = f->config.keys;

    for (uint32_t i = 0; i < d->count; i++) {
        struct leaver *l = &f->leavers[f->leaver_of[worker * FORGET_CELLS_MAX + i]];
        key_cell cell = keys_cell(worker, d->cells[i]);
        if (d->unlinked[i])
            l->places += keys_cell_parts(k, l->key, cell);
        else
            keys_cell_stays(k, cell);
    }
}

/* What is shown of it does not go backwards when it is asked for at once. */
static void remember(struct forgetting *f, struct slice name, const struct total *total)
{
    if (total->as_of_ms)
        answers_put(tally_answers(f->config.tally), name,
                    &(struct stored_answer){total->stored, true, total->as_of_ms});
}

static void resolve(struct forgetting *f)
{
    struct leaver *end = f->leavers + f->leavers_count;

    for (struct leaver *l = f->leavers; l < end; l++)
        l->name = keys_name(f->config.keys, l->key);
    for (uint32_t i = 0; i < f->desks; i++)
        resolve_cells(f, i);
    for (struct leaver *l = f->leavers; l < end; l++) {
        struct total total;
        totals_read(tally_totals(f->config.tally), l->key, &total);
        if (!keys_settle(f->config.keys, l->key, l->name, l->places))
            continue;
        remember(f, l->name, &total);
        stat_add(&f->config.stats->keys_forgotten, 1);
    }
}

static void end_round(struct forgetting *f)
{
    f->under_way = false;
    writes_pause(f->config.writes, false);
}

static void go_on(struct forgetting *f)
{
    switch (f->step) {
    case FORGET_UNLINK: ask(f, FORGET_PASS); break;
    case FORGET_PASS:
        f->config.covers(f->config.ctx);
        resolve(f);
        ask(f, FORGET_VACATE);
        break;
    case FORGET_VACATE: end_round(f); break;
    }
}

void forgetting_tick(struct forgetting *f, uint64_t now_ms)
{
    if (f->config.options->key_idle_ms == 0 || now_ms < f->wake_ms)
        return;
    f->wake_ms = now_ms + STEP_MS;
    if (f->under_way) {
        if (is_answered(f))
            go_on(f);
        return;
    }
    if (!begin_round(f, now_ms) && !f->under_way)
        f->wake_ms = now_ms + pause_ms(f);
}

void forgetting_finish(struct forgetting *f)
{
    while (f->under_way) {
        for (uint32_t i = 0; i < f->desks; i++)
            tally_answer(f->config.tally, i);
        go_on(f);
    }
}

uint64_t forgetting_wake_ms(const struct forgetting *f)
{
    return f->config.options->key_idle_ms ? f->wake_ms : UINT64_MAX;
}

/* ---- life ---- */

int forgetting_create(struct forgetting **out, const struct forgetting_config *config)
{
    struct forgetting *f = calloc(1, sizeof(*f));
    uint32_t workers = tally_workers(config->tally), cells = workers * FORGET_CELLS_MAX;

    if (!f)
        return -ENOMEM;
    f->config = *config;
    f->leavers = calloc(cells, sizeof(f->leavers[0]));
    f->leaver_of = calloc(cells, sizeof(f->leaver_of[0]));
    if (!f->leavers || !f->leaver_of) {
        forgetting_destroy(f);
        return -ENOMEM;
    }
    *out = f;
    return 0;
}

void forgetting_destroy(struct forgetting *f)
{
    if (!f)
        return;
    free(f->leaver_of);
    free(f->leavers);
    free(f);
}
