/* Who owns which slot, and is the data set cut as we think: the first words with a cluster. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/fake_cluster.h"

static struct fake_key meta_of(struct fake_cluster *f)
{
    return fake_key(&f->nodes[f->owner[slot_of_text("t:!meta")]], "t:!meta");
}

static void no_slots(void *ctx, struct buf *out)
{
    (void)ctx;
    buf_printf(out, "*0\r\n");
}

static void test_the_first_one_says_into_how_many_partitions_the_data_set_is_cut(void **state)
{
    (void)state;

    /* Whichever node is the seed's, and whichever owns the key. */
    for (int owner = 0; owner < CLUSTER_NODES; owner++) {
        struct fake_cluster *f = cluster_create(&(struct world_options){0});
        cluster_give(f, slot_of_text("t:!meta"), (uint8_t)owner);
        world_run_ms(&f->world, 1000);
        assert_true(meta_of(f).exists);
        assert_string_equal(meta_of(f).value, "tallyd format=1 partitions=16");
        assert_int_equal(f->world.stats.cut, CUT_AGREES);
        assert_true(f->world.stats.connected);
        cluster_destroy(f);
    }
}

static void test_a_value_of_another_version_is_not_ours(void **state)
{
    struct fake_cluster *f = cluster_create(&(struct world_options){0});
    (void)state;

    fake_set(&f->nodes[f->owner[slot_of_text("t:!meta")]], "t:!meta", "tallyd format=2 partitions=16");
    world_run_ms(&f->world, 2000);
    assert_int_equal(f->world.stats.cut, CUT_DIFFERS);
    assert_int_equal(f->world.stats.partitions_found, 0);
    assert_string_equal(meta_of(f).value, "tallyd format=2 partitions=16");
    cluster_destroy(f);
}

static void test_on_a_server_that_is_no_cluster_nothing_is_written(void **state)
{
    struct world w;
    (void)state;

    world_init_with(&w, &(struct world_options){.partitions = 16});
    world_hit(&w, 0, "n/a", 1);
    world_run_ms(&w, 10000);
    assert_true(fake_is_untouched(&w.redis));
    assert_string_equal(w.last_event, "store_refuses");
    assert_int_equal(w.events, 1);
    assert_false(w.stats.connected);
    world_fini(&w);
}

static void test_a_refused_meta_key_is_said_and_asked_for_again(void **state)
{
    struct fake_cluster *f = cluster_create(&(struct world_options){0});
    (void)state;

    for (int i = 0; i < CLUSTER_NODES; i++) {
        fake_rule(&f->nodes[i], (struct fake_rule){"GET", "!meta", "-NOPERM No permissions to access a key"});
        f->nodes[i].model.policy = "allkeys-lru"; /* which the nodes' own links say */
    }
    world_hit(&f->world, 0, "n/a", 1);
    world_run_ms(&f->world, 3000);
    assert_string_equal(f->world.last_event, "store_refuses");
    assert_int_equal(f->world.stats.cut, CUT_UNKNOWN);
    assert_int_equal(world_books(&f->world).stored, 0);
    for (int i = 0; i < CLUSTER_NODES; i++)
        f->nodes[i].rules_count = 0;
    assert_true(world_settle(&f->world));
    assert_int_equal(f->world.stats.cut, CUT_AGREES);
    cluster_destroy(f);
}

static void test_a_slot_of_the_meta_key_that_nobody_serves_is_waited_for(void **state)
{
    struct fake_cluster *f = cluster_create(&(struct world_options){0});
    (void)state;

    for (int i = 0; i < CLUSTER_NODES; i++)
        f->nodes[i].model.cluster.slots = no_slots;
    world_hit(&f->world, 0, "n/a", 1);
    world_run_ms(&f->world, 3000);
    assert_int_equal(f->world.stats.cut, CUT_UNKNOWN);
    for (int i = 0; i < CLUSTER_NODES; i++)
        f->nodes[i].model.cluster.slots = fake_cluster_slots;
    assert_true(world_settle(&f->world));
    cluster_destroy(f);
}

static void test_a_refused_login_is_counted_and_a_new_password_helps(void **state)
{
    struct fake_cluster *f = cluster_create(&(struct world_options){.password = "hunter2"});
    (void)state;

    for (int i = 0; i < CLUSTER_NODES; i++)
        f->nodes[i].model.password = "another";
    world_hit(&f->world, 0, "n/a", 1);
    world_run_ms(&f->world, 2000);
    assert_true(f->world.stats.errors_by_class[REDIS_ERROR_WRONGPASS] > 0);
    for (int i = 0; i < CLUSTER_NODES; i++)
        f->nodes[i].model.password = "hunter2";
    core_reconnect(f->world.core);
    assert_true(world_settle(&f->world));
    core_reconnect(f->world.core); /* of links that are up */
    world_hit(&f->world, 0, "n/a", 1);
    assert_true(world_settle(&f->world));
    assert_false(f->world.leaked);
    cluster_destroy(f);
}

static void test_a_replica_knows_the_map_too(void **state)
{
    struct fake_cluster *f = cluster_create(&(struct world_options){0});
    (void)state;

    f->nodes[0].model.replica = true;
    for (int slot = 0; slot < SLOTS; slot++)
        cluster_give(f, (uint16_t)slot, 1);
    world_hit(&f->world, 0, "n/a", 1);
    assert_true(world_settle(&f->world));
    assert_int_equal(cluster_value(f, "n/a"), 1);
    cluster_destroy(f);
}

static void test_the_map_is_asked_for_unasked_every_quarter_of_a_minute(void **state)
{
    struct fake_cluster *f = cluster_create(&(struct world_options){0});
    (void)state;

    world_run_ms(&f->world, 3000);
    uint64_t before = f->maps_asked;
    world_run_ms(&f->world, 120000);
    assert_in_range(f->maps_asked - before, 6, 8);
    cluster_destroy(f);
}

static uint64_t cluster_connects(const struct fake_cluster *f)
{
    uint64_t connects = 0;

    for (int i = 0; i < CLUSTER_NODES; i++)
        connects += (uint64_t)f->nodes[i].conns_count;
    return connects;
}

static void test_a_map_that_served_is_no_reason_to_ask_another_node(void **state)
{
    (void)state;

    for (int owner = 0; owner < CLUSTER_NODES; owner++) {
        struct fake_cluster *f = cluster_create(&(struct world_options){.seed = (uint64_t)owner + 1});
        cluster_give(f, slot_of_text("t:!meta"), (uint8_t)owner);
        world_run_ms(&f->world, 3000);
        assert_true(f->world.stats.connected);
        uint64_t connects = cluster_connects(f);
        world_run_ms(&f->world, 120000);
        assert_int_equal(cluster_connects(f), connects);
        cluster_destroy(f);
    }
}

static void test_when_its_node_is_lost_another_one_is_asked(void **state)
{
    struct fake_cluster *f = cluster_create(&(struct world_options){0});
    (void)state;

    world_run_ms(&f->world, 1000);
    int own = f->owner[slot_of_text("t:!meta")]; /* where it stayed */
    f->nodes[own].open_error = -ECONNREFUSED;
    fake_restart(&f->nodes[own]);
    uint64_t before = f->maps_asked;
    world_run_ms(&f->world, 10000);
    assert_in_range(f->maps_asked - before, 3, 12);
    cluster_destroy(f);
}

static void test_a_seed_that_is_not_there_yet_is_tried_again_and_its_loss_is_said(void **state)
{
    struct fake_cluster *f = cluster_create(&(struct world_options){0});
    (void)state;

    f->nodes[0].open_error = -ECONNREFUSED;
    world_hit(&f->world, 0, "n/a", 1);
    world_run_ms(&f->world, 20000);
    assert_string_equal(f->world.last_event, "redis_lost");
    assert_in_range(f->world.stats.link_errors, 3, 20);
    f->nodes[0].open_error = 0;
    uint64_t healed = f->world.now_us;
    assert_true(world_settle(&f->world));
    assert_true(f->world.now_us - healed < 10000000);
    cluster_destroy(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_one_says_into_how_many_partitions_the_data_set_is_cut),
        cmocka_unit_test(test_a_value_of_another_version_is_not_ours),
        cmocka_unit_test(test_on_a_server_that_is_no_cluster_nothing_is_written),
        cmocka_unit_test(test_a_refused_meta_key_is_said_and_asked_for_again),
        cmocka_unit_test(test_a_slot_of_the_meta_key_that_nobody_serves_is_waited_for),
        cmocka_unit_test(test_a_refused_login_is_counted_and_a_new_password_helps),
        cmocka_unit_test(test_a_replica_knows_the_map_too),
        cmocka_unit_test(test_the_map_is_asked_for_unasked_every_quarter_of_a_minute),
        cmocka_unit_test(test_a_map_that_served_is_no_reason_to_ask_another_node),
        cmocka_unit_test(test_when_its_node_is_lost_another_one_is_asked),
        cmocka_unit_test(test_a_seed_that_is_not_there_yet_is_tried_again_and_its_loss_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
