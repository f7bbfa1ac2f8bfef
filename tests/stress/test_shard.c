#include "tally/shard.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sync/atomic.h"
#include "sync/barrier.h"

#define CELLS 2 /* few, so that worker and flusher meet on each of them */
#define ROUNDS 1500
#define HITS_A_ROUND 400

struct shared {
    struct shard *shard;
    uint32_t started; /* rounds; flusher writes, worker reads */
    uint32_t ended;   /* rounds; worker writes, flusher reads */
};

/* A count is cumulative, so a later hit would hide a lost report: each round ends with both sides at rest. */
static void *add_hits(void *ctx)
{
    struct shared *shared = ctx;
    uint32_t random = 1;

    for (uint32_t round = 1; round <= ROUNDS; round++) {
        while (load_acquire_u32(&shared->started) < round) /* partner: run_round() */
            sched_yield();
        random = random * 1664525 + 1013904223;
        for (uint32_t i = (random >> 16) % HITS_A_ROUND; i < HITS_A_ROUND; i++)
            shard_add(shared->shard, i % CELLS, 1);
        store_release_u32(&shared->ended, round); /* partner: run_round() */
    }
    return NULL;
}

/* As the flusher does: take all, fence, read. */
static void flush_once(struct shard *s, uint64_t reported[CELLS])
{
    uint32_t taken[64];
    size_t count = 0;

    while (count < sizeof(taken) / sizeof(taken[0]) && shard_take_touched(s, &taken[count]))
        count++;
    assert_true(barrier_heavy());
    for (size_t i = 0; i < count; i++) {
        uint64_t now = shard_count(s, taken[i]);
        assert_true(now >= reported[taken[i]]);
        reported[taken[i]] = now;
    }
}

static void run_round(struct shared *shared, uint32_t round, uint64_t reported[CELLS])
{
    store_release_u32(&shared->started, round);        /* partner: add_hits() */
    while (load_acquire_u32(&shared->ended) < round) { /* partner: add_hits() */
        flush_once(shared->shard, reported);
    }
    flush_once(shared->shard, reported);
    for (uint32_t i = 0; i < CELLS; i++)
        assert_int_equal(reported[i], shard_count(shared->shard, i));
}

static void test_no_hit_is_left_unreported(void **state)
{
    (void)state;
    struct shared shared = {0};
    uint64_t reported[CELLS] = {0}, sum = 0;
    pthread_t worker;

    assert_int_equal(barrier_init(), 0);
    assert_int_equal(shard_create(&shared.shard, &(struct shard_config){.cells_max = CELLS, .hash_key = {5, 6}}), 0);
    for (uint32_t i = 0; i < CELLS; i++) {
        char text[] = {'n', '/', (char)('a' + i)};
        assert_int_equal(shard_intern(shared.shard, (struct slice){text, 3}, i, false), i);
    }
    assert_int_equal(pthread_create(&worker, NULL, add_hits, &shared), 0);
    for (uint32_t round = 1; round <= ROUNDS; round++)
        run_round(&shared, round, reported);
    pthread_join(worker, NULL);
    for (uint32_t i = 0; i < CELLS; i++)
        sum += reported[i];
    assert_int_equal(sum, shard_sum(shared.shard));
    shard_destroy(shared.shard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_hit_is_left_unreported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
