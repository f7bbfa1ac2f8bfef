#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32c.h"

/* RFC 3720, appendix B.4. */
static void test_the_published_examples_come_out(void **state)
{
    uint8_t data[32];
    (void)state;

    memset(data, 0, sizeof(data));
    assert_int_equal(crc32c(0, data, sizeof(data)), 0x8a9136aa);
    memset(data, 0xff, sizeof(data));
    assert_int_equal(crc32c(0, data, sizeof(data)), 0x62a8ab43);
    for (int i = 0; i < 32; i++)
        data[i] = (uint8_t)i;
    assert_int_equal(crc32c(0, data, sizeof(data)), 0x46dd794e);
    for (int i = 0; i < 32; i++)
        data[i] = (uint8_t)(31 - i);
    assert_int_equal(crc32c(0, data, sizeof(data)), 0x113fdb5c);
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
}

static void test_a_sum_can_be_taken_in_parts(void **state)
{
    static const char text[] = "all hits are counted once";
    (void)state;

    for (size_t cut = 0; cut <= sizeof(text); cut++)
        assert_int_equal(crc32c(crc32c(0, text, cut), text + cut, sizeof(text) - cut), crc32c(0, text, sizeof(text)));
}

static void test_every_damaged_byte_is_found(void **state)
{
    uint8_t data[40];
    (void)state;

    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 37);
    uint32_t whole = crc32c(0, data, sizeof(data));
    for (size_t i = 0; i < sizeof(data); i++) {
        for (unsigned flip = 1; flip < 256; flip++) {
            data[i] ^= (uint8_t)flip;
            assert_int_not_equal(crc32c(0, data, sizeof(data)), whole);
            data[i] ^= (uint8_t)flip;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_published_examples_come_out),
        cmocka_unit_test(test_a_sum_can_be_taken_in_parts),
        cmocka_unit_test(test_every_damaged_byte_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
