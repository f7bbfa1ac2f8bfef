#include "forms/cursor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_survives(const struct scan_place *place, const char *text)
{
    struct buf b = {0};
    struct scan_place back;
    cursor_append(&b, place);
    if (text)
        assert_true(slice_equals(buf_slice(&b), (struct slice){text, strlen(text)}));
    assert_true(cursor_read(buf_slice(&b), &back));
    assert_memory_equal(&back, place, sizeof(back));
    for (size_t cut = 0; cut < b.bytes; cut++) { /* a cut cursor is another one or none, and read within its bytes */
        struct slice piece = {b.data, cut};
        (void)cursor_read(piece, &back);
    }
    buf_fini(&b);
}

static void test_a_place_survives_its_cursor(void **state)
{
    (void)state;
    struct scan_place place = {0};
    assert_survives(&place, "0.0.0.0");
    place = (struct scan_place){.cursor = 17, .server = UINT64_MAX, .taken = 3, .sum = 0xabcdef01};
    assert_survives(&place, "11.ffffffffffffffff.3.abcdef01");
    scan_set_bit(place.under_way, 0);
    assert_survives(&place, "11.ffffffffffffffff.3.abcdef01.0.1");
    scan_set_bit(place.done, 255);
    assert_survives(&place, NULL);
    memset(&place, 0xff, sizeof(place));
    assert_survives(&place, NULL);
}

static void test_malformed_cursors_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",         "0",        "0.0.0",    "0.0.0.0.",  ".0.0.0",
                                      "0..0.0",   "0.0.0.g",  "0.0.0.0A", "0.0.0.0.1", "0.0.100000000.0",
                                      "-1.0.0.0", "0.0.0.0 ", "0x0.0.0",  "0,0,0,0",   "0.0.0.0.1.1.1"};
    struct scan_place place;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(cursor_read((struct slice){bad[i], strlen(bad[i])}, &place));
    assert_false(cursor_read(SLICE("10000000000000000.0.0.0"), &place));
    assert_false(cursor_read(SLICE("0.0.0.0.1.1.1.1.1.1.1.1.1.1"), &place));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_place_survives_its_cursor),
        cmocka_unit_test(test_malformed_cursors_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
