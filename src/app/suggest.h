#pragma once
/* "Did you mean …?": how far two words are apart (Damerau-Levenshtein, neighbours swapped count one). */

#include <stddef.h>

#define SUGGEST_BYTES_MAX 48

/* Longer words are taken as far as SUGGEST_BYTES_MAX. */
size_t suggest_distance(const char *a, const char *b);
