#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flush/window.h"

static void fill(struct window *w, uint64_t upto)
{
    window_clear(w);
    for (uint64_t seq = 1; seq <= upto; seq++)
        window_push(w, &(struct ledger){seq, seq * 10}, seq);
}

static void test_a_window_knows_what_was_ours(void **state)
{
    static struct window w;
    (void)state;

    fill(&w, 5);
    assert_int_equal(window_knows(&w, &(struct ledger){3, 30}), WINDOW_OURS);
    assert_int_equal(window_knows(&w, &(struct ledger){3, 31}), WINDOW_NOT_OURS);
    assert_int_equal(window_knows(&w, &(struct ledger){6, 60}), WINDOW_TOO_OLD);
}

static void test_cutting_tells_how_many_hits_are_gone(void **state)
{
    static struct window w;
    (void)state;

    fill(&w, 5);
    assert_int_equal(window_cut(&w, 3), 4 + 5);
    assert_int_equal(window_cut(&w, 3), 0);
    assert_int_equal(window_knows(&w, &(struct ledger){4, 40}), WINDOW_TOO_OLD);
    assert_int_equal(window_knows(&w, &(struct ledger){3, 30}), WINDOW_OURS);
    window_push(&w, &(struct ledger){4, 44}, 7);
    assert_int_equal(window_cut(&w, 0), 1 + 2 + 3 + 7);
}

static void test_the_oldest_is_forgotten_first(void **state)
{
    static struct window w;
    (void)state;

    fill(&w, WINDOW_ENTRIES + 10);
    assert_int_equal(window_knows(&w, &(struct ledger){10, 100}), WINDOW_TOO_OLD);
    assert_int_equal(window_knows(&w, &(struct ledger){11, 110}), WINDOW_OURS);
    assert_int_equal(window_cut(&w, WINDOW_ENTRIES + 8), 2 * WINDOW_ENTRIES + 19);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_window_knows_what_was_ours),
        cmocka_unit_test(test_cutting_tells_how_many_hits_are_gone),
        cmocka_unit_test(test_the_oldest_is_forgotten_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
