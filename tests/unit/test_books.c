#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>

#include "owed/books.h"
#include "sync/atomic.h"

static void test_books_are_the_sum_of_what_was_posted(void **state)
{
    struct books b;
    struct flusher_books now;
    (void)state;

    books_init(&b);
    books_post(&b, &(struct books_move){.in_flight = 10});
    books_post(&b, &(struct books_move){.in_flight = -10, .stored = 7, .poisoned = 3});
    books_post(&b, &(struct books_move){.stored = -2, .lost = 2});
    books_read(&b, &now);
    assert_int_equal(now.stored, 5);
    assert_int_equal(now.in_flight, 0);
    assert_int_equal(now.poisoned, 3);
    assert_int_equal(now.lost, 2);
}

struct race {
    struct books books;
    uint32_t done;
};

static void *move_to_and_fro(void *arg)
{
    struct race *r = arg;

    for (int i = 0; i < 20000; i++) {
        books_post(&r->books, &(struct books_move){.in_flight = 10, .stored = -10});
        books_post(&r->books, &(struct books_move){.in_flight = -10, .stored = 8, .poisoned = 2});
        books_post(&r->books, &(struct books_move){.stored = 2, .poisoned = -2});
    }
    store_release_u32(&r->done, 1); /* partner: the loop below */
    return NULL;
}

static void test_a_reader_in_another_thread_never_sees_half_a_move(void **state)
{
    struct race r = {.done = 0};
    pthread_t writer;
    (void)state;

    books_init(&r.books);
    books_post(&r.books, &(struct books_move){.stored = 1000});
    pthread_create(&writer, NULL, move_to_and_fro, &r);
    while (!load_acquire_u32(&r.done)) {
        struct flusher_books b;
        books_read(&r.books, &b);
        assert_int_equal(b.stored + b.in_flight + b.poisoned, 1000);
    }
    pthread_join(writer, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_books_are_the_sum_of_what_was_posted),
        cmocka_unit_test(test_a_reader_in_another_thread_never_sees_half_a_move),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
