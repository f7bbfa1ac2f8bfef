/* The state machine of one partition, through the core that drives it, against a fake Redis. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tally/seal.h"
#include "world.h"

#define KEY_A "t:blog:a"
#define KEY_B "t:blog:b"

static void hit_both(struct world *w)
{
    world_hit(w, 0, "blog/a", 3);
    world_hit(w, 1, "blog/a", 4);
    world_hit(w, 0, "blog/b", 5);
}

static void assert_both(struct world *w)
{
    assert_int_equal(fake_value(&w->redis, KEY_A), 7);
    assert_int_equal(fake_value(&w->redis, KEY_B), 5);
    assert_int_equal(w->redis.executed_outside_multi, 0);
}

static void assert_books(struct world *w, uint64_t stored, uint64_t poisoned, uint64_t lost)
{
    struct flusher_books b = world_books(w);

    assert_int_equal(b.stored, stored);
    assert_int_equal(b.in_flight, 0);
    assert_int_equal(b.poisoned, poisoned);
    assert_int_equal(b.lost, lost);
}

static void test_flush_sums_the_shards_of_a_key(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    hit_both(&w);
    assert_true(world_settle(&w));
    assert_both(&w);
    assert_int_equal(w.redis.executed_incrbys, 2);
    assert_books(&w, 12, 0, 0);
    assert_non_null(fake_ledger(&w.redis));
    assert_true(strncmp(fake_ledger(&w.redis)->value, "1 ", 2) == 0);
    assert_string_equal(fake_ledger(&w.redis)->name, "t:!ledger:00000000-0000-4000-8000-000000000001:0");
    world_fini(&w);
}

static void test_flush_publishes_totals_from_the_replies(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    fake_set(&w.redis, KEY_A, "100");
    hit_both(&w);
    assert_true(world_settle(&w));
    world_hit(&w, 0, "blog/a", 1);
    struct tally_value v = world_read(&w, "blog/a");
    assert_true(v.known);
    assert_int_equal(v.stored, 107);
    assert_int_equal(v.pending, 1);
    assert_int_equal(v.value, 108);
    world_fini(&w);
}

static void test_nothing_is_sent_before_there_is_a_hit(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    world_run_ms(&w, 1000);
    assert_null(fake_ledger(&w.redis));
    assert_int_equal(w.redis.execs, 1); /* the greeting's */
    world_fini(&w);
}

static void test_backlog_goes_in_batches_without_waiting_for_the_interval(void **state)
{
    struct world w;
    char name[32];
    (void)state;

    world_init_with(&w, &(struct world_options){.batch_keys_max = 10});
    world_run_ms(&w, 1000);
    for (int i = 0; i < 95; i++) {
        snprintf(name, sizeof(name), "blog/k%d", i);
        world_hit(&w, (uint32_t)i & 1, name, 1);
    }
    uint64_t before = w.now_us;
    assert_true(world_settle(&w));
    assert_true(w.now_us - before < 200000); /* one interval and a bit of the fake's time */
    assert_int_equal(w.stats.batches, 10);
    world_fini(&w);
}

static void test_hits_during_a_flight_go_with_the_next_batch(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    world_hit(&w, 0, "blog/a", 7);
    while (world_books(&w).in_flight == 0)
        world_step(&w);
    world_hit(&w, 0, "blog/a", 100);
    assert_true(world_settle(&w));
    assert_int_equal(fake_value(&w.redis, KEY_A), 107);
    assert_int_equal(w.stats.batches, 2);
    world_fini(&w);
}

/* ---- lost connections ---- */

static void test_flush_keeps_delta_when_exec_is_lost(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    world_run_ms(&w, 50);
    w.redis.conns[0]->in_cut = w.redis.conns[0]->in_total + 20; /* inside the first INCRBY */
    hit_both(&w);
    assert_true(world_settle(&w));
    assert_both(&w);
    assert_int_equal(w.stats.batches_retried, 1);
    assert_int_equal(w.stats.batches_reconciled_applied, 0);
    world_fini(&w);
}

static void test_lost_answer_to_exec_is_taken_from_the_ledger(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    world_run_ms(&w, 50);
    w.redis.cut_after_command = "EXEC";
    hit_both(&w);
    assert_true(world_settle(&w));
    assert_both(&w);
    assert_int_equal(w.stats.batches_reconciled_applied, 1);
    assert_int_equal(w.stats.batches_retried, 0);
    assert_false(world_read(&w, "blog/a").known); /* the total was never heard */
    world_hit(&w, 0, "blog/a", 1);
    assert_true(world_settle(&w));
    assert_int_equal(world_read(&w, "blog/a").stored, 8);
    world_fini(&w);
}

static void test_silence_ends_the_connection_at_the_deadline(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    world_run_ms(&w, 50);
    w.redis.conns[0]->in_cut = w.redis.conns[0]->in_total + 5;
    w.redis.conns[0]->ending = FAKE_SILENCE;
    hit_both(&w);
    uint64_t before = w.now_us;
    assert_true(world_settle(&w));
    assert_true(w.now_us - before >= 5000000);
    assert_both(&w);
    assert_int_equal(w.stats.reconnects, 1);
    world_fini(&w);
}

static void test_late_bytes_after_the_resend_count_once(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    world_run_ms(&w, 50);
    w.redis.conns[0]->in_cut = w.redis.conns[0]->in_total;
    hit_both(&w);
    assert_true(world_settle(&w));
    assert_both(&w);
    assert_true(w.redis.conns[0]->late.bytes > 0);
    fake_deliver_late(&w.redis);
    assert_both(&w);
    world_hit(&w, 0, "blog/a", 1);
    assert_true(world_settle(&w));
    assert_int_equal(fake_value(&w.redis, KEY_A), 8);
    world_fini(&w);
}

static void test_late_bytes_before_the_resend_count_once(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    world_run_ms(&w, 50);
    w.redis.conns[0]->in_cut = w.redis.conns[0]->in_total;
    hit_both(&w);
    while (w.redis.conns_count < 2)
        world_step(&w);
    /* The new connection has read its ledger by now or will: both must end well. */
    for (int steps = 0; steps < 8; steps++)
        world_step(&w);
    fake_deliver_late(&w.redis);
    assert_true(world_settle(&w));
    assert_both(&w);
    world_fini(&w);
}

struct cut {
    uint64_t at;
    bool request;
    enum fake_ending ending;
    int late; /* deliver what was cut off: 0 never, 1 before the client is back, 2 when all is settled */
};

static void run_cut(const struct cut *cut)
{
    struct world w;

    world_init(&w);
    *(cut->request ? &w.redis.next_in_cut : &w.redis.next_out_cut) = cut->at;
    w.redis.next_ending = cut->ending;
    hit_both(&w);
    while (cut->late == 1 && w.redis.conns_count < 2 && w.now_us < 20000000) {
        world_step(&w);
        if (w.redis.conns_count && w.redis.conns[0]->cut)
            fake_deliver_late(&w.redis);
    }
    bool settled = world_settle(&w);
    if (cut->late == 2)
        fake_deliver_late(&w.redis);
    world_hit(&w, 1, "blog/a", 1);
    settled = settled && world_settle(&w);
    if (!settled || fake_value(&w.redis, KEY_A) != 8 || fake_value(&w.redis, KEY_B) != 5)
        fail_msg("cut of the %s at byte %" PRIu64 ", ending %d, late %d: settled %d a %" PRId64 " b %" PRId64,
                 cut->request ? "request" : "reply", cut->at, cut->ending, cut->late, settled,
                 fake_value(&w.redis, KEY_A), fake_value(&w.redis, KEY_B));
    assert_int_equal(w.redis.executed_outside_multi, 0);
    assert_books(&w, 13, 0, 0);
    world_fini(&w);
}

/* From the first byte of the greeting to the last of the first flush. */
static void test_a_cut_at_any_byte_neither_loses_nor_doubles(void **state)
{
    struct world w;
    uint64_t bytes[2];
    (void)state;

    world_init(&w);
    hit_both(&w);
    assert_true(world_settle(&w));
    bytes[0] = w.redis.conns[0]->out_total;
    bytes[1] = w.redis.conns[0]->in_total;
    world_fini(&w);
    for (int request = 0; request < 2; request++) {
        for (uint64_t at = 0; at <= bytes[request]; at++) {
            for (int kind = 0; kind < 9; kind++)
                run_cut(&(struct cut){at, request, (enum fake_ending)(kind % 3), kind / 3});
        }
    }
}

/* ---- refusals ---- */

/* The server refuses INCRBYs for a second, then is well again. */
static void run_refusal(const char *command, const char *error, enum redis_error_class c)
{
    struct world w;

    world_init(&w);
    fake_rule(&w.redis, (struct fake_rule){command, NULL, error, false});
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

static void test_nothing_is_incremented_outside_a_transaction(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    world_hit(&w, 0, "blog/a", 1);
    assert_true(world_settle(&w));
    /* From now on this user may not open transactions, on the live connection. */
    fake_rule(&w.redis, (struct fake_rule){"MULTI", NULL, "-NOPERM no permissions to run the 'multi' command", false});
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
    w.redis.role = "slave";
    hit_both(&w);
    world_run_ms(&w, 2000);
    assert_int_equal(w.redis.executed_incrbys, 0);
    assert_true(w.stats.errors_by_class[REDIS_ERROR_READONLY] >= 1);
    w.redis.role = "master";
    assert_true(world_settle(&w));
    assert_both(&w);
    world_fini(&w);
}

/* ---- single keys ---- */

static void test_a_key_of_the_wrong_type_is_set_aside_and_the_others_are_stored(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    fake_set(&w.redis, KEY_A, "");
    fake_key(&w.redis, KEY_A)->is_list = true;
    hit_both(&w);
    assert_true(world_settle(&w));
    assert_int_equal(fake_value(&w.redis, KEY_B), 5);
    assert_books(&w, 5, 7, 0);
    assert_int_equal(w.stats.keys_poisoned, 1);
    assert_int_equal(w.stats.errors_by_class[REDIS_ERROR_WRONGTYPE], 1);
    assert_string_equal(w.last_event, "key_refused");
    /* Touched again it stays aside, and is not tried with every flush. */
    world_hit(&w, 0, "blog/a", 1);
    world_run_ms(&w, 5000);
    assert_int_equal(w.stats.errors_by_class[REDIS_ERROR_WRONGTYPE], 1);
    assert_books(&w, 5, 7, 0);
    /* Mended, it is stored with all it has, within a retry. */
    fake_delete(&w.redis, KEY_A);
    w.accepted -= 1; /* pending, until then */
    world_run_ms(&w, 61000);
    assert_int_equal(fake_value(&w.redis, KEY_A), 8);
    assert_books(&w, 13, 0, 0);
    assert_int_equal(w.stats.keys_poisoned, 0);
    world_fini(&w);
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
    fake_rule(&w.redis, (struct fake_rule){"INCRBY", "blog:a", "-NOPERM No permissions to access a key", false});
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
        fake_rule(&w.redis, (struct fake_rule){"INCRBY", "blog:a", "-NOPERM No permissions to access a key", false});
        for (int i = 0; i < steps; i++)
            world_step(&w);
        w.redis.rules_count = 0;
        fake_deliver_late(&w.redis);
        fake_rule(&w.redis, (struct fake_rule){"INCRBY", "blog:a", "-NOPERM No permissions to access a key", false});
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

/* ---- the ledger ---- */

static void test_a_foreign_ledger_gives_a_new_identity_and_an_alarm(void **state)
{
    struct world w;
    char old[352];
    (void)state;

    world_init(&w);
    hit_both(&w);
    assert_true(world_settle(&w));
    strcpy(old, fake_ledger(&w.redis)->name);
    fake_set(&w.redis, old, "2 00000000deadbeef");
    world_hit(&w, 0, "blog/a", 1);
    assert_true(world_settle(&w));
    assert_int_equal(fake_value(&w.redis, KEY_A), 8);
    assert_int_equal(w.stats.alarms_identity_taken, 1);
    assert_string_equal(fake_key(&w.redis, old)->value, "2 00000000deadbeef");
    assert_string_not_equal(fake_ledger(&w.redis)->name, old);
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
    fake_delete(&w.redis, fake_ledger(&w.redis)->name);
    world_hit(&w, 0, "blog/a", 1);
    assert_true(world_settle(&w));
    assert_int_equal(fake_value(&w.redis, KEY_A), 8);
    assert_int_equal(w.stats.alarms_ledger_missing, 1);
    assert_true(strncmp(fake_ledger(&w.redis)->value, "1 ", 2) == 0);
    world_fini(&w);
}

static void test_a_missing_ledger_halts_when_so_configured(void **state)
{
    struct world w;
    (void)state;

    world_init_with(&w, &(struct world_options){.on_ledger_loss = LEDGER_LOSS_HALT});
    hit_both(&w);
    assert_true(world_settle(&w));
    fake_delete(&w.redis, fake_ledger(&w.redis)->name);
    world_hit(&w, 0, "blog/a", 1);
    world_run_ms(&w, 20000);
    fake_restart(&w.redis);
    world_run_ms(&w, 20000);
    assert_int_equal(fake_value(&w.redis, KEY_A), 7);
    assert_null(fake_ledger(&w.redis));
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
    strcpy(name, fake_ledger(&w.redis)->name);
    strcpy(old, fake_ledger(&w.redis)->value);
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
    assert_true(strncmp(fake_ledger(&w.redis)->value, "2 ", 2) == 0);
    assert_both(&w);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flush_sums_the_shards_of_a_key),
        cmocka_unit_test(test_flush_publishes_totals_from_the_replies),
        cmocka_unit_test(test_nothing_is_sent_before_there_is_a_hit),
        cmocka_unit_test(test_backlog_goes_in_batches_without_waiting_for_the_interval),
        cmocka_unit_test(test_hits_during_a_flight_go_with_the_next_batch),
        cmocka_unit_test(test_flush_keeps_delta_when_exec_is_lost),
        cmocka_unit_test(test_lost_answer_to_exec_is_taken_from_the_ledger),
        cmocka_unit_test(test_silence_ends_the_connection_at_the_deadline),
        cmocka_unit_test(test_late_bytes_after_the_resend_count_once),
        cmocka_unit_test(test_late_bytes_before_the_resend_count_once),
        cmocka_unit_test(test_a_cut_at_any_byte_neither_loses_nor_doubles),
        cmocka_unit_test(test_each_class_of_refusal_keeps_the_hits_and_is_counted),
        cmocka_unit_test(test_nothing_is_incremented_outside_a_transaction),
        cmocka_unit_test(test_a_replica_is_refused_at_the_greeting),
        cmocka_unit_test(test_a_key_of_the_wrong_type_is_set_aside_and_the_others_are_stored),
        cmocka_unit_test(test_overflow_and_text_poison_only_their_keys),
        cmocka_unit_test(test_a_key_that_may_not_be_touched_does_not_hold_up_the_others),
        cmocka_unit_test(test_late_bytes_of_a_replaced_batch_count_once),
        cmocka_unit_test(test_a_sum_past_int64_goes_in_two_batches),
        cmocka_unit_test(test_a_foreign_ledger_gives_a_new_identity_and_an_alarm),
        cmocka_unit_test(test_a_ledger_at_first_sight_belongs_to_someone_else),
        cmocka_unit_test(test_a_missing_ledger_is_made_anew),
        cmocka_unit_test(test_a_missing_ledger_halts_when_so_configured),
        cmocka_unit_test(test_a_rollback_is_counted_as_lost),
        cmocka_unit_test(test_a_quiet_ledger_is_refreshed_once_a_day),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
