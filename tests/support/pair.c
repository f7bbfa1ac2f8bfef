#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/pair.h"

void hit_both(struct world *w)
{
    world_hit(w, 0, "blog/a", 3);
    world_hit(w, 1, "blog/a", 4);
    world_hit(w, 0, "blog/b", 5);
}

void assert_both(struct world *w)
{
    assert_int_equal(fake_value(&w->redis, KEY_A), 7);
    assert_int_equal(fake_value(&w->redis, KEY_B), 5);
    assert_int_equal(w->redis.executed_outside_multi, 0);
}

void assert_books(struct world *w, uint64_t stored, uint64_t poisoned, uint64_t lost)
{
    struct flusher_books b = world_books(w);

    assert_int_equal(b.stored, stored);
    assert_int_equal(b.in_flight, 0);
    assert_int_equal(b.poisoned, poisoned);
    assert_int_equal(b.lost, lost);
}
