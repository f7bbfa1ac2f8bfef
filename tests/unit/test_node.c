#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nodes/node.h"
#include "support/world.h"

struct fixture {
    struct world world; /* for its Redis, env and clock */
    struct keyspace space;
    struct accounts accounts;
    struct read_queue reads;
    struct node *node;
    int remaps;
};

static void on_remap(void *ctx) { ((struct fixture *)ctx)->remaps++; }

static uint64_t no_chance(void *ctx)
{
    (void)ctx;
    return 0;
}

static void fixture_init(struct fixture *f, const char *password)
{
    *f = (struct fixture){0};
    world_init_with(&f->world, &(struct world_options){.embedded = true});
    keyspace_init(&f->space, "t:", 0);
    f->accounts = (struct accounts){.env = &f->world.env, .books = &f->world.books, .stats = &f->world.stats};
    f->reads.space = &f->space;
    const struct link_config link = {
        .transport = {&fake_ops, &f->world.redis},
        .random = no_chance,
        .host = "overwritten",
        .user = "",
        .credentials = world_credentials(password),
        .client_name = "tallyd",
        .connect_timeout_ms = 3000,
        .reply_timeout_ms = 5000,
        .reply_timeout_max_ms = 30000,
        .backoff_min_ms = 100,
        .backoff_max_ms = 5000,
        .limits = {.nodes_max = 64, .text_bytes_max = 4096},
    };
    assert_int_equal(node_create(&f->node, &(struct node_config){.accounts = &f->accounts,
                                                                 .reads = &f->reads,
                                                                 .link = &link,
                                                                 .address = {"redis", 6379, ""},
                                                                 .members_max = 1,
                                                                 .remap = on_remap,
                                                                 .remap_ctx = f}),
                     0);
    f->world.events = 0;
}

static void fixture_fini(struct fixture *f)
{
    node_destroy(f->node);
    world_fini(&f->world);
}

static void run_ms(struct fixture *f, uint64_t ms)
{
    for (uint64_t until = f->world.now_us + ms * 1000; f->world.now_us < until; f->world.now_us += 10000)
        node_tick(f->node, f->world.now_us / 1000);
}

static void test_a_node_connects_and_says_so(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f, NULL);
    assert_false(node_is_ready(f.node));
    assert_false(node_is_lost(f.node)); /* not tried yet */
    run_ms(&f, 200);
    assert_true(node_is_ready(f.node));
    assert_string_equal(f.world.last_event, "redis_connected");
    assert_int_equal(f.world.events, 1);
    assert_string_equal(node_address(f.node)->host, "redis");
    assert_int_equal(link_traffic(node_link(f.node))->connects, 1);
    assert_int_equal(session_members(node_session(f.node)), 0);
    fixture_fini(&f);
}

static void test_a_lost_node_is_said_once_a_reason_and_comes_back(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f, NULL);
    run_ms(&f, 200);
    f.world.redis.open_error = -ECONNREFUSED;
    fake_restart(&f.world.redis);
    run_ms(&f, 3000);
    assert_true(node_is_lost(f.node));
    assert_false(node_is_ready(f.node));
    assert_string_equal(f.world.last_event, "redis_lost");
    assert_int_equal(f.world.events, 1 + 2); /* it was closed, and cannot be opened */
    assert_true(f.world.stats.link_errors > 1);
    f.world.redis.open_error = 0;
    run_ms(&f, 10000);
    assert_true(node_is_ready(f.node));
    assert_false(node_is_lost(f.node));
    assert_string_equal(f.world.last_event, "redis_connected");
    fixture_fini(&f);
}

static void test_a_refused_greeting_is_counted_by_its_class(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f, "wrong");
    f.world.redis.model.password = "right";
    run_ms(&f, 500);
    assert_true(f.world.stats.errors_by_class[REDIS_ERROR_WRONGPASS] > 0);
    assert_true(node_is_lost(f.node));
    fixture_fini(&f);
}

static void test_a_redis_that_evicts_is_warned_of(void **state)
{
    struct fixture f;
    (void)state;

    fixture_init(&f, NULL);
    f.world.redis.model.policy = "allkeys-lru";
    run_ms(&f, 200);
    assert_int_equal(f.world.events, 2); /* the warning, and that it is connected */
    fixture_fini(&f);
}

static void test_asked_to_it_ends_its_connection_and_makes_another(void **state)
{
    void (*const ends[])(struct node *) = {node_reconnect, node_abandon};
    struct fixture f;
    (void)state;

    for (int i = 0; i < 2; i++) {
        fixture_init(&f, NULL);
        run_ms(&f, 200);
        ends[i](f.node);
        run_ms(&f, 10);
        assert_false(node_is_ready(f.node));
        assert_true(node_wake_ms(f.node) <= f.world.now_us / 1000 + 5000);
        run_ms(&f, 10000);
        assert_true(node_is_ready(f.node));
        assert_int_equal(link_traffic(node_link(f.node))->connects, 2);
        fixture_fini(&f);
    }
    node_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_node_connects_and_says_so),
        cmocka_unit_test(test_a_lost_node_is_said_once_a_reason_and_comes_back),
        cmocka_unit_test(test_a_refused_greeting_is_counted_by_its_class),
        cmocka_unit_test(test_a_redis_that_evicts_is_warned_of),
        cmocka_unit_test(test_asked_to_it_ends_its_connection_and_makes_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
