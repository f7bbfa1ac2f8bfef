/* What one partition does when its ledger is not what it should be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/pair.h"

static void test_a_foreign_ledger_gives_a_new_identity_and_an_alarm(void **state)
{
    struct world w;
    char old[352];
    (void)state;

    world_init(&w);
    hit_both(&w);
    assert_true(world_settle(&w));
    strcpy(old, fake_ledger(&w.redis).name);
    fake_set(&w.redis, old, "2 00000000deadbeef");
    world_hit(&w, 0, "blog/a", 1);
    assert_true(world_settle(&w));
    assert_int_equal(fake_value(&w.redis, KEY_A), 8);
    assert_int_equal(w.stats.alarms_identity_taken, 1);
    assert_int_equal(w.stats.doubled_hits_at_most, 1); /* a clone of ours may have counted it, too */
    assert_string_equal(fake_key(&w.redis, old).value, "2 00000000deadbeef");
    assert_string_not_equal(fake_ledger(&w.redis).name, old);
    world_fini(&w);
}

static void test_a_ledger_at_first_sight_belongs_to_someone_else(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    fake_set(&w.redis, "t:!ledger:00000000-0000-4000-8000-000000000001:0", "1 0123456789abcdef");
    hit_both(&w);
    assert_true(world_settle(&w));
    assert_both(&w);
    assert_int_equal(w.stats.alarms_identity_taken, 1);
    world_fini(&w);
}

static void test_a_missing_ledger_is_made_anew(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    hit_both(&w);
    assert_true(world_settle(&w));
    fake_delete(&w.redis, fake_ledger(&w.redis).name);
    world_hit(&w, 0, "blog/a", 1);
    assert_true(world_settle(&w));
    assert_int_equal(fake_value(&w.redis, KEY_A), 8);
    assert_int_equal(w.stats.alarms_ledger_missing, 1);
    assert_true(strncmp(fake_ledger(&w.redis).value, "1 ", 2) == 0);
    world_fini(&w);
}

static void test_a_missing_ledger_halts_when_so_configured(void **state)
{
    struct world w;
    (void)state;

    world_init_with(&w, &(struct world_options){.on_ledger_loss = LEDGER_LOSS_HALT});
    hit_both(&w);
    assert_true(world_settle(&w));
    fake_delete(&w.redis, fake_ledger(&w.redis).name);
    world_hit(&w, 0, "blog/a", 1);
    world_run_ms(&w, 20000);
    fake_restart(&w.redis);
    world_run_ms(&w, 20000);
    assert_int_equal(fake_value(&w.redis, KEY_A), 7);
    assert_false(fake_ledger(&w.redis).exists);
    world_fini(&w);
}

static void test_a_rollback_is_counted_as_lost(void **state)
{
    struct world w;
    char name[352], old[64];
    (void)state;

    world_init(&w);
    hit_both(&w);
    assert_true(world_settle(&w));
    strcpy(name, fake_ledger(&w.redis).name);
    strcpy(old, fake_ledger(&w.redis).value);
    world_hit(&w, 0, "blog/a", 10);
    assert_true(world_settle(&w));
    world_hit(&w, 0, "blog/a", 20);
    assert_true(world_settle(&w));
    /* An old AOF: the server is back where the first batch left it. */
    fake_restart(&w.redis);
    fake_set(&w.redis, name, old);
    fake_set(&w.redis, KEY_A, "7");
    world_hit(&w, 0, "blog/a", 1);
    world_run_ms(&w, 10000);
    assert_true(world_settle(&w));
    assert_int_equal(fake_value(&w.redis, KEY_A), 8);
    assert_books(&w, 13, 0, 30);
    assert_int_equal(w.stats.alarms_rollback, 1);
    assert_int_equal(w.stats.alarms_identity_taken, 0);
    world_fini(&w);
}

static void test_a_quiet_ledger_is_refreshed_once_a_day(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    hit_both(&w);
    assert_true(world_settle(&w));
    w.now_us += 24ULL * 3600 * 1000000;
    world_run_ms(&w, 1000);
    assert_true(strncmp(fake_ledger(&w.redis).value, "2 ", 2) == 0);
    assert_both(&w);
    world_fini(&w);
}

/* ---- with nothing to send ---- */

static const struct world_options replaying = {.replay_window_ms = 60000, .on_ledger_loss = LEDGER_LOSS_REPLAY};

static void test_what_the_server_forgets_is_heard_of_though_there_is_nothing_to_send(void **state)
{
    struct world w;
    (void)state;

    for (uint64_t idle_s = 1; idle_s < 55; idle_s += 9) {
        world_init_with(&w, &replaying);
        hit_both(&w);
        assert_true(world_settle(&w));
        world_run_ms(&w, idle_s * 1000);
        fake_delete(&w.redis, fake_ledger(&w.redis).name);
        fake_delete(&w.redis, KEY_A);
        fake_delete(&w.redis, KEY_B);
        world_run_ms(&w, 11000);
        assert_both(&w);
        assert_books(&w, 12, 0, 0);
        world_fini(&w);
    }
}

static void test_a_connection_that_died_in_silence_is_found_though_there_is_nothing_to_send(void **state)
{
    struct world w;
    (void)state;

    world_init_with(&w, &replaying);
    hit_both(&w);
    assert_true(world_settle(&w));
    w.redis.mute = true;
    world_run_ms(&w, 16000); /* until the next look, and the deadline of its answer */
    assert_true(w.stats.link_errors > 0);
    world_fini(&w);
}

static void test_nothing_is_said_once_the_replay_window_is_empty(void **state)
{
    struct world w;
    (void)state;

    world_init_with(&w, &replaying);
    hit_both(&w);
    assert_true(world_settle(&w));
    uint64_t gets = w.redis.gets;
    world_run_ms(&w, 60500);
    assert_in_range(w.redis.gets - gets, 5, 7);
    uint64_t commands = w.stats.commands;
    world_run_ms(&w, 600000);
    assert_int_equal(w.stats.commands, commands);
    world_fini(&w);
}

static void test_without_a_replay_window_nothing_is_said_at_all(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    hit_both(&w);
    assert_true(world_settle(&w));
    uint64_t commands = w.stats.commands;
    world_run_ms(&w, 600000);
    assert_int_equal(w.stats.commands, commands);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_foreign_ledger_gives_a_new_identity_and_an_alarm),
        cmocka_unit_test(test_a_ledger_at_first_sight_belongs_to_someone_else),
        cmocka_unit_test(test_a_missing_ledger_is_made_anew),
        cmocka_unit_test(test_a_missing_ledger_halts_when_so_configured),
        cmocka_unit_test(test_a_rollback_is_counted_as_lost),
        cmocka_unit_test(test_a_quiet_ledger_is_refreshed_once_a_day),
        cmocka_unit_test(test_what_the_server_forgets_is_heard_of_though_there_is_nothing_to_send),
        cmocka_unit_test(test_a_connection_that_died_in_silence_is_found_though_there_is_nothing_to_send),
        cmocka_unit_test(test_nothing_is_said_once_the_replay_window_is_empty),
        cmocka_unit_test(test_without_a_replay_window_nothing_is_said_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
