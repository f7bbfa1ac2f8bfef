#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

#include "owed/batch.h"
#include "tally/seal.h"

struct fixture {
    struct tally *tally;
    struct keyspace space;
    struct keys *keys;
    struct batch batch;
};

static const struct ledger first = {1, 0xabc};

static void fixture_init_with(struct fixture *f, uint32_t items_max, uint32_t workers, uint32_t parts_max)
{
    assert_int_equal(tally_create(&f->tally, &(struct tally_config){.workers = workers, .keys_max = 100}), 0);
    keyspace_init(&f->space, "t:", 0);
    assert_int_equal(keys_create(&f->keys, f->tally, &f->space), 0);
    assert_int_equal(batch_init(&f->batch, items_max, parts_max), 0);
    batch_begin(&f->batch, &first);
}

static void fixture_init(struct fixture *f, uint32_t items_max) { fixture_init_with(f, items_max, 2, UINT32_MAX); }

static void fixture_fini(struct fixture *f)
{
    batch_fini(&f->batch);
    keys_destroy(f->keys);
    tally_destroy(f->tally);
}

static void hit(struct fixture *f, uint32_t worker, const char *name, uint64_t n)
{
    assert_int_equal(tally_hit(f->tally, worker, (struct slice){name, strlen(name)}, n), TALLY_COUNTED);
    keys_collect(f->keys);
}

static void test_its_bytes_are_one_command_a_key_the_ledger_and_exec(void **state)
{
    struct fixture f;
    static const char wanted[] =
        "*3\r\n$6\r\nINCRBY\r\n$7\r\nt:n:a/x\r\n$2\r\n12\r\n"
        "*2\r\n$4\r\nINCR\r\n$5\r\nt:n:b\r\n"
        "*5\r\n$3\r\nSET\r\n$3\r\nt:L\r\n$18\r\n1 0000000000000abc\r\n$2\r\nEX\r\n$7\r\n2592000\r\n"
        "*1\r\n$4\r\nEXEC\r\n";
    (void)state;

    fixture_init(&f, 10);
    hit(&f, 0, "n/a/x", 5);
    hit(&f, 1, "n/a/x", 7);
    hit(&f, 1, "n/b", 1);
    batch_fill(&f.batch, f.keys, 0);
    assert_int_equal(batch_compose(&f.batch, f.keys, SLICE("t:"), SLICE("t:L")), 0);
    assert_int_equal(f.batch.bytes.bytes, sizeof(wanted) - 1);
    assert_memory_equal(f.batch.bytes.data, wanted, sizeof(wanted) - 1);
    assert_int_equal(f.batch.hits, 13);
    fixture_fini(&f);
}

static void test_a_batch_takes_items_max_keys_at_most(void **state)
{
    struct fixture f;
    char name[16];
    (void)state;

    fixture_init(&f, 3);
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof(name), "n/%d", i);
        hit(&f, 0, name, 1);
    }
    batch_fill(&f.batch, f.keys, 0);
    assert_int_equal(f.batch.items_count, 3);
    assert_int_equal(keys_dirty(f.keys), 2);
    fixture_fini(&f);
}

static void test_what_it_notes_does_not_move_with_later_hits(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f, 10);
    hit(&f, 0, "n/a", 5);
    batch_fill(&f.batch, f.keys, 0);
    hit(&f, 0, "n/a", 100);
    assert_int_equal(f.batch.items[0].delta, 5);
    uint32_t key = f.batch.items[0].key;
    assert_int_equal(keys_base(f.keys, key), 0); /* nothing moves before the proof */
    batch_item_applied(&f.batch, f.keys, &f.batch.items[0]);
    assert_int_equal(keys_base(f.keys, key), 5);
    batch_begin(&f.batch, &(struct ledger){2, 1});
    batch_fill(&f.batch, f.keys, 0);
    assert_int_equal(f.batch.items[0].delta, 100);
    fixture_fini(&f);
}

static void test_a_key_without_growth_is_left_out(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f, 10);
    hit(&f, 0, "n/a", 5);
    batch_fill(&f.batch, f.keys, 0);
    batch_item_applied(&f.batch, f.keys, &f.batch.items[0]);
    keys_push_dirty(f.keys, f.batch.items[0].key);
    batch_begin(&f.batch, &first);
    batch_fill(&f.batch, f.keys, 0);
    assert_int_equal(f.batch.items_count, 0);
    fixture_fini(&f);
}

static void test_given_back_its_keys_are_dirty_and_the_refused_are_held(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f, 10);
    hit(&f, 0, "n/a", 5);
    hit(&f, 0, "n/b", 6);
    batch_fill(&f.batch, f.keys, 0);
    f.batch.items[0].refused = true;
    assert_int_equal(batch_refused_hits(&f.batch), 5);
    batch_give_back(&f.batch, f.keys);
    assert_int_equal(keys_dirty(f.keys), 1);
    assert_int_equal(keys_held(f.keys), 1);
    keys_release_held(f.keys);
    batch_begin(&f.batch, &first);
    batch_fill(&f.batch, f.keys, 0);
    assert_int_equal(f.batch.hits, 11);
    assert_int_equal(f.batch.unheld, 5);
    fixture_fini(&f);
}

static void test_a_delta_fits_incrby_and_its_rest_waits(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init_with(&f, 10, 129, UINT32_MAX);
    for (uint32_t worker = 0; worker < 129; worker++)
        hit(&f, worker, "n/a", SEAL_MAX); /* 128 of them are 128 less than 2^63 */
    batch_fill(&f.batch, f.keys, 0);
    assert_int_equal(f.batch.items_count, 1);
    assert_int_equal(f.batch.items[0].delta, INT64_MAX);
    assert_int_equal(keys_dirty(f.keys), 1);
    batch_item_applied(&f.batch, f.keys, &f.batch.items[0]);
    batch_begin(&f.batch, &first);
    batch_fill(&f.batch, f.keys, 0);
    assert_true(f.batch.items[0].delta == (int64_t)SEAL_MAX - 127);
    fixture_fini(&f);
}

static void test_a_key_whose_parts_do_not_fit_waits_for_the_next(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init_with(&f, 10, 2, 3);
    for (uint32_t worker = 0; worker < 2; worker++) {
        hit(&f, worker, "n/a", 1);
        hit(&f, worker, "n/b", 1);
    }
    batch_fill(&f.batch, f.keys, 0);
    assert_int_equal(f.batch.items_count, 1);
    assert_int_equal(f.batch.parts_count, 2);
    assert_int_equal(f.batch.hits, 2);
    assert_int_equal(keys_dirty(f.keys), 1);
    batch_begin(&f.batch, &first);
    batch_fill(&f.batch, f.keys, 0);
    assert_int_equal(f.batch.hits, 2);
    assert_int_equal(keys_dirty(f.keys), 0);
    fixture_fini(&f);
}

static void test_a_restored_batch_has_the_same_bytes(void **state)
{
    struct fixture f;
    struct batch again;
    (void)state;

    fixture_init(&f, 10);
    hit(&f, 0, "n/a", 1);
    hit(&f, 1, "n/a", 2);
    hit(&f, 0, "n/b", 4);
    batch_fill(&f.batch, f.keys, 0);
    assert_int_equal(batch_compose(&f.batch, f.keys, SLICE("t:"), SLICE("t:L")), 0);
    assert_int_equal(batch_init(&again, 10, UINT32_MAX), 0);
    batch_begin(&again, &first);
    for (uint32_t i = 0; i < f.batch.items_count; i++) {
        const struct batch_item *item = &f.batch.items[i];
        for (uint32_t k = 0; k < item->parts_count; k++)
            assert_int_equal(batch_restore_part(&again, item->key, &f.batch.parts[item->parts_first + k]), 0);
    }
    assert_int_equal(batch_compose(&again, f.keys, SLICE("t:"), SLICE("t:L")), 0);
    assert_int_equal(again.hits, 7);
    assert_int_equal(again.items_count, 2);
    assert_int_equal(again.bytes.bytes, f.batch.bytes.bytes);
    assert_memory_equal(again.bytes.data, f.batch.bytes.data, again.bytes.bytes);
    batch_fini(&again);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_key_whose_parts_do_not_fit_waits_for_the_next),
        cmocka_unit_test(test_a_restored_batch_has_the_same_bytes),
        cmocka_unit_test(test_its_bytes_are_one_command_a_key_the_ledger_and_exec),
        cmocka_unit_test(test_a_batch_takes_items_max_keys_at_most),
        cmocka_unit_test(test_what_it_notes_does_not_move_with_later_hits),
        cmocka_unit_test(test_a_key_without_growth_is_left_out),
        cmocka_unit_test(test_given_back_its_keys_are_dirty_and_the_refused_are_held),
        cmocka_unit_test(test_a_delta_fits_incrby_and_its_rest_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
