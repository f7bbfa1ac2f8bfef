#include "base/siphash.h"

#include <endian.h>

#include "base/word.h"

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate_left(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v2 += s->v3;
    s->v1 = rotate_left(s->v1, 13) ^ s->v0;
    s->v3 = rotate_left(s->v3, 16) ^ s->v2;
    s->v0 = rotate_left(s->v0, 32);
    s->v2 += s->v1;
    s->v0 += s->v3;
    s->v1 = rotate_left(s->v1, 17) ^ s->v2;
    s->v3 = rotate_left(s->v3, 21) ^ s->v0;
    s->v2 = rotate_left(s->v2, 32);
}

static inline void sip_word(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_round(s);
    s->v0 ^= word;
}

static inline uint64_t word_load(const uint8_t *at) { return le64toh(word64_load(at)); }

/* The last bytes%8 bytes of the message, and its length in the top byte (section 2.2 of the paper). */
static inline uint64_t word_last(const uint8_t *message, size_t bytes)
{
    size_t left = bytes & 7;
    uint64_t word = 0;

    if (bytes >= 8)
        /* One load that overlaps the word before, instead of a loop over the tail; two shifts, as 64 is no shift. */
        word = word_load(message + bytes - 8) >> 8 >> (8 * (7 - left));
    else
        for (size_t i = 0; i < left; i++)
            word |= (uint64_t)message[i] << (8 * i);
    return word | (uint64_t)bytes << 56;
}

uint64_t siphash13(const struct siphash_key *key, const void *data, size_t bytes)
{
    const uint8_t *message = data;
    struct sip s = {
        .v0 = key->k0 ^ 0x736f6d6570736575, /* the paper's initial state: "somepseudorandomlygeneratedbytes" */
        .v1 = key->k1 ^ 0x646f72616e646f6d,
        .v2 = key->k0 ^ 0x6c7967656e657261,
        .v3 = key->k1 ^ 0x7465646279746573,
    };

    for (size_t i = 0; i + 8 <= bytes; i += 8)
        sip_word(&s, word_load(message + i));
    sip_word(&s, word_last(message, bytes));
    s.v2 ^= 0xff;
    sip_round(&s);
    sip_round(&s);
    sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
