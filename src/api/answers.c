#include "api/answers.h"

#include <errno.h>
#include <stdlib.h>

#define SETS (1u << 13)
#define WAYS 4

struct answers {
    struct answer_known sets[SETS][WAYS];
};

int answers_create(struct answers **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? 0 : -ENOMEM;
}

void answers_destroy(struct answers *a) { free(a); }

const struct answer_known *answers_find(const struct answers *a, uint64_t hash, uint64_t since_ms)
{
    const struct answer_known *set = a->sets[hash % SETS];

    for (int i = 0; i < WAYS; i++)
        if (set[i].hash == hash && set[i].at_ms >= since_ms)
            return &set[i];
    return NULL;
}

void answers_put(struct answers *a, const struct answer_known *known)
{
    struct answer_known *set = a->sets[known->hash % SETS], *oldest = &set[0];

    for (int i = 0; i < WAYS; i++) {
        if (set[i].hash == known->hash) {
            set[i] = *known;
            return;
        }
        if (set[i].at_ms < oldest->at_ms)
            oldest = &set[i];
    }
    *oldest = *known;
}
