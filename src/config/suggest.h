#pragma once
/* How far two words are apart, to ask "did you mean …?". Two neighbours that are swapped count as one step.
 *
 * Thread: a pure function.
 * Source: the distance of Damerau and Levenshtein. */

#include <stddef.h>

#define SUGGEST_BYTES_MAX 48

/* Longer words are taken as far as SUGGEST_BYTES_MAX. */
size_t suggest_distance(const char *a, const char *b);
