/* Every allocation of the flush code failing once, and then now and then: an error or a later try, never a hit too few
 * or too many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "flush/flusher.h"
#include "support/failing_memory.h"
#include "support/state_run.h"
#include "support/world.h"

#define ALLOCATIONS_MAX 5000

/* ---- once, at start ---- */

static int create_core(struct world *w, uint32_t partitions)
{
    w->options.partitions = partitions;
    w->options.batch_keys_max = 10;
    w->options.replay_window_ms = 0;
    return world_create_core(w);
}

static void test_a_core_is_created_or_not(void **state)
{
    (void)state;

    for (uint32_t partitions = 0; partitions <= 3; partitions += 3) {
        unsigned long k = 0;
        struct world w;
        int failed;
        world_init(&w);
        core_destroy(w.core);
        do {
            fail_allocation(++k);
            failed = create_core(&w, partitions);
            failing.armed = false;
            assert_true(failed == 0 || failed == -ENOMEM);
        } while (failed && k < ALLOCATIONS_MAX);
        assert_in_range(k, 5, ALLOCATIONS_MAX - 1);
        world_fini(&w);
    }
}

static void test_a_flusher_is_created_or_says_why_not(void **state)
{
    const struct redis_access access = {.url = {.host = "127.0.0.1", .port = 1}};
    const struct flush_options options = {
        .redis = &access,
        .prefix = "t:",
        .flush_interval_ms = 100,
        .batch_keys_max = 10,
        .instance = "00000000-0000-4000-8000-000000000001",
    };
    const struct flusher_config config = {.options = &options};
    unsigned long k = 0;
    struct flusher *f;
    struct tally *t;
    int failed;
    (void)state;

    assert_int_equal(tally_create(&t, &(struct tally_config){.workers = 2, .keys_max = 100}), 0);
    do {
        struct error err = {""};
        fail_allocation(++k);
        failed = flusher_create(&f, &config, t, &err);
        failing.armed = false;
        assert_true(!failed || strstr(err.text, "no memory"));
    } while (failed && k < ALLOCATIONS_MAX);
    assert_in_range(k, 5, ALLOCATIONS_MAX - 1);
    flusher_destroy(f);
    tally_destroy(t);
}

/* A process that dies with a batch whose fate is open. */
static void leave(struct memory_disk *left)
{
    const struct run_config two = {.workers = 2, .keys_max = RUN_NAMES, .batch_keys_max = 4};
    struct run_process p = {0};
    struct run_model m = {0};
    struct error err;

    memory_disk_init(&p.disk);
    assert_int_equal(run_start(&p, &two, 3, &err), 0);
    run_hit(&p, &m, 0, 0, 10);
    run_hit(&p, &m, 1, 1, 5);
    assert_true(run_intend(&p));
    memory_disk_crash(&p.disk, left);
    run_end(&p);
}

static void test_a_recovery_succeeds_or_leaves_the_old_file_alone(void **state)
{
    const struct run_config three = {.workers = 3, .keys_max = RUN_NAMES, .batch_keys_max = 4};
    struct memory_disk left;
    unsigned long k = 0;
    int failed;
    (void)state;

    leave(&left);
    do {
        struct run_process p = {0};
        struct error err = {""};
        memory_disk_init(&p.disk);
        p.disk.old = left.old;
        p.disk.old_bytes = left.old_bytes;
        const struct recovery_config config = run_recovery_config(&p, &three);
        fail_allocation(++k);
        failed = recovery_run(&p.recovery, &config, &err);
        failing.armed = false;
        assert_int_equal(p.disk.commits, failed ? 0 : 1);
        assert_true(!failed || strlen(err.text) > 10);
        tally_destroy(p.recovery.tally);
        state_file_close(p.recovery.state, false);
        p.disk.old = NULL;
        memory_disk_fini(&p.disk);
    } while (failed && k < ALLOCATIONS_MAX);
    assert_in_range(k, 5, ALLOCATIONS_MAX - 1);
    memory_disk_fini(&left);
}

/* ---- now and then, while it runs ---- */

/* The fake Redis always has memory. */
#define SPARED(type, call)                                                                                             \
    bool armed = failing.armed;                                                                                        \
    failing.armed = false;                                                                                             \
    type result = call;                                                                                                \
    failing.armed = armed;                                                                                             \
    return result

static int spared_open(void *ctx, const char *host, uint16_t port, struct stream **out)
{
    SPARED(int, fake_open(ctx, host, port, out));
}

static ssize_t spared_send(struct stream *s, const void *data, size_t bytes)
{
    SPARED(ssize_t, fake_try_send(s, data, bytes));
}

static void test_whatever_fails_while_it_runs_each_hit_is_stored_once(void **state)
{
    struct transport_ops ops = fake_ops;
    (void)state;

    ops.open = spared_open;
    ops.try_send = spared_send;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct world w;
        char name[32];
        world_init_with(&w, &(struct world_options){.seed = seed, .replay_window_ms = 60000, .batch_keys_max = 50});
        w.transport = (struct transport){&ops, &w.redis};
        core_destroy(w.core);
        assert_int_equal(create_core(&w, 0), 0);
        fail_allocation(0);
        failing.fail_every = 2 + seed % 7;
        for (int i = 0; i < 400; i++) {
            failing.armed = false;
            snprintf(name, sizeof(name), "n/%d", i % 37);
            world_hit(&w, (uint32_t)i & 1, name, 1);
            if (i % 100 == 99)
                fake_restart(&w.redis);
            failing.armed = true;
            for (int step = 0; step < 10; step++)
                world_step(&w);
        }
        failing.armed = false;
        assert_true(world_settle(&w));
        assert_int_equal(world_books(&w).stored, 400);
        assert_int_equal(fake_value(&w.redis, "t:n:0"), 11);
        assert_int_equal(fake_value(&w.redis, "t:n:36"), 10);
        world_fini(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_core_is_created_or_not),
        cmocka_unit_test(test_a_flusher_is_created_or_says_why_not),
        cmocka_unit_test(test_a_recovery_succeeds_or_leaves_the_old_file_alone),
        cmocka_unit_test(test_whatever_fails_while_it_runs_each_hit_is_stored_once),
    };

    if (!MEMORY_CAN_FAIL) {
        puts("a sanitizer has an allocator of its own");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
