#include "api/board.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define PUBLICATIONS 20000
#define NAMESPACES 3
#define READERS 2

struct reader {
    struct board *board;
    pthread_t thread;
    uint64_t torn, backwards;
};

/* Each number of a namespace is that of the publication, and so is its last page. */
static bool is_whole(const struct ranking_namespace *n)
{
    return n->keys == (uint64_t)n->value && n->counted == n->keys && n->pages[n->pages_count - 1].value == n->value;
}

/* Ends when it has read the last publication. */
static void *read_board(void *ctx)
{
    struct reader *r = ctx;
    struct ranking_namespace *n = calloc(1, sizeof(*n));
    int64_t last[NAMESPACES] = {0};

    while (last[0] < PUBLICATIONS) {
        board_want(r->board);
        for (uint32_t i = 0; i < board_count(r->board); i++) {
            if (!board_read(r->board, i, n))
                continue;
            r->torn += !is_whole(n);
            r->backwards += n->value < last[i];
            last[i] = n->value;
        }
    }
    free(n);
    return NULL;
}

static void publish(struct board *b, struct ranking *r, int64_t number)
{
    r->count = NAMESPACES;
    r->made_ms = (uint64_t)number;
    for (uint32_t i = 0; i < NAMESPACES; i++) {
        struct ranking_namespace *n = &r->namespaces[i];
        n->ns[0] = (char)('a' + i);
        n->ns_bytes = 1;
        n->value = number;
        n->keys = n->counted = (uint64_t)number;
        n->pages_count = 1 + (uint32_t)number % RANKING_PAGES_MAX;
        n->pages[n->pages_count - 1].value = number;
    }
    board_take_wish(b);
    board_publish(b, r);
}

static void test_a_namespace_is_read_whole_and_never_goes_back(void **state)
{
    struct reader readers[READERS] = {0};
    struct ranking *ranking = calloc(1, sizeof(*ranking));
    struct board *board;
    (void)state;

    assert_non_null(ranking);
    assert_int_equal(board_create(&board), 0);
    for (int i = 0; i < READERS; i++) {
        readers[i].board = board;
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_board, &readers[i]), 0);
    }
    for (int64_t number = 1; number <= PUBLICATIONS; number++)
        publish(board, ranking, number);
    for (int i = 0; i < READERS; i++) {
        pthread_join(readers[i].thread, NULL);
        assert_int_equal(readers[i].torn, 0);
        assert_int_equal(readers[i].backwards, 0);
    }
    board_destroy(board);
    free(ranking);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_namespace_is_read_whole_and_never_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
