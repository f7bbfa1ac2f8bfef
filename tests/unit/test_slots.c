/* CLUSTER SLOTS, as servers of several versions answer it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "redis/slots.h"

static const struct node_address asked = {"seed.example", 6379, ""};

struct parsed {
    struct resp_reader *reader;
    const struct reply *reply;
};

static void parse(struct parsed *p, const char *text)
{
    assert_int_equal(resp_create(&p->reader, &(struct resp_limits){1024, 8192}), 0);
    assert_int_equal(resp_feed(p->reader, text, strlen(text)), 0);
    assert_int_equal(resp_next(p->reader, &p->reply), 1);
}

static void assert_owner(const char *text, uint16_t slot, const char *host, uint16_t port)
{
    struct parsed p;
    struct node_address out;

    parse(&p, text);
    assert_true(slots_fits(p.reply));
    assert_true(slots_find(p.reply, slot, &asked, &out));
    assert_string_equal(out.host, host);
    assert_int_equal(out.port, port);
    resp_destroy(p.reader);
}

static void assert_nobody(const char *text, uint16_t slot)
{
    struct parsed p;
    struct node_address out = {"untouched", 1, ""};

    parse(&p, text);
    assert_true(slots_fits(p.reply));
    assert_false(slots_find(p.reply, slot, &asked, &out));
    assert_string_equal(out.host, "untouched");
    resp_destroy(p.reader);
}

#define TWO_RANGES                                                                                                     \
    "*2\r\n"                                                                                                           \
    "*4\r\n:0\r\n:100\r\n*3\r\n$8\r\n10.0.0.1\r\n:7001\r\n$2\r\nid\r\n*3\r\n$8\r\n10.0.0.9\r\n:7009\r\n$2\r\nid\r\n"   \
    "*3\r\n:200\r\n:16383\r\n*2\r\n$8\r\n10.0.0.2\r\n:7002\r\n"

static void test_the_master_of_the_range_is_found_and_no_replica(void **state)
{
    (void)state;
    assert_owner(TWO_RANGES, 0, "10.0.0.1", 7001);
    assert_owner(TWO_RANGES, 100, "10.0.0.1", 7001);
    assert_owner(TWO_RANGES, 200, "10.0.0.2", 7002);
    assert_owner(TWO_RANGES, 16383, "10.0.0.2", 7002);
}

static void assert_masters(const char *text, uint32_t most, uint32_t masters)
{
    struct parsed p;

    parse(&p, text);
    assert_int_equal(slots_masters(p.reply, most), masters);
    resp_destroy(p.reader);
}

static void test_masters_are_counted_once_each_and_replicas_not_at_all(void **state)
{
    (void)state;
    assert_masters(TWO_RANGES, 10, 2);
    assert_masters(TWO_RANGES, 1, 1);
    assert_masters("*0\r\n", 10, 0);
    assert_masters("*3\r\n*3\r\n:0\r\n:1\r\n*2\r\n$1\r\na\r\n:1\r\n*3\r\n:2\r\n:3\r\n*2\r\n$1\r\na\r\n:2\r\n"
                   "*3\r\n:4\r\n:5\r\n*2\r\n$1\r\na\r\n:1\r\n",
                   10, 2);
}

static void test_a_slot_that_nobody_serves_has_no_owner(void **state)
{
    (void)state;
    assert_nobody(TWO_RANGES, 101);
    assert_nobody("*0\r\n", 0);
}

static void test_who_is_in_the_map_is_known_be_it_master_or_replica(void **state)
{
    static const struct {
        struct node_address address;
        bool known;
    } cases[] = {{{"10.0.0.1", 7001, ""}, true},  {{"10.0.0.9", 7009, ""}, true},  {{"10.0.0.2", 7002, ""}, true},
                 {{"10.0.0.2", 7001, ""}, false}, {{"10.0.0.3", 7001, ""}, false}, {{"seed.example", 6379, ""}, false}};
    struct parsed p;
    (void)state;

    parse(&p, TWO_RANGES);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(slots_know(p.reply, &asked, &cases[i].address), cases[i].known);
    resp_destroy(p.reader);
}

/* One range with one node: its endpoint, and one pair of metadata. */
static void assert_address(const char *endpoint, const char *kind, const char *says, const char *host,
                           const char *other)
{
    char text[512];
    struct parsed p;
    struct node_address out;
    int at = snprintf(text, sizeof(text), "*1\r\n*3\r\n:0\r\n:9\r\n*4\r\n");

    at += endpoint ? snprintf(text + at, sizeof(text) - (size_t)at, "$%zu\r\n%s\r\n", strlen(endpoint), endpoint)
                   : snprintf(text + at, sizeof(text) - (size_t)at, "$-1\r\n");
    at += snprintf(text + at, sizeof(text) - (size_t)at, ":7001\r\n$2\r\nid\r\n*%d\r\n", kind ? 2 : 0);
    if (kind)
        snprintf(text + at, sizeof(text) - (size_t)at, "$%zu\r\n%s\r\n$%zu\r\n%s\r\n", strlen(kind), kind, strlen(says),
                 says);
    parse(&p, text);
    assert_true(slots_fits(p.reply));
    assert_true(slots_find(p.reply, 5, &asked, &out));
    assert_string_equal(out.host, host);
    assert_string_equal(out.other, other);
    assert_int_equal(out.port, 7001);
    resp_destroy(p.reader);
}

static void test_the_preferred_endpoint_comes_first_and_what_else_is_known_second(void **state)
{
    (void)state;
    assert_address("10.0.0.1", "hostname", "node.a", "10.0.0.1", "node.a");
    assert_address("node.a", "ip", "10.0.0.1", "node.a", "10.0.0.1");
    assert_address("10.0.0.1", "hostname", "", "10.0.0.1", "");
    assert_address("10.0.0.1", "hostname", "10.0.0.1", "10.0.0.1", "");
    assert_address("fe80:0::1", NULL, NULL, "fe80:0::1", "");
    assert_address("?", "ip", "10.0.0.7", "10.0.0.7", "");
    assert_address("", "ip", "10.0.0.7", "seed.example", "10.0.0.7");
    assert_address(NULL, "hostname", "node.a", "seed.example", "node.a");
    assert_address(NULL, NULL, NULL, "seed.example", "");
}

static void test_a_host_that_could_forge_a_line_or_a_label_is_nobody(void **state)
{
    static const char *const bad[] = {"a\nb", "a\" 1\ntallyd_up 0", "a b", "a{b}", "a\\b", "a/b", "a\x7f", "\xc3\xa4"};
    char text[512];
    (void)state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        snprintf(text, sizeof(text), "*1\r\n*3\r\n:0\r\n:9\r\n*2\r\n$%zu\r\n%s\r\n:1\r\n", strlen(bad[i]), bad[i]);
        assert_nobody(text, 5);
        assert_address("10.0.0.1", "hostname", bad[i], "10.0.0.1", "");
    }
}

static void test_an_address_that_makes_no_sense_is_nobody(void **state)
{
    (void)state;
    assert_nobody("*1\r\n*3\r\n:0\r\n:9\r\n*2\r\n$1\r\na\r\n:0\r\n", 5);
    assert_nobody("*1\r\n*3\r\n:0\r\n:9\r\n*2\r\n$1\r\na\r\n:-1\r\n", 5);
    assert_nobody("*1\r\n*3\r\n:0\r\n:9\r\n*2\r\n$1\r\na\r\n:65536\r\n", 5);
    assert_nobody("*1\r\n*3\r\n:0\r\n:9\r\n*4\r\n$1\r\n?\r\n:1\r\n$2\r\nid\r\n*0\r\n", 5);
    char text[512], host[NODE_HOST_BYTES_MAX + 1];
    memset(host, 'h', sizeof(host) - 1);
    host[sizeof(host) - 1] = '\0';
    snprintf(text, sizeof(text), "*1\r\n*3\r\n:0\r\n:9\r\n*2\r\n$%d\r\n%s\r\n:1\r\n", NODE_HOST_BYTES_MAX, host);
    assert_nobody(text, 5);
}

static void test_replies_that_are_no_slot_map_are_refused(void **state)
{
    static const char *const texts[] = {
        "-ERR This instance has cluster support disabled\r\n",
        "+OK\r\n",
        "*1\r\n:1\r\n",
        "*1\r\n*2\r\n:0\r\n:9\r\n",
        "*1\r\n*3\r\n:0\r\n:9\r\n:1\r\n",
        "*1\r\n*3\r\n:-1\r\n:9\r\n*2\r\n$1\r\na\r\n:1\r\n",
        "*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\na\r\n:1\r\n",
        "*1\r\n*3\r\n:9\r\n:8\r\n*2\r\n$1\r\na\r\n:1\r\n",
        "*1\r\n*3\r\n:0\r\n$1\r\n9\r\n*2\r\n$1\r\na\r\n:1\r\n",
        "*1\r\n*3\r\n:0\r\n:9\r\n*1\r\n$1\r\na\r\n",
        "*1\r\n*3\r\n:0\r\n:9\r\n*2\r\n:1\r\n:1\r\n",
    };
    (void)state;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct parsed p;
        parse(&p, texts[i]);
        assert_false(slots_fits(p.reply));
        resp_destroy(p.reader);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_master_of_the_range_is_found_and_no_replica),
        cmocka_unit_test(test_masters_are_counted_once_each_and_replicas_not_at_all),
        cmocka_unit_test(test_a_slot_that_nobody_serves_has_no_owner),
        cmocka_unit_test(test_who_is_in_the_map_is_known_be_it_master_or_replica),
        cmocka_unit_test(test_the_preferred_endpoint_comes_first_and_what_else_is_known_second),
        cmocka_unit_test(test_a_host_that_could_forge_a_line_or_a_label_is_nobody),
        cmocka_unit_test(test_an_address_that_makes_no_sense_is_nobody),
        cmocka_unit_test(test_replies_that_are_no_slot_map_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
