#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "owed/batch.h"

struct fixture {
    struct tally *tally;
    struct keyspace space;
    struct keys *keys;
    struct batch batch;
};

static const struct ledger first = {1, 0xabc};

static void fixture_init(struct fixture *f)
{
    assert_int_equal(tally_create(&f->tally, &(struct tally_config){.workers = 2, .keys_max = 100}), 0);
    keyspace_init(&f->space, "t:", 0);
    assert_int_equal(keys_create(&f->keys, f->tally, &f->space), 0);
    assert_int_equal(keys_keep_sums(f->keys), 0);
    assert_int_equal(batch_init(&f->batch, 10, UINT32_MAX), 0);
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

static void compose(struct fixture *f)
{
    batch_fill(&f->batch, f->keys, 0);
    batch_settle_sums(&f->batch, f->keys, 0);
    assert_int_equal(batch_compose(&f->batch, f->keys, SLICE("t:"), SLICE("t:L")), 0);
}

static struct sum *sum_of(struct fixture *f, struct slice ns)
{
    return sums_at(keys_sums(f->keys), sums_find(keys_sums(f->keys), ns), 0);
}

static void apply(struct fixture *f, uint32_t refused)
{
    for (uint32_t i = 0; i < f->batch.items_count; i++)
        if (i != refused)
            batch_item_applied(&f->batch, f->keys, &f->batch.items[i]);
    batch_end_sums(&f->batch, f->keys, 7);
}

static void test_each_namespace_gets_what_its_keys_get(void **state)
{
    struct fixture f;
    static const char wanted[] =
        "*3\r\n$6\r\nINCRBY\r\n$5\r\nt:n:a\r\n$1\r\n5\r\n"
        "*2\r\n$4\r\nINCR\r\n$5\r\nt:m:b\r\n"
        "*3\r\n$6\r\nINCRBY\r\n$5\r\nt:n:c\r\n$1\r\n7\r\n"
        "*3\r\n$6\r\nINCRBY\r\n$12\r\nt:!total:0:n\r\n$2\r\n12\r\n"
        "*3\r\n$6\r\nINCRBY\r\n$12\r\nt:!total:0:m\r\n$1\r\n1\r\n"
        "*5\r\n$3\r\nSET\r\n$3\r\nt:L\r\n$18\r\n1 0000000000000abc\r\n$2\r\nEX\r\n$7\r\n2592000\r\n"
        "*1\r\n$4\r\nEXEC\r\n";
    (void)state;

    fixture_init(&f);
    hit(&f, 0, "n/a", 5);
    hit(&f, 0, "m/b", 1);
    hit(&f, 1, "n/c", 7);
    compose(&f);
    assert_int_equal(f.batch.bytes.bytes, sizeof(wanted) - 1);
    assert_memory_equal(f.batch.bytes.data, wanted, sizeof(wanted) - 1);
    assert_int_equal(batch_commands(&f.batch), 5);
    assert_int_equal(f.batch.hits, 13); /* totals are no hits */
    apply(&f, UINT32_MAX);
    assert_int_equal(sum_of(&f, SLICE("n"))->owed, 0);
    assert_int_equal(sum_of(&f, SLICE("n"))->stored, 12);
    fixture_fini(&f);
}

static void test_what_was_refused_is_taken_off_with_the_next_hits(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f);
    hit(&f, 0, "n/a", 5);
    hit(&f, 0, "n/b", 4);
    compose(&f);
    apply(&f, 1);
    assert_int_equal(sum_of(&f, SLICE("n"))->owed, -4);
    batch_begin(&f.batch, &first);
    hit(&f, 0, "n/a", 3);
    compose(&f);
    assert_int_equal(f.batch.sums[0].delta, f.batch.sums[0].hits - 4);
    apply(&f, UINT32_MAX);
    assert_int_equal(sum_of(&f, SLICE("n"))->owed, 0);
    fixture_fini(&f);
}

static void test_a_number_that_is_refused_rests_and_is_owed(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f);
    hit(&f, 0, "n/a", 5);
    compose(&f);
    batch_refuse_sum(&f.batch, 0, REDIS_ERROR_WRONGTYPE);
    apply(&f, UINT32_MAX);
    assert_int_equal(sum_of(&f, SLICE("n"))->owed, 5);
    for (int again = 0; again < 2; again++) {
        batch_begin(&f.batch, &first);
        hit(&f, 0, "n/a", 3);
        compose(&f);
        assert_int_equal(f.batch.sums_sent, again);
        apply(&f, UINT32_MAX);
        sums_retry(keys_sums(f.keys));
    }
    assert_int_equal(f.batch.sums[0].delta, 11);
    assert_int_equal(sum_of(&f, SLICE("n"))->owed, 0);
    fixture_fini(&f);
}

static void test_a_look_finds_what_is_pending_also_of_names_that_no_flush_has_met(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f);
    hit(&f, 0, "n/a", 5);
    assert_int_equal(tally_hit(f.tally, 1, SLICE("new/x"), 3), TALLY_COUNTED);
    keys_look(f.keys);
    const struct sums *sums = keys_sums(f.keys);
    assert_int_equal(sums_namespace(sums, sums_find(sums, SLICE("n")))->pending, 5);
    assert_int_equal(sums_namespace(sums, sums_find(sums, SLICE("new")))->pending, 3);
    compose(&f);
    apply(&f, UINT32_MAX);
    keys_look(f.keys);
    assert_int_equal(sums_namespace(sums, sums_find(sums, SLICE("n")))->pending, 0);
    assert_int_equal(sums_namespace(sums, sums_find(sums, SLICE("n")))->looked, 5);
    fixture_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_namespace_gets_what_its_keys_get),
        cmocka_unit_test(test_what_was_refused_is_taken_off_with_the_next_hits),
        cmocka_unit_test(test_a_number_that_is_refused_rests_and_is_owed),
        cmocka_unit_test(test_a_look_finds_what_is_pending_also_of_names_that_no_flush_has_met),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
