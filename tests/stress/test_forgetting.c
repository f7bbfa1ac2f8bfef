/* Workers that count and answer, a flusher that stores and forgets, and workers that read each other's names meanwhile:
 * in the end the store has every hit once, and on the way no number was less than what was certain. */
#include "flush/forgetting.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "owed/keys.h"
#include "sync/atomic.h"
#include "sync/barrier.h"

#define WORKERS 3
#define NAMES 400
#define HITS_MIN 20000 /* of each worker */
#define FORGOTTEN_MIN 500

struct worker {
    struct shared *shared;
    uint32_t number;
    uint32_t random;
    pthread_t thread;
    uint64_t counted[NAMES]; /* written by this worker, read by all */
    uint64_t too_small, known;
    uint32_t ended;
};

struct shared {
    struct tally *tally;
    struct keyspace space;
    struct keys *keys;
    struct writes writes;
    struct flusher_stats stats;
    struct forgetting *forgetting;
    struct worker workers[WORKERS];
    int64_t stored[NAMES]; /* the flusher's */
    uint64_t now_ms;
};

static struct slice name_of(uint32_t number, char text[64])
{
    return (struct slice){text, (size_t)snprintf(text, 64, "n/%0*u", (int)(number % 30), number)};
}

static uint32_t number_of(struct slice name)
{
    uint32_t number = 0;

    for (size_t i = 2; i < name.bytes; i++)
        number = number * 10 + (uint32_t)(name.at[i] - '0');
    return number;
}

static uint32_t draw(uint32_t *random, uint32_t below)
{
    *random = *random * 1664525 + 1013904223;
    return (*random >> 12) % below;
}

/* ---- workers ---- */

static uint64_t certain(const struct shared *s, uint32_t number)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < WORKERS; i++)
        sum += load_acquire_u64(&s->workers[i].counted[number]); /* partner: count() */
    return sum;
}

static void count(struct worker *w, uint32_t number)
{
    char text[64];

    if (tally_hit(w->shared->tally, w->number, name_of(number, text), 1) != TALLY_COUNTED)
        abort();
    store_release_u64(&w->counted[number], w->counted[number] + 1); /* partner: certain() */
}

/* What is known of a name has all that had been counted before it was read. */
static void look(struct worker *w, uint32_t number)
{
    uint64_t least = certain(w->shared, number);
    struct tally_value v;
    char text[64];

    tally_read(w->shared->tally, name_of(number, text), &v);
    w->known += v.known;
    w->too_small += v.known && v.value < (int64_t)least;
}

static void *work(void *ctx)
{
    struct worker *w = ctx;

    for (uint32_t i = 0; i < HITS_MIN || stat_read(&w->shared->stats.keys_forgotten) < FORGOTTEN_MIN; i++) {
        /* The names that are hit move on, so that others are idle. */
        uint32_t number = (i / 200 + draw(&w->random, 40)) % NAMES;
        count(w, number);
        look(w, draw(&w->random, 2) ? number : draw(&w->random, NAMES));
        if (i % 8 == 0)
            tally_answer(w->shared->tally, w->number);
        if (i % 64 == 0)
            sched_yield();
    }
    store_release_u32(&w->ended, 1); /* partner: all_ended() */
    return NULL;
}

/* ---- flusher ---- */

static void store_key(struct shared *s, uint32_t key)
{
    int64_t *stored = &s->stored[number_of(keys_name(s->keys, key))];

    for (key_cell c = keys_first_cell(s->keys, key); c; c = keys_next_cell(s->keys, c)) {
        uint64_t counted = keys_count(s->keys, c);
        *stored += (int64_t)(counted - keys_baseline(s->keys, c));
        keys_set_baseline(s->keys, c, counted);
    }
    keys_publish(s->keys, key, *stored, s->now_ms);
}

static void flush_once(struct shared *s)
{
    s->now_ms += 5; /* its clock is its own: so idle is what was not touched in so many flushes */
    keys_set_clock(s->keys, s->now_ms);
    keys_collect(s->keys);
    while (keys_dirty(s->keys))
        store_key(s, keys_pop_dirty(s->keys, 0));
    forgetting_tick(s->forgetting, s->now_ms);
}

static bool all_ended(const struct shared *s)
{
    bool all = true;

    for (uint32_t i = 0; i < WORKERS; i++)
        all = load_acquire_u32(&s->workers[i].ended) && all; /* partner: work() */
    return all;
}

static void on_wake(void *ctx, uint32_t worker) { (void)ctx, (void)worker; }
static void on_covers(void *ctx) { (void)ctx; }

static void shared_init(struct shared *s)
{
    assert_int_equal(tally_create(&s->tally, &(struct tally_config){.workers = WORKERS, .keys_max = NAMES}), 0);
    tally_open_desks(s->tally, false);
    keyspace_init(&s->space, "t:", 0);
    assert_int_equal(keys_create(&s->keys, s->tally, &s->space), 0);
    s->now_ms = 1000;
    static const struct flush_options options = {.key_idle_ms = 20};
    const struct forgetting_config config = {
        .options = &options,
        .tally = s->tally,
        .keys = s->keys,
        .writes = &s->writes,
        .stats = &s->stats,
        .wake = on_wake,
        .covers = on_covers,
    };
    assert_int_equal(forgetting_create(&s->forgetting, &config), 0);
}

static void test_hits_on_names_that_come_and_go_are_stored_once(void **state)
{
    (void)state;
    struct shared *s = calloc(1, sizeof(*s));

    assert_int_equal(barrier_init(), 0);
    shared_init(s);
    for (uint32_t i = 0; i < WORKERS; i++) {
        s->workers[i].shared = s;
        s->workers[i].number = s->workers[i].random = i;
        assert_int_equal(pthread_create(&s->workers[i].thread, NULL, work, &s->workers[i]), 0);
    }
    while (!all_ended(s))
        flush_once(s);
    for (uint32_t i = 0; i < WORKERS; i++)
        pthread_join(s->workers[i].thread, NULL);
    forgetting_finish(s->forgetting);
    flush_once(s);
    for (uint32_t i = 0; i < NAMES; i++)
        assert_int_equal(s->stored[i], certain(s, i));
    for (uint32_t i = 0; i < WORKERS; i++) {
        print_message("worker %u: %llu known reads\n", i, (unsigned long long)s->workers[i].known);
        assert_int_equal(s->workers[i].too_small, 0);
    }
    print_message("%llu names forgotten\n", (unsigned long long)s->stats.keys_forgotten);
    forgetting_destroy(s->forgetting);
    keys_destroy(s->keys);
    tally_destroy(s->tally);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hits_on_names_that_come_and_go_are_stored_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
