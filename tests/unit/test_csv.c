#include "forms/csv.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* In memory of just its length, so that a sanitizer sees whoever reads on. */
static char *copy(const char *text, size_t bytes)
{
    char *at = malloc(bytes ? bytes : 1);
    memcpy(at, text, bytes);
    return at;
}

static void assert_record(const char *text, size_t bytes, uint32_t count, const char *const fields[])
{
    char *at = copy(text, strlen(text));
    struct csv_record record;
    assert_int_equal(csv_read(at, strlen(text), true, &record), 1);
    assert_int_equal(record.bytes, bytes);
    assert_int_equal(record.count, count);
    for (uint32_t i = 0; i < count; i++)
        assert_true(slice_equals(record.fields[i], (struct slice){fields[i], strlen(fields[i])}));
    free(at);
}

static void test_a_record_ends_with_its_line(void **state)
{
    (void)state;
    assert_record("a,b,1\nnext", 6, 3, (const char *const[]){"a", "b", "1"});
    assert_record("a,b,1\r\nnext", 7, 3, (const char *const[]){"a", "b", "1"});
    assert_record("a,b,1", 5, 3, (const char *const[]){"a", "b", "1"});
    assert_record("a,,", 3, 3, (const char *const[]){"a", "", ""});
    assert_record("\r\nnext", 2, 0, NULL);
    assert_record(",", 1, 2, (const char *const[]){"", ""});
}

static void test_a_quoted_field_may_hold_anything(void **state)
{
    (void)state;
    assert_record("\"a,\"\"b\"\"\r\nc\",\"\",x\r\n", 19, 3, (const char *const[]){"a,\"b\"\r\nc", "", "x"});
    assert_record("\"\"\"\"", 4, 1, (const char *const[]){"\""});
}

static void test_what_is_no_record_is_told_with_its_length(void **state)
{
    (void)state;
    static const char *const bad[] = {"a\"b\nnext", "\"a\"b\nnext", "\"a", "\"", "a,\"b\"\"\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        char *at = copy(bad[i], strlen(bad[i]));
        struct csv_record record;
        assert_int_equal(csv_read(at, strlen(bad[i]), true, &record), -EINVAL);
        assert_in_range(record.bytes, 1, strlen(bad[i]));
        free(at);
    }
}

static void test_a_record_that_is_cut_waits_and_is_not_touched(void **state)
{
    (void)state;
    static const char whole[] = "\"a,\"\"b\"\"\nc\",2\n";
    for (size_t cut = 0; cut + 1 < sizeof(whole) - 1; cut++) {
        char *at = copy(whole, cut);
        struct csv_record record;
        assert_int_equal(csv_read(at, cut, false, &record), 0);
        assert_memory_equal(at, whole, cut);
        free(at);
    }
}

static void test_fields_beyond_the_limit_are_dropped(void **state)
{
    (void)state;
    char text[2 * CSV_FIELDS_MAX + 8];
    memset(text, ',', sizeof(text));
    struct csv_record record;
    assert_int_equal(csv_read(text, sizeof(text), true, &record), 1);
    assert_int_equal(record.count, CSV_FIELDS_MAX);
    assert_int_equal(record.bytes, sizeof(text));
}

static void test_a_counter_that_was_written_is_read(void **state)
{
    (void)state;
    static const char *const keys[] = {"a", "a b", "a,b", "\"", "x\"\"y", "ä", "'"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        char name[64] = "blog/";
        struct buf b = {0};
        struct csv_record record;
        strcat(name, keys[i]);
        csv_append_counter(&b, (struct slice){name, strlen(name)}, -9);
        assert_int_equal(csv_read(b.data, b.bytes, true, &record), 1);
        assert_int_equal(record.count, 3);
        assert_true(slice_equals(record.fields[0], SLICE("blog")));
        assert_true(slice_equals(record.fields[1], (struct slice){keys[i], strlen(keys[i])}));
        assert_true(slice_equals(record.fields[2], SLICE("-9")));
        buf_fini(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_record_ends_with_its_line),
        cmocka_unit_test(test_a_quoted_field_may_hold_anything),
        cmocka_unit_test(test_what_is_no_record_is_told_with_its_length),
        cmocka_unit_test(test_a_record_that_is_cut_waits_and_is_not_touched),
        cmocka_unit_test(test_fields_beyond_the_limit_are_dropped),
        cmocka_unit_test(test_a_counter_that_was_written_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
