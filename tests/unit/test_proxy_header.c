#include "net/proxy_header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V4 SIGNATURE "\x21\x11\0\x0c\xc0\0\2\x01\x7f\0\0\x01\x12\x34\0\x50"

static void assert_client(struct slice header, const char *text)
{
    struct ip client = {{0}}, wanted = {{0}};
    size_t bytes = 0;
    assert_int_equal(proxy_header_read(header, &bytes, &client), PROXY_DONE);
    assert_int_equal(bytes, header.bytes);
    if (text)
        assert_true(ip_parse((struct slice){text, strlen(text)}, &wanted));
    assert_memory_equal(&client, &wanted, sizeof(client));
}

static void test_a_header_names_the_client(void **state)
{
    (void)state;
    assert_client(SLICE(V4), "192.0.2.1");
    assert_client(SLICE(SIGNATURE "\x21\x11\0\x0f\xc0\0\2\x01\x7f\0\0\x01\x12\x34\0\x50\x03\0\0"), "192.0.2.1");
    assert_client(SLICE(SIGNATURE "\x21\x21\0\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
                                  "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x12\x34\0\x50"),
                  "2001:db8::1");
}

static void test_a_health_check_and_other_families_name_nobody(void **state)
{
    (void)state;
    assert_client(SLICE(SIGNATURE "\x20\0\0\0"), NULL);
    assert_client(SLICE(SIGNATURE "\x21\0\0\0"), NULL);
    assert_client(SLICE(SIGNATURE "\x21\x31\0\x02xx"), NULL);
}

static void test_cut_anywhere_it_wants_more_and_takes_no_byte_of_the_request(void **state)
{
    (void)state;
    struct ip client;
    size_t bytes;
    for (size_t cut = 0; cut < sizeof(V4) - 1; cut++)
        assert_int_equal(proxy_header_read((struct slice){V4, cut}, &bytes, &client), PROXY_MORE);
    assert_int_equal(proxy_header_read(SLICE(V4 "GET / HTTP/1.1\r\n"), &bytes, &client), PROXY_DONE);
    assert_int_equal(bytes, sizeof(V4) - 1);
}

static void test_what_is_no_header_is_bad_at_its_first_wrong_byte(void **state)
{
    (void)state;
    struct ip client;
    size_t bytes;
    static const struct slice bad[] = {
        SLICE("G"),
        SLICE("PROXY TCP4 192.0.2.1 127.0.0.1 1 2\r\n"),
        SLICE("\r\n\r\nG"),
        SLICE(SIGNATURE "\x11\x11\0\x0c"),
        SLICE(SIGNATURE "\x22\x11\0\x0c"),
        SLICE(SIGNATURE "\x21\x11\xff\xff"),
        SLICE(SIGNATURE "\x21\x11\0\x04\xc0\0\2\x01"),
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(proxy_header_read(bad[i], &bytes, &client), PROXY_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_header_names_the_client),
        cmocka_unit_test(test_a_health_check_and_other_families_name_nobody),
        cmocka_unit_test(test_cut_anywhere_it_wants_more_and_takes_no_byte_of_the_request),
        cmocka_unit_test(test_what_is_no_header_is_bad_at_its_first_wrong_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
