/* Many partitions on one connection: whose turn it is, on a cluster of which one node owns everything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/fake_cluster.h"

static struct fake_cluster *start(const struct world_options *options)
{
    struct fake_cluster *f = cluster_create(options);

    for (int slot = 0; slot < SLOTS; slot++)
        cluster_give(f, (uint16_t)slot, 0);
    world_run_ms(&f->world, 300); /* connected, and every ledger read */
    return f;
}

static void hit_each_partition(struct fake_cluster *f, int i)
{
    char name[32];

    for (uint32_t p = 0; p < CLUSTER_PARTITIONS; p++) {
        cluster_name(f, p, i, name);
        world_hit(&f->world, 0, name, 1);
    }
}

static void test_n_partitions_with_work_cost_n_round_trips(void **state)
{
    struct fake_cluster *f = start(&(struct world_options){0});
    (void)state;

    hit_each_partition(f, 0);
    uint64_t writes = f->nodes[0].writes, execs = f->nodes[0].execs;
    assert_true(world_settle(&f->world));
    assert_int_equal(f->nodes[0].execs - execs, CLUSTER_PARTITIONS);
    /* One more when the partition that was armed has nothing to send yet. */
    assert_in_range(f->nodes[0].writes - writes, CLUSTER_PARTITIONS, CLUSTER_PARTITIONS + 1);
    assert_int_equal(f->nodes[0].executed_outside_multi, 0);
    cluster_destroy(f);
}

/* WATCH, GET, MULTI, INCR, SET and EXEC: no arm for a partition that may not be the next one. */
static void test_a_lone_hit_costs_six_commands_whatever_its_partition(void **state)
{
    struct fake_cluster *f = start(&(struct world_options){0});
    char name[32];
    (void)state;

    cluster_name(f, 3, 0, name);
    world_hit(&f->world, 0, name, 1);
    assert_true(world_settle(&f->world)); /* what the start had armed is used up, or given up */
    for (uint32_t i = 0; i < 40; i++) {
        uint64_t before = f->world.stats.commands, maps = f->maps_asked;
        cluster_name(f, i * 7 % CLUSTER_PARTITIONS, (int)i, name);
        world_hit(&f->world, 0, name, 1);
        assert_true(world_settle(&f->world));
        core_tick(f->world.core);
        assert_int_equal(f->world.stats.commands - before - (f->maps_asked - maps), 6);
    }
    cluster_destroy(f);
}

static void test_a_look_at_a_ledger_costs_one_command(void **state)
{
    struct fake_cluster *f = start(&(struct world_options){.replay_window_ms = 60000});
    (void)state;

    hit_each_partition(f, 0);
    assert_true(world_settle(&f->world));
    world_run_ms(&f->world, 1000);
    uint64_t gets = f->nodes[0].gets, commands = f->world.stats.commands, maps = f->maps_asked;
    world_run_ms(&f->world, 50000);
    gets = f->nodes[0].gets - gets;
    assert_int_equal(gets, 5 * CLUSTER_PARTITIONS);
    assert_int_equal(f->world.stats.commands - commands - (f->maps_asked - maps), gets);
    assert_int_equal(f->world.stats.alarms, 0);
    cluster_destroy(f);
}

/* As after a balancer's change of mind, which no connection tells of. */
static void roll_back(struct fake_cluster *f, uint32_t partition, struct fake_key ledger)
{
    char key[128], name[32];

    cluster_name(f, partition, 0, name);
    snprintf(key, sizeof(key), "%s%s", keyspace_prefix(&f->space, partition).at, name);
    *strchr(key, '/') = ':';
    fake_set(&f->nodes[0], key, "1");
    fake_set(&f->nodes[0], ledger.name, ledger.value);
}

static struct fake_key ledger_of(struct fake_cluster *f, uint32_t partition)
{
    char prefix[64];

    snprintf(prefix, sizeof(prefix), "%s", keyspace_prefix(&f->space, partition).at);
    return fake_ledger_of(&f->nodes[0], prefix);
}

static void test_a_server_that_forgot_while_connected_is_found_out_by_a_look(void **state)
{
    struct fake_cluster *f = start(&(struct world_options){.replay_window_ms = 60000});
    struct fake_key before[2];
    char name[32];
    static const uint32_t forgotten[] = {4, 9};
    (void)state;

    hit_each_partition(f, 0);
    assert_true(world_settle(&f->world));
    for (int i = 0; i < 2; i++)
        before[i] = ledger_of(f, forgotten[i]);
    for (int i = 0; i < 2; i++) {
        cluster_name(f, forgotten[i], 0, name);
        world_hit(&f->world, 0, name, 1);
        assert_true(world_settle(&f->world));
    }
    for (int i = 0; i < 2; i++)
        roll_back(f, forgotten[i], before[i]);
    world_run_ms(&f->world, 12000 + 21000); /* a look, and twenty seconds until the loss is believed */
    assert_true(world_settle(&f->world));
    assert_int_equal(f->world.stats.alarms_rollback, 2);
    assert_int_equal(f->world.stats.replayed_hits, 2);
    for (int i = 0; i < 2; i++) {
        cluster_name(f, forgotten[i], 0, name);
        assert_int_equal(cluster_value(f, name), 2);
    }
    cluster_destroy(f);
}

static void test_every_ledger_is_read_on_each_new_connection(void **state)
{
    struct fake_cluster *f = start(&(struct world_options){0});
    (void)state;

    uint64_t gets = f->nodes[0].gets;
    fake_restart(&f->nodes[0]);
    world_run_ms(&f->world, 1000);
    assert_in_range(f->nodes[0].gets - gets, CLUSTER_PARTITIONS, CLUSTER_PARTITIONS + 2);
    cluster_destroy(f);
}

static void test_a_partition_with_a_long_backlog_lets_the_others_have_their_turn(void **state)
{
    struct fake_cluster *f = start(&(struct world_options){.batch_keys_max = 1});
    char name[32];
    (void)state;

    for (int i = 1; i <= 60; i++) {
        cluster_name(f, 0, i, name);
        world_hit(&f->world, 0, name, 1);
    }
    hit_each_partition(f, 0);
    uint64_t before = f->world.stats.batches;
    cluster_name(f, 15, 0, name);
    while (cluster_value(f, name) == 0)
        world_step(&f->world);
    assert_in_range(f->world.stats.batches - before, 1, 2 * CLUSTER_PARTITIONS);
    assert_true(world_settle(&f->world));
    cluster_destroy(f);
}

static void test_a_partition_that_is_refused_does_not_hold_up_the_others(void **state)
{
    struct fake_cluster *f = start(&(struct world_options){0});
    char name[32];
    (void)state;

    fake_rule(&f->nodes[0], (struct fake_rule){"INCRBY", keyspace_prefix(&f->space, 5).at, "-OOM no memory"});
    hit_each_partition(f, 0);
    world_run_ms(&f->world, 1000);
    assert_int_equal(world_books(&f->world).stored, CLUSTER_PARTITIONS - 1);
    assert_in_range(f->world.stats.errors_by_class[REDIS_ERROR_OOM], 1, 20);
    cluster_name(f, 5, 0, name);
    assert_int_equal(cluster_value(f, name), 0);
    f->nodes[0].rules_count = 0;
    assert_true(world_settle(&f->world));
    assert_int_equal(cluster_value(f, name), 1);
    cluster_destroy(f);
}

static void test_a_partition_that_halts_does_not_hold_up_the_others(void **state)
{
    struct fake_cluster *f = start(&(struct world_options){.on_ledger_loss = LEDGER_LOSS_HALT});
    (void)state;

    hit_each_partition(f, 0);
    assert_true(world_settle(&f->world));
    char name[352];
    snprintf(name, sizeof(name), "%s", fake_ledger(&f->nodes[0]).name);
    fake_delete(&f->nodes[0], name);
    hit_each_partition(f, 0);
    world_run_ms(&f->world, 22000); /* where there is no other node to ask, a loss is believed after twenty seconds */
    hit_each_partition(f, 0);
    world_run_ms(&f->world, 1000);
    assert_int_equal(world_books(&f->world).stored, CLUSTER_PARTITIONS + 2 * (CLUSTER_PARTITIONS - 1));
    assert_int_equal(f->world.stats.alarms_ledger_missing, 1);
    cluster_destroy(f);
}

/* Cut at every byte of two flushes, with late delivery: the arm of one partition rides behind the batch of another. */
static void test_a_cut_at_any_byte_between_partitions_neither_loses_nor_doubles(void **state)
{
    (void)state;

    for (uint64_t at = 0; at < 1500; at += 7) {
        struct fake_cluster *f = start(&(struct world_options){.partitions = 3});
        struct stream *s = NULL;
        for (int i = 0; i < f->nodes[0].conns_count; i++)
            s = f->nodes[0].conns[i]->open ? f->nodes[0].conns[i] : s;
        for (int i = 0; i < 9; i++) {
            char name[32];
            cluster_name(f, (uint32_t)i % 3, i / 3, name);
            world_hit(&f->world, 0, name, 1);
        }
        s->in_cut = s->in_total + at;
        s->ending = (enum fake_ending)(at % 3);
        bool settled = world_settle(&f->world);
        fake_deliver_late(&f->nodes[0]);
        for (int i = 0; settled && i < 9; i++) {
            char name[32];
            cluster_name(f, (uint32_t)i % 3, i / 3, name);
            settled = cluster_value(f, name) == 1;
        }
        if (!settled || f->nodes[0].executed_outside_multi)
            fail_msg("cut at byte %" PRIu64, at);
        cluster_destroy(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_n_partitions_with_work_cost_n_round_trips),
        cmocka_unit_test(test_a_lone_hit_costs_six_commands_whatever_its_partition),
        cmocka_unit_test(test_a_look_at_a_ledger_costs_one_command),
        cmocka_unit_test(test_a_server_that_forgot_while_connected_is_found_out_by_a_look),
        cmocka_unit_test(test_every_ledger_is_read_on_each_new_connection),
        cmocka_unit_test(test_a_partition_with_a_long_backlog_lets_the_others_have_their_turn),
        cmocka_unit_test(test_a_partition_that_is_refused_does_not_hold_up_the_others),
        cmocka_unit_test(test_a_partition_that_halts_does_not_hold_up_the_others),
        cmocka_unit_test(test_a_cut_at_any_byte_between_partitions_neither_loses_nor_doubles),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
