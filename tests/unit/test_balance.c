#include "admin/balance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/fake_sources.h"

static void test_what_is_not_taken_yet_is_pending(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    struct balance b;
    fake_hit(fake, 0, "blog/a", 7);
    fake_hit(fake, 1, "blog/b", 5);
    fake->books = (struct flusher_books){.stored = 3, .in_flight = 2, .poisoned = 1, .lost = 1};
    balance_read(&fake->sources, &b);
    assert_int_equal(b.accepted, 12);
    assert_int_equal(b.pending, 5);
    assert_int_equal(b.stored + b.in_flight + b.pending + b.poisoned + b.lost, b.accepted);
    fake_stop(fake);
}

static void test_a_hit_that_is_stored_before_it_is_accepted_counts_as_accepted(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    struct balance b;
    fake_hit(fake, 0, "blog/a", 7);
    fake->stats[0].hits_accepted = 4; /* the worker is between its cell and its statistics */
    fake->books.stored = 7;
    balance_read(&fake->sources, &b);
    assert_int_equal(b.accepted, 7);
    assert_int_equal(b.pending, 0);
    fake_stop(fake);
}

static void test_there_is_no_gap_when_every_hit_is_in_a_cell(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    assert_int_equal(balance_gap(&fake->sources), 0);
    fake_hit(fake, 0, "blog/a", 7);
    fake_hit(fake, 1, "blog/a", 5);
    fake_hit(fake, 1, "blog/b", 1);
    assert_int_equal(balance_gap(&fake->sources), 0);
    fake_stop(fake);
}

static void test_a_lost_and_an_invented_hit_are_a_gap_of_opposite_sign(void **state)
{
    (void)state;
    struct fake *fake = fake_start();
    fake_hit(fake, 0, "blog/a", 7);
    fake->stats[1].hits_accepted += 2;
    assert_int_equal(balance_gap(&fake->sources), 2);
    fake->stats[1].hits_accepted -= 2;
    fake->stats[0].hits_accepted -= 3;
    assert_int_equal(balance_gap(&fake->sources), -3);
    fake_stop(fake);
}

static void test_hits_that_come_during_the_scan_are_no_gap(void **state)
{
    (void)state;
    assert_int_equal(balance_compare(10, 10, 10), 0);
    assert_int_equal(balance_compare(10, 12, 15), 0);
    assert_int_equal(balance_compare(10, 15, 15), 0);
    assert_int_equal(balance_compare(10, 9, 15), 1);
    assert_int_equal(balance_compare(10, 16, 15), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_not_taken_yet_is_pending),
        cmocka_unit_test(test_a_hit_that_is_stored_before_it_is_accepted_counts_as_accepted),
        cmocka_unit_test(test_there_is_no_gap_when_every_hit_is_in_a_cell),
        cmocka_unit_test(test_a_lost_and_an_invented_hit_are_a_gap_of_opposite_sign),
        cmocka_unit_test(test_hits_that_come_during_the_scan_are_no_gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
