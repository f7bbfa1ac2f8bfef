#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nodes/outage.h"
#include "support/world.h"

static void nobody(void *ctx) { (void)ctx; }
static void nobody_refused(void *ctx, const struct redis_refusal *c) { (void)ctx, (void)c; }
static void nobody_evicts(void *ctx, struct slice policy) { (void)ctx, (void)policy; }

static const struct node_address node = {"n", 1, ""};

static struct link *link_new(struct world *w)
{
    const struct link_config config = {
        .transport = w->transport, .host = "n", .random = w->env.random, .random_ctx = w->env.ctx, .limits = {16, 16}};
    const struct link_user user = {w, nobody, nobody, nobody_refused, nobody_evicts};
    struct link *link;

    assert_int_equal(link_create(&link, &config, &user), 0);
    return link;
}

static void test_another_reason_is_said_after_a_second(void **state)
{
    struct outage o = {0};
    struct world w;
    (void)state;

    world_init(&w);
    struct link *closed = link_new(&w), *refused = link_new(&w); /* the one has no reason yet */
    w.redis.open_error = -ECONNREFUSED;
    link_tick(refused, 1);
    assert_true(*link_reason(refused));
    w.events = 0;
    outage_lost(&o, &w.env, &node, closed);
    assert_int_equal(w.events, 1);
    for (int tenth = 1; tenth < 10; tenth++) {
        w.now_us += 100000;
        outage_lost(&o, &w.env, &node, refused);
        assert_int_equal(w.events, 1);
    }
    for (int second = 0; second < 30; second++) {
        w.now_us += 1000000;
        outage_lost(&o, &w.env, &node, refused);
        assert_int_equal(w.events, 2);
    }
    w.now_us += 1000000;
    outage_lost(&o, &w.env, &node, refused);
    assert_int_equal(w.events, 3);
    link_destroy(closed);
    link_destroy(refused);
    world_fini(&w);
}

static void test_an_outage_is_said_at_once_and_then_every_thirty_seconds(void **state)
{
    struct outage o = {0};
    struct world w;
    (void)state;

    world_init(&w);
    struct link *link = link_new(&w);
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
        cmocka_unit_test(test_another_reason_is_said_after_a_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
