/* Cluster mode as a whole: partitions that live on nodes and move, through the core, on a cluster of fakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/fake_cluster.h"

static uint32_t nodes_shown(const struct fake_cluster *f, uint32_t *connected)
{
    struct node_name nodes[NODE_NAMES_MAX];
    uint32_t count = node_names_read(&f->world.stats.node_names, nodes);

    *connected = 0;
    for (uint32_t i = 0; i < count; i++)
        *connected += nodes[i].connected != 0;
    return count;
}

static void test_each_partition_is_stored_on_the_node_that_owns_it(void **state)
{
    struct fake_cluster *f = cluster_start();
    uint32_t connected;
    (void)state;

    cluster_hit_all(f, 5);
    assert_true(world_settle(&f->world));
    cluster_assert_all(f, 5, 1);
    for (int i = 0; i < CLUSTER_NODES; i++)
        assert_true(f->nodes[i].executed_incrbys > CLUSTER_NAMES / 6);
    assert_int_equal(nodes_shown(f, &connected), 3);
    assert_int_equal(connected, 3);
    assert_true(f->world.stats.connected);
    assert_int_equal(cluster_errors(f, REDIS_ERROR_MOVED), 0);
    assert_int_equal(f->world.stats.alarms, 0);
    cluster_destroy(f);
}

static void test_nodes_go_with_their_last_partition_and_come_with_the_first(void **state)
{
    struct fake_cluster *f = cluster_start();
    uint32_t connected;
    (void)state;

    cluster_hit_all(f, 1);
    assert_true(world_settle(&f->world));
    for (uint32_t p = 0; p < CLUSTER_PARTITIONS; p++)
        cluster_move(f, cluster_slot(f, p), p % 2 ? 0 : 1);
    cluster_hit_all(f, 1);
    assert_true(world_settle(&f->world));
    cluster_assert_all(f, 2, 2);
    world_run_ms(&f->world, 3000);
    assert_int_equal(nodes_shown(f, &connected), 2);
    cluster_move(f, cluster_slot(f, 7), 2);
    cluster_hit_all(f, 1);
    assert_true(world_settle(&f->world));
    cluster_assert_all(f, 3, 3);
    world_run_ms(&f->world, 3000);
    assert_int_equal(nodes_shown(f, &connected), 3);
    assert_true(f->world.stats.connected);
    cluster_destroy(f);
}

static void test_a_cluster_that_is_down_is_asked_for_its_map_about_once_a_second(void **state)
{
    struct fake_cluster *f = cluster_start();
    (void)state;

    cluster_hit_all(f, 1);
    assert_true(world_settle(&f->world));
    cluster_set_down(f, true);
    cluster_hit_all(f, 1);
    uint64_t maps = f->maps_asked;
    world_run_ms(&f->world, 10000);
    assert_in_range(f->maps_asked - maps, 4, 12);
    assert_true(cluster_errors(f, REDIS_ERROR_CLUSTERDOWN) > 0);
    cluster_set_down(f, false);
    uint64_t healed = f->world.now_us;
    assert_true(world_settle(&f->world));
    assert_true(f->world.now_us - healed < 10000000);
    cluster_assert_all(f, 2, 2);
    cluster_destroy(f);
}

/* Node 1 dies; after two seconds the map says that node 2 has its slots and its data. */
static void test_a_failover_is_found_by_the_map_and_exact(void **state)
{
    struct fake_cluster *f = cluster_start();
    (void)state;

    cluster_hit_all(f, 1);
    assert_true(world_settle(&f->world));
    f->nodes[1].open_error = -ECONNREFUSED;
    fake_restart(&f->nodes[1]);
    cluster_hit_all(f, 1);
    world_run_ms(&f->world, 2000);
    assert_false(f->world.stats.connected);
    for (uint32_t p = 0; p < CLUSTER_PARTITIONS; p++) {
        if (f->owner[cluster_slot(f, p)] == 1)
            cluster_move(f, cluster_slot(f, p), 2);
    }
    uint64_t healed = f->world.now_us;
    assert_true(world_settle(&f->world));
    assert_true(f->world.now_us - healed < 3000000);
    world_run_ms(&f->world, 100);
    assert_true(f->world.stats.connected);
    cluster_assert_all(f, 2, 2);
    assert_int_equal(f->world.stats.alarms, 0);
    cluster_destroy(f);
}

/* ---- reads ---- */

static void test_names_of_one_question_are_read_where_they_live(void **state)
{
    struct fake_cluster *f = cluster_start();
    struct question *question = calloc(1, sizeof(*question) + CLUSTER_PARTITIONS * sizeof(question->results[0]));
    (void)state;

    question->count = CLUSTER_PARTITIONS;
    question->deadline_ms = f->world.now_us / 1000 + 5000;
    for (uint32_t p = 0; p < CLUSTER_PARTITIONS; p++) {
        cluster_name(f, p, 0, question->results[p].name);
        question->results[p].name_bytes = (uint16_t)strlen(question->results[p].name);
        world_hit(&f->world, 0, question->results[p].name, 100 + p);
    }
    assert_true(world_settle(&f->world));
    core_ask(f->world.core, question);
    world_run_ms(&f->world, 200);
    assert_int_equal(f->world.answered_count, 1);
    for (uint32_t p = 0; p < CLUSTER_PARTITIONS; p++) {
        assert_int_equal(question->results[p].state, ANSWER_FOUND);
        assert_int_equal(question->results[p].stored, 100 + p);
    }
    free(question);
    cluster_destroy(f);
}

static void test_reads_of_a_lost_node_fail_at_once_and_others_are_answered(void **state)
{
    struct fake_cluster *f = cluster_start();
    char lost[32], fine[32];
    (void)state;

    cluster_hit_all(f, 1);
    assert_true(world_settle(&f->world));
    f->nodes[0].open_error = -ECONNREFUSED;
    fake_restart(&f->nodes[0]);
    world_run_ms(&f->world, 500);
    cluster_name(f, 0, 0, lost);
    cluster_name(f, 15, 0, fine);
    uint64_t before = f->world.now_us;
    struct question *ops[] = {world_ask(&f->world, lost, 5000), world_ask(&f->world, fine, 5000)};
    while (f->world.answered_count < 2)
        world_step(&f->world);
    assert_true(f->world.now_us - before < 500000);
    assert_int_equal(ops[0]->results[0].state, ANSWER_FAILED);
    assert_int_equal(ops[1]->results[0].state, ANSWER_FOUND);
    free(ops[0]);
    free(ops[1]);
    cluster_destroy(f);
}

/* ---- the data set ---- */

static void test_a_data_set_cut_otherwise_gets_nothing_and_an_alarm(void **state)
{
    struct fake_cluster *f = cluster_start();
    (void)state;

    fake_set(&f->nodes[f->owner[slot_of_text("t:!meta")]], "t:!meta", "tallyd format=1 partitions=8");
    cluster_hit_all(f, 1);
    world_run_ms(&f->world, 5000);
    assert_int_equal(f->world.stats.alarms_partitions_differ, 1);
    assert_int_equal(f->world.stats.partitions_found, 8);
    assert_int_equal(f->world.stats.cut, CUT_DIFFERS);
    assert_int_equal(world_books(&f->world).stored, 0);
    assert_false(core_is_idle(f->world.core));
    cluster_destroy(f);
}

static void test_drain_stores_what_all_partitions_have(void **state)
{
    struct fake_cluster *f = cluster_start();
    (void)state;

    world_run_ms(&f->world, 300);
    cluster_hit_all(f, 1);
    core_drain(f->world.core);
    world_step(&f->world);
    while (!core_is_idle(f->world.core))
        world_step(&f->world);
    cluster_assert_all(f, 1, 1);
    cluster_destroy(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_partition_is_stored_on_the_node_that_owns_it),
        cmocka_unit_test(test_nodes_go_with_their_last_partition_and_come_with_the_first),
        cmocka_unit_test(test_a_cluster_that_is_down_is_asked_for_its_map_about_once_a_second),
        cmocka_unit_test(test_a_failover_is_found_by_the_map_and_exact),
        cmocka_unit_test(test_names_of_one_question_are_read_where_they_live),
        cmocka_unit_test(test_reads_of_a_lost_node_fail_at_once_and_others_are_answered),
        cmocka_unit_test(test_a_data_set_cut_otherwise_gets_nothing_and_an_alarm),
        cmocka_unit_test(test_drain_stores_what_all_partitions_have),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
