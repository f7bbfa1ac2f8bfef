#include "api/board.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct ranking *ranking_of(uint32_t first, uint32_t count, uint64_t made_ms)
{
    struct ranking *r = calloc(1, sizeof(*r));
    assert_non_null(r);
    *r = (struct ranking){.made_ms = made_ms, .kept_ms = 1000, .count = count};
    for (uint32_t i = 0; i < count; i++) {
        struct ranking_namespace *n = &r->namespaces[i];
        n->ns_bytes = (uint8_t)snprintf(n->ns, sizeof(n->ns), "ns%u", first + i);
        n->keys = 1;
        n->value = first + i;
        n->pages_count = 1;
        n->pages[0].value = first + i;
    }
    return r;
}

static void publish(struct board *b, uint32_t first, uint32_t count, uint64_t made_ms)
{
    struct ranking *r = ranking_of(first, count, made_ms);
    board_publish(b, r);
    free(r);
}

static uint32_t shown(const struct board *b, uint32_t first, uint32_t count)
{
    struct ranking_namespace n;
    uint32_t found = 0;
    for (uint32_t i = 0; i < board_count(b); i++) {
        if (!board_read(b, i, &n))
            continue;
        char name[16];
        snprintf(name, sizeof(name), "ns%u", (unsigned)n.value);
        assert_memory_equal(n.ns, name, n.ns_bytes);
        assert_int_equal(n.pages[0].value, n.value);
        assert_true(n.value >= first && n.value < first + count);
        found++;
    }
    return found;
}

static void test_a_board_shows_the_last_ranking_alone(void **state)
{
    struct board *b;
    (void)state;
    assert_int_equal(board_create(&b), 0);
    assert_false(board_is_there(b));
    assert_int_equal(board_count(b), 0);
    publish(b, 0, 3, 5000);
    assert_int_equal(shown(b, 0, 3), 3);
    publish(b, 2, 3, 6000);
    assert_int_equal(shown(b, 2, 3), 3);
    publish(b, 0, 0, 7000);
    assert_int_equal(shown(b, 0, 0), 0);
    board_destroy(b);
}

static void test_slots_of_those_that_are_gone_are_given_to_others(void **state)
{
    struct board *b;
    (void)state;
    assert_int_equal(board_create(&b), 0);
    for (uint32_t first = 0; first < 1000; first += 100) {
        publish(b, first, RANKING_NAMESPACES_MAX + 1, 1000 + first);
        assert_int_equal(shown(b, first, RANKING_NAMESPACES_MAX + 1), RANKING_NAMESPACES_MAX + 1);
    }
    board_destroy(b);
}

static void test_it_is_fresh_as_long_as_the_ranking_is_kept(void **state)
{
    struct board *b;
    (void)state;
    assert_int_equal(board_create(&b), 0);
    assert_false(board_is_fresh(b, 0));
    publish(b, 0, 1, 5000);
    assert_true(board_is_there(b));
    assert_true(board_is_fresh(b, 5999));
    assert_false(board_is_fresh(b, 6000));
    board_destroy(b);
}

static void test_the_first_who_wants_it_wakes_the_maker(void **state)
{
    struct board *b;
    (void)state;
    assert_int_equal(board_create(&b), 0);
    assert_false(board_take_wish(b));
    assert_true(board_want(b));
    assert_false(board_want(b));
    assert_true(board_take_wish(b));
    assert_false(board_take_wish(b));
    assert_true(board_want(b));
    board_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_board_shows_the_last_ranking_alone),
        cmocka_unit_test(test_slots_of_those_that_are_gone_are_given_to_others),
        cmocka_unit_test(test_it_is_fresh_as_long_as_the_ranking_is_kept),
        cmocka_unit_test(test_the_first_who_wants_it_wakes_the_maker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
