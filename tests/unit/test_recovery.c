#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ledger/moves.h"
#include "support/state_run.h"
#include "tally/seal.h"

static const struct run_config two = {.workers = 2, .keys_max = RUN_NAMES, .batch_keys_max = 4};

/* A process that dies with name 0 and 1 pending, or in a batch whose fate is open. */
static void leave(const struct run_config *config, bool open, struct run_model *m, struct memory_disk *left)
{
    struct run_process p = {0};
    struct error err;

    *m = (struct run_model){0};
    memory_disk_init(&p.disk);
    assert_int_equal(run_start(&p, config, 3, &err), 0);
    run_hit(&p, m, 0, 0, 10);
    run_hit(&p, m, 1, 0, 20);
    run_hit(&p, m, 1, 1, 5);
    if (open)
        assert_true(run_intend(&p));
    run_hit(&p, m, 0, 2, 100);
    memory_disk_crash(&p.disk, left);
    run_end(&p);
}

static void begin(struct run_process *p, const struct memory_disk *left, const struct run_config *config)
{
    struct error err;

    *p = (struct run_process){0};
    memory_disk_init(&p->disk);
    p->disk.old_bytes = left->old_bytes;
    p->disk.old = malloc(left->old_bytes);
    memcpy(p->disk.old, left->old, left->old_bytes);
    assert_int_equal(run_start(p, config, 4, &err), 0);
}

static void test_without_a_file_all_begins_at_nothing(void **state)
{
    struct run_process p = {0};
    struct error err;
    (void)state;

    memory_disk_init(&p.disk);
    assert_int_equal(run_start(&p, &two, 1, &err), 0);
    assert_false(p.recovery.found);
    assert_false(p.recovery.damaged);
    assert_int_equal(strlen(p.recovery.instance), 36);
    assert_string_equal(p.recovery.instance, p.history.instance);
    assert_false(p.open);
    run_end(&p);
}

static void test_an_open_batch_keeps_its_ledger_its_order_and_its_bytes(void **state)
{
    struct run_process p = {0}, q;
    struct run_model m = {0};
    struct memory_disk left;
    struct error err;
    (void)state;

    memory_disk_init(&p.disk);
    assert_int_equal(run_start(&p, &two, 3, &err), 0);
    for (uint32_t name = RUN_NAMES; name-- > 0;)
        run_hit(&p, &m, name % 2, name, 10 + name);
    run_hit(&p, &m, 1, 6, 1000);
    assert_true(run_intend(&p));
    assert_int_equal(history_compose(&p.history, &p.batch), 0);
    memory_disk_crash(&p.disk, &left);
    begin(&q, &left, &(struct run_config){.workers = 3, .keys_max = 20, .batch_keys_max = 4});
    assert_true(q.open);
    assert_string_equal(q.history.instance, p.history.instance);
    assert_int_equal(q.batch.copies, 1);
    assert_int_equal(q.batch.bytes.bytes, p.batch.bytes.bytes);
    assert_memory_equal(q.batch.bytes.data, p.batch.bytes.data, p.batch.bytes.bytes);
    assert_int_equal(q.recovery.open, 1);
    run_end(&q);
    run_end(&p);
    memory_disk_fini(&left);
}

/* Batches of 1, 2, 3, … hits of one name are stored, the last under seq `batches`; then the process is killed. */
static void store_and_die(uint64_t batches, struct run_model *m, struct memory_disk *left)
{
    struct run_process p = {0};
    struct error err;

    *m = (struct run_model){0};
    memory_disk_init(&p.disk);
    assert_int_equal(run_start(&p, &two, 3, &err), 0);
    for (uint64_t hits = 1; hits <= batches; hits++) {
        run_hit(&p, m, 0, 0, hits);
        run_drain(&p, m);
    }
    memory_disk_crash(&p.disk, left);
    run_end(&p);
}

static void test_what_the_store_forgets_after_a_kill_is_a_number(void **state)
{
    const uint64_t all = JOURNAL_STORED_MAX + 4;
    struct run_process p;
    struct run_model m;
    struct memory_disk left, next;
    (void)state;

    store_and_die(all, &m, &left);
    for (int generation = 0; generation < 2; generation++) {
        begin(&p, &left, &two);
        const struct window *w = &p.history.window;
        struct move move;
        struct ledger history = window_entry(w, w->at - 3)->ledger;
        assert_int_equal(history.seq, all - 3);
        assert_true(move_plan(&move, &p.history, window_find(w, &history), &history));
        assert_int_equal(move.batches, 3);
        assert_int_equal(move.lost, all + all - 1 + all - 2);
        assert_int_equal(move.replayed, 0);
        assert_true(move_plan(&move, &p.history, WINDOW_NONE, &(struct ledger){1, 1}));
        assert_int_equal(move.batches, JOURNAL_STORED_MAX); /* more is not known */
        run_end(&p);
        begin(&p, &left, &two);
        memory_disk_crash(&p.disk, &next); /* a process that stores nothing hands it on */
        run_end(&p);
        memory_disk_fini(&left);
        left = next;
    }
    memory_disk_fini(&left);
}

/* Where a process is killed in the middle of something. */
static struct {
    struct run_process *process;
    struct memory_disk *next;
    uint32_t steps; /* until then */
} killer;

static void kill_at_step(void *ctx, enum env_step step)
{
    (void)ctx, (void)step;

    if (killer.steps && --killer.steps == 0)
        memory_disk_crash(&killer.process->disk, killer.next);
}

/* Three batches are rolled back; killed at any step of it, the next process knows what is pending and what is not. */
static void test_a_rollback_that_is_cut_short_loses_nothing_in_silence(void **state)
{
    (void)state;

    for (uint32_t steps = 1, done = 0; !done; steps++) {
        struct run_process p;
        struct run_model m;
        struct memory_disk left, next;
        struct move move;
        store_and_die(2, &m, &left);
        begin(&p, &left, &two);
        p.history.window.keep_ms = p.history.window.parts_max = 1000;
        for (uint64_t hits = 10; hits <= 1000; hits *= 10) {
            run_hit(&p, &m, 0, 0, hits);
            run_hit(&p, &m, 0, 1, hits);
            assert_true(run_intend(&p) && run_store(&p, &m, &p.batch));
            run_answered(&p, &p.batch);
        }
        struct window *w = &p.history.window;
        struct ledger goal = window_entry(w, w->at - 3)->ledger;
        assert_int_equal(goal.seq, 2);
        p.env.step = kill_at_step;
        killer.process = &p;
        killer.next = &next;
        killer.steps = steps;
        assert_true(move_plan(&move, &p.history, window_find(w, &goal), &goal));
        assert_int_equal(move.replayed, 2220);
        assert_int_equal(move_take_back(&move), 0);
        assert_int_equal(move_finish(&move), 0);
        done = killer.steps > 0;
        killer.steps = 0;
        if (done)
            memory_disk_crash(&p.disk, &next);
        run_end(&p);
        begin(&p, &next, &two);
        w = &p.history.window;
        assert_true(move_plan(&move, &p.history, window_find(w, &goal), &goal));
        assert_int_equal(move.to, window_find(w, &goal));
        assert_int_equal(p.recovery.import.hits + move.lost, 2220);
        run_end(&p);
        memory_disk_fini(&next);
        memory_disk_fini(&left);
    }
}

static void test_names_that_are_stored_are_not_carried_on(void **state)
{
    struct run_process p;
    struct run_model m;
    struct memory_disk left, next;
    (void)state;

    leave(&two, false, &m, &left);
    begin(&p, &left, &two);
    assert_int_equal(p.recovery.import.names, 3);
    assert_int_equal(p.recovery.import.hits, 135);
    run_drain(&p, &m);
    memory_disk_crash(&p.disk, &next);
    run_end(&p);
    begin(&p, &next, &two);
    assert_int_equal(p.recovery.import.names, 0);
    assert_int_equal(tally_keys(p.recovery.tally), 0);
    run_end(&p);
    memory_disk_fini(&next);
    memory_disk_fini(&left);
}

static void test_a_batch_that_cannot_go_on_under_another_prefix_is_lost_and_the_rest_is_sent(void **state)
{
    struct run_process p;
    struct run_model m;
    struct memory_disk left;
    const struct run_config other = {.workers = 2, .keys_max = RUN_NAMES, .batch_keys_max = 4, .prefix = "u:"};
    (void)state;

    leave(&two, true, &m, &left);
    begin(&p, &left, &other);
    assert_false(p.recovery.damaged);
    assert_false(p.open);
    assert_int_equal(p.recovery.lost_hits, 35);
    assert_int_equal(p.recovery.import.hits, 100);
    assert_int_equal(p.recovery.renamed, 1);
    run_end(&p);
    memory_disk_fini(&left);
}

static void test_after_a_crash_of_the_machine_nothing_of_the_file_is_believed(void **state)
{
    struct run_process p;
    struct run_model m;
    struct memory_disk left;
    const struct run_config other = {.workers = 2, .keys_max = RUN_NAMES, .batch_keys_max = 4, .boot_id = "another"};
    (void)state;

    leave(&two, true, &m, &left);
    begin(&p, &left, &other);
    assert_true(p.recovery.damaged);
    assert_int_equal(p.recovery.import.hits, 0);
    assert_int_equal(p.recovery.lost_hits, 135);
    assert_int_equal(p.disk.asides, 1);
    run_end(&p);
    memory_disk_fini(&left);
}

static void test_a_file_closed_in_order_is_believed_after_a_reboot(void **state)
{
    struct run_process p;
    struct run_model m;
    struct memory_disk left;
    const struct run_config other = {.workers = 2, .keys_max = RUN_NAMES, .batch_keys_max = 4, .boot_id = "another"};
    struct state_header header;
    struct state_plan plan;
    (void)state;

    leave(&two, true, &m, &left);
    memcpy(&header, left.old, sizeof(header));
    assert_true(state_plan_make(&header.geometry, &plan));
    memcpy(left.old + plan.live, &(uint64_t){seal(1)}, sizeof(uint64_t)); /* as state_file_close() does */
    begin(&p, &left, &other);
    assert_false(p.recovery.damaged);
    assert_int_equal(p.recovery.import.hits, 135);
    run_drain(&p, &m);
    assert_memory_equal(m.stored, m.written, sizeof(m.stored));
    run_end(&p);
    memory_disk_fini(&left);
}

static void test_counts_of_a_run_without_a_store_are_carried_on_whole_and_can_move_to_one(void **state)
{
    const struct run_config alone = {.workers = 2, .keys_max = RUN_NAMES, .batch_keys_max = 4, .embedded = true};
    struct run_process p;
    struct run_model m;
    struct memory_disk left, next;
    (void)state;

    leave(&alone, false, &m, &left);
    begin(&p, &left, &alone);
    for (key_cell c = keys_first_cell(p.keys, keys_find(p.keys, run_name(0))); c; c = keys_next_cell(p.keys, c))
        keys_set_baseline(p.keys, c, keys_count(p.keys, c)); /* "stored", here */
    memory_disk_crash(&p.disk, &next);
    run_end(&p);
    begin(&p, &next, &two);
    assert_int_equal(p.recovery.import.hits, 135);
    run_drain(&p, &m);
    assert_memory_equal(m.stored, m.written, sizeof(m.stored));
    run_end(&p);
    memory_disk_fini(&next);
    memory_disk_fini(&left);
}

static void test_whatever_call_fails_the_old_file_stays_and_the_reason_is_said(void **state)
{
    struct run_model m;
    struct memory_disk left;
    int failed = -1, k = 1;
    (void)state;

    leave(&two, true, &m, &left);
    left.old[STATE_PAGE + STATE_LINE] ^= 1; /* so that it is set aside, too */
    for (; failed; k++) {
        struct run_process p = {0};
        struct error err = {""};
        memory_disk_init(&p.disk);
        p.disk.old_bytes = left.old_bytes;
        p.disk.old = left.old;
        p.disk.fail_at = k;
        failed = run_start(&p, &two, 1, &err);
        p.disk.old = NULL;
        if (failed) {
            assert_int_equal(p.disk.commits, 0);
            assert_true(strlen(err.text) > 10);
            memory_disk_fini(&p.disk);
        } else {
            run_end(&p);
        }
    }
    assert_true(k > 8);
    memory_disk_fini(&left);
}

static void test_a_file_system_without_room_is_an_error_that_says_how_much_is_needed(void **state)
{
    struct run_process p = {0};
    struct error err;
    (void)state;

    memory_disk_init(&p.disk);
    p.disk.room = 4096;
    assert_int_equal(run_start(&p, &two, 1, &err), -ENOSPC);
    assert_non_null(strstr(err.text, "KiB"));
    memory_disk_fini(&p.disk);
}

static void test_a_file_system_that_fills_up_refuses_new_names_only(void **state)
{
    const struct run_config many = {.workers = 1, .keys_max = 10000, .batch_keys_max = 4};
    struct run_process p = {0};
    struct error err;
    char name[32];
    uint32_t taken = 0;
    (void)state;

    memory_disk_init(&p.disk);
    assert_int_equal(run_start(&p, &many, 1, &err), 0);
    p.disk.room = p.disk.allocated + 4096 * 3;
    enum tally_result result = TALLY_COUNTED;
    for (; result == TALLY_COUNTED; taken++) {
        snprintf(name, sizeof(name), "n/%u", taken);
        result = tally_hit(p.recovery.tally, 0, (struct slice){name, strlen(name)}, 1);
    }
    assert_int_equal(result, TALLY_NO_SPACE);
    assert_true(taken > 256);
    int calls = p.disk.calls;
    assert_int_equal(tally_hit(p.recovery.tally, 0, SLICE("n/another"), 1), TALLY_NO_SPACE);
    assert_int_equal(p.disk.calls, calls); /* a flood of new names makes no flood of system calls */
    assert_int_equal(tally_hit(p.recovery.tally, 0, SLICE("n/0"), 1), TALLY_COUNTED);
    p.disk.room = 0;
    for (int i = 0; i < 300; i++)
        result = tally_hit(p.recovery.tally, 0, SLICE("n/another"), 1);
    assert_int_equal(result, TALLY_COUNTED);
    run_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_file_all_begins_at_nothing),
        cmocka_unit_test(test_an_open_batch_keeps_its_ledger_its_order_and_its_bytes),
        cmocka_unit_test(test_what_the_store_forgets_after_a_kill_is_a_number),
        cmocka_unit_test(test_a_rollback_that_is_cut_short_loses_nothing_in_silence),
        cmocka_unit_test(test_names_that_are_stored_are_not_carried_on),
        cmocka_unit_test(test_a_batch_that_cannot_go_on_under_another_prefix_is_lost_and_the_rest_is_sent),
        cmocka_unit_test(test_after_a_crash_of_the_machine_nothing_of_the_file_is_believed),
        cmocka_unit_test(test_a_file_closed_in_order_is_believed_after_a_reboot),
        cmocka_unit_test(test_counts_of_a_run_without_a_store_are_carried_on_whole_and_can_move_to_one),
        cmocka_unit_test(test_whatever_call_fails_the_old_file_stays_and_the_reason_is_said),
        cmocka_unit_test(test_a_file_system_without_room_is_an_error_that_says_how_much_is_needed),
        cmocka_unit_test(test_a_file_system_that_fills_up_refuses_new_names_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
