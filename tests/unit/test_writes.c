#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/world.h"

/* Runs until the one question that was asked is answered; frees it. */
static enum answer_state answer_of(struct world *w)
{
    for (uint64_t until = w->now_us + 20000000; w->answered_count == 0 && w->now_us < until;)
        world_step(w);
    assert_int_equal(w->answered_count, 1);
    enum answer_state state = (enum answer_state)w->answered[0]->results[0].state;
    free(w->answered[0]);
    w->answered_count = 0;
    return state;
}

static enum answer_state write_now(struct world *w, enum question_kind kind, const char *name, int64_t value)
{
    world_ask_kind(w, kind, name, value, 5000);
    return answer_of(w);
}

/* The books balance, and nothing is left. */
static void assert_settled(struct world *w)
{
    assert_true(world_settle(w));
    assert_int_equal(world_books(w).stored, w->accepted);
}

static void test_a_seed_replaces_what_was_counted_before_and_hits_after_it_go_on_top(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    world_hit(&w, 0, "n/a", 5);
    assert_settled(&w);
    world_hit(&w, 1, "n/a", 3); /* pending while it is asked for */
    assert_int_equal(write_now(&w, ASK_SET, "n/a", 1000), ANSWER_FOUND);
    assert_int_equal(fake_value(&w.redis, "t:n:a"), 1000);
    assert_int_equal(world_read(&w, "n/a").value, 1000);
    world_hit(&w, 0, "n/a", 2);
    assert_int_equal(world_read(&w, "n/a").value, 1002);
    assert_settled(&w);
    assert_int_equal(fake_value(&w.redis, "t:n:a"), 1002);
    world_fini(&w);
}

static void test_a_reset_leaves_no_key(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    world_hit(&w, 0, "n/a", 5);
    assert_int_equal(write_now(&w, ASK_DELETE, "n/a", 0), ANSWER_FOUND);
    assert_false(fake_key(&w.redis, "t:n:a").exists);
    assert_int_equal(world_read(&w, "n/a").value, 0);
    assert_settled(&w);
    world_fini(&w);
}

static void test_a_name_that_nobody_counts_can_be_seeded(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    assert_int_equal(write_now(&w, ASK_SET, "n/new", -7), ANSWER_FOUND);
    assert_int_equal(fake_value(&w.redis, "t:n:new"), -7);
    world_fini(&w);
}

static void test_hits_of_other_processes_that_come_later_are_added(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    assert_int_equal(write_now(&w, ASK_SET, "n/a", 100), ANSWER_FOUND);
    fake_set(&w.redis, "t:n:a", "104"); /* another one's INCRBY 4 */
    world_hit(&w, 0, "n/a", 1);
    assert_settled(&w);
    assert_int_equal(fake_value(&w.redis, "t:n:a"), 105);
    world_fini(&w);
}

static void test_many_writes_and_hits_take_turns(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    for (int i = 0; i < 10; i++) {
        char name[8];
        snprintf(name, sizeof(name), "n/%d", i);
        world_hit(&w, 0, name, 1);
        world_hit(&w, 0, "n/other", 1);
        world_ask_kind(&w, ASK_SET, name, i * 10, 5000);
    }
    while (w.answered_count < 10)
        world_step(&w);
    for (int i = 0; i < 10; i++)
        assert_int_equal(w.answered[i]->results[0].state, ANSWER_FOUND);
    while (w.answered_count > 0)
        free(w.answered[--w.answered_count]);
    assert_settled(&w);
    assert_int_equal(fake_value(&w.redis, "t:n:3"), 30);
    assert_int_equal(fake_value(&w.redis, "t:n:other"), 10);
    world_fini(&w);
}

/* Batches are made ready ahead; a write must find what its key has in none of them. */
static void test_writes_amid_a_flush_of_many_batches(void **state)
{
    struct world w;
    (void)state;

    for (int run = 0; run < 600; run++) {
        int steps = run / 60, written = run % 60;
        world_init_with(&w, &(struct world_options){.batch_keys_max = 5});
        char name[8];
        for (int i = 0; i < 60; i++) {
            snprintf(name, sizeof(name), "n/%d", i);
            world_hit(&w, 0, name, 1);
        }
        w.now_us += 2000000;
        for (int i = 0; i < steps; i++)
            world_step(&w);
        for (int i = written; i < 60; i += 7) {
            snprintf(name, sizeof(name), "n/%d", i);
            world_hit(&w, 1, name, 1);
            world_ask_kind(&w, ASK_SET, name, 100, 60000);
        }
        while (w.answered_count < (66 - written) / 7)
            world_step(&w);
        while (w.answered_count > 0)
            free(w.answered[--w.answered_count]);
        assert_settled(&w);
        for (int i = 0; i < 60; i++) {
            snprintf(name, sizeof(name), "t:n:%d", i);
            assert_int_equal(fake_value(&w.redis, name), i < written || (i - written) % 7 ? 1 : 100);
        }
        world_fini(&w);
    }
}

static void test_a_write_that_the_server_refuses_is_not_done_and_holds_no_hit_up(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    world_hit(&w, 0, "n/a", 5);
    fake_rule(&w.redis,
              (struct fake_rule){.command = "DEL", .answer = "-NOPERM no permissions to run the 'del' command"});
    assert_int_equal(write_now(&w, ASK_DELETE, "n/a", 0), ANSWER_FAILED);
    world_hit(&w, 0, "n/a", 2);
    assert_settled(&w);
    assert_int_equal(fake_value(&w.redis, "t:n:a"), 7);
    world_fini(&w);
}

/* Has a connection's MULTI been executed, and no EXEC yet? */
static bool is_asked_to_begin(const struct world *w)
{
    bool begun = false;

    for (int i = 0; i < w->redis.conns_count; i++)
        begun |= w->redis.conns[i] && w->redis.conns[i]->client.multi;
    return begun;
}

static void test_a_write_is_in_doubt_while_the_server_is_away_and_done_once_when_it_is_back(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    world_hit(&w, 0, "n/a", 5);
    assert_settled(&w);
    world_ask_kind(&w, ASK_SET, "n/a", 50, 300);
    while (!is_asked_to_begin(&w)) /* what is sent next is the write */
        world_step(&w);
    w.redis.mute = true;
    assert_int_equal(answer_of(&w), ANSWER_IN_DOUBT);
    world_hit(&w, 0, "n/a", 1);
    w.redis.mute = false;
    assert_settled(&w);
    world_run_ms(&w, 20000);
    assert_int_equal(fake_value(&w.redis, "t:n:a"), 51);
    world_fini(&w);
}

static void test_a_write_that_was_never_sent_by_its_deadline_is_not_done(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    w.redis.open_error = -ECONNREFUSED;
    world_ask_kind(&w, ASK_SET, "n/a", 50, 300);
    assert_int_equal(answer_of(&w), ANSWER_FAILED);
    w.redis.open_error = 0;
    world_run_ms(&w, 20000);
    assert_false(fake_key(&w.redis, "t:n:a").exists);
    world_fini(&w);
}

/* The connection ends at that byte of what is sent (or of what is answered), and the rest arrives late, after all is
 * settled: hits are exact, and a write that was said to be done is done once. */
static void cut_at(uint64_t byte, bool answers)
{
    struct world w;

    world_init(&w);
    world_hit(&w, 0, "n/a", 5);
    assert_settled(&w);
    world_run_ms(&w, 500);
    struct stream *s = w.redis.conns[w.redis.conns_count - 1];
    world_hit(&w, 1, "n/a", 3);
    if (answers)
        s->out_cut = s->out_total + byte;
    else
        s->in_cut = s->in_total + byte;
    assert_int_equal(write_now(&w, ASK_SET, "n/a", 1000), ANSWER_FOUND);
    world_hit(&w, 0, "n/a", 1);
    assert_settled(&w);
    fake_deliver_late(&w.redis);
    world_run_ms(&w, 500);
    assert_int_equal(fake_value(&w.redis, "t:n:a"), 1001);
    assert_int_equal(world_read(&w, "n/a").value, 1001);
    world_fini(&w);
}

static void test_a_cut_at_any_byte_neither_loses_nor_doubles_a_write(void **state)
{
    (void)state;

    for (uint64_t byte = 0; byte < 500; byte++)
        cut_at(byte, false);
    for (uint64_t byte = 0; byte < 120; byte++)
        cut_at(byte, true);
}

/* What the server refuses to add to: a list, what is no integer, and what would overflow. */
static void poison(struct world *w, int kind)
{
    static const char *const values[] = {"", "1.5", "9223372036854775806"};

    fake_set(&w->redis, "t:n:a", values[kind]);
    fake_make_list(&w->redis, "t:n:a", kind == 0);
}

/* Hits that were refused before the write, or in its own batch, are replaced by it like those that were stored. */
static void test_what_a_write_replaced_does_not_come_back(void **state)
{
    (void)state;

    for (int run = 0; run < 12; run++) {
        struct world w;
        bool set = run & 1, held = run & 2;
        world_init(&w);
        poison(&w, run / 4);
        world_hit(&w, 0, "n/a", 10);
        if (held)
            world_settle(&w);
        assert_int_equal(write_now(&w, set ? ASK_SET : ASK_DELETE, "n/a", 1000), ANSWER_FOUND);
        world_run_ms(&w, 62000);
        assert_settled(&w);
        assert_int_equal(fake_key(&w.redis, "t:n:a").exists, set);
        world_hit(&w, 0, "n/a", 1);
        world_run_ms(&w, 1000); /* a write puts a key right: it is not aside any more */
        assert_settled(&w);
        assert_int_equal(fake_value(&w.redis, "t:n:a"), set ? 1001 : 1);
        world_fini(&w);
    }
}

/* Likewise when the answer is lost, and another program has put something else there before anybody looks. */
static void test_what_a_write_replaced_does_not_come_back_when_its_answer_is_lost(void **state)
{
    (void)state;

    for (int kind = 0; kind < 3; kind++) {
        struct world w;
        world_init(&w);
        poison(&w, kind);
        world_hit(&w, 0, "n/b", 1);
        world_settle(&w);
        world_run_ms(&w, 500);
        struct stream *s = w.redis.conns[w.redis.conns_count - 1];
        s->out_cut = s->out_total + 60; /* in what is answered to the batch, which is executed */
        world_hit(&w, 0, "n/a", 10);
        world_ask_kind(&w, ASK_DELETE, "n/a", 0, 5000);
        while (fake_key(&w.redis, "t:n:a").exists)
            world_step(&w);
        poison(&w, 0);
        assert_int_equal(answer_of(&w), ANSWER_FOUND);
        assert_settled(&w);
        world_fini(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_seed_replaces_what_was_counted_before_and_hits_after_it_go_on_top),
        cmocka_unit_test(test_a_reset_leaves_no_key),
        cmocka_unit_test(test_a_name_that_nobody_counts_can_be_seeded),
        cmocka_unit_test(test_hits_of_other_processes_that_come_later_are_added),
        cmocka_unit_test(test_many_writes_and_hits_take_turns),
        cmocka_unit_test(test_writes_amid_a_flush_of_many_batches),
        cmocka_unit_test(test_a_write_that_the_server_refuses_is_not_done_and_holds_no_hit_up),
        cmocka_unit_test(test_a_write_is_in_doubt_while_the_server_is_away_and_done_once_when_it_is_back),
        cmocka_unit_test(test_a_write_that_was_never_sent_by_its_deadline_is_not_done),
        cmocka_unit_test(test_what_a_write_replaced_does_not_come_back),
        cmocka_unit_test(test_what_a_write_replaced_does_not_come_back_when_its_answer_is_lost),
        cmocka_unit_test(test_a_cut_at_any_byte_neither_loses_nor_doubles_a_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
