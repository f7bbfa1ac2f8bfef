#include "owed/accounts.h"

#include "sync/atomic.h"

#define REFUSALS_LOGGED_A_SECOND 5

void accounts_count_error(struct accounts *a, enum redis_error_class c) { stat_add(&a->stats->errors_by_class[c], 1); }

static void post_taken(struct accounts *a, const struct batch *b)
{
    books_post(a->books, &(struct books_move){
                             .in_flight = (int64_t)b->hits,
                             .poisoned = -(int64_t)b->unheld,
                         });
}

void accounts_take(struct accounts *a, struct batch *b, uint32_t partition)
{
    batch_fill(b, a->keys, partition);
    post_taken(a, b);
}

void accounts_take_write(struct accounts *a, struct batch *b, uint32_t partition)
{
    keys_collect(a->keys); /* so that hits that were answered before the write was asked for are in front of it */
    writes_take(a->writes, b, a->keys, partition);
    post_taken(a, b);
}

/* What the key holds once the write is done; until hits of others, of which we hear when we ask or add. */
static void write_ended(struct accounts *a, const struct batch *b, enum answer_state state)
{
    if (!b->write.there)
        return;
    if (state == ANSWER_FOUND && b->write.key != KEY_NONE)
        keys_publish(a->keys, b->write.key, b->write.value, accounts_now_ms(a));
    writes_ended(a->writes, b, state);
}

/* One line each time that a set begins to rest, so one a minute at most. */
static void note_refused_tops(struct accounts *a, const struct batch *b)
{
    for (uint32_t i = 0; i < b->tops_count; i++) {
        const struct batch_top *t = &b->tops[i];
        struct top *top = tops_at(keys_tops(a->keys), t->ns, b->partition);
        struct slice ns = sums_name(keys_sums(a->keys), t->ns);
        if (!t->refused || top->rests)
            continue;
        top->rests = true;
        ENV_LOG(a->env, LOG_LEVEL_WARN, "top_refused", log_bytes("namespace", ns.at, ns.bytes),
                log_str("command", batch_command(b, batch_tops_at(b) + i)),
                log_str("error", redis_error_name(t->refused)));
    }
}

/* A few lines a second, whatever the number of keys: the metrics have the number. */
static bool may_log_refusal(struct accounts *a)
{
    uint64_t second = accounts_now_ms(a) / 1000;

    if (second != a->refusals_second) {
        a->refusals_second = second;
        a->refusals_logged = 0;
    }
    return a->refusals_logged++ < REFUSALS_LOGGED_A_SECOND;
}

static void log_refusal(struct accounts *a, uint32_t key, uint64_t hits, enum redis_error_class c)
{
    struct slice name = keys_name(a->keys, key);

    if (!may_log_refusal(a)) {
        a->refusals_unlogged++;
        return;
    }
    ENV_LOG(a->env, LOG_LEVEL_WARN, "key_refused", log_bytes("key", name.at, name.bytes),
            log_str("error", redis_error_name(c)), log_num("hits_aside", (int64_t)hits),
            log_num("more", (int64_t)a->refusals_unlogged));
    a->refusals_unlogged = 0;
}

static void item_refused(struct accounts *a, const struct batch_item *item, enum redis_error_class c)
{
    accounts_count_error(a, c);
    log_refusal(a, item->key, (uint64_t)item->delta, c);
    keys_hold(a->keys, item->key, (uint64_t)item->delta);
}

static void post_resolved(struct accounts *a, const struct batch *b, uint64_t stored)
{
    books_post(a->books, &(struct books_move){
                             .stored = (int64_t)stored,
                             .in_flight = -(int64_t)b->hits,
                             .poisoned = (int64_t)(b->hits - stored),
                         });
}

uint64_t accounts_answered(struct accounts *a, struct batch *b)
{
    uint64_t now_ms = accounts_now_ms(a), stored = 0;
    bool written = b->write.there && b->write.done;

    for (uint32_t i = 0; i < b->items_count; i++) {
        struct batch_item *item = &b->items[i];
        if (item->refused && !written) {
            item_refused(a, item, item->refused);
            continue;
        }
        batch_item_applied(b, a->keys, item);
        env_step(a->env, ENV_STEP_BASELINE);
        if (!item->refused) /* else what was to be added is replaced, as all is that was there */
            keys_publish(a->keys, item->key, item->total, now_ms);
        stored += (uint64_t)item->delta;
    }
    batch_end_sums(b, a->keys, now_ms);
    note_refused_tops(a, b);
    batch_end_tops(b, a->keys, written);
    post_resolved(a, b, stored);
    write_ended(a, b, written ? ANSWER_FOUND : ANSWER_FAILED);
    return stored;
}

uint64_t accounts_applied_unseen(struct accounts *a, struct batch *b)
{
    uint64_t stored = 0;

    for (uint32_t i = 0; i < b->items_count; i++) {
        struct batch_item *item = &b->items[i];
        if (item->refused && !b->overwrites) {
            item_refused(a, item, item->refused);
            continue;
        }
        batch_item_applied(b, a->keys, item);
        env_step(a->env, ENV_STEP_BASELINE);
        keys_publish_growth(a->keys, item->key, item->delta);
        stored += (uint64_t)item->delta;
    }
    batch_end_sums(b, a->keys, accounts_now_ms(a));
    batch_end_tops(b, a->keys, true);
    post_resolved(a, b, stored);
    accounts_found(a, b->found, 0);
    write_ended(a, b, ANSWER_FOUND);
    stat_add(&a->stats->batches_reconciled_applied, 1);
    return stored + b->found;
}

void accounts_give_back(struct accounts *a, const struct batch *b)
{
    for (uint32_t i = 0; b->refused && i < b->items_count; i++) {
        if (b->items[i].refused)
            log_refusal(a, b->items[i].key, (uint64_t)b->items[i].delta, b->items[i].refused);
    }
    for (uint32_t i = 0; b->refused && i < b->sums_sent; i++)
        sums_namespace(keys_sums(a->keys), b->sums[i].ns)->rests |= b->sums[i].refused != REDIS_ERROR_NONE;
    note_refused_tops(a, b);
    batch_give_back_tops(b, a->keys);
    batch_give_back(b, a->keys);
    books_post(a->books, &(struct books_move){
                             .in_flight = -(int64_t)b->hits,
                             .poisoned = (int64_t)batch_refused_hits(b),
                         });
    write_ended(a, b, b->copies ? ANSWER_IN_DOUBT : ANSWER_FAILED); /* another copy of the store may have executed it */
}

void accounts_sweep_held(struct accounts *a)
{
    uint64_t hits = keys_held(a->keys) ? keys_sweep_held(a->keys) : 0;

    if (hits)
        books_post(a->books, &(struct books_move){.poisoned = (int64_t)hits});
}

void accounts_resume(struct accounts *a, const struct batch *b)
{
    books_post(a->books, &(struct books_move){.in_flight = (int64_t)b->hits});
}

void accounts_left(struct accounts *a, uint64_t hits, uint64_t replayed)
{
    books_post(a->books, &(struct books_move){.stored = -(int64_t)hits,
                                              .rolled_back = (int64_t)hits,
                                              .lost = (int64_t)(hits - replayed)});
    stat_add(&a->stats->replayed_hits, replayed);
}

/* What an earlier process counted as lost is not in these books, and neither is it as accepted. */
void accounts_found(struct accounts *a, uint64_t hits, uint64_t pending)
{
    uint64_t found = hits - pending, lost = a->books->now.lost;

    books_post(a->books,
               &(struct books_move){.stored = (int64_t)hits, .lost = -(int64_t)(found < lost ? found : lost)});
}

void accounts_unhold(struct accounts *a, uint32_t key)
{
    uint64_t hits = keys_unhold(a->keys, key);

    if (hits)
        books_post(a->books, &(struct books_move){.poisoned = -(int64_t)hits});
}

void accounts_revived(struct accounts *a, const struct batch *b)
{
    keys_release_held(a->keys);
    for (uint32_t i = 0; i < b->items_count; i++)
        accounts_unhold(a, b->items[i].key);
    accounts_resume(a, b);
}

void accounts_give_up_pending(struct accounts *a, uint32_t partition)
{
    uint64_t unheld, hits = keys_give_up_pending(a->keys, partition, &unheld);

    books_post(a->books, &(struct books_move){.poisoned = -(int64_t)unheld, .lost = (int64_t)hits});
}

void accounts_gave_up(struct accounts *a, uint64_t hits)
{
    books_post(a->books, &(struct books_move){.lost = (int64_t)hits});
    stat_add(&a->stats->given_up_hits, hits);
}
