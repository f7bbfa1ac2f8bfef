/* The state machine of one partition, through the core that drives it, against a fake Redis. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/pair.h"

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
    assert_true(fake_ledger(&w.redis).exists);
    assert_true(strncmp(fake_ledger(&w.redis).value, "1 ", 2) == 0);
    assert_string_equal(fake_ledger(&w.redis).name, "t:!ledger:00000000-0000-4000-8000-000000000001:0");
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
    assert_false(fake_ledger(&w.redis).exists);
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
