#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/state_memory.h"
#include "tally/seal.h"
#include "tally/state_file.h"

struct fixture {
    struct memory_disk disk;
    struct state_file_config config;
    struct state_file *file;
    uint64_t mark; /* of an orderly end, when the file was closed */
};

static void close_and_look(void *ctx)
{
    struct fixture *f = ctx; /* the disk is its first member */

    f->mark = *(uint64_t *)(void *)(f->disk.new + STATE_PAGE);
    memory_close(&f->disk);
}

static void fixture_init(struct fixture *f)
{
    *f = (struct fixture){0};
    memory_disk_init(&f->disk);
    f->disk.disk.close = close_and_look;
    f->config = (struct state_file_config){.disk = &f->disk.disk,
                                           .geometry = {.workers = 2,
                                                        .partitions = 3,
                                                        .cells_max = 1000,
                                                        .names_units_max = 5000,
                                                        .journal_bytes = 2 * STATE_PAGE},
                                           .boot_id = "boot",
                                           .chunk_bytes = 4096};
}

static void create(struct fixture *f)
{
    struct error err;

    fixture_init(f);
    assert_int_equal(state_file_create(&f->file, &f->config, &err), 0);
}

static void test_a_new_file_has_its_header_twice_and_no_cells(void **state)
{
    struct state_header first, second;
    struct fixture f;
    (void)state;

    create(&f);
    memcpy(&first, f.disk.new, sizeof(first));
    memcpy(&second, f.disk.new + STATE_PAGE / 2, sizeof(second));
    assert_int_equal(state_header_check(&first), STATE_HEADER_WHOLE);
    assert_memory_equal(&first, &second, sizeof(first));
    assert_memory_equal(&first.geometry, state_file_geometry(f.file), sizeof(first.geometry));
    assert_string_equal(first.boot_id, "boot");
    for (int word = 0; word <= 2; word++)
        assert_true(*(uint64_t *)(void *)(f.disk.new + STATE_PAGE + word *STATE_LINE) == seal(0));
    state_file_close(f.file, false);
}

static void test_journals_and_shards_have_a_place_each(void **state)
{
    struct storage one, two;
    struct fixture f;
    (void)state;

    create(&f);
    for (uint32_t p = 0; p < 3; p++)
        memset(state_file_journal(f.file, p), (int)p + 1, f.config.geometry.journal_bytes);
    state_file_storage(f.file, 0, &one);
    state_file_storage(f.file, 1, &two);
    memset(one.cells, 11, one.cells_max * sizeof(one.cells[0]));
    memset(one.baselines, 12, one.cells_max * sizeof(one.baselines[0]));
    memset(one.names, 13, one.names_units_max * NAME_UNIT);
    memset(two.cells, 21, two.cells_max * sizeof(two.cells[0]));
    for (uint32_t p = 0; p < 3; p++)
        assert_int_equal(((char *)state_file_journal(f.file, p))[f.config.geometry.journal_bytes - 1], p + 1);
    assert_int_equal(((char *)one.cells)[one.cells_max * sizeof(one.cells[0]) - 1], 11);
    assert_int_equal(((char *)one.baselines)[one.cells_max * sizeof(one.baselines[0]) - 1], 12);
    assert_int_equal(one.names[one.names_units_max * NAME_UNIT - 1], 13);
    assert_int_equal(two.shard, 1);
    assert_ptr_not_equal(one.live_cells, two.live_cells);
    assert_true(*one.live_cells == seal(0));
    state_file_close(f.file, false);
}

static void test_an_orderly_end_is_marked_once_all_is_on_the_medium(void **state)
{
    struct fixture f;
    (void)state;

    create(&f);
    assert_int_equal(state_file_commit(f.file), 0);
    assert_int_equal(state_file_close(f.file, true), 0);
    assert_true(f.mark == seal(1));
    assert_int_equal(f.disk.syncs, 2);
    /* Not when it is cut short, not when it was never put in place. */
    create(&f);
    assert_int_equal(state_file_commit(f.file), 0);
    assert_int_equal(state_file_close(f.file, false), 0);
    assert_true(f.mark == seal(0));
    create(&f);
    assert_int_equal(state_file_close(f.file, true), 0);
    assert_true(f.mark == seal(0));
    assert_int_equal(state_file_close(NULL, true), 0);
}

static void test_a_medium_that_fails_at_the_end_is_told(void **state)
{
    struct fixture f;
    (void)state;

    for (int sync = 1; sync <= 2; sync++) { /* before the mark, and of the mark itself */
        create(&f);
        assert_int_equal(state_file_commit(f.file), 0);
        f.disk.fail_at = f.disk.calls + sync;
        assert_int_equal(state_file_close(f.file, true), -EIO);
        assert_true(f.mark == seal(sync - 1));
        assert_null(f.disk.new);
    }
}

static void test_a_commit_that_fails_is_told(void **state)
{
    struct fixture f;
    (void)state;

    create(&f);
    f.disk.fail_at = f.disk.calls + 1;
    assert_int_equal(state_file_commit(f.file), -EIO);
    state_file_close(f.file, true);
    assert_true(f.mark == seal(0));
}

static void test_what_cannot_be_made_is_an_error_with_a_sentence(void **state)
{
    struct fixture f;
    struct error err;
    (void)state;

    for (int k = 1; k <= 8; k++) { /* create, the start, and three chunks of each shard */
        fixture_init(&f);
        f.disk.disk.close = memory_close;
        f.disk.fail_at = k;
        assert_true(state_file_create(&f.file, &f.config, &err) < 0);
        assert_non_null(strstr(err.text, "--state-dir"));
        assert_null(f.disk.new);
    }
    fixture_init(&f);
    f.disk.disk.close = memory_close;
    f.config.geometry.cells_max = 0;
    assert_int_equal(state_file_create(&f.file, &f.config, &err), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_file_has_its_header_twice_and_no_cells),
        cmocka_unit_test(test_journals_and_shards_have_a_place_each),
        cmocka_unit_test(test_an_orderly_end_is_marked_once_all_is_on_the_medium),
        cmocka_unit_test(test_a_medium_that_fails_at_the_end_is_told),
        cmocka_unit_test(test_a_commit_that_fails_is_told),
        cmocka_unit_test(test_what_cannot_be_made_is_an_error_with_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
