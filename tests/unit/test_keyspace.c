/* Names to keys and partitions. What is fixed here is fixed for every data set in the world: a failure means that
 * counts would be split over two keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "owed/keyspace.h"
#include "protocol/crc16.h"

static void test_standalone_has_one_partition_and_plain_keys(void **state)
{
    struct keyspace s;
    (void)state;

    keyspace_init(&s, "tally:", 0);
    assert_int_equal(s.partitions, 1);
    assert_true(slice_equals(keyspace_prefix(&s, 0), SLICE("tally:")));
    assert_int_equal(keyspace_partition(&s, SLICE("blog/a")), 0);
}

static void test_names_stay_in_their_partitions_for_ever(void **state)
{
    struct keyspace s;
    (void)state;

    keyspace_init(&s, "tally:", 16);
    assert_int_equal(keyspace_partition(&s, SLICE("blog/a")), 2);
    assert_int_equal(keyspace_partition(&s, SLICE("blog/b")), 5);
    assert_int_equal(keyspace_partition(&s, SLICE("shop/x/y")), 3);
}

static void test_tags_stay_for_ever(void **state)
{
    static const char *const tags[16] = {"18",  "3", "61", "58", "19",  "2", "60", "59",
                                         "102", "1", "63", "49", "103", "0", "62", "48"};
    struct keyspace s;
    char prefix[32];
    (void)state;

    keyspace_init(&s, "tally:", 16);
    for (uint32_t p = 0; p < 16; p++) {
        snprintf(prefix, sizeof(prefix), "tally:{%s}", tags[p]);
        assert_true(slice_equals(keyspace_prefix(&s, p), (struct slice){prefix, strlen(prefix)}));
    }
}

static void test_tags_are_spread_evenly_whatever_their_number(void **state)
{
    (void)state;
    for (uint32_t partitions = 1; partitions <= PARTITIONS_MAX; partitions++) {
        struct keyspace s;
        keyspace_init(&s, "p:", partitions);
        for (uint32_t p = 0; p < partitions; p++) {
            uint32_t slot = keyspace_slot(&s, p), first = p * SLOTS / partitions, width = SLOTS / partitions;
            assert_in_range(slot, first + width / 4, first + width - width / 4);
        }
    }
}

static void test_names_are_spread_evenly(void **state)
{
    uint32_t counts[16] = {0};
    struct keyspace s;
    char name[32];
    (void)state;

    keyspace_init(&s, "", 16);
    for (int i = 0; i < 16000; i++) {
        int bytes = snprintf(name, sizeof(name), "blog/page-%d", i);
        counts[keyspace_partition(&s, (struct slice){name, (size_t)bytes})]++;
    }
    for (int p = 0; p < 16; p++)
        assert_in_range(counts[p], 850, 1150);
}

static void test_the_meta_value_says_the_number_of_partitions(void **state)
{
    struct keyspace s;
    char key[KEYSPACE_PREFIX_BYTES_MAX + 8], value[KEYSPACE_META_BYTES_MAX];
    (void)state;

    keyspace_init(&s, "tally:", 48);
    assert_true(slice_equals(keyspace_meta_key(&s, key), SLICE("tally:!meta")));
    assert_true(slice_equals(keyspace_meta_value(&s, value), SLICE("tallyd format=1 partitions=48")));
    assert_int_equal(keyspace_meta_partitions(keyspace_meta_value(&s, value)), 48);
    assert_int_equal(keyspace_meta_partitions(SLICE("tallyd format=2 partitions=48")), 0);
    assert_int_equal(keyspace_meta_partitions(SLICE("tallyd format=1 partitions=")), 0);
    assert_int_equal(keyspace_meta_partitions(SLICE("tallyd format=1 partitions=4x")), 0);
    assert_int_equal(keyspace_meta_partitions(SLICE("")), 0);
}

static void test_the_longest_prefix_fits(void **state)
{
    struct keyspace s;
    char prefix[KEYSPACE_PREFIX_BYTES_MAX + 1];
    (void)state;

    memset(prefix, 'p', sizeof(prefix) - 1);
    prefix[sizeof(prefix) - 1] = '\0';
    keyspace_init(&s, prefix, PARTITIONS_MAX);
    assert_true(keyspace_prefix(&s, 255).bytes > KEYSPACE_PREFIX_BYTES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_standalone_has_one_partition_and_plain_keys),
        cmocka_unit_test(test_names_stay_in_their_partitions_for_ever),
        cmocka_unit_test(test_tags_stay_for_ever),
        cmocka_unit_test(test_tags_are_spread_evenly_whatever_their_number),
        cmocka_unit_test(test_names_are_spread_evenly),
        cmocka_unit_test(test_the_meta_value_says_the_number_of_partitions),
        cmocka_unit_test(test_the_longest_prefix_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
