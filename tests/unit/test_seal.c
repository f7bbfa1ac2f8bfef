#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tally/seal.h"

static const uint64_t numbers[] = {0, 1, 5, 255, 256, 0xa5, 65535, 1u << 31, 0x123456789abcde, SEAL_MAX - 1, SEAL_MAX};
#define NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

static void test_a_sealed_number_is_whole_and_comes_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUMBERS; i++) {
        assert_true(seal_is_whole(seal(numbers[i])));
        assert_true(seal_number(seal(numbers[i])) == numbers[i]);
    }
}

static void test_any_damaged_byte_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUMBERS; i++)
        for (int byte = 0; byte < 8; byte++)
            for (uint64_t flip = 1; flip < 256; flip++)
                assert_false(seal_is_whole(seal(numbers[i]) ^ flip << byte * 8));
}

static void test_adding_gives_the_word_of_the_sum_or_changes_nothing(void **state)
{
    (void)state;
    static const uint64_t far[] = {UINT64_MAX, UINT64_MAX - 255, SEAL_MAX + 1, SEAL_MAX << 8};

    for (size_t i = 0; i < NUMBERS; i++) {
        for (size_t j = 0; j < NUMBERS + 300 + sizeof(far) / sizeof(far[0]); j++) {
            uint64_t n = j < NUMBERS ? numbers[j] : j < NUMBERS + 300 ? j - NUMBERS : far[j - NUMBERS - 300];
            bool fits = n <= SEAL_MAX - numbers[i];
            uint64_t word = seal(numbers[i]);
            assert_int_equal(seal_add(&word, n), fits);
            assert_true(word == seal(numbers[i] + (fits ? n : 0)));
        }
    }
}

/* A sum must not make a damaged word look whole. */
static void test_damage_outlasts_additions_that_do_not_carry(void **state)
{
    (void)state;
    for (int byte = 0; byte < 8; byte++) {
        uint64_t word = seal(0x123456789a00) ^ UINT64_C(0x80) << byte * 8;
        for (int i = 0; i < 100; i++)
            assert_true(seal_add(&word, 1));
        assert_false(seal_is_whole(word));
    }
}

static void test_a_word_of_zeroes_or_ones_has_no_valid_seal(void **state)
{
    (void)state;
    assert_false(seal_is_whole(0));
    assert_false(seal_is_whole(UINT64_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_sealed_number_is_whole_and_comes_back),
        cmocka_unit_test(test_any_damaged_byte_is_found),
        cmocka_unit_test(test_adding_gives_the_word_of_the_sum_or_changes_nothing),
        cmocka_unit_test(test_damage_outlasts_additions_that_do_not_carry),
        cmocka_unit_test(test_a_word_of_zeroes_or_ones_has_no_valid_seal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
