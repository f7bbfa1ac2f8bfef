#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flush/outage.h"
#include "world.h"

static void nobody(void *ctx) { (void)ctx; }
static void nobody_refused(void *ctx, enum redis_error_class c) { (void)ctx, (void)c; }
static void nobody_evicts(void *ctx, struct slice policy) { (void)ctx, (void)policy; }

static void test_an_outage_is_said_at_once_and_then_every_thirty_seconds(void **state)
{
    const struct node_address node = {"n", 1};
    struct outage o = {0};
    struct link *link;
    struct world w;
    (void)state;

    world_init(&w);
    const struct link_config config = {.transport = w.env.transport, .host = "n", .limits = {16, 16}};
    const struct link_user user = {&w, nobody, nobody, nobody_refused, nobody_evicts};
    assert_int_equal(link_create(&link, &config, &user), 0);
    w.events = 0;
    outage_lost(&o, &w.env, &node, link);
    assert_int_equal(w.events, 1);
    assert_string_equal(w.last_event, "redis_lost");
    for (int second = 1; second < 95; second++) {
        w.now_us += 1000000;
        outage_lost(&o, &w.env, &node, link);
    }
    assert_int_equal(w.events, 1 + 3);
    outage_over(&o); /* the next one is another outage */
    assert_false(o.reported);
    outage_lost(&o, &w.env, &node, link);
    assert_int_equal(w.events, 1 + 3 + 1);
    link_destroy(link);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_outage_is_said_at_once_and_then_every_thirty_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
