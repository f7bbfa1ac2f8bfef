#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/state_memory.h"
#include "tally/import.h"
#include "tally/seal.h"
#include "tally/shard.h"
#include "tally/state_file.h"

#define WORKERS 2

/* A run whose file becomes the old one of the next. */
struct fixture {
    struct memory_disk disk, left;
    struct state_file *file;
    struct tally *tally;
    struct state_old old;
    struct tally *next;
};

static void run(struct fixture *f, bool embedded)
{
    struct error err;

    *f = (struct fixture){0};
    memory_disk_init(&f->disk);
    const struct state_file_config config = {.disk = &f->disk.disk,
                                             .geometry = {.workers = WORKERS,
                                                          .partitions = 1,
                                                          .cells_max = 200,
                                                          .names_units_max = 5000,
                                                          .journal_bytes = STATE_PAGE,
                                                          .embedded = embedded},
                                             .boot_id = "boot",
                                             .chunk_bytes = 4096};
    assert_int_equal(state_file_create(&f->file, &config, &err), 0);
    assert_int_equal(
        tally_create(&f->tally, &(struct tally_config){.workers = WORKERS, .keys_max = 200, .state = f->file}), 0);
}

static void count(struct fixture *f, uint32_t worker, const char *name, uint64_t hits)
{
    assert_int_equal(tally_hit(f->tally, worker, (struct slice){name, strlen(name)}, hits), TALLY_COUNTED);
}

static void stored(struct fixture *f, uint32_t worker, const char *name, uint64_t hits)
{
    struct shard *s = tally_shard(f->tally, worker);
    struct slice n = {name, strlen(name)};

    shard_set_baseline(s, shard_find(s, n, shard_hash(s, n)), hits);
}

/* The process dies, and the next one looks at what it left. */
static void die(struct fixture *f)
{
    struct error err;

    memory_disk_crash(&f->disk, &f->left);
    tally_destroy(f->tally);
    state_file_close(f->file, false);
    assert_int_equal(state_old_load(&f->old, &f->left.disk, &err), 0);
    assert_int_equal(tally_create(&f->next, &(struct tally_config){.workers = 3, .keys_max = 100}), 0);
}

static void fixture_fini(struct fixture *f)
{
    tally_destroy(f->next);
    state_old_free(&f->old);
    memory_disk_fini(&f->left);
    memory_disk_fini(&f->disk);
}

static uint64_t pending(const struct fixture *f, const char *name)
{
    struct tally_value v;

    tally_read(f->next, (struct slice){name, strlen(name)}, &v);
    return v.pending;
}

static void test_what_is_not_stored_is_taken_over_one_cell_a_name(void **state)
{
    struct import out;
    struct fixture f;
    (void)state;

    run(&f, false);
    count(&f, 0, "n/a", 5);
    count(&f, 1, "n/a", 7);
    count(&f, 0, "n/b", 9);
    stored(&f, 0, "n/b", 4);
    count(&f, 1, "n/c", 3);
    stored(&f, 1, "n/c", 3); /* nothing of it is left to do */
    die(&f);
    assert_int_equal(import_names(&f.old, false), 3); /* cells: at least as many as names */
    assert_int_equal(import_run(f.next, &f.old, false, NULL, NULL, &out), 0);
    assert_int_equal(out.names, 2);
    assert_int_equal(out.hits, 17);
    assert_int_equal(out.damaged, 0);
    assert_int_equal(pending(&f, "n/a"), 12);
    assert_int_equal(pending(&f, "n/b"), 5);
    assert_int_equal(tally_keys(f.next), 2);
    fixture_fini(&f);
}

static void test_counts_of_and_for_a_run_without_a_store_are_taken_whole(void **state)
{
    (void)state;

    for (int was = 0; was < 2; was++) {
        struct import out;
        struct fixture f;
        run(&f, was);
        count(&f, 0, "n/b", 9);
        stored(&f, 0, "n/b", 4);
        die(&f);
        assert_int_equal(import_run(f.next, &f.old, !was, NULL, NULL, &out), 0);
        assert_int_equal(pending(&f, "n/b"), 9);
        fixture_fini(&f);
    }
}

static bool is_a(void *ctx, struct slice name)
{
    (void)ctx;
    return slice_equals(name, SLICE("n/a"));
}

static void test_what_may_be_stored_already_is_counted_and_left_out(void **state)
{
    struct import out;
    struct fixture f;
    (void)state;

    run(&f, false);
    count(&f, 0, "n/a", 5);
    count(&f, 1, "n/a", 7);
    count(&f, 0, "n/b", 9);
    die(&f);
    assert_int_equal(import_run(f.next, &f.old, false, is_a, NULL, &out), 0);
    assert_int_equal(out.condemned, 2);
    assert_int_equal(out.condemned_hits, 12);
    assert_int_equal(out.hits, 9);
    assert_int_equal(pending(&f, "n/a"), 0);
    fixture_fini(&f);
}

static void test_damaged_cells_and_a_damaged_number_of_them_are_counted(void **state)
{
    struct import out;
    struct fixture f;
    (void)state;

    run(&f, false);
    count(&f, 0, "n/a", 5);
    count(&f, 0, "n/b", 6);
    count(&f, 1, "n/c", 7);
    die(&f);
    f.old.base[f.old.plan.shards] ^= 1;             /* the count of n/a */
    f.old.base[state_live_at(&f.old.plan, 2)] ^= 1; /* how many cells the second shard has */
    assert_int_equal(import_run(f.next, &f.old, false, NULL, NULL, &out), 0);
    assert_int_equal(out.damaged, 2);
    assert_int_equal(out.hits, 13);
    assert_int_equal(pending(&f, "n/a"), 0);
    assert_int_equal(pending(&f, "n/c"), 7);
    fixture_fini(&f);
}

static void test_a_sum_that_no_cell_can_hold_is_left_out(void **state)
{
    struct import out;
    struct fixture f;
    (void)state;

    run(&f, false);
    count(&f, 0, "n/a", SEAL_MAX - 1);
    count(&f, 1, "n/a", 2);
    die(&f);
    assert_int_equal(import_run(f.next, &f.old, false, NULL, NULL, &out), 0);
    assert_int_equal(out.damaged, 1);
    assert_true(pending(&f, "n/a") == SEAL_MAX - 1);
    fixture_fini(&f);
}

static void test_a_new_run_without_room_is_told(void **state)
{
    struct import out;
    struct fixture f;
    (void)state;

    run(&f, false);
    for (char name[] = "n/a0"; name[3] < '5'; name[2] = name[2] == 'z' ? 'a' : name[2] + 1, name[3] += name[2] == 'a')
        count(&f, 0, name, 1);
    die(&f);
    tally_destroy(f.next);
    assert_int_equal(tally_create(&f.next, &(struct tally_config){.workers = 1, .keys_max = 1}), 0);
    assert_int_equal(import_run(f.next, &f.old, false, NULL, NULL, &out), -ENOSPC);
    assert_int_equal(out.names, tally_cells_max(1));
    fixture_fini(&f);
}

static void forgotten(struct fixture *f, uint32_t worker, const char *name)
{
    struct shard *s = tally_shard(f->tally, worker);
    struct slice n = {name, strlen(name)};
    uint32_t cell = shard_find(s, n, shard_hash(s, n)), touched;

    while (shard_take_touched(s, &touched))
        continue;
    assert_true(shard_unlink(s, cell));
    shard_vacate(s, cell);
}

/* A vacant cell is no damage, and one that got another name brings what is not stored of that name. */
static void test_forgotten_names_leave_no_trace(void **state)
{
    (void)state;
    for (int embedded = 0; embedded < 2; embedded++) {
        struct fixture f;
        struct import import;
        bool whole;

        run(&f, false);
        count(&f, 0, "n/gone", 5);
        count(&f, 1, "n/reused", 7);
        stored(&f, 0, "n/gone", 5);
        stored(&f, 1, "n/reused", 7);
        forgotten(&f, 0, "n/gone");
        forgotten(&f, 1, "n/reused");
        count(&f, 1, "n/next", 3);
        die(&f);
        assert_int_equal(state_old_cells(&f.old, 0, &whole), 1);
        assert_int_equal(import_run(f.next, &f.old, embedded, NULL, NULL, &import), 0);
        assert_int_equal(import.names, 1);
        assert_int_equal(import.hits, 3);
        assert_int_equal(import.damaged, 0);
        fixture_fini(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_not_stored_is_taken_over_one_cell_a_name),
        cmocka_unit_test(test_counts_of_and_for_a_run_without_a_store_are_taken_whole),
        cmocka_unit_test(test_what_may_be_stored_already_is_counted_and_left_out),
        cmocka_unit_test(test_damaged_cells_and_a_damaged_number_of_them_are_counted),
        cmocka_unit_test(test_a_sum_that_no_cell_can_hold_is_left_out),
        cmocka_unit_test(test_a_new_run_without_room_is_told),
        cmocka_unit_test(test_forgotten_names_leave_no_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
