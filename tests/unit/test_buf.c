#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_text(const struct buf *b, const char *text)
{
    assert_false(b->failed);
    assert_int_equal(b->bytes, strlen(text));
    assert_memory_equal(b->data, text, b->bytes);
}

static void test_empty_buffer_can_be_used_cleared_and_freed(void **state)
{
    (void)state;
    struct buf b = {0};

    buf_append(&b, NULL, 0);
    buf_consume(&b, 0);
    buf_clear(&b);
    assert_int_equal(buf_slice(&b).bytes, 0);
    buf_fini(&b);
    assert_null(b.data);
}

static void test_appends_follow_each_other_across_growth(void **state)
{
    (void)state;
    struct buf b = {0};

    for (int i = 0; i < 1000; i++)
        buf_append(&b, "0123456789", 10);
    assert_int_equal(b.bytes, 10000);
    for (size_t i = 0; i < b.bytes; i++)
        assert_int_equal(b.data[i], '0' + (int)(i % 10));
    buf_fini(&b);
}

static void test_numbers_are_written_in_decimal_up_to_both_ends(void **state)
{
    (void)state;
    struct buf b = {0};

    buf_append_u64(&b, 0);
    buf_append(&b, " ", 1);
    buf_append_u64(&b, UINT64_MAX);
    buf_append(&b, " ", 1);
    buf_append_i64(&b, INT64_MIN);
    buf_append(&b, " ", 1);
    buf_append_i64(&b, INT64_MAX);
    buf_append_slice(&b, SLICE("!"));
    assert_text(&b, "0 18446744073709551615 -9223372036854775808 9223372036854775807!");
    buf_fini(&b);
}

static void test_printf_of_any_length_is_whole(void **state)
{
    (void)state;
    struct buf b = {0};
    char want[700];

    memset(want, 'x', sizeof(want) - 1);
    want[sizeof(want) - 1] = '\0';
    buf_printf(&b, "%s", want);
    assert_text(&b, want);
    buf_fini(&b);
}

static void test_limit_is_reached_exactly_and_failure_stays(void **state)
{
    (void)state;
    struct buf b = {.bytes_max = 8};

    buf_printf(&b, "%d", 1234);
    buf_append(&b, "5678", 4);
    assert_text(&b, "12345678");
    buf_append(&b, "9", 1);
    assert_true(b.failed);
    assert_null(buf_reserve(&b, 0));
    buf_consume(&b, 8);
    buf_append(&b, "a", 1);
    assert_int_equal(b.bytes, 0);
    buf_clear(&b);
    buf_printf(&b, "%s", "87654321");
    assert_text(&b, "87654321");
    buf_printf(&b, "%d", 0);
    assert_true(b.failed);
    buf_fini(&b);
    assert_int_equal(b.bytes_max, 8);
}

static void test_one_over_memory_of_the_caller_never_leaves_it(void **state)
{
    (void)state;
    for (size_t capacity = 2; capacity < 40; capacity++) {
        char space[40];
        struct buf b = buf_over(space, capacity);
        for (size_t i = 0; i + 1 < capacity; i++)
            buf_append(&b, "x", 1);
        assert_false(b.failed);
        assert_int_equal(b.bytes, capacity - 1);
        buf_append(&b, "y", 1);
        assert_true(b.failed);
        assert_ptr_equal(b.data, space);
        b = buf_over(space, capacity);
        buf_printf(&b, "%0*d", (int)capacity, 0);
        assert_true(b.failed);
        assert_ptr_equal(b.data, space);
    }
}

static void test_absurd_reservation_fails_instead_of_wrapping(void **state)
{
    (void)state;
    struct buf b = {0};

    buf_append(&b, "abc", 3);
    assert_null(buf_reserve(&b, SIZE_MAX - 1));
    assert_true(b.failed);
    buf_fini(&b);
}

static void test_consume_moves_the_rest_to_the_front(void **state)
{
    (void)state;
    struct buf b = {0};

    buf_append(&b, "headbody", 8);
    buf_consume(&b, 4);
    assert_text(&b, "body");
    buf_consume(&b, 4);
    assert_text(&b, "");
    buf_fini(&b);
}

static void test_reserved_room_is_committed_by_grew(void **state)
{
    (void)state;
    struct buf b = {0};
    char *room = buf_reserve(&b, 1000);

    assert_non_null(room);
    memset(room, 'r', 1000);
    buf_grew(&b, 3);
    assert_text(&b, "rrr");
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_buffer_can_be_used_cleared_and_freed),
        cmocka_unit_test(test_appends_follow_each_other_across_growth),
        cmocka_unit_test(test_numbers_are_written_in_decimal_up_to_both_ends),
        cmocka_unit_test(test_printf_of_any_length_is_whole),
        cmocka_unit_test(test_limit_is_reached_exactly_and_failure_stays),
        cmocka_unit_test(test_one_over_memory_of_the_caller_never_leaves_it),
        cmocka_unit_test(test_absurd_reservation_fails_instead_of_wrapping),
        cmocka_unit_test(test_consume_moves_the_rest_to_the_front),
        cmocka_unit_test(test_reserved_room_is_committed_by_grew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
