/* Partitions that move from node to node, through the core, on a cluster of fakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/fake_cluster.h"

static void test_a_partition_follows_its_slot_with_its_ledger(void **state)
{
    struct fake_cluster *f = cluster_start();
    char name[32];
    (void)state;

    cluster_name(f, 3, 0, name);
    world_hit(&f->world, 0, name, 5);
    assert_true(world_settle(&f->world));
    cluster_move(f, cluster_slot(f, 3), 2);
    world_hit(&f->world, 0, name, 7);
    uint64_t before = f->world.now_us;
    assert_true(world_settle(&f->world));
    assert_true(f->world.now_us - before < 3000000);
    assert_int_equal(cluster_value(f, name), 12);
    assert_true(cluster_errors(f, REDIS_ERROR_MOVED) >= 1);
    assert_int_equal(f->world.stats.alarms, 0);
    assert_true(strncmp(fake_ledger(&f->nodes[2]).value, "2 ", 2) == 0);
    cluster_destroy(f);
}

/* Once it is armed, the next bytes are those of the batch. */
static struct stream *wait_until_armed(struct fake_cluster *f, struct fake_redis *node)
{
    struct stream *armed = NULL;

    while (!armed) {
        world_step(&f->world);
        for (int i = 0; i < node->conns_count; i++)
            armed = node->conns[i]->client.watched ? node->conns[i] : armed;
    }
    return armed;
}

/* The connection breaks around the EXEC, and when it is looked for again the slot is elsewhere. */
static void run_move_in_doubt(bool applied)
{
    struct fake_cluster *f = cluster_start();
    char name[32];

    cluster_name(f, 3, 0, name);
    world_run_ms(&f->world, 3000); /* every partition has met its ledger */
    world_hit(&f->world, 0, name, 5);
    assert_true(world_settle(&f->world));
    struct fake_redis *old = cluster_node(f, 3);
    if (applied)
        old->cut_after_command = "EXEC";
    world_hit(&f->world, 0, name, 7);
    if (!applied) {
        struct stream *s = wait_until_armed(f, old);
        s->in_cut = s->in_total + 5;
    }
    while (world_books(&f->world).in_flight == 0)
        world_step(&f->world);
    cluster_move(f, cluster_slot(f, 3), 2);
    old->open_error = -ECONNREFUSED;
    world_run_ms(&f->world, 3000);
    assert_int_equal(cluster_value(f, name), 12);
    assert_int_equal(f->world.stats.batches_reconciled_applied, applied);
    assert_int_equal(f->world.stats.batches_retried, !applied);
    /* The old bytes get to the old node after all. */
    fake_deliver_late(old);
    world_hit(&f->world, 0, name, 1);
    world_run_ms(&f->world, 1000);
    assert_int_equal(cluster_value(f, name), 13);
    assert_int_equal(f->world.stats.alarms, 0);
    cluster_destroy(f);
}

static void test_a_batch_in_doubt_moves_along_and_is_found_applied(void **state)
{
    (void)state;
    run_move_in_doubt(true);
}

static void test_a_batch_in_doubt_moves_along_and_is_sent_again(void **state)
{
    (void)state;
    run_move_in_doubt(false);
}

static void test_a_slot_half_way_keeps_the_batch_and_tries_again_ever_more_slowly(void **state)
{
    struct fake_cluster *f = cluster_start();
    char here[32], gone[32];
    (void)state;

    cluster_name(f, 3, 0, here);
    cluster_name(f, 3, 1, gone);
    world_hit(&f->world, 0, here, 5);
    assert_true(world_settle(&f->world));
    f->open[cluster_slot(f, 3)] = true;
    world_hit(&f->world, 0, here, 1);
    world_hit(&f->world, 0, gone, 2); /* not there, so it may be on the other side */
    world_run_ms(&f->world, 30000);
    assert_int_equal(cluster_value(f, here), 5);
    /* After 0, 100, 200, … ms, up to each 5 s, half of it chance; each refuses one command and the EXEC. */
    uint64_t asks = cluster_errors(f, REDIS_ERROR_ASK);
    assert_in_range(asks, 8, 22);
    uint64_t sent = f->world.stats.bytes_out;
    world_run_ms(&f->world, 20000);
    assert_in_range(cluster_errors(f, REDIS_ERROR_ASK) - asks, 2, 10);
    assert_true(f->world.stats.bytes_out - sent < 10000);
    cluster_hit_all(f, 1); /* the other partitions go on */
    world_run_ms(&f->world, 500);
    assert_true(world_books(&f->world).stored > 5);
    cluster_move(f, cluster_slot(f, 3), 2);
    uint64_t healed = f->world.now_us;
    assert_true(world_settle(&f->world));
    assert_true(f->world.now_us - healed < 8000000); /* the back-off under way, and a new map */
    assert_int_equal(f->world.stats.alarms, 0);
    cluster_destroy(f);
}

/* The node that is asked for the map was left behind; another one is asked in the end. */
static void test_a_map_that_was_left_behind_leads_astray_only_for_a_while(void **state)
{
    struct fake_cluster *f = cluster_start();
    char name[32];
    (void)state;

    cluster_name(f, 3, 0, name);
    world_hit(&f->world, 0, name, 5);
    assert_true(world_settle(&f->world));
    uint16_t slot = cluster_slot(f, 3);
    uint8_t before = f->owner[slot], asked = f->owner[slot_of_text("t:!meta")]; /* where the topology stayed */
    cluster_move(f, slot, (uint8_t)((before + 1) % CLUSTER_NODES));
    f->told[asked][slot] = before;
    world_hit(&f->world, 0, name, 7);
    uint64_t moved = f->world.now_us;
    assert_true(world_settle(&f->world));
    assert_in_range(f->world.now_us - moved, 2000000, 10000000);
    assert_int_equal(cluster_value(f, name), 12);
    assert_int_equal(f->world.stats.alarms, 0);
    cluster_destroy(f);
}

/* The node is slow to answer the EXEC; meanwhile a new map comes, for another partition's sake. */
static void test_a_partition_leaves_only_between_two_transactions(void **state)
{
    struct fake_cluster *f = cluster_start();
    char name[32], other[32];
    (void)state;

    cluster_give(f, slot_of_text("t:!meta"), 2); /* the topology stays there */
    cluster_name(f, 3, 0, name);
    cluster_name(f, 15, 0, other);
    cluster_hit_all(f, 1);
    assert_true(world_settle(&f->world));
    uint16_t slot = cluster_slot(f, 3);
    struct fake_redis *slow = cluster_node(f, 3);
    int64_t before = cluster_value(f, name);
    world_hit(&f->world, 0, name, 7);
    wait_until_armed(f, slow);
    slow->mute = true;
    while (world_books(&f->world).in_flight == 0)
        world_step(&f->world);
    uint64_t maps = f->maps_asked;
    cluster_move(f, slot, 2);
    cluster_move(f, cluster_slot(f, 15), 1);
    world_hit(&f->world, 0, other, 1);
    world_run_ms(&f->world, 2500);
    assert_true(f->maps_asked > maps);
    assert_int_equal(world_books(&f->world).in_flight, 7);
    slow->mute = false;
    for (int i = 0; i < slow->conns_count; i++)
        fake_serve(slow->conns[i]);
    assert_true(world_settle(&f->world));
    assert_int_equal(cluster_value(f, name), before + 7);
    assert_in_range(f->world.stats.batches_retried, 1, 2); /* the other one, too, if its old node got it first */
    assert_int_equal(f->world.stats.reconnects, 0);
    assert_int_equal(f->world.stats.alarms, 0);
    cluster_destroy(f);
}

/* A master that does not know yet that it was replaced: its ledger is behind, but only for a second. */
static void test_a_ledger_that_is_behind_for_a_moment_is_no_rollback(void **state)
{
    struct fake_cluster *f = cluster_start();
    char name[32], old[64];
    (void)state;

    cluster_name(f, 3, 0, name);
    world_hit(&f->world, 0, name, 5);
    assert_true(world_settle(&f->world));
    struct fake_key ledger = fake_ledger(cluster_node(f, 3));
    strcpy(old, ledger.value);
    world_hit(&f->world, 0, name, 7);
    assert_true(world_settle(&f->world));
    uint16_t slot = cluster_slot(f, 3);
    uint8_t true_owner = f->owner[slot];
    fake_set(&f->nodes[2], ledger.name, old);
    cluster_give(f, slot, 2);
    world_hit(&f->world, 0, name, 1);
    world_run_ms(&f->world, 1500);
    assert_int_equal(f->world.stats.alarms, 0);
    cluster_give(f, slot, true_owner);
    assert_true(world_settle(&f->world));
    assert_int_equal(cluster_value(f, name), 13);
    assert_int_equal(f->world.stats.alarms, 0);
    cluster_destroy(f);
}

/* A master that is cut off from the others, but not from us: its own map, which leads to it, is not enough. */
static void test_a_master_for_which_no_other_vouches_is_not_believed(void **state)
{
    struct fake_cluster *f = cluster_start();
    char name[32], old[64];
    (void)state;

    cluster_give(f, slot_of_text("t:!meta"), 2); /* the topology goes there */
    cluster_name(f, 3, 0, name);
    world_hit(&f->world, 0, name, 5);
    assert_true(world_settle(&f->world));
    struct fake_key ledger = fake_ledger(cluster_node(f, 3));
    strcpy(old, ledger.value);
    world_hit(&f->world, 0, name, 7);
    assert_true(world_settle(&f->world));
    uint16_t slot = cluster_slot(f, 3);
    uint8_t true_owner = f->owner[slot];
    assert_int_not_equal(true_owner, 2);
    fake_set(&f->nodes[2], ledger.name, old);
    f->owner[slot] = f->told[2][slot] = 2;
    world_hit(&f->world, 0, name, 1);
    world_run_ms(&f->world, 15000);
    assert_int_equal(f->world.stats.alarms, 0);
    cluster_give(f, slot, true_owner);
    assert_true(world_settle(&f->world));
    assert_int_equal(cluster_value(f, name), 13);
    assert_int_equal(f->world.stats.alarms, 0);
    cluster_destroy(f);
}

static void test_a_ledger_that_stays_behind_is_a_rollback_and_counted(void **state)
{
    struct fake_cluster *f = cluster_start();
    char name[32], old[64];
    (void)state;

    cluster_name(f, 3, 0, name);
    world_hit(&f->world, 0, name, 5);
    assert_true(world_settle(&f->world));
    struct fake_key ledger = fake_ledger(cluster_node(f, 3));
    strcpy(old, ledger.value);
    world_hit(&f->world, 0, name, 7);
    assert_true(world_settle(&f->world));
    fake_set(&f->nodes[2], ledger.name, old);
    cluster_give(f, cluster_slot(f, 3), 2);
    world_hit(&f->world, 0, name, 1);
    world_run_ms(&f->world, 6000);
    assert_int_equal(f->world.stats.alarms_rollback, 1);
    assert_int_equal(world_books(&f->world).lost, 7);
    assert_int_equal(cluster_value(f, name), 1);
    cluster_destroy(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_partition_follows_its_slot_with_its_ledger),
        cmocka_unit_test(test_a_batch_in_doubt_moves_along_and_is_found_applied),
        cmocka_unit_test(test_a_batch_in_doubt_moves_along_and_is_sent_again),
        cmocka_unit_test(test_a_slot_half_way_keeps_the_batch_and_tries_again_ever_more_slowly),
        cmocka_unit_test(test_a_map_that_was_left_behind_leads_astray_only_for_a_while),
        cmocka_unit_test(test_a_partition_leaves_only_between_two_transactions),
        cmocka_unit_test(test_a_ledger_that_is_behind_for_a_moment_is_no_rollback),
        cmocka_unit_test(test_a_master_for_which_no_other_vouches_is_not_believed),
        cmocka_unit_test(test_a_ledger_that_stays_behind_is_a_rollback_and_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
