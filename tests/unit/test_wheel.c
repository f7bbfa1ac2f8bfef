#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "net/wheel.h"

#define SLOTS 200

struct fired {
    struct wheel *wheel;
    uint64_t now_ms;
    uint64_t at_ms[SLOTS]; /* when each was due last; 0: never */
    uint32_t count;
    uint64_t again_ms; /* set each again for then; 0: do not */
};

static void on_due(void *ctx, uint32_t slot)
{
    struct fired *f = ctx;
    f->at_ms[slot] = f->now_ms;
    f->count++;
    if (f->again_ms)
        wheel_set(f->wheel, slot, f->again_ms);
}

static void advance(struct fired *f, uint64_t to_ms)
{
    for (; f->now_ms < to_ms; f->now_ms += 10)
        wheel_advance(f->wheel, f->now_ms, on_due, f);
}

static void test_an_entry_is_due_at_its_time_and_never_early(void **state)
{
    (void)state;
    struct wheel w;
    struct fired f = {.wheel = &w, .now_ms = 5000};
    assert_int_equal(wheel_init(&w, SLOTS, 5000), 0);
    for (uint32_t i = 0; i < SLOTS; i++)
        wheel_set(&w, i, 5000 + i * 7);
    advance(&f, 8000);
    assert_int_equal(f.count, SLOTS);
    for (uint32_t i = 0; i < SLOTS; i++) {
        assert_true(f.at_ms[i] >= 5000 + i * 7);
        assert_true(f.at_ms[i] <= 5000 + i * 7 + 2 * WHEEL_TICK_MS);
    }
    wheel_fini(&w);
}

static void test_a_cleared_entry_is_never_due(void **state)
{
    (void)state;
    struct wheel w;
    struct fired f = {.wheel = &w, .now_ms = 1000};
    assert_int_equal(wheel_init(&w, SLOTS, 1000), 0);
    wheel_set(&w, 1, 1500);
    wheel_set(&w, 2, 1500);
    wheel_set(&w, 3, 1500);
    wheel_clear(&w, 2);
    assert_true(wheel_at(&w, 2) == UINT64_MAX);
    advance(&f, 3000);
    assert_int_equal(f.count, 2);
    assert_int_equal(f.at_ms[2], 0);
    wheel_fini(&w);
}

static void test_setting_again_moves_the_entry(void **state)
{
    (void)state;
    struct wheel w;
    struct fired f = {.wheel = &w, .now_ms = 1000};
    assert_int_equal(wheel_init(&w, SLOTS, 1000), 0);
    wheel_set(&w, 7, 5000);
    wheel_set(&w, 7, 1300);
    advance(&f, 9000);
    assert_int_equal(f.count, 1);
    assert_true(f.at_ms[7] < 1600);
    wheel_fini(&w);
}

static void test_a_far_entry_is_looked_at_within_the_span(void **state)
{
    (void)state;
    struct wheel w;
    struct fired f = {.wheel = &w, .now_ms = 1000};
    assert_int_equal(wheel_init(&w, SLOTS, 1000), 0);
    wheel_set(&w, 7, 1000 + 75000);
    advance(&f, 1000 + WHEEL_SPAN_MS + 2 * WHEEL_TICK_MS);
    assert_int_equal(f.count, 1);
    wheel_fini(&w);
}

static void test_an_entry_set_while_due_waits_for_its_own_time(void **state)
{
    (void)state;
    struct wheel w;
    struct fired f = {.wheel = &w, .now_ms = 1000, .again_ms = 2000};
    assert_int_equal(wheel_init(&w, SLOTS, 1000), 0);
    wheel_set(&w, 3, 1100);
    advance(&f, 1500);
    assert_int_equal(f.count, 1);
    f.again_ms = 0;
    advance(&f, 3000);
    assert_int_equal(f.count, 2);
    assert_true(f.at_ms[3] >= 2000);
    wheel_fini(&w);
}

static void test_after_a_long_sleep_everything_is_due_once(void **state)
{
    (void)state;
    struct wheel w;
    struct fired f = {.wheel = &w, .now_ms = 1000000};
    assert_int_equal(wheel_init(&w, SLOTS, 1000), 0);
    for (uint32_t i = 0; i < SLOTS; i++)
        wheel_set(&w, i, 1000 + i * 50);
    wheel_advance(&w, 1000000, on_due, &f);
    assert_int_equal(f.count, SLOTS);
    wheel_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_entry_is_due_at_its_time_and_never_early),
        cmocka_unit_test(test_a_cleared_entry_is_never_due),
        cmocka_unit_test(test_setting_again_moves_the_entry),
        cmocka_unit_test(test_a_far_entry_is_looked_at_within_the_span),
        cmocka_unit_test(test_an_entry_set_while_due_waits_for_its_own_time),
        cmocka_unit_test(test_after_a_long_sleep_everything_is_due_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
