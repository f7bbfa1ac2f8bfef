/* Killed at every step of the journal: what is in the file at that moment, and what the store has by then, give every
 * hit once. Also when the recovery itself is killed, before its new file took the place of the old one or after. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/state_run.h"

#define SNAPSHOTS_MAX 4096

struct snapshot {
    struct memory_disk disk;
    struct run_model model;
};

struct trial {
    struct run_process process;
    struct run_model model;
    struct snapshot snapshots[SNAPSHOTS_MAX];
    int count;
    uint64_t steps[ENV_STEPS];
};

static const struct run_config two = {.workers = 2, .keys_max = RUN_NAMES, .batch_keys_max = 4};

/* The env of a run_process has the process as its context. */
static struct trial *current;

static void take_snapshot(void *ctx, enum env_step step)
{
    struct trial *t = current;
    (void)ctx;

    assert_true(t->count < SNAPSHOTS_MAX);
    struct snapshot *s = &t->snapshots[t->count++];
    memory_disk_crash(&t->process.disk, &s->disk);
    s->model = t->model;
    t->steps[step]++;
}

static void hits(struct trial *t, uint64_t salt)
{
    for (uint32_t i = 0; i < RUN_NAMES; i++)
        run_hit(&t->process, &t->model, (uint32_t)((i + salt) % 2), i, 1 + (i * 13 + salt * 5) % 90);
}

static void drain_and_compare(struct run_process *p, const struct run_model *before, int number)
{
    struct run_model m = *before;

    run_drain(p, &m);
    for (uint32_t i = 0; i < RUN_NAMES; i++) {
        if (m.stored[i] != m.written[i])
            fail_msg("snapshot %d, name %u: %llu hits of %llu", number, i, (unsigned long long)m.stored[i],
                     (unsigned long long)m.written[i]);
    }
    assert_false(p->recovery.damaged);
    assert_int_equal(p->recovery.lost_hits, 0);
}

/* `generations` processes in a row find what the one before left and die at once; the last one drains. */
static void recover(const struct snapshot *s, int number, int generations)
{
    struct memory_disk disk;
    struct error err;

    memory_disk_init(&disk);
    disk.old_bytes = s->disk.old_bytes;
    disk.old = malloc(disk.old_bytes);
    memcpy(disk.old, s->disk.old, disk.old_bytes);
    for (int g = 0; g < generations; g++) {
        struct run_process p = {0};
        const struct run_config config = {.workers = 1 + (uint32_t)g % 3, .keys_max = RUN_NAMES, .batch_keys_max = 4};
        memory_disk_init(&p.disk);
        p.disk.old = disk.old;
        p.disk.old_bytes = disk.old_bytes;
        assert_int_equal(run_start(&p, &config, 77 + (uint64_t)g, &err), 0);
        if (g == generations - 1)
            drain_and_compare(&p, &s->model, number);
        else
            memory_disk_crash(&p.disk, &disk);
        run_end(&p);
    }
}

static void live(struct trial *t, uint64_t seed)
{
    struct run_process *p = &t->process;
    struct error err;

    memory_disk_init(&p->disk);
    assert_int_equal(run_start(p, &two, seed, &err), 0);
    current = t;
    p->env.step = take_snapshot;
    for (uint64_t round = 0; round < 4; round++) {
        hits(t, round);
        for (uint64_t batch = 0; batch < 3 && run_intend(p); batch++) {
            hits(t, round + 7);
            if (!run_store(p, &t->model, &p->batch))
                fail_msg("the store refused a batch");
            run_answered(p, &p->batch);
            if (round == 2)
                break;
        }
    }
}

static void trial_fini(struct trial *t)
{
    run_end(&t->process);
    for (int i = 0; i < t->count; i++)
        memory_disk_fini(&t->snapshots[i].disk);
    free(t);
}

static void test_a_kill_at_any_step_gives_every_hit_once(void **state)
{
    struct trial *t = calloc(1, sizeof(*t));
    (void)state;

    live(t, 5);
    for (int step = 0; step < ENV_STEPS; step++)
        assert_true(t->steps[step] >= 4 || step == ENV_STEP_MOVED); /* each was died at; there is one store only */
    for (int i = 0; i < t->count; i++) {
        recover(&t->snapshots[i], i, 1);
        recover(&t->snapshots[i], i, 3);
    }
    trial_fini(t);
}

static void test_a_replaced_batch_is_open_with_its_replacement(void **state)
{
    (void)state;
    for (int applied = 0; applied < 3; applied++) { /* neither, the replaced one, the empty one */
        struct trial *t = calloc(1, sizeof(*t));
        struct run_process *p = &t->process;
        struct error err;
        struct batch empty;

        memory_disk_init(&p->disk);
        assert_int_equal(run_start(p, &two, 9, &err), 0);
        hits(t, 1);
        assert_true(run_intend(p));
        assert_int_equal(batch_init(&empty, 4, UINT32_MAX), 0);
        batch_begin(&empty, &(struct ledger){p->history.acked.seq + 1, 4711});
        current = t;
        assert_int_equal(history_intend(&p->history, &empty, true), 0);
        if (applied)
            assert_true(run_store(p, &t->model, applied == 1 ? &p->batch : &empty));
        take_snapshot(NULL, ENV_STEP_INTENT);
        recover(&t->snapshots[0], applied, 1);
        recover(&t->snapshots[0], applied, 2);
        batch_fini(&empty);
        trial_fini(t);
    }
}

static void run_two_on_copies(const struct snapshot *s, int number)
{
    struct error err;
    struct run_model m = s->model;
    struct run_process p[2] = {0};
    for (int k = 0; k < 2; k++) {
        memory_disk_init(&p[k].disk);
        p[k].disk.old_bytes = s->disk.old_bytes;
        p[k].disk.old = malloc(s->disk.old_bytes);
        memcpy(p[k].disk.old, s->disk.old, s->disk.old_bytes);
        assert_int_equal(run_start(&p[k], &two, 50 + (uint64_t)k, &err), 0);
    }
    assert_string_equal(p[0].history.instance, p[1].history.instance);
    for (uint32_t round = 0; round < 6; round++) {
        run_hit(&p[round % 2], &m, 0, round, 10);
        run_drain(&p[round % 2], &m);
    }
    assert_string_not_equal(p[0].history.instance, p[1].history.instance);
    for (uint32_t i = 0; i < RUN_NAMES; i++) {
        if (m.stored[i] != m.written[i])
            fail_msg("snapshot %d, name %u: %llu hits of %llu", number, i, (unsigned long long)m.stored[i],
                     (unsigned long long)m.written[i]);
    }
    for (int k = 0; k < 2; k++)
        run_end(&p[k]);
}

static void test_a_copied_state_file_in_two_processes_gives_exact_sums(void **state)
{
    struct trial *t = calloc(1, sizeof(*t));
    (void)state;

    live(t, 6);
    /* What the file held pending is held by both, and both believe that it is theirs; whoever comes second finds a
     * ledger that it did not write, and leaves it to the other. */
    for (int number = 0; number < t->count; number++)
        run_two_on_copies(&t->snapshots[number], number);
    trial_fini(t);
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_kill_at_any_step_gives_every_hit_once),
        cmocka_unit_test(test_a_replaced_batch_is_open_with_its_replacement),
        cmocka_unit_test(test_a_copied_state_file_in_two_processes_gives_exact_sums),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
