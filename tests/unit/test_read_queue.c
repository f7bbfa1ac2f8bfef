/* Readers' questions: the queue itself, and its place among the batches on one connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/world.h"

static struct answer *answer(struct world *w, int i)
{
    assert_true(w->answered_count > i);
    return &w->answered[i]->results[0];
}

static void free_answers(struct world *w)
{
    for (int i = 0; i < w->answered_count; i++)
        free(w->answered[i]);
    w->answered_count = 0;
}

static void test_a_name_is_found_missing_or_not_a_number(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    fake_set(&w.redis, "t:n:found", "-42");
    fake_set(&w.redis, "t:n:text", "hello");
    fake_set(&w.redis, "t:n:least", "-9223372036854775808");
    fake_set(&w.redis, "t:n:toolarge", "9223372036854775808");
    fake_set(&w.redis, "t:n:zeroes", "007");
    fake_set(&w.redis, "t:n:list", "");
    fake_make_list(&w.redis, "t:n:list", true);
    static const char *const names[] = {"n/found",    "n/missing", "n/text", "n/least",
                                        "n/toolarge", "n/zeroes",  "n/list"};
    static const enum answer_state wanted[] = {ANSWER_FOUND,  ANSWER_MISSING, ANSWER_FAILED, ANSWER_FOUND,
                                               ANSWER_FAILED, ANSWER_FAILED,  ANSWER_FAILED};
    for (int i = 0; i < 7; i++)
        world_ask(&w, names[i], 1000);
    world_run_ms(&w, 50);
    for (int i = 0; i < 7; i++)
        assert_int_equal(answer(&w, i)->state, wanted[i]);
    assert_int_equal(answer(&w, 0)->stored, -42);
    assert_int_equal(answer(&w, 3)->stored, INT64_MIN);
    free_answers(&w);
    world_fini(&w);
}

static void test_several_names_of_one_question_come_back_together(void **state)
{
    struct world w;
    struct question *question = calloc(1, sizeof(*question) + 3 * sizeof(question->results[0]));
    (void)state;

    world_init(&w);
    fake_set(&w.redis, "t:n:1", "1");
    fake_set(&w.redis, "t:n:2", "2");
    question->count = 3;
    question->deadline_ms = w.now_us / 1000 + 1000;
    for (int i = 0; i < 3; i++)
        question->results[i].name_bytes = (uint16_t)snprintf(question->results[i].name, NAME_BYTES_MAX, "n/%d", i);
    core_ask(w.core, question);
    world_run_ms(&w, 50);
    assert_ptr_equal(w.answered[0], question);
    assert_int_equal(question->results[0].state, ANSWER_MISSING);
    assert_int_equal(question->results[1].stored, 1);
    assert_int_equal(question->results[2].stored, 2);
    free_answers(&w);
    world_fini(&w);
}

static void test_an_answer_is_published_for_a_name_that_is_counted_here(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    world_run_ms(&w, 10); /* connected and armed, and the next flush is far */
    fake_set(&w.redis, "t:n:a", "100");
    world_hit(&w, 0, "n/a", 5);
    world_ask(&w, "n/a", 1000);
    while (w.answered_count == 0)
        world_step(&w);
    struct tally_value v = world_read(&w, "n/a");
    assert_int_equal(v.stored, 100);
    assert_int_equal(v.pending, 5);
    assert_int_equal(v.value, 105);
    assert_true(world_settle(&w));
    v = world_read(&w, "n/a");
    assert_int_equal(v.stored, 105);
    assert_int_equal(v.value, 105);
    free_answers(&w);
    world_fini(&w);
}

/* Behind a batch, before it, between: whatever the moment, hits are never seen twice. */
static void test_a_read_beside_a_flush_never_counts_a_delta_twice(void **state)
{
    (void)state;

    for (int moment = 0; moment < 40; moment++) {
        struct world w;
        world_init(&w);
        fake_set(&w.redis, "t:n:a", "1000");
        world_hit(&w, 0, "n/a", 7);
        for (int i = 0; i < 60; i++) {
            if (i == moment) {
                world_hit(&w, 1, "n/a", 1);
                world_ask(&w, "n/a", 1000);
            }
            world_step(&w);
            struct tally_value v = world_read(&w, "n/a");
            if (v.known)
                assert_int_equal(v.value, i >= moment ? 1008 : 1007);
        }
        free_answers(&w);
        world_fini(&w);
    }
}

static void test_a_mute_store_fails_a_question_at_its_deadline(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    w.redis.mute = true;
    world_ask(&w, "n/a", 700);
    world_run_ms(&w, 600);
    assert_int_equal(w.answered_count, 0);
    world_run_ms(&w, 200);
    assert_int_equal(answer(&w, 0)->state, ANSWER_FAILED);
    free_answers(&w);
    world_fini(&w);
}

static void test_without_a_store_a_question_fails_at_once(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    w.redis.open_error = -ECONNREFUSED;
    world_ask(&w, "n/a", 60000);
    assert_int_equal(w.answered_count, 0); /* the first attempt may still succeed */
    world_run_ms(&w, 100);
    assert_int_equal(answer(&w, 0)->state, ANSWER_FAILED);
    world_ask(&w, "n/a", 60000);
    assert_int_equal(answer(&w, 1)->state, ANSWER_FAILED);
    free_answers(&w);
    world_fini(&w);
}

static void test_a_late_answer_to_an_expired_question_is_dropped(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    world_run_ms(&w, 50);
    fake_set(&w.redis, "t:n:b", "2");
    w.redis.mute = true;
    world_ask(&w, "n/a", 100);
    world_run_ms(&w, 200);
    assert_int_equal(answer(&w, 0)->state, ANSWER_FAILED);
    world_ask(&w, "n/b", 1000);
    w.redis.mute = false;
    fake_serve(w.redis.conns[0]);
    world_run_ms(&w, 50);
    assert_int_equal(answer(&w, 1)->state, ANSWER_FOUND);
    assert_int_equal(answer(&w, 1)->stored, 2);
    free_answers(&w);
    world_fini(&w);
}

static void test_a_question_whose_connection_ends_fails(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    world_run_ms(&w, 50);
    fake_set(&w.redis, "t:n:a", "9");
    w.redis.cut_after_command = "GETRANGE";
    world_ask(&w, "n/a", 3000);
    world_run_ms(&w, 1000);
    assert_int_equal(answer(&w, 0)->state, ANSWER_FAILED);
    assert_int_equal(w.stats.reconnects, 1);
    world_ask(&w, "n/a", 3000);
    world_run_ms(&w, 100);
    assert_int_equal(answer(&w, 1)->stored, 9);
    free_answers(&w);
    world_fini(&w);
}

static void test_reads_go_on_while_the_server_refuses_batches(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    fake_rule(&w.redis, (struct fake_rule){"INCRBY", NULL, "-OOM command not allowed"});
    fake_set(&w.redis, "t:n:a", "9");
    world_hit(&w, 0, "n/b", 1);
    world_run_ms(&w, 2000);
    world_ask(&w, "n/a", 3000);
    world_run_ms(&w, 50);
    assert_int_equal(answer(&w, 0)->stored, 9);
    free_answers(&w);
    world_fini(&w);
}

static void test_questions_of_no_or_too_many_names_are_answered_at_once(void **state)
{
    struct world w;
    struct question *none = calloc(1, sizeof(*none));
    struct question *many = calloc(1, sizeof(*many) + (QUESTION_NAMES_MAX + 1) * sizeof(many->results[0]));
    (void)state;

    world_init(&w);
    many->count = QUESTION_NAMES_MAX + 1;
    core_ask(w.core, none);
    core_ask(w.core, many);
    assert_int_equal(w.answered_count, 2);
    assert_int_equal(many->results[QUESTION_NAMES_MAX].state, ANSWER_FAILED);
    free_answers(&w);
    world_fini(&w);
}

static void test_of_one_name_there_is_one_question_at_a_time(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    world_run_ms(&w, 20);
    fake_set(&w.redis, "t:n:a", "7");
    uint64_t before = w.redis.gets;
    for (int i = 0; i < 12; i++) {
        world_ask(&w, i % 4 ? "n/a" : "n/b", 1000);
        if (i == 6)
            core_tick(w.core); /* the first are on their way */
    }
    world_run_ms(&w, 50);
    assert_int_equal(w.answered_count, 12);
    for (int i = 0; i < 12; i++) {
        bool found = w.answered[i]->results[0].name[2] == 'a';
        assert_int_equal(answer(&w, i)->state, found ? ANSWER_FOUND : ANSWER_MISSING);
        assert_int_equal(answer(&w, i)->stored, found ? 7 : 0);
    }
    assert_int_equal(w.redis.gets - before, 2);
    free_answers(&w);
    world_fini(&w);
}

/* Whoever asked first gave up, or one of those who joined; the others still want to know. */
static void test_who_joined_a_question_outlives_who_asked_it(void **state)
{
    (void)state;

    for (int leaver = 0; leaver < 3; leaver++) {
        struct world w;
        world_init(&w);
        world_run_ms(&w, 50);
        fake_set(&w.redis, "t:n:a", "7");
        w.redis.mute = true;
        for (int i = 0; i < 3; i++)
            world_ask(&w, "n/a", i == leaver ? 50 : 1000);
        world_run_ms(&w, 120);
        assert_int_equal(w.answered_count, 1);
        assert_int_equal(answer(&w, 0)->state, ANSWER_FAILED);
        world_ask(&w, "n/a", 1000);
        w.redis.mute = false;
        fake_serve(w.redis.conns[0]);
        world_run_ms(&w, 50);
        assert_int_equal(w.answered_count, 4);
        for (int i = 1; i < 4; i++)
            assert_int_equal(answer(&w, i)->stored, 7);
        assert_int_equal(w.redis.gets, 2); /* the ledger, and the key */
        free_answers(&w);
        world_fini(&w);
    }
}

static void test_a_name_that_stands_twice_in_a_question_is_answered_twice(void **state)
{
    struct world w;
    struct question *op = calloc(1, sizeof(*op) + 2 * sizeof(op->results[0]));
    (void)state;

    world_init(&w);
    fake_set(&w.redis, "t:n:a", "7");
    op->count = 2;
    op->deadline_ms = w.now_us / 1000 + 1000;
    for (int i = 0; i < 2; i++)
        op->results[i].name_bytes = (uint16_t)snprintf(op->results[i].name, NAME_BYTES_MAX, "n/a");
    core_ask(w.core, op);
    world_run_ms(&w, 50);
    assert_int_equal(w.answered_count, 1);
    assert_int_equal(op->results[0].stored + op->results[1].stored, 14);
    free_answers(&w);
    world_fini(&w);
}

static void test_a_read_between_flushes_costs_one_command(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    fake_set(&w.redis, "t:n:a", "7");
    world_hit(&w, 0, "n/b", 1);
    assert_true(world_settle(&w));
    uint64_t before = w.stats.commands;
    for (int i = 0; i < 5; i++) {
        world_ask(&w, "n/a", 1000);
        world_run_ms(&w, 20);
    }
    assert_int_equal(w.answered_count, 5);
    assert_int_equal(w.stats.commands - before, 5);
    free_answers(&w);
    world_fini(&w);
}

static void test_more_questions_than_fit_a_write_are_all_answered(void **state)
{
    struct world w;
    (void)state;

    world_init(&w);
    for (int i = 0; i < 3; i++) {
        struct question *question = calloc(1, sizeof(*question) + QUESTION_NAMES_MAX * sizeof(question->results[0]));
        question->count = QUESTION_NAMES_MAX;
        question->deadline_ms = 100000;
        for (int j = 0; j < QUESTION_NAMES_MAX; j++)
            question->results[j].name_bytes = (uint16_t)snprintf(question->results[j].name, NAME_BYTES_MAX, "n/%d", j);
        assert_true(core_has_room(w.core));
        core_ask(w.core, question);
    }
    world_run_ms(&w, 100);
    assert_int_equal(w.answered_count, 3);
    assert_int_equal(w.answered[2]->results[QUESTION_NAMES_MAX - 1].state, ANSWER_MISSING);
    free_answers(&w);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_name_is_found_missing_or_not_a_number),
        cmocka_unit_test(test_several_names_of_one_question_come_back_together),
        cmocka_unit_test(test_an_answer_is_published_for_a_name_that_is_counted_here),
        cmocka_unit_test(test_a_read_beside_a_flush_never_counts_a_delta_twice),
        cmocka_unit_test(test_a_mute_store_fails_a_question_at_its_deadline),
        cmocka_unit_test(test_without_a_store_a_question_fails_at_once),
        cmocka_unit_test(test_a_late_answer_to_an_expired_question_is_dropped),
        cmocka_unit_test(test_a_question_whose_connection_ends_fails),
        cmocka_unit_test(test_reads_go_on_while_the_server_refuses_batches),
        cmocka_unit_test(test_questions_of_no_or_too_many_names_are_answered_at_once),
        cmocka_unit_test(test_of_one_name_there_is_one_question_at_a_time),
        cmocka_unit_test(test_who_joined_a_question_outlives_who_asked_it),
        cmocka_unit_test(test_a_name_that_stands_twice_in_a_question_is_answered_twice),
        cmocka_unit_test(test_a_read_between_flushes_costs_one_command),
        cmocka_unit_test(test_more_questions_than_fit_a_write_are_all_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
