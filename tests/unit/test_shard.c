#include "tally/seal.h"
#include "tally/shard.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct shard *shard_of(uint32_t cells_max, uint64_t names_bytes_max)
{
    const struct shard_config config = {.cells_max = cells_max, .names_bytes_max = names_bytes_max, .hash_key = {1, 2}};
    struct shard *s = NULL;

    assert_int_equal(shard_create(&s, &config), 0);
    return s;
}

static uint32_t intern(struct shard *s, struct slice name) { return shard_intern(s, name, shard_hash(s, name), false); }

static uint32_t find(const struct shard *s, struct slice name) { return shard_find(s, name, shard_hash(s, name)); }

static void test_sizes_out_of_range_are_refused(void **state)
{
    (void)state;
    struct shard *s = NULL;

    assert_int_equal(shard_create(&s, &(struct shard_config){.cells_max = 0}), -EINVAL);
    assert_int_equal(shard_create(&s, &(struct shard_config){.cells_max = SHARD_CELLS_MAX + 1}), -EINVAL);
    assert_null(s);
    shard_destroy(NULL);
}

static void test_largest_shard_costs_nothing_before_it_is_used(void **state)
{
    (void)state;
    struct shard *s = shard_of(SHARD_CELLS_MAX, 0);

    assert_int_equal(intern(s, SLICE("a/b")), 0);
    assert_true(shard_add(s, 0, 1));
    shard_destroy(s);
}

static void test_interned_name_is_found_and_kept_byte_for_byte(void **state)
{
    (void)state;
    struct shard *s = shard_of(10, 0);
    char text[] = "blog/\xff\x80 x";
    struct slice name = {text, sizeof(text) - 1};

    assert_true(find(s, name) == SHARD_CELL_NONE);
    assert_int_equal(shard_cells(s), 0);
    uint32_t cell = intern(s, name);
    memset(text, '#', sizeof(text) - 1); /* the shard has a copy */
    assert_int_equal(shard_cells(s), 1);
    assert_true(slice_equals(shard_name(s, cell), SLICE("blog/\xff\x80 x")));
    assert_true(find(s, SLICE("blog/\xff\x80 x")) == cell);
    assert_true(find(s, SLICE("blog/\xff\x80 ")) == SHARD_CELL_NONE);
    assert_true(find(s, SLICE("blog/\xff\x80 xx")) == SHARD_CELL_NONE);
    assert_int_equal(shard_count(s, cell), 0);
    shard_destroy(s);
}

static void test_names_with_equal_hashes_are_told_apart(void **state)
{
    (void)state;
    struct shard *s = shard_of(10, 0);

    uint32_t a = shard_intern(s, SLICE("n/a"), 42, false), b = shard_intern(s, SLICE("n/b"), 42, false);
    assert_int_not_equal(a, b);
    assert_int_equal(shard_find(s, SLICE("n/a"), 42), a);
    assert_int_equal(shard_find(s, SLICE("n/b"), 42), b);
    assert_true(shard_find(s, SLICE("n/c"), 42) == SHARD_CELL_NONE);
    shard_destroy(s);
}

static void test_names_that_differ_in_any_one_byte_are_told_apart(void **state)
{
    (void)state;
    enum { BYTES_MAX = 40, HASH = 7 };
    struct shard *s = shard_of(BYTES_MAX, 0);
    char *text = malloc(BYTES_MAX); /* of its own, so that a look past its end is found */

    for (size_t bytes = BYTES_MAX; bytes > 0; bytes--) {
        text = realloc(text, bytes);
        memset(text, 'a', bytes);
        struct slice name = {text, bytes};
        uint32_t cell = shard_intern(s, name, HASH, false);
        assert_true(shard_find(s, name, HASH) == cell);
        for (size_t at = 0; at < bytes; at++) {
            text[at] = 'b';
            assert_true(shard_find(s, name, HASH) == SHARD_CELL_NONE);
            text[at] = 'a';
        }
    }
    free(text);
    shard_destroy(s);
}

static void test_full_shard_refuses_new_names_and_keeps_counting_old_ones(void **state)
{
    (void)state;
    struct shard *s = shard_of(2, 0);

    uint32_t cell = intern(s, SLICE("n/a"));
    intern(s, SLICE("n/b"));
    assert_true(intern(s, SLICE("n/c")) == SHARD_CELL_NONE);
    assert_int_equal(shard_cells(s), 2);
    assert_true(shard_add(s, cell, 5));
    assert_int_equal(shard_count(s, cell), 5);
    shard_destroy(s);
}

static void test_name_that_does_not_fit_is_refused_and_a_shorter_one_taken(void **state)
{
    (void)state;
    struct shard *s = shard_of(10, 20);

    assert_int_equal(intern(s, SLICE("n/abcde")), 0); /* 7 bytes and their check take 12 of the 20 */
    assert_true(intern(s, SLICE("n/xyz")) == SHARD_CELL_NONE);
    assert_true(find(s, SLICE("n/xyz")) == SHARD_CELL_NONE);
    assert_int_equal(intern(s, SLICE("n/xy")), 1);
    assert_true(slice_equals(shard_name(s, 0), SLICE("n/abcde")));
    assert_true(slice_equals(shard_name(s, 1), SLICE("n/xy")));
    shard_destroy(s);
}

static void test_counts_and_sum_add_up(void **state)
{
    (void)state;
    struct shard *s = shard_of(10, 0);
    uint32_t a = intern(s, SLICE("n/a")), b = intern(s, SLICE("n/b"));

    assert_true(shard_add(s, a, 1));
    assert_true(shard_add(s, b, 10));
    assert_true(shard_add(s, a, 2147483647));
    assert_int_equal(shard_count(s, a), 2147483648);
    assert_int_equal(shard_count(s, b), 10);
    assert_int_equal(shard_sum(s), 2147483658);
    shard_destroy(s);
}

static void test_sum_past_56_bits_is_refused_and_nothing_added(void **state)
{
    (void)state;
    struct shard *s = shard_of(10, 0);
    uint32_t cell = intern(s, SLICE("n/a"));

    assert_true(shard_add(s, cell, (int64_t)SEAL_MAX - 1));
    assert_false(shard_add(s, cell, 2));
    assert_false(shard_add(s, cell, UINT64_MAX));
    assert_true(shard_count(s, cell) == (int64_t)SEAL_MAX - 1);
    assert_true(shard_sum(s) == (int64_t)SEAL_MAX - 1);
    assert_true(shard_add(s, cell, 1));
    assert_true(shard_count(s, cell) == (int64_t)SEAL_MAX);
    shard_destroy(s);
}

static void test_touched_cell_is_reported_once_until_it_is_taken(void **state)
{
    (void)state;
    struct shard *s = shard_of(10, 0);
    uint32_t a = intern(s, SLICE("n/a")), b = intern(s, SLICE("n/b")), cell = 99;

    assert_false(shard_take_touched(s, &cell));
    for (int i = 0; i < 100; i++) {
        shard_add(s, b, 1);
        shard_add(s, a, 1);
    }
    assert_true(shard_take_touched(s, &cell));
    assert_int_equal(cell, b);
    assert_true(shard_take_touched(s, &cell));
    assert_int_equal(cell, a);
    assert_false(shard_take_touched(s, &cell));
    shard_add(s, a, 1);
    assert_true(shard_take_touched(s, &cell));
    assert_int_equal(cell, a);
    assert_false(shard_take_touched(s, &cell));
    shard_destroy(s);
}

static void test_all_cells_can_be_touched_at_once(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 2, 3, 4, 7, 8, 9};
    uint32_t cell;

    for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
        struct shard *s = shard_of(sizes[k], 0);
        for (uint32_t i = 0; i < sizes[k]; i++) {
            char text[] = {'n', '/', (char)('a' + i)};
            assert_true(shard_add(s, intern(s, (struct slice){text, 3}), 1));
        }
        for (uint32_t i = 0; i < sizes[k]; i++)
            assert_true(shard_take_touched(s, &cell));
        assert_false(shard_take_touched(s, &cell));
        shard_destroy(s);
    }
}

/* Counts once, and what was counted is stored. */
static uint32_t stored(struct shard *s, struct slice name)
{
    uint32_t cell = find(s, name), touched;

    cell = cell == SHARD_CELL_NONE ? intern(s, name) : cell;
    assert_true(shard_add(s, cell, 1));
    assert_true(shard_take_touched(s, &touched) && touched == cell);
    shard_set_baseline(s, cell, shard_count(s, cell));
    return cell;
}

static void test_a_name_goes_only_when_nothing_was_hit_since_it_was_stored(void **state)
{
    (void)state;
    struct shard *s = shard_of(10, 0);
    uint32_t cell = stored(s, SLICE("n/a")), touched;

    assert_true(shard_add(s, cell, 1));
    assert_false(shard_unlink(s, cell));
    shard_set_baseline(s, cell, 2); /* stored with what was taken before, and still on its way */
    assert_false(shard_unlink(s, cell));
    assert_int_equal(find(s, SLICE("n/a")), cell);
    assert_true(shard_take_touched(s, &touched));
    assert_true(shard_unlink(s, cell));
    assert_true(find(s, SLICE("n/a")) == SHARD_CELL_NONE);
    assert_true(slice_equals(shard_name(s, cell), SLICE("n/a"))); /* for those who read it just now */
    shard_destroy(s);
}

static void test_a_vacant_cell_gets_another_name_and_its_count_goes_on(void **state)
{
    (void)state;
    struct shard *s = shard_of(1, 0);
    uint32_t cell = stored(s, SLICE("n/a")), touched;

    assert_true(shard_unlink(s, cell));
    assert_true(intern(s, SLICE("n/b")) == SHARD_CELL_NONE); /* somebody may still read the cell */
    shard_vacate(s, cell);
    assert_int_equal(shard_name(s, cell).bytes, 0);
    assert_int_equal(intern(s, SLICE("n/longer")), cell);
    assert_int_equal(find(s, SLICE("n/longer")), cell);
    assert_true(find(s, SLICE("n/a")) == SHARD_CELL_NONE);
    assert_int_equal(shard_count(s, cell), 1);
    assert_int_equal(shard_baseline(s, cell), 1);
    assert_int_equal(shard_cells(s), 1);
    assert_true(shard_add(s, cell, 4));
    assert_true(shard_take_touched(s, &touched) && touched == cell);
    assert_int_equal(shard_count(s, cell) - shard_baseline(s, cell), 4);
    assert_int_equal(shard_sum(s), 5);
    shard_destroy(s);
}

static void test_a_cell_that_counted_too_much_keeps_its_name(void **state)
{
    (void)state;
    struct shard *s = shard_of(10, 0);
    uint32_t cell = stored(s, SLICE("n/a")), touched;

    assert_true(shard_add(s, cell, SHARD_COUNT_PARTS_MAX));
    assert_true(shard_take_touched(s, &touched));
    shard_set_baseline(s, cell, shard_count(s, cell));
    assert_false(shard_unlink(s, cell));
    assert_int_equal(find(s, SLICE("n/a")), cell);
    shard_destroy(s);
}

static void forget(struct shard *s, struct slice name)
{
    uint32_t cell = stored(s, name);

    assert_true(shard_unlink(s, cell));
    shard_vacate(s, cell);
}

/* Room for two names of 8 bytes, each with 4 bytes of check. */
static void test_room_of_forgotten_names_is_used_again(void **state)
{
    (void)state;
    struct shard *s = shard_of(10, 24);

    for (char c = 'a'; c <= 'z'; c++) {
        char text[] = {'n', '/', '2', '3', '4', '5', '6', c};
        forget(s, (struct slice){text, sizeof(text)});
    }
    stored(s, SLICE("n/123456"));
    forget(s, SLICE("n/654321"));
    assert_true(intern(s, SLICE("n/1234567")) == SHARD_CELL_NONE); /* longer than what is vacant */
    stored(s, SLICE("n/1"));                                       /* takes a part of it */
    assert_true(intern(s, SLICE("n/654321")) == SHARD_CELL_NONE);
    assert_true(slice_equals(shard_name(s, find(s, SLICE("n/1"))), SLICE("n/1")));
    assert_true(slice_equals(shard_name(s, find(s, SLICE("n/123456"))), SLICE("n/123456")));
    shard_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_out_of_range_are_refused),
        cmocka_unit_test(test_largest_shard_costs_nothing_before_it_is_used),
        cmocka_unit_test(test_interned_name_is_found_and_kept_byte_for_byte),
        cmocka_unit_test(test_names_with_equal_hashes_are_told_apart),
        cmocka_unit_test(test_names_that_differ_in_any_one_byte_are_told_apart),
        cmocka_unit_test(test_full_shard_refuses_new_names_and_keeps_counting_old_ones),
        cmocka_unit_test(test_name_that_does_not_fit_is_refused_and_a_shorter_one_taken),
        cmocka_unit_test(test_counts_and_sum_add_up),
        cmocka_unit_test(test_sum_past_56_bits_is_refused_and_nothing_added),
        cmocka_unit_test(test_touched_cell_is_reported_once_until_it_is_taken),
        cmocka_unit_test(test_all_cells_can_be_touched_at_once),
        cmocka_unit_test(test_a_name_goes_only_when_nothing_was_hit_since_it_was_stored),
        cmocka_unit_test(test_a_vacant_cell_gets_another_name_and_its_count_goes_on),
        cmocka_unit_test(test_a_cell_that_counted_too_much_keeps_its_name),
        cmocka_unit_test(test_room_of_forgotten_names_is_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
