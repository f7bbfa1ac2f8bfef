#include "ledger/moves.h"

#include <errno.h>
#include <stdlib.h>

static const struct ledger none;

static struct accounts *accounts_of(const struct history *history) { return history->config.accounts; }

/* ---- the plan ---- */

static uint64_t parts_hits(const struct window_entry *e)
{
    uint64_t hits = 0;

    for (uint32_t i = 0; i < e->parts_count; i++)
        hits += e->parts[i].hits;
    return hits;
}

static bool is_beginning(const struct history *history, uint64_t number)
{
    return number == WINDOW_NONE && history->window.at == WINDOW_NONE && history->acked.seq == 0;
}

/* Two ways that do not meet in what is known meet in the beginning, or in what is forgotten. */
static bool ways_are_known(const struct move *m)
{
    const struct history *history = m->history;
    bool from_whole = is_beginning(history, m->from) || window_is_whole(&history->window, m->from);

    return m->meet != WINDOW_NONE || m->to == WINDOW_NONE || (from_whole && window_is_whole(&history->window, m->to));
}

bool move_plan(struct move *m, struct history *history, uint64_t to, const struct ledger *goal)
{
    struct window *w = &history->window;

    window_expire(w, accounts_now_ms(accounts_of(history)));
    *m = (struct move){.history = history, .goal = *goal, .from = w->at, .to = to, .meet = window_meet(w, w->at, to)};
    if (!ways_are_known(m))
        return false;
    for (const struct window_entry *e; m->from != m->meet && (e = window_entry(w, m->from)); m->from = e->parent) {
        uint64_t hits = parts_hits(e);
        m->replayed += hits;
        m->lost += e->hits - hits;
        m->batches += !e->dark;
    }
    for (const struct window_entry *e; to != m->meet && (e = window_entry(w, to)); to = e->parent) {
        m->found += e->hits;
        m->blind |= e->blind > 0;
    }
    m->from = w->at;
    if (goal->seq == 0) /* all that the ledger ever counted is gone with it */
        m->lost = history->hits - m->replayed;
    return true;
}

/* ---- steps ---- */

static void note_part(struct buf *parts, key_cell cell, uint64_t from, uint64_t to)
{
    const struct journal_part part = {keys_cell_number(cell), from, to};

    buf_append(parts, (const char *)&part, sizeof(part));
}

static uint64_t smaller(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* What is owed to totals goes back and forth with the batch that changed it. */
static void note_sums(const struct window_entry *e, bool back, struct buf *parts)
{
    for (const struct window_sum *s = e->sums; s < e->sums + e->sums_count; s++) {
        const struct journal_part part = {keys_cell_number(s->cell) | JOURNAL_TOTAL, 0,
                                          (uint64_t)(back ? -s->by : s->by)};
        buf_append(parts, (const char *)&part, sizeof(part));
    }
}

/* A batch that was given up is entered as if all of it had been applied, when nobody can look. */
static void settle_sums(const struct window_entry *e)
{
    for (struct window_sum *s = e->sums; e->open && s < e->sums + e->sums_count; s++)
        s->by = s->hits - s->by;
}

static void move_sums(const struct history *history, const struct window_entry *e, bool back)
{
    const struct sums *sums = keys_sums(accounts_of(history)->keys);

    for (const struct window_sum *s = e->sums; s < e->sums + e->sums_count; s++)
        sums_at(sums, s->ns, history->config.number)->owed += back ? -s->by : s->by;
}

/* Hits of a key that are in the store no more, or are again. */
static void move_stored(const struct history *history, key_cell cell, int64_t by)
{
    const struct keys *keys = accounts_of(history)->keys;
    uint16_t ns = keys_sum(keys, keys_of(keys, cell));

    if (ns != SUM_NONE)
        sums_at(keys_sums(keys), ns, history->config.number)->stored += by;
}

/* Where the baselines are once `e` is left (`back`) or entered. */
static void note_parts(const struct history *history, const struct window_entry *e, bool back, struct buf *parts)
{
    const struct keys *keys = accounts_of(history)->keys;

    buf_clear(parts);
    for (uint32_t i = 0; i < e->parts_count; i++) {
        const struct window_part *p = &e->parts[i];
        uint64_t from = keys_baseline(keys, p->cell);
        uint64_t room = back ? from : keys_count(keys, p->cell) - from, hits = smaller(p->hits, room);
        note_part(parts, p->cell, from, back ? from - hits : from + hits);
    }
    note_sums(e, back, parts);
}

/* Returns how many hits moved. */
static uint64_t move_parts(struct history *history, struct window_entry *e, const struct buf *parts)
{
    const struct journal_part *at = (const struct journal_part *)(const void *)parts->data;
    struct accounts *a = accounts_of(history);
    uint64_t moved = 0;

    for (uint32_t i = 0; i < e->parts_count; i++) {
        bool back = at[i].to < at[i].from;
        uint64_t hits = back ? at[i].from - at[i].to : at[i].to - at[i].from;
        accounts_unhold(a, keys_of(a->keys, e->parts[i].cell));
        keys_set_baseline(a->keys, e->parts[i].cell, at[i].to);
        env_step(a->env, ENV_STEP_MOVED);
        keys_push_dirty(a->keys, keys_of(a->keys, e->parts[i].cell));
        move_stored(history, e->parts[i].cell, back ? -(int64_t)hits : (int64_t)hits);
        e->parts[i].hits = hits;
        moved += hits;
    }
    return moved;
}

static int step(struct move *m, struct window_entry *e, bool back, const struct ledger *to, uint64_t *moved)
{
    struct history *history = m->history;

    settle_sums(e);
    note_parts(history, e, back, &history->parts);
    int failed =
        e->parts_count || e->sums_count ? history_intend_step(history, to, &m->goal, e->hits, &history->parts) : 0;
    if (failed)
        return failed;
    *moved = move_parts(history, e, &history->parts);
    move_sums(history, e, back);
    return 0;
}

static int step_back(struct move *m)
{
    struct history *history = m->history;
    struct window_entry *e = window_entry(&history->window, history->window.at);
    const struct window_entry *parent = window_entry(&history->window, e->parent);
    struct ledger to = parent ? parent->ledger : m->to == WINDOW_NONE ? m->goal : none;
    uint64_t moved;

    int failed = step(m, e, true, &to, &moved);
    if (failed)
        return failed;
    window_leave(&history->window);
    window_note_move(&history->window, m->from, m->to);
    history->hits -= smaller(history->hits, e->hits);
    accounts_left(accounts_of(history), e->hits, moved);
    history_start_over(history, &to);
    return 0;
}

static int step_forward(struct move *m, uint64_t number)
{
    struct history *history = m->history;
    struct window_entry *e = window_entry(&history->window, number);
    uint64_t moved;

    int failed = step(m, e, false, &e->ledger, &moved);
    if (failed)
        return failed;
    window_enter(&history->window, number);
    window_note_move(&history->window, m->from, m->to);
    history->hits += e->hits;
    history_start_over(history, &e->ledger);
    accounts_found(accounts_of(history), e->hits, moved); /* lost until the next process would know of it, too */
    return 0;
}

/* ---- the whole ---- */

static bool is_back(const struct move *m)
{
    const struct window *w = &m->history->window;

    return w->at == m->meet || !window_entry(w, w->at);
}

int move_take_back(struct move *m)
{
    struct window *w = &m->history->window;
    int failed = 0;

    tops_doubt(keys_tops(accounts_of(m->history)->keys), m->history->config.number);
    keys_release_held(accounts_of(m->history)->keys); /* what one copy refuses another may take */
    while (!failed && !is_back(m) && window_entry(w, w->at)->parts_count)
        failed = step_back(m);
    return failed;
}

static int go_forward(struct move *m)
{
    struct window *w = &m->history->window;
    uint64_t count = 0, *way;
    int failed = 0;

    for (uint64_t n = m->to; n != m->meet && window_entry(w, n); n = window_entry(w, n)->parent)
        count++;
    way = malloc((count + 1) * sizeof(*way));
    if (!way)
        return -ENOMEM;
    for (uint64_t i = count, n = m->to; i-- > 0; n = window_entry(w, n)->parent)
        way[i] = n;
    for (uint64_t i = 0; i < count && !failed; i++)
        failed = step_forward(m, way[i]);
    free(way);
    return failed;
}

/* Not in the journal: each baseline that moves is a loss of its own. */
static void give_up_pending(struct history *history)
{
    struct accounts *a = accounts_of(history);
    uint64_t hits = keys_pending_of(a->keys, history->config.number);

    ENV_LOG(a->env, LOG_LEVEL_ERROR, "pending_given_up", log_str("ledger", history->ledger_key),
            log_num("hits_lost_at_least", (int64_t)hits));
    accounts_give_up_pending(a, history->config.number);
}

int move_finish(struct move *m)
{
    struct history *history = m->history;
    int failed = 0;

    tops_doubt(keys_tops(accounts_of(history)->keys), history->config.number);
    while (!failed && !is_back(m))
        failed = step_back(m);
    if (failed)
        return failed;
    if (m->goal.seq == 0) {
        accounts_left(accounts_of(history), history->hits, 0);
        history->hits = 0;
    }
    if (m->blind)
        give_up_pending(history);
    failed = go_forward(m);
    if (failed)
        return failed;
    window_note_tips(&history->window);
    history_start_over(history, &m->goal);
    return 0;
}

void move_into_the_dark(struct history *history, const struct ledger *ledger)
{
    tops_doubt(keys_tops(accounts_of(history)->keys), history->config.number);
    keys_release_held(accounts_of(history)->keys);
    give_up_pending(history);
    window_begin_at(&history->window, ledger, accounts_now_ms(accounts_of(history)));
    history->hits = 0;
    history->partial = true;
    history_start_over(history, ledger);
}
