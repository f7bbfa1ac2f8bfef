#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/resource.h>

#include "support/address_space.h"
#include "support/skip.h"
#include "support/state_memory.h"
#include "tally/storage.h"

#define CHUNK 4096
#define CELLS_A_CHUNK (CHUNK / (uint32_t)sizeof(struct cell))

static void test_in_memory_there_is_room_for_all_of_it_and_no_more_is_asked_for(void **state)
{
    struct storage st;
    (void)state;

    assert_int_equal(storage_init(&st, 1000, 5000), 0);
    assert_true(storage_has_room(&st, 999, 5000));
    st.cells[999].count = 1;
    st.baselines[999] = 1;
    st.names[5000 * NAME_UNIT - 1] = 'x';
    storage_fini(&st);
}

static void test_without_address_space_nothing_is_kept(void **state)
{
    struct rlimit before, none;
    struct storage st;
    (void)state;

    if (!address_space_can_be_limited())
        skip_because("the address space cannot be limited here");
    assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
    none = (struct rlimit){1u << 30, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);
    assert_int_equal(storage_init(&st, 1000, UINT32_MAX), -ENOMEM);
    setrlimit(RLIMIT_AS, &before);
}

static void on_disk(struct storage *st, struct memory_disk *d)
{
    memory_disk_init(d);
    d->new_bytes = UINT64_MAX; /* only allocated, never touched */
    *st = (struct storage){.cells_max = 10 * CELLS_A_CHUNK + 3,
                           .names_units_max = 5000,
                           .disk = &d->disk,
                           .plan = {.baselines = 1 << 20, .names = 1 << 21},
                           .chunk_bytes = CHUNK};
}

static void test_on_a_disk_memory_is_there_chunk_by_chunk_before_it_is_touched(void **state)
{
    struct memory_disk d;
    struct storage st;
    (void)state;

    on_disk(&st, &d);
    assert_true(storage_has_room(&st, 0, 2));
    int calls = d.calls;
    assert_int_equal(calls, 3); /* cells, baselines, names */
    assert_true(storage_has_room(&st, CELLS_A_CHUNK - 1, CHUNK / NAME_UNIT));
    assert_int_equal(d.calls, calls);
    assert_true(storage_has_room(&st, CELLS_A_CHUNK, 2));
    assert_int_equal(d.calls, calls + 2);
    assert_true(storage_has_room(&st, st.cells_max - 1, 2)); /* several at once, the last one cut */
    assert_int_equal(st.cells_ready, st.cells_max);
    assert_true(storage_has_room(&st, 0, st.names_units_max));
    assert_int_equal(st.names_units_ready, st.names_units_max);
    assert_int_equal(d.allocated, st.cells_max * (sizeof(struct cell) + sizeof(uint64_t)) + 5000 * NAME_UNIT);
    storage_fini(&st); /* the memory is the file's */
}

static void test_a_full_disk_is_asked_again_now_and_then(void **state)
{
    struct memory_disk d;
    struct storage st;
    (void)state;

    for (int part = 1; part <= 3; part++) { /* cells, baselines, names */
        on_disk(&st, &d);
        d.fail_at = part;
        assert_false(storage_has_room(&st, 0, 2));
        assert_int_equal(d.calls, part);
        for (int i = 0; i < 255; i++)
            assert_false(storage_has_room(&st, 0, 2));
        assert_int_equal(d.calls, part);
        assert_true(storage_has_room(&st, 0, 2));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_memory_there_is_room_for_all_of_it_and_no_more_is_asked_for),
        cmocka_unit_test(test_without_address_space_nothing_is_kept),
        cmocka_unit_test(test_on_a_disk_memory_is_there_chunk_by_chunk_before_it_is_touched),
        cmocka_unit_test(test_a_full_disk_is_asked_again_now_and_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
