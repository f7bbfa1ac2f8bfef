#include "base/siphash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct siphash_key zero_key = {0, 0};

static void fill_message(uint8_t *message, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        message[i] = (uint8_t)i;
}

/* The answers are CPython's: PYTHONHASHSEED=0 python3.11 -c 'print(hex(hash(bytes(range(N))) % 2**64))'. */
static void test_hash_agrees_with_an_independent_siphash13(void **state)
{
    (void)state;
    static const struct {
        size_t bytes;
        uint64_t hash;
    } cases[] = {
        {1, 0x68a914128e01e473},  {7, 0x2f098ab0c751325a},  {8, 0xead411e67ebe2eea},  {9, 0x75927f9d95124362},
        {15, 0xf30eb725bb91c9ea}, {16, 0x8972188433a5c5b7}, {24, 0x31185a47af932f3a}, {63, 0x385d3e39e5f37359},
    };
    uint8_t message[64];

    fill_message(message, sizeof(message));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_true(siphash13(&zero_key, message, cases[i].bytes) == cases[i].hash);
}

static void test_empty_message_is_never_read(void **state)
{
    (void)state;
    const struct siphash_key counting_key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

    assert_true(siphash13(&counting_key, NULL, 0) == 0xabac0158050fc4dc);
}

static void test_alignment_of_the_message_does_not_matter(void **state)
{
    (void)state;
    uint8_t message[64], shifted[72];

    fill_message(message, sizeof(message));
    for (size_t offset = 1; offset < 8; offset++) {
        memcpy(shifted + offset, message, 63);
        for (size_t bytes = 0; bytes < 64; bytes++)
            assert_true(siphash13(&zero_key, shifted + offset, bytes) == siphash13(&zero_key, message, bytes));
    }
}

static void test_both_halves_of_the_key_change_the_hash(void **state)
{
    (void)state;
    const struct siphash_key first = {1, 0}, second = {0, 1};

    assert_true(siphash13(&first, "a", 1) != siphash13(&zero_key, "a", 1));
    assert_true(siphash13(&second, "a", 1) != siphash13(&zero_key, "a", 1));
    assert_true(siphash13(&first, "a", 1) != siphash13(&second, "a", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash_agrees_with_an_independent_siphash13),
        cmocka_unit_test(test_empty_message_is_never_read),
        cmocka_unit_test(test_alignment_of_the_message_does_not_matter),
        cmocka_unit_test(test_both_halves_of_the_key_change_the_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
