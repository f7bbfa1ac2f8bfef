#include "sync/spsc_u32.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define ITEMS 400000
#define GROWTH 20000 /* so often the producer asks for twice the room */

struct indexed {
    struct spsc_u32 *q;
    uint32_t squares[ITEMS];
};

static void *push_indexes(void *ctx)
{
    struct indexed *shared = ctx;

    for (uint32_t i = 0; i < ITEMS; i++) {
        shared->squares[i] = i * i;
        if (i % GROWTH == GROWTH - 1)
            spsc_u32_reserve(shared->q, 1024u << i / GROWTH % 10);
        while (!spsc_u32_push(shared->q, i))
            sched_yield();
    }
    return NULL;
}

static void test_what_an_index_names_is_written_before_it_arrives(void **state)
{
    (void)state;
    struct indexed *shared = calloc(1, sizeof(*shared));
    pthread_t producer;

    assert_int_equal(spsc_u32_create(&shared->q, ITEMS), 0);
    assert_int_equal(pthread_create(&producer, NULL, push_indexes, shared), 0);
    for (uint32_t i = 0; i < ITEMS; i++) {
        uint32_t index = 0;
        while (!spsc_u32_pop(shared->q, &index))
            sched_yield();
        assert_int_equal(index, i);
        assert_true(shared->squares[index] == index * index);
    }
    pthread_join(producer, NULL);
    spsc_u32_destroy(shared->q);
    free(shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_an_index_names_is_written_before_it_arrives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
