/* The core's own part: intervals, drain, statistics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/world.h"
#include "sync/barrier.h"

static void test_flushes_come_at_the_interval_give_or_take_a_tenth(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    world_run_ms(&w, 1000);
    for (int i = 0; i < 20; i++) {
        uint64_t before = world_books(&w).stored, started = w.now_us;
        world_hit(&w, 0, "n/a", 1);
        while (world_books(&w).stored == before)
            world_step(&w);
        assert_true(w.now_us - started <= 111000);
    }
    world_fini(&w);
}

static void test_two_instances_do_not_flush_in_step(void **state)
{
    uint64_t stored_at[2];
    (void)state;

    for (int i = 0; i < 2; i++) {
        struct world w;
        world_init_with(&w, &(struct world_options){.seed = 77 + (uint64_t)i * 1000003});
        world_hit(&w, 0, "n/a", 1);
        assert_true(world_settle(&w));
        stored_at[i] = w.now_us;
        world_fini(&w);
    }
    assert_int_not_equal(stored_at[0], stored_at[1]);
}

static void test_the_first_flush_is_drawn_from_the_whole_interval(void **state)
{
    int thirds[3] = {0};
    (void)state;

    for (uint64_t i = 0; i < 60; i++) {
        struct world w;
        world_init_with(&w, &(struct world_options){.seed = 77 + i * 1000003});
        uint64_t first_us = core_wake_us(w.core) - w.now_us;
        assert_true(first_us <= 100000);
        thirds[first_us * 3 / 100001]++;
        world_fini(&w);
    }
    for (int i = 0; i < 3; i++)
        assert_in_range(thirds[i], 10, 35);
}

static void test_an_outage_is_survived_with_all_hits_and_bounded_attempts(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    w.redis.open_error = -ECONNREFUSED;
    for (int i = 0; i < 600; i++) {
        world_hit(&w, (uint32_t)i & 1, i % 3 ? "n/a" : "n/b", 1);
        world_run_ms(&w, 100);
    }
    assert_false(w.stats.connected);
    assert_true(w.stats.backlog_since_ms > 0);
    assert_int_equal(w.stats.keys_dirty, 2);
    assert_in_range(w.stats.link_errors, 10, 40); /* in a minute */
    assert_in_range(w.events, 2, 4);              /* and few lines about it */
    w.redis.open_error = 0;
    uint64_t healed = w.now_us;
    assert_true(world_settle(&w));
    assert_true(w.now_us - healed < 10000000);
    world_run_ms(&w, 200);
    assert_true(w.stats.connected);
    assert_int_equal(w.stats.backlog_since_ms, 0);
    assert_int_equal(fake_value(&w.redis, "t:n:a"), 400);
    assert_int_equal(fake_value(&w.redis, "t:n:b"), 200);
    world_fini(&w);
}

static void test_drain_collects_at_once(void **state)
{
    struct world w;
    (void)state;

    barrier_init();
    world_init(&w);
    world_run_ms(&w, 10);
    world_hit(&w, 0, "n/a", 3);
    uint64_t before = w.now_us;
    core_drain(w.core);
    world_step(&w);
    assert_false(core_is_idle(w.core));
    while (!core_is_idle(w.core))
        world_step(&w);
    assert_true(w.now_us - before < 60000); /* the interval is 90 ms at the least */
    assert_int_equal(fake_value(&w.redis, "t:n:a"), 3);
    world_fini(&w);
}

static void test_in_a_hurry_one_flush_follows_the_other(void **state)
{
    struct world w;
    (void)state;

    barrier_init();
    world_init(&w);
    world_run_ms(&w, 10);
    core_hurry(w.core);
    for (int i = 1; i <= 3; i++) {
        world_hit(&w, 0, "n/a", 1);
        world_run_ms(&w, 30); /* the interval is 90 ms at the least */
        assert_int_equal(fake_value(&w.redis, "t:n:a"), i);
    }
    world_fini(&w);
}

static void test_the_password_is_used_and_never_logged(void **state)
{
    struct world w;
    (void)state;

    world_init_with(&w, &(struct world_options){.password = "hunter2"});
    w.redis.model.password = "hunter2";
    world_hit(&w, 0, "n/a", 1);
    assert_true(world_settle(&w));
    assert_int_equal(fake_value(&w.redis, "t:n:a"), 1);
    world_fini(&w);
    world_init_with(&w, &(struct world_options){.password = "hunter3"});
    w.redis.model.password = "hunter2";
    world_hit(&w, 0, "n/a", 1);
    world_run_ms(&w, 3000);
    assert_true(w.stats.errors_by_class[REDIS_ERROR_WRONGPASS] >= 2);
    assert_int_equal(w.redis.executed_incrbys, 0);
    assert_false(w.leaked);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flushes_come_at_the_interval_give_or_take_a_tenth),
        cmocka_unit_test(test_two_instances_do_not_flush_in_step),
        cmocka_unit_test(test_the_first_flush_is_drawn_from_the_whole_interval),
        cmocka_unit_test(test_an_outage_is_survived_with_all_hits_and_bounded_attempts),
        cmocka_unit_test(test_drain_collects_at_once),
        cmocka_unit_test(test_in_a_hurry_one_flush_follows_the_other),
        cmocka_unit_test(test_the_password_is_used_and_never_logged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
