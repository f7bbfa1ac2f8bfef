#include "http/target.h"

#include "support/http_feed.h"

#define REST " HTTP/1.1\r\nHost: h\r\n\r\n"

struct form_row {
    const char *rule;
    struct slice text;
    const char *path, *query, *host;
};

static void test_four_forms_are_split_into_host_path_and_query(void **state)
{
    (void)state;
    static const struct form_row rows[] = {
        {"RFC 9112 3.2.1", SLICE("GET /" REST), "/", NULL, "h"},
        {"RFC 9112 3.2.1", SLICE("GET /a/b?c=d?e" REST), "/a/b", "c=d?e", "h"},
        {"RFC 9112 3.2.1", SLICE("GET /?" REST), "/", "", "h"},
        {"RFC 9112 3.2.1", SLICE("GET //a//" REST), "//a//", NULL, "h"},
        {"RFC 9112 3.2.1", SLICE("GET /http://x/" REST), "/http://x/", NULL, "h"},
        {"RFC 3986 2.1", SLICE("GET /%zz%2f%" REST), "/%zz%2f%", NULL, "h"},
        {"URL Standard", SLICE("GET /^`{|}?^`{|}\\" REST), "/^`{|}", "^`{|}\\", "h"},
        {"RFC 9112 3.2.2", SLICE("GET http://other:81/a?b" REST), "/a", "b", "other:81"},
        {"RFC 9112 3.2.2", SLICE("GET HTTPS://other/" REST), "/", NULL, "other"},
        {"RFC 9110 4.2.3", SLICE("GET http://other" REST), "/", NULL, "other"},
        {"RFC 9110 4.2.3", SLICE("GET http://other?q" REST), "/", "q", "other"},
        {"RFC 9110 4.2.3", SLICE("GET http://other:?q" REST), "/", "q", "other:"},
        {"RFC 9112 3.2.2", SLICE("GET http://[::1]:80/x" REST), "/x", NULL, "[::1]:80"},
        {"RFC 9112 3.2.2", SLICE("GET http://other/x HTTP/1.0\r\n\r\n"), "/x", NULL, "other"},
        {"RFC 9112 3.2.3", SLICE("CONNECT other:443" REST), "", NULL, "other:443"},
        {"RFC 9112 3.2.3", SLICE("CONNECT [::1]:443" REST), "", NULL, "[::1]:443"},
        {"RFC 9112 3.2.4", SLICE("OPTIONS *" REST), "*", NULL, "h"},
        {"RFC 9112 3.2.1", SLICE("OPTIONS /x" REST), "/x", NULL, "h"},
        {"RFC 9112 3.2.1", SLICE("GET / HTTP/1.0\r\n\r\n"), "/", NULL, NULL},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct head_outcome o = feed_head_cut(rows[i].text, &http_limits_default);
        if (o.result != HTTP_DONE || !slice_is_text(o.r.path, rows[i].path) ||
            !slice_is_text(o.r.query, rows[i].query) || !slice_is_text(o.r.host, rows[i].host))
            fail_msg("%s: %.*s: path \"%.*s\" query \"%.*s\" host \"%.*s\"", rows[i].rule, (int)rows[i].text.bytes,
                     rows[i].text.at, (int)o.r.path.bytes, o.r.path.at, (int)o.r.query.bytes, o.r.query.at,
                     (int)o.r.host.bytes, o.r.host.at);
    }
}

static void test_targets_of_another_form_are_refused(void **state)
{
    (void)state;
    static const struct head_row rows[] = {
        {"RFC 9112 3.2", SLICE("GET a" REST), 400, "target_form"},
        {"RFC 9112 3.2", SLICE("GET ?a" REST), 400, "target_form"},
        {"RFC 9112 3.2", SLICE("GET a:80" REST), 400, "target_form"},
        {"RFC 9112 3.2.4", SLICE("GET *" REST), 400, "target_form"},
        {"RFC 9112 3.2.4", SLICE("OPTIONS **" REST), 400, "target_form"},
        {"RFC 9112 3.2.4", SLICE("OPTIONS *?a" REST), 400, "target_form"},
        {"RFC 9112 3.2.2", SLICE("GET ftp://a/" REST), 400, "target_form"},
        {"RFC 9112 3.2.2", SLICE("GET httpx://a/" REST), 400, "target_form"},
        {"RFC 9112 3.2.2", SLICE("GET http:/a" REST), 400, "target_form"},
        {"RFC 9112 3.2.2", SLICE("GET http:a" REST), 400, "target_form"},
        {"RFC 9112 3.2.2", SLICE("GET http" REST), 400, "target_form"},
        {"RFC 9112 3.2.2", SLICE("GET http:/" REST), 400, "target_form"},
        {"RFC 9110 4.2.1", SLICE("GET http://" REST), 400, "target_form"},
        {"RFC 9110 4.2.1", SLICE("GET http:///a" REST), 400, "target_form"},
        {"RFC 9110 4.2.1", SLICE("GET http://:80/a" REST), 400, "target_form"},
        {"RFC 9110 4.2.1", SLICE("GET http://?a" REST), 400, "target_form"},
        {"RFC 9110 4.2.4", SLICE("GET http://user@a/" REST), 400, "target_form"},
        {"RFC 9110 4.2.4", SLICE("GET http://user:secret@a/" REST), 400, "target_form"},
        {"RFC 9112 3.2.2", SLICE("GET http://a:99999/" REST), 400, "target_form"},
        {"RFC 9112 3.2.3", SLICE("CONNECT /" REST), 400, "target_form"},
        {"RFC 9112 3.2.3", SLICE("CONNECT a" REST), 400, "target_form"},
        {"RFC 9112 3.2.3", SLICE("CONNECT a1" REST), 400, "target_form"},
        {"RFC 9112 3.2.3", SLICE("CONNECT a:" REST), 400, "target_form"},
        {"RFC 9112 3.2.3", SLICE("CONNECT :1" REST), 400, "target_form"},
        {"RFC 9112 3.2.3", SLICE("CONNECT ?:1" REST), 400, "target_form"},
        {"RFC 9112 3.2.3", SLICE("CONNECT a:1?b" REST), 400, "target_form"},
        {"RFC 9112 3.2.3", SLICE("CONNECT [::1]" REST), 400, "target_form"},
        {"RFC 9112 3.2.3", SLICE("CONNECT http://a:1/" REST), 400, "target_form"},
        {"RFC 9110 7.1 fragment", SLICE("GET /a#b" REST), 400, "target"},
        {"RFC 9110 7.1 fragment", SLICE("GET /a?b#c" REST), 400, "target"},
        {"RFC 3986 2", SLICE("GET /a\\b" REST), 400, "target"},
        {"RFC 3986 2", SLICE("GET /<a>" REST), 400, "target"},
        {"RFC 3986 2", SLICE("GET /?\"a\"" REST), 400, "target"},
        {"RFC 3986 2", SLICE("GET /\x80" REST), 400, "target"},
        {"RFC 3986 2", SLICE("GET /\xc3\xbc" REST), 400, "target"},
        {"RFC 3986 2", SLICE("GET /\x7f" REST), 400, "target"},
        {"RFC 3986 2", SLICE("GET /a\0b" REST), 400, "target"},
        {"RFC 3986 2", SLICE("GET /?a\x01" REST), 400, "target"},
    };
    CHECK_HEAD_ROWS(rows);
}

static bool host_valid(const char *text)
{
    size_t bytes = strlen(text);
    return target_host_valid((struct slice){guard_copy(feed_guard(), text, bytes), bytes});
}

/* RFC 3986 section 3.2.2 */
static const char *const hosts_valid[] = {
    "a",
    "A.b-c_d~e",
    "example.com",
    "example.com.",
    "example.com:80",
    "example.com:",
    "example.com:0",
    "example.com:65535",
    "example.com:000080",
    "127.0.0.1",
    "127.0.0.1:8080",
    "999.1.1.1",
    "a%20b",
    "a%fF",
    "!$&'()*+,;=",
    "[::]",
    "[::1]:80",
    "[2001:db8::1]",
    "[::ffff:1.2.3.4]",
    "[1:2:3:4:5:6:7:8]:",
    "xn--bcher-kva.example",
    "[0000:0000:0000:0000:0000:ffff:255.255.255.255]",
};
static const char *const hosts_invalid[] = {
    "",
    ":",
    ":80",
    "a:b",
    "a:80:80",
    "a:80x",
    "a:-1",
    "a: 80",
    "a:65536",
    "a:99999999999999999999",
    "a b",
    "a/b",
    "a@b",
    "a?b",
    "a#b",
    "a%",
    "a%2",
    "a%2g",
    "a%zz",
    "a\\b",
    "<a>",
    "\"a\"",
    "a^b",
    "a|b",
    "{a}",
    "b\xc3\xbc",
    "[",
    "]",
    "[]",
    "[:]",
    "[::1",
    "::1",
    "[::1]x",
    "[::1]80",
    "[::1]:x",
    "[a.b]",
    "[1.2.3.4]",
    "[::g]",
    "[fe80::1%25eth0]",
    "[v1.a]",
    "[0000:0000:0000:0000:0000:ffff:255.255.255.2555]",
    "[0000:0000:0000:0000:0000:ffff:255.255.255.25555]",
    "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]",
    "[::1]]",
    "a[::1]",
    "a\tb",
};

static void test_hosts_are_names_or_addresses_with_a_port(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(hosts_valid) / sizeof(hosts_valid[0]); i++) {
        if (!host_valid(hosts_valid[i]))
            fail_msg("refused: %s", hosts_valid[i]);
    }
    for (size_t i = 0; i < sizeof(hosts_invalid) / sizeof(hosts_invalid[0]); i++) {
        if (host_valid(hosts_invalid[i]))
            fail_msg("accepted: %s", hosts_invalid[i]);
    }
    assert_false(target_host_valid(SLICE("[::1\0]")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_four_forms_are_split_into_host_path_and_query),
        cmocka_unit_test(test_targets_of_another_form_are_refused),
        cmocka_unit_test(test_hosts_are_names_or_addresses_with_a_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
