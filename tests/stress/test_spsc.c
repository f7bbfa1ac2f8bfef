#include "sync/spsc.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define ITEMS 200000
#define CAPACITY 64

/* What travels: plain memory, so that TSan would see a missing edge. */
struct parcel {
    uint32_t number, twice;
};

static void *push_parcels(void *ctx)
{
    for (uint32_t i = 0; i < ITEMS; i++) {
        struct parcel *parcel = malloc(sizeof(*parcel));
        *parcel = (struct parcel){i, 2 * i};
        while (!spsc_push(ctx, parcel))
            sched_yield();
    }
    return NULL;
}

static void test_parcels_arrive_in_order_and_whole(void **state)
{
    (void)state;
    struct spsc *q;
    pthread_t producer;

    assert_int_equal(spsc_create(&q, CAPACITY), 0);
    assert_int_equal(pthread_create(&producer, NULL, push_parcels, q), 0);
    for (uint32_t i = 0; i < ITEMS; i++) {
        void *item;
        while (!spsc_pop(q, &item))
            sched_yield();
        struct parcel *parcel = item;
        assert_int_equal(parcel->number, i);
        assert_int_equal(parcel->twice, 2 * i);
        free(parcel);
    }
    pthread_join(producer, NULL);
    spsc_destroy(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parcels_arrive_in_order_and_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
