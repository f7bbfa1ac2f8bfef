#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_every_byte_is_filled_and_none_beyond(void **state)
{
    (void)state;
    uint8_t bytes[300], seen[300] = {0};

    for (int round = 0; round < 20; round++) {
        memset(bytes, 0, sizeof(bytes));
        assert_int_equal(random_bytes(bytes, sizeof(bytes) - 1), 0);
        assert_int_equal(bytes[sizeof(bytes) - 1], 0);
        for (size_t i = 0; i < sizeof(bytes); i++)
            seen[i] |= bytes[i];
    }
    for (size_t i = 0; i < sizeof(bytes) - 1; i++) /* all zero 20 times: 1 in 2^160 */
        assert_int_not_equal(seen[i], 0);
}

static void test_uuid_is_version_4_in_canonical_form(void **state)
{
    (void)state;
    char uuid[UUID_TEXT_BYTES];

    assert_int_equal(random_uuid(uuid), 0);
    assert_int_equal(strlen(uuid), 36);
    for (size_t i = 0; i < 36; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23)
            assert_int_equal(uuid[i], '-');
        else
            assert_non_null(strchr("0123456789abcdef", uuid[i]));
    }
    assert_int_equal(uuid[14], '4');
    assert_non_null(strchr("89ab", uuid[19]));
}

static void test_two_uuids_differ(void **state)
{
    (void)state;
    char a[UUID_TEXT_BYTES], b[UUID_TEXT_BYTES];

    assert_int_equal(random_uuid(a), 0);
    assert_int_equal(random_uuid(b), 0);
    assert_string_not_equal(a, b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte_is_filled_and_none_beyond),
        cmocka_unit_test(test_uuid_is_version_4_in_canonical_form),
        cmocka_unit_test(test_two_uuids_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
