#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>

#include "flush/batch.h"

struct fixture {
    struct tally *tally;
    struct keyspace space;
    struct keys *keys;
    struct batch batch;
};

static const struct ledger first = {1, 0xabc};

static void fixture_init(struct fixture *f, uint32_t items_max)
{
    assert_int_equal(tally_create(&f->tally, &(struct tally_config){.workers = 2, .keys_max = 100}), 0);
    keyspace_init(&f->space, "t:", 0);
    assert_int_equal(keys_create(&f->keys, f->tally, &f->space), 0);
    assert_int_equal(batch_init(&f->batch, items_max), 0);
    batch_begin(&f->batch, &first);
}

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

static void test_its_bytes_are_one_incrby_a_key_the_ledger_and_exec(void **state)
{
    struct fixture f;
    static const char wanted[] =
        "*3\r\n$6\r\nINCRBY\r\n$7\r\nt:n:a/x\r\n$2\r\n12\r\n"
        "*5\r\n$3\r\nSET\r\n$3\r\nt:L\r\n$18\r\n1 0000000000000abc\r\n$2\r\nEX\r\n$7\r\n2592000\r\n"
        "*1\r\n$4\r\nEXEC\r\n";
    (void)state;

    fixture_init(&f, 10);
    hit(&f, 0, "n/a/x", 5);
    hit(&f, 1, "n/a/x", 7);
    batch_fill(&f.batch, f.keys, 0);
    assert_int_equal(batch_compose(&f.batch, f.keys, SLICE("t:"), SLICE("t:L")), 0);
    assert_int_equal(f.batch.bytes.bytes, sizeof(wanted) - 1);
    assert_memory_equal(f.batch.bytes.data, wanted, sizeof(wanted) - 1);
    assert_int_equal(f.batch.hits, 12);
    fixture_fini(&f);
}

static void test_it_takes_no_more_keys_than_it_may(void **state)
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

    fixture_init(&f, 10);
    hit(&f, 0, "n/a", INT64_MAX);
    hit(&f, 1, "n/a", 3);
    batch_fill(&f.batch, f.keys, 0);
    assert_int_equal(f.batch.items_count, 1);
    assert_int_equal(f.batch.items[0].delta, INT64_MAX);
    assert_int_equal(keys_dirty(f.keys), 1);
    batch_item_applied(&f.batch, f.keys, &f.batch.items[0]);
    batch_begin(&f.batch, &first);
    batch_fill(&f.batch, f.keys, 0);
    assert_int_equal(f.batch.items[0].delta, 3);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_its_bytes_are_one_incrby_a_key_the_ledger_and_exec),
        cmocka_unit_test(test_it_takes_no_more_keys_than_it_may),
        cmocka_unit_test(test_what_it_notes_does_not_move_with_later_hits),
        cmocka_unit_test(test_a_key_without_growth_is_left_out),
        cmocka_unit_test(test_given_back_its_keys_are_dirty_and_the_refused_are_held),
        cmocka_unit_test(test_a_delta_fits_incrby_and_its_rest_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
