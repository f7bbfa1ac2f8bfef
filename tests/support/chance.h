#pragma once
/* Chance that a seed repeats: splitmix64.
 *
 * Thread: none of its own. */

#include <stdbool.h>
#include <stdint.h>

struct chance {
    uint64_t state;
};

static inline uint64_t chance_draw(struct chance *c)
{
    uint64_t z = c->state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static inline uint64_t chance_below(struct chance *c, uint64_t below) { return chance_draw(c) % below; }
static inline bool chance_one_in(struct chance *c, uint64_t n) { return chance_below(c, n) == 0; }
/* From `least` to `most`, small ones as likely as large ones: each octave alike. */
static inline uint64_t chance_octaves(struct chance *c, uint64_t least, uint64_t most)
{
    uint64_t octaves = 0;

    while (least << (octaves + 1) <= most)
        octaves++;
    uint64_t from = least << chance_below(c, octaves + 1);
    uint64_t value = from + chance_below(c, from);
    return value < most ? value : most;
}
