/* Slots, against the vectors of the Redis cluster specification. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "protocol/crc16.h"

static void test_the_vector_of_the_specification(void **state)
{
    (void)state;
    assert_int_equal(crc16(SLICE("123456789")), 0x31c3);
    assert_int_equal(crc16(SLICE("")), 0);
}

/* As CLUSTER KEYSLOT of Redis 7.0 says. */
static void test_slots_are_those_of_a_real_server(void **state)
{
    (void)state;
    assert_int_equal(key_slot(SLICE("foo")), 12182);
    assert_int_equal(key_slot(SLICE("bar")), 5061);
    assert_int_equal(key_slot(SLICE("123456789")), 12739);
    assert_int_equal(key_slot(SLICE("")), 0);
}

static void test_only_the_first_tag_that_is_not_empty_counts(void **state)
{
    (void)state;
    uint16_t user = key_slot(SLICE("user1000"));
    assert_int_equal(key_slot(SLICE("{user1000}.following")), user);
    assert_int_equal(key_slot(SLICE("a{user1000}{b}")), user);
    assert_int_equal(key_slot(SLICE("foo{}{bar}")), crc16(SLICE("foo{}{bar}")) % SLOTS);
    assert_int_equal(key_slot(SLICE("foo{{bar}}zap")), key_slot(SLICE("{bar")));
    assert_int_equal(key_slot(SLICE("foo{bar")), crc16(SLICE("foo{bar")) % SLOTS);
    assert_int_equal(key_slot(SLICE("}foo{bar}")), key_slot(SLICE("bar")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_vector_of_the_specification),
        cmocka_unit_test(test_slots_are_those_of_a_real_server),
        cmocka_unit_test(test_only_the_first_tag_that_is_not_empty_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
