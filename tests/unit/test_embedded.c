#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/world.h"
#include "tally/seal.h"

static void embedded_init(struct world *w) { world_init_with(w, &(struct world_options){.embedded = true}); }

static void test_the_process_is_the_store(void **state)
{
    struct world w;
    (void)state;

    embedded_init(&w);
    world_hit(&w, 0, "n/a", 3);
    world_hit(&w, 1, "n/a", 4);
    assert_true(world_settle(&w));
    struct tally_value v = world_read(&w, "n/a");
    assert_true(v.known);
    assert_int_equal(v.stored, 7);
    assert_int_equal(v.pending, 0);
    world_hit(&w, 1, "n/a", 1);
    assert_int_equal(world_read(&w, "n/a").value, 8);
    assert_int_equal(w.redis.conns_count, 0);
    world_fini(&w);
}

static void test_embedded_reads_are_answered_within_the_call(void **state)
{
    struct world w;
    (void)state;

    embedded_init(&w);
    world_hit(&w, 0, "n/a", 7);
    assert_true(world_settle(&w));
    free(world_ask(&w, "n/a", 100));
    assert_int_equal(w.answered_count, 1);
    world_fini(&w);
}

static void test_only_names_that_were_counted_are_found(void **state)
{
    struct world w;
    (void)state;

    embedded_init(&w);
    world_hit(&w, 0, "n/a", 7);
    assert_true(world_settle(&w));
    struct question *counted = world_ask(&w, "n/a", 100), *never = world_ask(&w, "n/never", 100);
    assert_int_equal(counted->results[0].state, ANSWER_FOUND);
    assert_int_equal(counted->results[0].stored, 7);
    assert_int_equal(never->results[0].state, ANSWER_MISSING);
    free(counted);
    free(never);
    world_fini(&w);
}

static void test_sums_past_int64_stay_at_the_most(void **state)
{
    struct world w;
    (void)state;

    world_init_with(&w, &(struct world_options){.embedded = true, .workers = 200});
    for (uint32_t worker = 0; worker < 200; worker++)
        world_hit(&w, worker, "n/a", SEAL_MAX);
    assert_true(world_settle(&w));
    assert_int_equal(world_read(&w, "n/a").stored, INT64_MAX);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_process_is_the_store),
        cmocka_unit_test(test_embedded_reads_are_answered_within_the_call),
        cmocka_unit_test(test_only_names_that_were_counted_are_found),
        cmocka_unit_test(test_sums_past_int64_stay_at_the_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
