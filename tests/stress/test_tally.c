/* Writers, a flusher with a store of its own, and readers that hold every value against what must and may be in it. */
#include "tally/tally.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sync/atomic.h"
#include "sync/barrier.h"
#include "tally/shard.h"
#include "tally/totals.h"

#define WORKERS 2
#define READERS 2
#define NAMES 1500
#define HITS 150000 /* of each worker */

struct writer {
    struct shared *shared;
    uint32_t worker;
    pthread_t thread;
    /* written by this writer, read by readers */
    uint64_t begun[NAMES]; /* hits that may be in the value */
    uint64_t acked[NAMES]; /* hits that must be */
    uint64_t refused;      /* its own */
};

struct reader {
    struct shared *shared;
    pthread_t thread;
    int64_t last[NAMES];
    uint64_t reads, backwards, too_small, too_large;
};

struct shared {
    struct tally *tally;
    struct writer writers[WORKERS];
    struct reader readers[READERS];
    uint64_t others[NAMES]; /* what other processes add to the store; flusher writes, readers read */
    uint32_t flusher_stop, readers_stop;
};

static struct slice name_of(uint32_t number, char text[32])
{
    return (struct slice){text, (size_t)snprintf(text, 32, "names/%u", number)};
}

static uint32_t number_of(struct slice name)
{
    char text[32] = {0};

    memcpy(text, name.at, name.bytes); /* whatever lies behind it in the shard may be a digit, too */
    return (uint32_t)strtoul(text + sizeof("names/") - 1, NULL, 10);
}

static uint32_t draw(uint32_t *random, uint32_t below)
{
    *random = *random * 1664525 + 1013904223;
    return (*random >> 12) % below;
}

static void *write_hits(void *ctx)
{
    struct writer *w = ctx;
    uint32_t random = w->worker;
    char text[32];

    for (int i = 0; i < HITS; i++) {
        /* Few names are hot and many are met late, so that growing and reading go on all the time. */
        uint32_t number = draw(&random, 1 + (uint32_t)((uint64_t)NAMES * (uint64_t)i / HITS));
        uint64_t n = 1 + draw(&random, 5);
        store_relaxed_u64(&w->begun[number], w->begun[number] + n);
        ck_pr_fence_store(); /* whoever sees the hit sees that it had begun */
        w->refused += tally_hit(w->shared->tally, w->worker, name_of(number, text), n) != TALLY_COUNTED;
        store_release_u64(&w->acked[number], w->acked[number] + n); /* partner: read_values() */
    }
    return NULL;
}

/* A flusher and its store in one: what it reads of the cells is stored at once and published. */
struct store {
    uint64_t seen[WORKERS][NAMES]; /* by cell */
    struct total totals[NAMES];
    uint32_t random;
};

static void store_delta(struct shared *shared, struct store *store, uint32_t worker, uint32_t cell)
{
    struct shard *s = tally_shard(shared->tally, worker);
    struct slice name = shard_name(s, cell);
    uint32_t number = number_of(name);
    struct total *total = &store->totals[number];
    uint64_t count = shard_count(s, cell), delta = count - store->seen[worker][cell];
    uint64_t others = draw(&store->random, 3);

    store_relaxed_u64(&shared->others[number], shared->others[number] + others);
    store->seen[worker][cell] = count;
    total->base += delta;
    total->stored += (int64_t)(delta + others);
    total->as_of_ms++;
    struct totals *totals = tally_totals(shared->tally);
    uint32_t entry = totals_intern(totals, worker, cell);
    shard_set_baseline(s, cell, count);
    totals_publish(totals, entry, total);
}

static void flush_once(struct shared *shared, struct store *store)
{
    static uint32_t taken[WORKERS][NAMES];
    uint32_t counts[WORKERS] = {0};

    for (uint32_t w = 0; w < WORKERS; w++)
        while (counts[w] < NAMES && shard_take_touched(tally_shard(shared->tally, w), &taken[w][counts[w]]))
            counts[w]++;
    if (!barrier_heavy())
        abort(); /* cmocka's asserts belong to the main thread */
    for (uint32_t w = 0; w < WORKERS; w++)
        for (uint32_t i = 0; i < counts[w]; i++)
            store_delta(shared, store, w, taken[w][i]);
}

static void *run_flusher(void *ctx)
{
    struct shared *shared = ctx;
    struct store *store = calloc(1, sizeof(*store));

    while (!load_acquire_u32(&shared->flusher_stop)) {
        flush_once(shared, store);
        sched_yield();
    }
    flush_once(shared, store);
    free(store);
    return NULL;
}

static void check_value(struct reader *r, uint32_t number)
{
    struct shared *shared = r->shared;
    struct tally_value value;
    char text[32];
    uint64_t at_least = 0, at_most = 0;

    for (uint32_t w = 0; w < WORKERS; w++)
        at_least += load_acquire_u64(&shared->writers[w].acked[number]);
    tally_read(shared->tally, name_of(number, text), &value);
    fence_loads();
    for (uint32_t w = 0; w < WORKERS; w++)
        at_most += load_relaxed_u64(&shared->writers[w].begun[number]);
    r->too_large += value.pending > at_most;
    at_most += load_relaxed_u64(&shared->others[number]);
    r->too_large += value.value > (int64_t)at_most;
    r->too_small += value.value < (int64_t)at_least;
    r->backwards += value.value < r->last[number];
    r->last[number] = value.value;
    r->reads++;
}

static void *read_values(void *ctx)
{
    struct reader *r = ctx;
    uint32_t random = 7;

    while (!load_acquire_u32(&r->shared->readers_stop)) {
        check_value(r, draw(&random, 10)); /* the hot ones */
        check_value(r, draw(&random, NAMES));
    }
    return NULL;
}

static void run_all(struct shared *shared)
{
    pthread_t flusher;

    assert_int_equal(pthread_create(&flusher, NULL, run_flusher, shared), 0);
    for (uint32_t i = 0; i < READERS; i++) {
        shared->readers[i].shared = shared;
        assert_int_equal(pthread_create(&shared->readers[i].thread, NULL, read_values, &shared->readers[i]), 0);
    }
    for (uint32_t i = 0; i < WORKERS; i++) {
        shared->writers[i].shared = shared;
        shared->writers[i].worker = i;
        assert_int_equal(pthread_create(&shared->writers[i].thread, NULL, write_hits, &shared->writers[i]), 0);
    }
    for (uint32_t i = 0; i < WORKERS; i++)
        pthread_join(shared->writers[i].thread, NULL);
    store_release_u32(&shared->flusher_stop, 1); /* partner: run_flusher() */
    pthread_join(flusher, NULL);
    store_release_u32(&shared->readers_stop, 1); /* partner: read_values() */
    for (uint32_t i = 0; i < READERS; i++)
        pthread_join(shared->readers[i].thread, NULL);
}

static void check_end(const struct shared *shared)
{
    char text[32];
    struct tally_value value;
    uint32_t distinct = 0;

    for (uint32_t number = 0; number < NAMES; number++) {
        uint64_t own = 0;
        for (uint32_t w = 0; w < WORKERS; w++)
            own += shared->writers[w].acked[number];
        tally_read(shared->tally, name_of(number, text), &value);
        assert_int_equal(value.pending, 0);
        assert_int_equal(value.stored, own + shared->others[number]);
        assert_int_equal(value.value, value.stored);
        assert_int_equal(value.counted, own > 0);
        distinct += own > 0;
    }
    assert_in_range(tally_keys(shared->tally), distinct, 2 * NAMES);
}

static void test_reads_are_monotone_bounded_and_exact_in_the_end(void **state)
{
    (void)state;
    struct shared *shared = calloc(1, sizeof(*shared));
    const struct tally_config config = {.workers = WORKERS, .keys_max = 2 * NAMES};

    assert_int_equal(barrier_init(), 0);
    assert_int_equal(tally_create(&shared->tally, &config), 0);
    run_all(shared);
    for (uint32_t i = 0; i < WORKERS; i++)
        assert_int_equal(shared->writers[i].refused, 0);
    for (uint32_t i = 0; i < READERS; i++) {
        print_message("reader %u: %llu reads\n", i, (unsigned long long)shared->readers[i].reads);
        assert_int_equal(shared->readers[i].backwards, 0);
        assert_int_equal(shared->readers[i].too_small, 0);
        assert_int_equal(shared->readers[i].too_large, 0);
    }
    check_end(shared);
    tally_destroy(shared->tally);
    free(shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_are_monotone_bounded_and_exact_in_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
