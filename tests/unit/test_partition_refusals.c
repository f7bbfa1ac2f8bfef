/* What one partition does when the server refuses: everything, a transaction, a single key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/pair.h"
#include "tally/seal.h"

/* The server refuses INCRBYs for a second, then is well again. */
static void run_refusal(const char *command, const char *error, enum redis_error_class c)
{
    struct world w;

    world_init(&w);
    fake_rule(&w.redis, (struct fake_rule){command, NULL, error});
    hit_both(&w);
    world_run_ms(&w, 1000);
    assert_int_equal(w.redis.executed_incrbys, 0);
    assert_true(w.stats.errors_by_class[c] >= 1);
    assert_true(w.stats.errors_by_class[c] <= 40); /* backed off, not hammered */
    w.redis.rules_count = 0;
    if (!world_settle(&w))
        fail_msg("not settled after %s on %s", error, command);
    assert_both(&w);
    assert_books(&w, 12, 0, 0);
    world_fini(&w);
}

static void test_each_class_of_refusal_keeps_the_hits_and_is_counted(void **state)
{
    static const struct {
        const char *error;
        enum redis_error_class c;
    } rows[] = {
        {"-MOVED 1234 127.0.0.1:7001", REDIS_ERROR_MOVED},
        {"-ASK 1234 127.0.0.1:7001", REDIS_ERROR_ASK},
        {"-TRYAGAIN Multiple keys request during rehashing of slot", REDIS_ERROR_TRYAGAIN},
        {"-CLUSTERDOWN Hash slot not served", REDIS_ERROR_CLUSTERDOWN},
        {"-CROSSSLOT Keys in request don't hash to the same slot", REDIS_ERROR_CROSSSLOT},
        {"-LOADING Redis is loading the dataset in memory", REDIS_ERROR_LOADING},
        {"-READONLY You can't write against a read only replica.", REDIS_ERROR_READONLY},
        {"-OOM command not allowed when used memory > 'maxmemory'.", REDIS_ERROR_OOM},
        {"-BUSY Redis is busy running a script.", REDIS_ERROR_BUSY},
        {"-MASTERDOWN Link with MASTER is down", REDIS_ERROR_MASTERDOWN},
        {"-NOREPLICAS Not enough good replicas to write.", REDIS_ERROR_NOREPLICAS},
        {"-MISCONF Redis is configured to save RDB snapshots", REDIS_ERROR_MISCONF},
        {"-NOAUTH Authentication required.", REDIS_ERROR_NOAUTH},
        {"-NOPERM this user has no permissions to run the 'incrby' command", REDIS_ERROR_NOPERM},
        {"-ERR something that nobody foresaw", REDIS_ERROR_OTHER},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        run_refusal("INCRBY", rows[i].error, rows[i].c);
        run_refusal("SET", rows[i].error, rows[i].c);
        run_refusal("EXEC", rows[i].error, rows[i].c);
        run_refusal("WATCH", rows[i].error, rows[i].c);
        run_refusal("GET", rows[i].error, rows[i].c);
        run_refusal("MULTI", rows[i].error, rows[i].c);
    }
}

/* As the server itself refuses, from before the first connection or in the midst of one. */
static void run_mood(enum model_mood mood, enum redis_error_class c, bool connected)
{
    struct world w;

    world_init(&w);
    if (connected)
        world_run_ms(&w, 300);
    w.redis.model.mood = mood;
    hit_both(&w);
    world_run_ms(&w, 1000);
    assert_int_equal(w.redis.executed_incrbys, 0);
    if (w.stats.errors_by_class[c] == 0)
        fail_msg("mood %d is not counted as %s", mood, redis_error_name(c));
    w.redis.model.mood = MODEL_FINE;
    if (!world_settle(&w))
        fail_msg("not settled after mood %d", mood);
    assert_both(&w);
    assert_books(&w, 12, 0, 0);
    world_fini(&w);
}

static void test_a_server_in_no_mood_for_writes_gets_the_hits_once_it_is_well(void **state)
{
    static const struct {
        enum model_mood mood;
        enum redis_error_class c;
    } rows[] = {{MODEL_OOM, REDIS_ERROR_OOM},
                {MODEL_MISCONF, REDIS_ERROR_MISCONF},
                {MODEL_NOREPLICAS, REDIS_ERROR_NOREPLICAS},
                {MODEL_READONLY, REDIS_ERROR_READONLY},
                /* Of a write, a replica without its master says only that it is one. */
                {MODEL_MASTERDOWN, REDIS_ERROR_READONLY},
                {MODEL_LOADING, REDIS_ERROR_LOADING},
                {MODEL_BUSY, REDIS_ERROR_BUSY}};
    (void)state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        run_mood(rows[i].mood, rows[i].c, false);
        run_mood(rows[i].mood, rows[i].c, true);
    }
}

static void test_nothing_is_incremented_outside_a_transaction(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    world_hit(&w, 0, "blog/a", 1);
    assert_true(world_settle(&w));
    /* From now on this user may not open transactions, on the live connection. */
    fake_rule(&w.redis, (struct fake_rule){"MULTI", NULL, "-NOPERM no permissions to run the 'multi' command"});
    for (int i = 0; i < 20; i++) {
        world_hit(&w, 0, "blog/a", 1);
        world_run_ms(&w, 300);
    }
    assert_int_equal(w.redis.executed_outside_multi, 0);
    assert_true(fake_value(&w.redis, KEY_A) <= 2); /* one was open already */
    w.redis.rules_count = 0;
    assert_true(world_settle(&w));
    assert_int_equal(fake_value(&w.redis, KEY_A), 21);
    world_fini(&w);
}

static void test_a_replica_is_refused_at_the_greeting(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    w.redis.model.replica = true;
    hit_both(&w);
    world_run_ms(&w, 2000);
    assert_int_equal(w.redis.executed_incrbys, 0);
    assert_true(w.stats.errors_by_class[REDIS_ERROR_READONLY] >= 1);
    w.redis.model.replica = false;
    assert_true(world_settle(&w));
    assert_both(&w);
    world_fini(&w);
}

/* What is no answer to what was asked ends the connection; the ledger then says what became of the batch. */
static void test_an_answer_that_is_none_ends_the_connection_and_all_is_stored_once(void **state)
{
    static const struct fake_rule rules[] = {{"WATCH", NULL, ":1"},    {"GET", "!ledger", "+OK"},
                                             {"GET", "!ledger", "*0"}, {"MULTI", NULL, "+QUEUED"},
                                             {"INCRBY", NULL, ":5"},   {"EXEC", NULL, "+OK"}};
    (void)state;

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        struct world w;
        world_init(&w);
        fake_rule(&w.redis, rules[i]); /* the first connection asks for the ledger once, whatever there is to send */
        hit_both(&w);
        world_run_ms(&w, 2000);
        assert_true(w.stats.link_errors > 0);
        w.redis.rules_count = 0;
        assert_true(world_settle(&w));
        assert_both(&w);
        assert_books(&w, 12, 0, 0);
        world_fini(&w);
    }
}

static void test_a_ledger_that_makes_no_sense_is_another_ones(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    fake_set(&w.redis, "t:!ledger:00000000-0000-4000-8000-000000000001:0", "nonsense");
    hit_both(&w);
    assert_true(world_settle(&w));
    assert_both(&w);
    assert_int_equal(w.stats.alarms_identity_taken, 1);
    world_fini(&w);
}

/* ---- single keys ---- */

static void test_a_key_of_the_wrong_type_is_set_aside_and_the_others_are_stored(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    fake_set(&w.redis, KEY_A, "");
    fake_make_list(&w.redis, KEY_A, true);
    hit_both(&w);
    assert_true(world_settle(&w));
    assert_int_equal(fake_value(&w.redis, KEY_B), 5);
    assert_books(&w, 5, 7, 0);
    assert_int_equal(w.stats.keys_poisoned, 1);
    assert_int_equal(w.stats.errors_by_class[REDIS_ERROR_WRONGTYPE], 1);
    assert_string_equal(w.last_event, "key_refused");
    /* Touched again it stays aside with all its hits, and is not tried with every flush. */
    world_hit(&w, 0, "blog/a", 1);
    world_run_ms(&w, 5000);
    assert_int_equal(w.stats.errors_by_class[REDIS_ERROR_WRONGTYPE], 1);
    assert_books(&w, 5, 8, 0);
    /* Mended, it is stored with all it has, within a retry. */
    fake_delete(&w.redis, KEY_A);
    world_run_ms(&w, 61000);
    assert_int_equal(fake_value(&w.redis, KEY_A), 8);
    assert_books(&w, 13, 0, 0);
    assert_int_equal(w.stats.keys_poisoned, 0);
    world_fini(&w);
}

static void test_a_key_refused_in_an_exec_whose_answer_is_lost_is_set_aside(void **state)
{
    struct world w;
    (void)state;

    for (int list = 0; list < 2; list++) {
        world_init(&w);
        fake_set(&w.redis, KEY_A, list ? "" : "12 apples");
        fake_make_list(&w.redis, KEY_A, list);
        world_run_ms(&w, 50);
        w.redis.cut_after_command = "EXEC";
        hit_both(&w);
        assert_true(world_settle(&w));
        assert_int_equal(w.stats.batches_reconciled_applied, 1);
        assert_int_equal(fake_value(&w.redis, KEY_B), 5);
        assert_books(&w, 5, 7, 0);
        assert_int_equal(w.stats.errors_by_class[list ? REDIS_ERROR_WRONGTYPE : REDIS_ERROR_NOT_INTEGER], 1);
        fake_delete(&w.redis, KEY_A);
        world_run_ms(&w, 61000);
        assert_both(&w);
        assert_books(&w, 12, 0, 0);
        world_fini(&w);
    }
}

/* Whatever the server says of the look, all others are stored, once. */
static void test_a_look_that_is_refused_holds_up_nothing(void **state)
{
    static const char *const errors[] = {"-NOPERM User tallyd has no permissions to run the 'getrange' command",
                                         "-NOPERM No permissions to access a key", "-LOADING Redis is loading",
                                         "-BUSY Redis is busy", "+what"};
    struct world w;
    (void)state;

    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        world_init(&w);
        world_run_ms(&w, 50);
        w.redis.cut_after_command = "EXEC";
        hit_both(&w);
        while (w.redis.cut_after_command)
            world_step(&w);
        fake_rule(&w.redis, (struct fake_rule){"GETRANGE", NULL, errors[i]});
        world_run_ms(&w, 3000);
        assert_int_equal(world_books(&w).stored, i < 2 ? 12 : 0); /* else the look will succeed some day */
        w.redis.rules_count = 0;
        assert_true(world_settle(&w));
        assert_both(&w);
        assert_books(&w, 12, 0, 0);
        world_fini(&w);
    }
}

static void test_overflow_and_text_poison_only_their_keys(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    fake_set(&w.redis, KEY_A, "9223372036854775800");
    fake_set(&w.redis, "t:blog:c", "hello");
    world_hit(&w, 0, "blog/a", 8);
    world_hit(&w, 0, "blog/c", 1);
    world_hit(&w, 0, "blog/b", 5);
    assert_true(world_settle(&w));
    assert_int_equal(fake_value(&w.redis, KEY_A), 9223372036854775800);
    assert_int_equal(fake_value(&w.redis, KEY_B), 5);
    assert_int_equal(w.stats.errors_by_class[REDIS_ERROR_OVERFLOW], 1);
    assert_int_equal(w.stats.errors_by_class[REDIS_ERROR_NOT_INTEGER], 1);
    assert_books(&w, 5, 9, 0);
    world_fini(&w);
}

static void test_a_key_that_may_not_be_touched_does_not_hold_up_the_others(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    fake_rule(&w.redis, (struct fake_rule){"INCRBY", "blog:a", "-NOPERM No permissions to access a key"});
    hit_both(&w);
    assert_true(world_settle(&w));
    assert_int_equal(fake_value(&w.redis, KEY_A), 0);
    assert_int_equal(fake_value(&w.redis, KEY_B), 5);
    assert_books(&w, 5, 7, 0);
    assert_int_equal(w.stats.errors_by_class[REDIS_ERROR_NOPERM_KEY], 1);
    w.redis.rules_count = 0;
    world_run_ms(&w, 61000);
    assert_both(&w);
    assert_books(&w, 12, 0, 0);
    world_fini(&w);
}

/* The bytes of the batch that was replaced come late, at every moment of its replacement. */
static void test_late_bytes_of_a_replaced_batch_count_once(void **state)
{
    (void)state;

    for (int steps = 0; steps < 40; steps++) {
        struct world w;
        world_init(&w);
        world_run_ms(&w, 50);
        w.redis.conns[0]->in_cut = w.redis.conns[0]->in_total;
        hit_both(&w);
        while (!w.redis.conns[0]->cut)
            world_step(&w);
        /* What was cut off was allowed; what is sent from here is not. */
        fake_rule(&w.redis, (struct fake_rule){"INCRBY", "blog:a", "-NOPERM No permissions to access a key"});
        for (int i = 0; i < steps; i++)
            world_step(&w);
        w.redis.rules_count = 0;
        fake_deliver_late(&w.redis);
        fake_rule(&w.redis, (struct fake_rule){"INCRBY", "blog:a", "-NOPERM No permissions to access a key"});
        assert_true(world_settle(&w));
        w.redis.rules_count = 0;
        world_run_ms(&w, 61000);
        assert_both(&w);
        assert_books(&w, 12, 0, 0);
        world_fini(&w);
    }
}

static void test_a_sum_past_int64_goes_in_two_batches(void **state)
{
    struct world w;
    (void)state;

    world_init_with(&w, &(struct world_options){.workers = 200});
    fake_set(&w.redis, KEY_A, "-9223372036854775808");
    for (uint32_t worker = 0; worker < 200; worker++)
        world_hit(&w, worker, "blog/a", SEAL_MAX);
    assert_true(world_settle(&w));
    assert_int_equal(w.stats.batches, 2);
    assert_true(fake_value(&w.redis, KEY_A) == (int64_t)(200 * SEAL_MAX - (UINT64_C(1) << 63)));
    world_fini(&w);
}

static void test_a_batch_that_does_not_pass_is_replaced_and_goes_in_smaller_ones(void **state)
{
    struct world w;
    char name[16];
    (void)state;

    world_init(&w);
    world_run_ms(&w, 300);
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof(name), "n/%d", i);
        world_hit(&w, 0, name, 1);
    }
    w.redis.mute = true;
    while (w.stats.link_errors == 0)
        world_step(&w);
    w.redis.mute = false;
    uint64_t batches = w.stats.batches;
    assert_true(world_settle(&w));
    assert_int_equal(w.redis.executed_incrbys, 40);
    assert_int_equal(w.stats.batches - batches, 1 + 3); /* the empty one, then 10, 20 and the last 10 keys */
    fake_deliver_late(&w.redis);
    assert_int_equal(w.redis.executed_incrbys, 40);
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof(name), "t:n:%d", i);
        assert_int_equal(fake_value(&w.redis, name), 1);
    }
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_batch_that_does_not_pass_is_replaced_and_goes_in_smaller_ones),
        cmocka_unit_test(test_each_class_of_refusal_keeps_the_hits_and_is_counted),
        cmocka_unit_test(test_a_server_in_no_mood_for_writes_gets_the_hits_once_it_is_well),
        cmocka_unit_test(test_nothing_is_incremented_outside_a_transaction),
        cmocka_unit_test(test_a_replica_is_refused_at_the_greeting),
        cmocka_unit_test(test_a_key_of_the_wrong_type_is_set_aside_and_the_others_are_stored),
        cmocka_unit_test(test_an_answer_that_is_none_ends_the_connection_and_all_is_stored_once),
        cmocka_unit_test(test_a_ledger_that_makes_no_sense_is_another_ones),
        cmocka_unit_test(test_a_key_refused_in_an_exec_whose_answer_is_lost_is_set_aside),
        cmocka_unit_test(test_a_look_that_is_refused_holds_up_nothing),
        cmocka_unit_test(test_overflow_and_text_poison_only_their_keys),
        cmocka_unit_test(test_a_key_that_may_not_be_touched_does_not_hold_up_the_others),
        cmocka_unit_test(test_late_bytes_of_a_replaced_batch_count_once),
        cmocka_unit_test(test_a_sum_past_int64_goes_in_two_batches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
