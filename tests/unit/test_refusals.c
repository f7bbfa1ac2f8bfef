#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "nodes/refusals.h"
#include "support/world.h"

struct fixture {
    struct world world;
    struct keyspace space;
    struct keys *keys;
    struct redis_access access;
    struct flush_options options;
    struct refusals refusals;
    struct refused first, second;
};

static void fixture_init(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    world_init(&f->world);
    keyspace_init(&f->space, "t:", 0);
    assert_int_equal(keys_create(&f->keys, f->world.tally, &f->space), 0);
    f->access = (struct redis_access){.url = {.user = "app"}};
    f->options = (struct flush_options){.redis = &f->access, .prefix = "t:"};
    f->refusals = (struct refusals){.env = &f->world.env, .keys = f->keys, .options = &f->options};
    f->world.events = 0;
}

static void fixture_fini(struct fixture *f)
{
    keys_destroy(f->keys);
    world_fini(&f->world);
}

static void raise(struct fixture *f, struct refused *who, enum redis_error_class c)
{
    refusals_raise(&f->refusals, who, &(struct redis_refusal){c, "watch", "words"}, "host", 6379);
}

static void pass(struct fixture *f, int seconds)
{
    for (int tenth = 0; tenth < 10 * seconds; tenth++) {
        f->world.now_us += 100000;
        refusals_tick(&f->refusals);
    }
}

static void test_a_refusal_is_said_at_once_and_every_thirty_seconds_and_its_end(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f);
    raise(&f, &f.first, REDIS_ERROR_OOM);
    assert_int_equal(f.world.events, 1);
    assert_string_equal(f.world.last_event, "store_refuses");
    raise(&f, &f.second, REDIS_ERROR_OOM);
    raise(&f, &f.first, REDIS_ERROR_OOM);
    pass(&f, 29);
    assert_int_equal(f.world.events, 1);
    pass(&f, 2);
    assert_int_equal(f.world.events, 2);
    refusals_end(&f.refusals, &f.first);
    refusals_end(&f.refusals, &f.first);
    pass(&f, 2);
    assert_int_equal(f.world.events, 2); /* the second is still refused */
    refusals_end(&f.refusals, &f.second);
    pass(&f, 2);
    assert_int_equal(f.world.events, 3);
    assert_string_equal(f.world.last_event, "store_accepts");
    pass(&f, 60);
    assert_int_equal(f.world.events, 3);
    fixture_fini(&f);
}

static void test_refusals_that_come_and_go_do_not_flood_the_log(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f);
    for (int i = 0; i < 120; i++) { /* half a second on, half a second off */
        raise(&f, &f.first, REDIS_ERROR_NOREPLICAS);
        f.world.now_us += 500000;
        refusals_tick(&f.refusals);
        refusals_end(&f.refusals, &f.first);
        f.world.now_us += 500000;
        refusals_tick(&f.refusals);
    }
    assert_in_range(f.world.events, 4, 5);
    fixture_fini(&f);
}

static void test_a_slot_that_moves_is_said_when_it_lasts(void **state)
{
    static const enum redis_error_class moving[] = {REDIS_ERROR_MOVED, REDIS_ERROR_ASK, REDIS_ERROR_TRYAGAIN};
    (void)state;

    for (int i = 0; i < 3; i++) {
        struct fixture f;
        fixture_init(&f);
        raise(&f, &f.first, moving[i]);
        pass(&f, 2);
        refusals_end(&f.refusals, &f.first);
        pass(&f, 2);
        assert_int_equal(f.world.events, 0);
        raise(&f, &f.first, moving[i]);
        pass(&f, 4);
        assert_int_equal(f.world.events, 1);
        fixture_fini(&f);
    }
}

static void test_another_reason_takes_the_place_of_the_first(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f);
    raise(&f, &f.first, REDIS_ERROR_LOADING);
    raise(&f, &f.first, REDIS_ERROR_NOPERM);
    assert_int_equal(f.world.events, 2);
    pass(&f, 2);
    assert_int_equal(f.world.events, 3);
    assert_string_equal(f.world.last_event, "store_accepts"); /* of LOADING */
    refusals_raise(NULL, &f.second, &(struct redis_refusal){REDIS_ERROR_OOM, "", ""}, "", 0);
    refusals_end(NULL, &f.first);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_refusal_is_said_at_once_and_every_thirty_seconds_and_its_end),
        cmocka_unit_test(test_refusals_that_come_and_go_do_not_flood_the_log),
        cmocka_unit_test(test_a_slot_that_moves_is_said_when_it_lasts),
        cmocka_unit_test(test_another_reason_takes_the_place_of_the_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
