#include "http/scan.h"

#include "http_feed.h"

struct scanner {
    const char *(*scan)(const char *at, const char *end);
    enum byte_class class;
    char inside;
};

static const struct scanner scanners[] = {
    {scan_token, BYTE_TOKEN, 'a'}, {scan_host, BYTE_HOST, 'a'},   {scan_path, BYTE_PATH, '/'},
    {scan_query, BYTE_QUERY, '='}, {scan_value, BYTE_VALUE, ' '},
};

enum { SCANNERS = sizeof(scanners) / sizeof(scanners[0]) };

static void test_scans_stop_where_the_table_says_at_every_offset_before_the_end_of_memory(void **state)
{
    (void)state;
    for (int s = 0; s < SCANNERS; s++) {
        for (int c = 0; c < 256; c++) {
            for (size_t bytes = 1; bytes <= 40; bytes++) {
                char *start = feed_guard()->end - bytes;
                memset(start, scanners[s].inside, bytes);
                for (size_t at = 0; at < bytes; at++) {
                    start[at] = (char)c;
                    size_t wanted = byte_is((char)c, scanners[s].class) ? bytes : at;
                    if (scanners[s].scan(start, start + bytes) != start + wanted)
                        fail_msg("scanner %d, byte 0x%02x at %zu of %zu", s, c, at, bytes);
                    start[at] = scanners[s].inside;
                }
            }
        }
    }
}

static void test_empty_runs_end_where_they_start(void **state)
{
    (void)state;
    for (int s = 0; s < SCANNERS; s++)
        assert_ptr_equal(scanners[s].scan(feed_guard()->end, feed_guard()->end), feed_guard()->end);
}

static bool is_one_of(int c, const char *set) { return c != 0 && strchr(set, c) != NULL; }

static void test_classes_are_those_of_the_standards(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        bool digit = c >= '0' && c <= '9';
        bool alnum = digit || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        bool visible = c > 0x20 && c < 0x7f;
        char byte = (char)c;

        assert_int_equal(!byte_is(byte, BYTE_DIGIT), !digit);
        assert_int_equal(!byte_is(byte, BYTE_HEX), !(digit || is_one_of(c, "abcdefABCDEF")));
        assert_int_equal(!byte_is(byte, BYTE_TOKEN), !(alnum || is_one_of(c, "!#$%&'*+-.^_`|~")));
        assert_int_equal(!byte_is(byte, BYTE_HOST), !(alnum || is_one_of(c, "-._~!$&'()*+,;=")));
        assert_int_equal(!byte_is(byte, BYTE_VALUE), !(visible || c == ' ' || c == '\t' || c >= 0x80));
        assert_int_equal(!byte_is(byte, BYTE_QUERY), !(visible && !is_one_of(c, "\"#<>")));
        assert_int_equal(!byte_is(byte, BYTE_PATH), !(visible && !is_one_of(c, "\"#<>?\\")));
    }
}

static void test_hexadecimal_digits_have_their_values(void **state)
{
    (void)state;
    const char *lower = "0123456789abcdef", *upper = "0123456789ABCDEF";

    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(byte_hex_value(lower[i]), i);
        assert_int_equal(byte_hex_value(upper[i]), i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scans_stop_where_the_table_says_at_every_offset_before_the_end_of_memory),
        cmocka_unit_test(test_empty_runs_end_where_they_start),
        cmocka_unit_test(test_classes_are_those_of_the_standards),
        cmocka_unit_test(test_hexadecimal_digits_have_their_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
