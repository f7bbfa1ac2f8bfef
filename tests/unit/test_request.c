#include "http/request.h"

#include "support/http_feed.h"

static void test_rebase_moves_every_slice_but_the_body_and_the_absent(void **state)
{
    (void)state;
    static char from[100], to[100];
    struct http_request r = {0};

    http_request_rebase(&r, from, to);
    assert_null(r.method_text.at);
    assert_null(r.host.at);
    assert_null(r.field[0].at);

    r.method_text = (struct slice){from, 3};
    r.path = (struct slice){from + 4, 5};
    r.query = (struct slice){from + 10, 0};
    r.host = (struct slice){from + 20, 6};
    for (int i = 0; i < HTTP_FIELDS; i++)
        r.field[i] = (struct slice){from + 30 + i, 1};
    r.body = (struct slice){from + 60, 7};
    http_request_rebase(&r, from, to);
    assert_ptr_equal(r.method_text.at, to);
    assert_ptr_equal(r.path.at, to + 4);
    assert_ptr_equal(r.query.at, to + 10);
    assert_ptr_equal(r.host.at, to + 20);
    for (int i = 0; i < HTTP_FIELDS; i++)
        assert_ptr_equal(r.field[i].at, to + 30 + i);
    assert_ptr_equal(r.body.at, from + 60);
    assert_int_equal(r.path.bytes, 5);
}

/* "name>value|" for every pair. */
static void assert_pairs(const char *query, const char *wanted)
{
    char got[256] = "";
    size_t at = 0;
    struct slice rest = {guard_copy(feed_guard(), query, strlen(query)), strlen(query)}, name, value;

    while (http_query_next(&rest, &name, &value))
        at += (size_t)snprintf(got + at, sizeof(got) - at, "%.*s>%.*s|", (int)name.bytes, name.at, (int)value.bytes,
                               value.at);
    assert_string_equal(got, wanted);
    assert_false(http_query_next(&rest, &name, &value));
}

static void test_query_is_cut_at_ampersands_and_first_equals(void **state)
{
    (void)state;
    assert_pairs("n=5", "n>5|");
    assert_pairs("key=a&key=b&value=1", "key>a|key>b|value>1|");
    assert_pairs("", "");
    assert_pairs("&", "");
    assert_pairs("&&a&&&b=&", "a>|b>|");
    assert_pairs("a", "a>|");
    assert_pairs("a=b=c&=d&=", "a>b=c|>d|>|");
    assert_pairs("a;b=c%26d", "a;b>c%26d|");
}

static void test_absent_query_has_no_pairs(void **state)
{
    (void)state;
    struct slice rest = {0}, name, value;
    assert_false(http_query_next(&rest, &name, &value));
}

static void test_a_word_of_a_query_is_itself_however_it_is_written(void **state)
{
    (void)state;
    static const char *const same[] = {"key", "%6bey", "%6B%65%79", "ke%79"};
    static const char *const others[] = {
        "",
        "k",
        "keys",
        "%6b",
        "%6bey%",
        "%6bey%2",
        "%4bey",
        "key%00",
        "KEY",
        "%256bey",
        "%6b%6b%6b%6b%6b%6b%6b%6b%6b%6b%6b%6b%6b%6b%6b%6b%6b%6b%6b%6b%6b%6b%6b%6b%6b%6b%6b"
        "%6b%6b%6b%6b%6b%6b%6b%6b%6b%6b%6b%6b%6b%6b%6b%6b"};
    for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++)
        assert_true(http_query_is((struct slice){same[i], strlen(same[i])}, SLICE("key")));
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        assert_false(http_query_is((struct slice){others[i], strlen(others[i])}, SLICE("key")));
}

static void assert_decodes(struct slice in, bool plus, struct slice wanted)
{
    char out[64];
    struct slice copy = {guard_copy(feed_guard(), in.at, in.bytes), in.bytes};

    assert_int_equal(http_percent_decode(copy, plus, out, sizeof(out)), wanted.bytes);
    assert_memory_equal(out, wanted.at, wanted.bytes);
}

static void test_percent_escapes_are_decoded_once(void **state)
{
    (void)state;
    assert_decodes(SLICE(""), false, SLICE(""));
    assert_decodes(SLICE("plain"), false, SLICE("plain"));
    assert_decodes(SLICE("a%20b"), false, SLICE("a b"));
    assert_decodes(SLICE("%41%7a%7A"), false, SLICE("Azz"));
    assert_decodes(SLICE("%2525"), false, SLICE("%25"));
    assert_decodes(SLICE("%00%ff%C3%bc"), false, SLICE("\0\xff\xc3\xbc"));
    assert_decodes(SLICE("a+b%2B"), false, SLICE("a+b+"));
    assert_decodes(SLICE("a+b%2B"), true, SLICE("a b+"));
}

static void test_broken_percent_escapes_are_refused(void **state)
{
    (void)state;
    static const char *broken[] = {"%", "%4", "a%", "a%4", "%%", "%4%41", "%g0", "%0g", "% 41", "%-1", "%+1", "%0x"};
    char out[64];

    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        size_t bytes = strlen(broken[i]);
        struct slice in = {guard_copy(feed_guard(), broken[i], bytes), bytes};
        if (http_percent_decode(in, false, out, sizeof(out)) != -1)
            fail_msg("accepted: %s", broken[i]);
    }
}

static void test_decoding_stops_at_the_room_given(void **state)
{
    (void)state;
    char out[4] = "....";

    assert_int_equal(http_percent_decode(SLICE("%41bc"), false, out, 3), 3);
    assert_memory_equal(out, "Abc.", 4);
    assert_int_equal(http_percent_decode(SLICE("%41bcd"), false, out, 3), -1);
    assert_int_equal(out[3], '.');
    assert_int_equal(http_percent_decode(SLICE("a"), false, out, 0), -1);
    assert_int_equal(http_percent_decode(SLICE(""), false, out, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rebase_moves_every_slice_but_the_body_and_the_absent),
        cmocka_unit_test(test_query_is_cut_at_ampersands_and_first_equals),
        cmocka_unit_test(test_absent_query_has_no_pairs),
        cmocka_unit_test(test_a_word_of_a_query_is_itself_however_it_is_written),
        cmocka_unit_test(test_percent_escapes_are_decoded_once),
        cmocka_unit_test(test_broken_percent_escapes_are_refused),
        cmocka_unit_test(test_decoding_stops_at_the_room_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
