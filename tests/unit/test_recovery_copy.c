/* A state file that is a copy of one whose process may still run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/state_run.h"

/* What a process that counted 135 hits leaves, 35 of them in a batch whose fate is open. */
static void leave(const struct run_config *config, struct memory_disk *left)
{
    struct run_process p = {0};
    struct run_model m = {0};
    struct error err;

    memory_disk_init(&p.disk);
    assert_int_equal(run_start(&p, config, 3, &err), 0);
    run_hit(&p, &m, 0, 0, 10);
    run_hit(&p, &m, 1, 0, 20);
    run_hit(&p, &m, 1, 1, 5);
    if (!config->embedded)
        assert_true(run_intend(&p));
    run_hit(&p, &m, 0, 2, 100);
    memory_disk_crash(&p.disk, left);
    run_end(&p);
}

static void begin(struct run_process *p, const struct memory_disk *left, const struct run_config *config)
{
    struct error err;

    *p = (struct run_process){0};
    memory_disk_init(&p->disk);
    p->disk.old_bytes = left->old_bytes;
    p->disk.old = malloc(left->old_bytes);
    memcpy(p->disk.old, left->old, left->old_bytes);
    p->disk.twin = true;
    assert_int_equal(run_start(p, config, 4, &err), 0);
}

static void test_a_copy_leaves_what_is_pending_to_the_process_with_the_original(void **state)
{
    const struct run_config config = {.workers = 2, .keys_max = RUN_NAMES, .batch_keys_max = 2};
    struct memory_disk left;
    struct run_process p;
    (void)state;

    leave(&config, &left);
    begin(&p, &left, &config);
    assert_true(p.recovery.copied);
    assert_true(p.recovery.damaged); /* so the file is kept, and its loss is said */
    assert_int_equal(p.disk.asides, 1);
    assert_int_equal(p.recovery.import.hits, 0);
    assert_int_equal(p.recovery.lost_hits, 135);
    assert_int_equal(p.recovery.renamed, 1);
    assert_false(p.open);
    run_end(&p);
    memory_disk_fini(&left);
}

static void test_without_a_store_a_copy_is_a_store_of_its_own(void **state)
{
    const struct run_config config = {.workers = 2, .keys_max = RUN_NAMES, .batch_keys_max = 4, .embedded = true};
    struct memory_disk left;
    struct run_process p;
    (void)state;

    leave(&config, &left);
    begin(&p, &left, &config);
    assert_false(p.recovery.copied);
    assert_int_equal(p.recovery.import.hits, 135);
    run_end(&p);
    memory_disk_fini(&left);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_copy_leaves_what_is_pending_to_the_process_with_the_original),
        cmocka_unit_test(test_without_a_store_a_copy_is_a_store_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
