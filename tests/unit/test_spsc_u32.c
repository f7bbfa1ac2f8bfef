#include "sync/spsc_u32.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void test_a_queue_of_no_or_too_many_items_is_refused(void **state)
{
    struct spsc_u32 *q = NULL;
    (void)state;

    assert_int_equal(spsc_u32_create(&q, 0), -EINVAL);
    assert_int_equal(spsc_u32_create(&q, SPSC_U32_ITEMS_MAX + 1), -EINVAL);
    assert_null(q);
    spsc_u32_destroy(NULL);
}

static void test_items_come_out_in_order_while_it_grows(void **state)
{
    struct spsc_u32 *q;
    uint32_t pushed = 0, popped = 0, item = 0;
    (void)state;

    assert_int_equal(spsc_u32_create(&q, 100000), 0);
    assert_false(spsc_u32_pop(q, &item));
    for (uint32_t room = 1; room <= 100000; room = room * 3 + 1) {
        spsc_u32_reserve(q, room);
        while (pushed - popped < room)
            assert_true(spsc_u32_push(q, pushed++));
        for (uint32_t n = room / 2; n; n--) { /* some stay in each table */
            assert_true(spsc_u32_pop(q, &item));
            assert_int_equal(item, popped++);
        }
    }
    while (spsc_u32_pop(q, &item))
        assert_int_equal(item, popped++);
    assert_int_equal(popped, pushed);
    spsc_u32_destroy(q);
}

static void test_what_does_not_fit_is_refused_and_nothing_is_overwritten(void **state)
{
    struct spsc_u32 *q;
    uint32_t pushed = 0, popped = 0, item = 0;
    (void)state;

    assert_int_equal(spsc_u32_create(&q, 5000), 0);
    for (int round = 0; round < 4; round++) {
        while (spsc_u32_push(q, pushed))
            pushed++;
        assert_true(spsc_u32_pop(q, &item));
        assert_int_equal(item, popped++);
        assert_true(spsc_u32_push(q, pushed++));
        assert_false(spsc_u32_push(q, pushed));
        spsc_u32_reserve(q, round == 1 ? 5000 : 1);
    }
    while (spsc_u32_pop(q, &item))
        assert_int_equal(item, popped++);
    assert_int_equal(popped, pushed);
    spsc_u32_destroy(q);
}

static long resident_kib(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    assert_non_null(f);
    assert_int_equal(fscanf(f, "%*d %ld", &pages), 1);
    fclose(f);
    return pages * 4;
}

/* However long it is in use. */
static void test_memory_follows_what_is_in_it_not_what_went_through(void **state)
{
    struct spsc_u32 *q;
    uint32_t item = 0;
    (void)state;

    assert_int_equal(spsc_u32_create(&q, 1u << 28), 0);
    spsc_u32_reserve(q, 3000);
    long before = resident_kib();
    for (uint32_t i = 0; i < 4000000; i++) {
        assert_true(spsc_u32_push(q, i));
        assert_true(spsc_u32_pop(q, &item));
        if (item != i)
            fail();
    }
    assert_true(resident_kib() - before < 1024); /* all of it once would be 16 MiB */
    spsc_u32_destroy(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_queue_of_no_or_too_many_items_is_refused),
        cmocka_unit_test(test_items_come_out_in_order_while_it_grows),
        cmocka_unit_test(test_what_does_not_fit_is_refused_and_nothing_is_overwritten),
        cmocka_unit_test(test_memory_follows_what_is_in_it_not_what_went_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
