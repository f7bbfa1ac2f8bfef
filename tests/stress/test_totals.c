#include "tally/totals.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define PUBLICATIONS 2000000
#define READERS 2

struct reader {
    struct totals *totals;
    pthread_t thread;
    uint64_t torn, backwards;
};

/* Ends when it has read the last publication. */
static void *read_totals(void *ctx)
{
    struct reader *r = ctx;
    struct total total = {0};

    while (total.as_of_ms < PUBLICATIONS) {
        uint64_t before = total.as_of_ms;
        totals_read(r->totals, 0, &total);
        r->torn += total.base != total.as_of_ms || total.stored != -(int64_t)total.as_of_ms;
        r->backwards += total.as_of_ms < before;
    }
    return NULL;
}

static void test_total_is_read_whole_or_not_at_all(void **state)
{
    (void)state;
    struct totals *totals;
    struct reader readers[READERS] = {0};

    assert_int_equal(totals_create(&totals, &(struct totals_config){.entries_max = 1}), 0);
    for (int i = 0; i < READERS; i++) {
        readers[i].totals = totals;
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_totals, &readers[i]), 0);
    }
    for (uint64_t i = 1; i <= PUBLICATIONS; i++)
        totals_publish(totals, 0, &(struct total){.stored = -(int64_t)i, .base = i, .as_of_ms = i});
    for (int i = 0; i < READERS; i++) {
        pthread_join(readers[i].thread, NULL);
        assert_int_equal(readers[i].torn, 0);
        assert_int_equal(readers[i].backwards, 0);
    }
    totals_destroy(totals);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_total_is_read_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
