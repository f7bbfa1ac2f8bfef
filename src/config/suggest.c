#include "config/suggest.h"

#include <stdint.h>
#include <string.h>

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

size_t suggest_distance(const char *a, const char *b)
{
    uint8_t cost[SUGGEST_BYTES_MAX + 1][SUGGEST_BYTES_MAX + 1];
    size_t a_bytes = strnlen(a, SUGGEST_BYTES_MAX), b_bytes = strnlen(b, SUGGEST_BYTES_MAX);
    for (size_t i = 0; i <= a_bytes; i++) {
        for (size_t j = 0; j <= b_bytes; j++) {
            if (i == 0 || j == 0) {
                cost[i][j] = (uint8_t)(i + j);
                continue;
            }
            size_t best = cost[i - 1][j - 1] + (size_t)(a[i - 1] != b[j - 1]);
            best = least(best, least(cost[i - 1][j], cost[i][j - 1]) + 1u);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = least(best, cost[i - 2][j - 2] + 1u);
            cost[i][j] = (uint8_t)best;
        }
    }
    return cost[a_bytes][b_bytes];
}
