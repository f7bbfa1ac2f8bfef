#pragma once
/* Two keys in a world, blog/a counted by both workers: the usual hits of the partition's tests. Includes cmocka's
 * assertions, so <cmocka.h> comes first. */

#include "support/world.h"

#define KEY_A "t:blog:a"
#define KEY_B "t:blog:b"

void hit_both(struct world *w);
void assert_both(struct world *w);
void assert_books(struct world *w, uint64_t stored, uint64_t poisoned, uint64_t lost);
