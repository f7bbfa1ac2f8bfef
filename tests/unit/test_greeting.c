#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "redis/greeting.h"

static const struct greeting_config plain = {.user = "", .client_name = "tallyd"};
static const struct greeting_config full = {.user = "app", .password = "s3cret", .db = 7, .client_name = "tallyd"};

static struct reply ok(void) { return (struct reply){.type = REPLY_STATUS, .text = SLICE("OK")}; }
static struct reply error(const char *text)
{
    return (struct reply){.type = REPLY_ERROR, .text = {text, strlen(text)}};
}
static struct reply info(const char *text)
{
    return (struct reply){.type = REPLY_STRING, .text = {text, strlen(text)}};
}

static uint32_t begin(struct greeting *g, const struct greeting_config *config)
{
    struct buf out = {0};
    uint32_t replies = greeting_compose(g, config, &out);

    buf_fini(&out);
    return replies;
}

static void test_only_what_is_configured_is_said(void **state)
{
    struct greeting g;
    struct buf out = {0};
    (void)state;

    assert_int_equal(greeting_compose(&g, &plain, &out), 5);
    assert_null(memmem(out.data, out.bytes, "AUTH", 4));
    assert_null(memmem(out.data, out.bytes, "SELECT", 6));
    buf_clear(&out);
    assert_int_equal(greeting_compose(&g, &full, &out), 7);
    static const char wanted[] = "*3\r\n$4\r\nAUTH\r\n$3\r\napp\r\n$6\r\ns3cret\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n7\r\n";
    assert_memory_equal(out.data, wanted, sizeof(wanted) - 1);
    buf_fini(&out);
}

static void test_a_willing_server_is_greeted_to_the_end(void **state)
{
    struct greeting g;
    struct reply r = ok();
    (void)state;

    uint32_t replies = begin(&g, &full);
    for (uint32_t i = 0; i + 1 < replies; i++)
        assert_int_equal(greeting_take(&g, &r), GREETING_GOES_ON);
    assert_int_equal(greeting_take(&g, &r), GREETING_DONE);
    assert_int_equal(g.policy.bytes, 0);
}

static void test_a_server_says_which_history_its_data_are_of(void **state)
{
    static const struct {
        const char *says;
        uint64_t lineage;
    } cases[] = {
        {"# Replication\r\nrole:master\r\nmaster_replid:00f1e2d3c4b5a697ffffffffffffffffffffffff\r\nmaster_replid2:1"
         "111111111111111111111111111111111111111\r\n",
         0x00f1e2d3c4b5a697},
        {"# Replication\r\nrole:master\r\n", 0},
        {"role:master\r\nmaster_replid:\r\n", 0},
        {"role:master\r\nmaster_replid:abc", 0},
        {"role:master\r\nmaster_replid:zzzzzzzzzzzzzzzzzzzz\r\n", 0},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct greeting g;
        struct reply is_ok = ok(), says = info(cases[i].says);
        uint32_t replies = begin(&g, &plain);
        for (uint32_t k = 0; k < replies; k++)
            greeting_take(&g, k == 2 ? &says : &is_ok);
        assert_int_equal(g.lineage, cases[i].lineage);
    }
}

static void test_setname_and_info_may_be_refused(void **state)
{
    struct greeting g;
    struct reply r = ok(), e = error("NOPERM User x has no permissions to run the 'client|setname' command");
    (void)state;

    begin(&g, &plain);
    for (int i = 0; i < 3; i++)
        assert_int_equal(greeting_take(&g, &e), GREETING_GOES_ON);
    assert_int_equal(greeting_take(&g, &r), GREETING_GOES_ON);
    assert_int_equal(greeting_take(&g, &r), GREETING_DONE);
}

static void test_a_missing_login_is_noticed_at_the_first_reply(void **state)
{
    struct greeting g;
    struct reply e = error("NOAUTH Authentication required.");
    (void)state;

    begin(&g, &plain);
    assert_int_equal(greeting_take(&g, &e), GREETING_REFUSED);
    assert_int_equal(g.error, REDIS_ERROR_NOAUTH);
}

static void test_a_refused_login_never_repeats_the_servers_words(void **state)
{
    struct greeting g;
    struct reply e = error("ERR unknown command 'AUTH', with args beginning with: 'app' 's3cret'");
    (void)state;

    begin(&g, &full);
    assert_int_equal(greeting_take(&g, &e), GREETING_REFUSED);
    assert_null(strstr(g.reason, "s3cret"));
    assert_non_null(strstr(g.reason, "AUTH"));
}

static void test_no_right_to_transactions_is_a_refusal(void **state)
{
    struct greeting g;
    struct reply r = ok(), e = error("NOPERM User x has no permissions to run the 'multi' command");
    (void)state;

    begin(&g, &plain);
    for (int i = 0; i < 3; i++)
        greeting_take(&g, &r);
    assert_int_equal(greeting_take(&g, &e), GREETING_REFUSED);
    assert_int_equal(g.error, REDIS_ERROR_NOPERM);
}

static void test_an_evicting_server_is_told_by_its_policy(void **state)
{
    struct greeting g;
    struct reply r = ok(), lru = info("# Memory\r\nused_memory:1\r\nmaxmemory_policy:allkeys-lru\r\nx:1\r\n");
    (void)state;

    begin(&g, &plain);
    greeting_take(&g, &r);
    greeting_take(&g, &lru);
    assert_true(slice_equals(g.policy, SLICE("allkeys-lru")));
    struct reply cut = info("maxmemory_policy:volatile-ttl"), none = info("# Memory\r\n");
    begin(&g, &plain);
    greeting_take(&g, &r);
    greeting_take(&g, &cut);
    assert_true(slice_equals(g.policy, SLICE("volatile-ttl")));
    begin(&g, &plain);
    greeting_take(&g, &r);
    greeting_take(&g, &none);
    assert_int_equal(g.policy.bytes, 0);
}

static void test_a_replica_is_refused(void **state)
{
    struct greeting g;
    struct reply r = ok(), replica = info("# Replication\r\nrole:slave\r\nmaster_host:x\r\n");
    (void)state;

    begin(&g, &plain);
    greeting_take(&g, &r);
    greeting_take(&g, &r);
    assert_int_equal(greeting_take(&g, &replica), GREETING_REFUSED);
    assert_int_equal(g.error, REDIS_ERROR_READONLY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_what_is_configured_is_said),
        cmocka_unit_test(test_a_willing_server_is_greeted_to_the_end),
        cmocka_unit_test(test_a_server_says_which_history_its_data_are_of),
        cmocka_unit_test(test_setname_and_info_may_be_refused),
        cmocka_unit_test(test_a_missing_login_is_noticed_at_the_first_reply),
        cmocka_unit_test(test_a_refused_login_never_repeats_the_servers_words),
        cmocka_unit_test(test_no_right_to_transactions_is_a_refusal),
        cmocka_unit_test(test_an_evicting_server_is_told_by_its_policy),
        cmocka_unit_test(test_a_replica_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
