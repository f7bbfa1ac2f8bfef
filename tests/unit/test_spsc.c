#include "sync/spsc.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_capacity_must_be_a_power_of_two(void **state)
{
    (void)state;
    static const uint32_t bad[] = {0, 1, 3, 100, SPSC_CAPACITY_MAX + 1, UINT32_MAX};
    struct spsc *q = NULL;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(spsc_create(&q, bad[i]), -EINVAL);
    assert_null(q);
}

static void test_items_come_out_in_order_until_empty(void **state)
{
    (void)state;
    struct spsc *q;
    void *item = NULL;
    char bytes[3];

    assert_int_equal(spsc_create(&q, 4), 0);
    assert_false(spsc_pop(q, &item));
    for (int i = 0; i < 3; i++)
        assert_true(spsc_push(q, &bytes[i]));
    assert_false(spsc_push(q, &bytes[0])); /* one slot stays free */
    for (int i = 0; i < 3; i++) {
        assert_true(spsc_pop(q, &item));
        assert_ptr_equal(item, &bytes[i]);
    }
    assert_false(spsc_pop(q, &item));
    spsc_destroy(q);
    spsc_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_capacity_must_be_a_power_of_two),
        cmocka_unit_test(test_items_come_out_in_order_until_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
