#pragma once
/* Two keys in a world, blog/a counted by both workers: the usual hits of the partition's tests. Includes cmocka's
 * assertions, so <cmocka.h> comes first. */

#include "world.h"

#define KEY_A "t:blog:a"
#define KEY_B "t:blog:b"

static inline void hit_both(struct world *w)
{
    world_hit(w, 0, "blog/a", 3);
    world_hit(w, 1, "blog/a", 4);
    world_hit(w, 0, "blog/b", 5);
}

static inline void assert_both(struct world *w)
{
    assert_int_equal(fake_value(&w->redis, KEY_A), 7);
    assert_int_equal(fake_value(&w->redis, KEY_B), 5);
    assert_int_equal(w->redis.executed_outside_multi, 0);
}

static inline void assert_books(struct world *w, uint64_t stored, uint64_t poisoned, uint64_t lost)
{
    struct flusher_books b = world_books(w);

    assert_int_equal(b.stored, stored);
    assert_int_equal(b.in_flight, 0);
    assert_int_equal(b.poisoned, poisoned);
    assert_int_equal(b.lost, lost);
}
