/* Zipf with exponent 1, as page views are distributed; the draws are made before the clock starts. */

#include "keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* SplitMix64 (Steele, Lea, Flood 2014): a counter and a mixer. */
static uint64_t random_next(struct keys *k)
{
    uint64_t z = k->state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static uint32_t rank_of(const double *sums, uint32_t count, double at)
{
    uint32_t low = 0, high = count - 1;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (sums[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int zipf_draw(struct keys *k)
{
    double *sums = calloc(k->count, sizeof(*sums)), sum = 0;
    k->draws = calloc(KEYS_DRAWS, sizeof(*k->draws));
    if (!sums || !k->draws) {
        free(sums);
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < k->count; i++)
        sums[i] = sum += 1.0 / (i + 1);
    for (uint32_t i = 0; i < KEYS_DRAWS; i++)
        k->draws[i] = rank_of(sums, k->count, (double)(random_next(k) >> 11) * 0x1p-53 * sum);
    free(sums);
    return 0;
}

int keys_init(struct keys *k, const char *text, uint64_t seed)
{
    static const char *const kinds[] = {"hot", "zipf", "uniform", "new"};
    size_t word = strcspn(text, ":");
    uint64_t number = text[word] ? strtoull(text + word + 1, NULL, 10) : 0;
    *k = (struct keys){.state = seed};
    for (unsigned i = 0; i < 4; i++) {
        if (strlen(kinds[i]) != word || strncmp(text, kinds[i], word) != 0)
            continue;
        k->kind = (enum keys_kind)i;
        k->count = (uint32_t)number;
        k->next = number;
        if ((k->kind == KEYS_ZIPF || k->kind == KEYS_UNIFORM) && k->count == 0)
            return -EINVAL;
        return k->kind == KEYS_ZIPF ? zipf_draw(k) : 0;
    }
    return -EINVAL;
}

void keys_fini(struct keys *k) { free(k->draws); }

static uint64_t page_next(struct keys *k)
{
    switch (k->kind) {
    case KEYS_ZIPF: return k->draws[k->next++ % KEYS_DRAWS];
    case KEYS_UNIFORM: return random_next(k) % k->count;
    case KEYS_NEW: return k->next++;
    case KEYS_HOT: break;
    }
    return 0;
}

void keys_next(struct keys *k, char *out)
{
    uint64_t page = page_next(k);
    memcpy(out, "page-", 5);
    for (int i = KEY_BYTES - 1; i >= 5; i--, page /= 10)
        out[i] = (char)('0' + page % 10);
}
